"""The tables of a report as HTML; every text of the workspace in them is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from studio.analysis.metrics import most_confused
from studio.analysis.report_style import LABEL_COLOURS
from studio.domain.evaluation import Evaluation, Figure
from studio.domain.report import Arm

_MOST_LABELS = 30
_CELL = {True: "cell hit", False: "cell"}


def slices_table(worst: Sequence[tuple[str, Figure]]) -> str:
    """Show the slices it errs on most, with their error rates."""
    if not worst:
        return ""
    rows = [(escape(name), figure_cell(figure), f"{figure.n:,}") for name, figure in worst]
    return _section("Where it errs most", ("Slice", "Error rate", "Examples"), rows)


def labels_table(evaluation: Evaluation | None) -> str:
    """Show precision, recall and F1 of each label."""
    if evaluation is None or not evaluation.n:
        return ""
    rows = [
        (
            _dot(i) + escape(s.label),
            f"{s.support:,}",
            figure_cell(s.precision),
            figure_cell(s.recall),
            figure_cell(s.f1),
        )
        for i, s in enumerate(evaluation.labels)
    ]
    header = ("Label", "Gold", "Precision", "Recall", "F1")
    return _section("Each label", header, rows, "Shares with their 95 % interval.")


def confusion_table(evaluation: Evaluation | None) -> str:
    """Show the confusion matrix; beyond 30 labels only the most frequent errors."""
    if evaluation is None or not evaluation.n:
        return ""
    confusion = evaluation.confusion
    if len(confusion.gold) > _MOST_LABELS:
        return _top_errors(evaluation)
    header = ("Gold", *(escape(name) for name in confusion.predicted))
    rows = [
        f'<tr><th scope="row">{_dot(i)}{escape(name)}</th>{_counts(i, counts)}</tr>'
        for i, (name, counts) in enumerate(zip(confusion.gold, confusion.counts, strict=True))
    ]
    caption = "Rows: what gold says. Columns: what the classifier said. Framed: both agree."
    return _titled("What is taken for what", header, "".join(rows), caption)


def _counts(row: int, counts: Sequence[int]) -> str:
    total = sum(counts) or 1
    return "".join(
        f'<td class="{_CELL[row == j]}" style="--share:{0.55 * n / total:.2f}">{n:,}</td>'
        for j, n in enumerate(counts)
    )


def _top_errors(evaluation: Evaluation) -> str:
    rows = [(escape(g), escape(p), f"{n:,}") for g, p, n in most_confused(evaluation, 20)]
    return _section("What is taken for what", ("Gold", "Said", "Examples"), rows)


def arms_table(arms: Sequence[Arm]) -> str:
    """Show what each way to the benchmark costs and where its numbers come from."""
    if not arms:
        return ""
    rows = [
        (
            escape(arm.name),
            escape(minutes(arm.minutes)),
            escape(money(arm.service_usd)),
            escape(money(arm.total_usd)),
            f"{escape(arm.basis)}",
        )
        for arm in arms
    ]
    header = ("Way to the benchmark", "People", "Service", "Total", "Where the numbers come from")
    return _section("What it costs", header, rows, kind="prose")


def _section(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str = "",
    kind: str = "",
) -> str:
    """Return a heading and a table; its cells are HTML already."""
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return _titled(title, header, "".join(f"<tr>{line}</tr>" for line in lines), caption, kind)


def _titled(title: str, header: Sequence[str], body: str, caption: str, kind: str = "") -> str:
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    names = "".join(f'<th scope="col">{name}</th>' for name in header)
    return (
        f'<section><h2>{escape(title)}</h2><div class="scroll"><table class="{kind}">{told}'
        f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _dot(place: int) -> str:
    """Return the label's colour; beyond eight labels there is none."""
    if place >= len(LABEL_COLOURS):
        return ""
    return f'<span class="dot" style="background:{LABEL_COLOURS[place]}"></span>'


def figure_cell(figure: Figure) -> str:
    """Return a figure and its interval as a table shows them.

    >>> figure_cell(Figure(value=0.5, low=0.25, high=0.75, n=9))
    '0.500 <small>0.250–0.750</small>'
    """
    if math.isnan(figure.value):
        return "unknown"
    return f"{figure.value:.3f} <small>{figure.low:.3f}–{figure.high:.3f}</small>"


def money(usd: float | None) -> str:
    """Return an amount as people read it.

    >>> money(None), money(0.004), money(1234.5)
    ('unknown', '$0.004', '$1,234.50')
    """
    if usd is None:
        return "unknown"
    return f"${usd:.3f}" if 0 < usd < 0.1 else f"${usd:,.2f}"


def minutes(number: float) -> str:
    """Return a time as people read it.

    >>> minutes(0.4), minutes(42), minutes(1500)
    ('under a minute', '42 min', '25.0 h')
    """
    if 0 < number < 1:
        return "under a minute"
    return f"{number:.0f} min" if number < 120 else f"{number / 60:,.1f} h"
