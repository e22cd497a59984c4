"""A report as one HTML file: no script, nothing fetched, readable in a minute, fit for paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from studio.analysis.report_style import CSS
from studio.analysis.report_tables import (
    arms_table,
    confusion_table,
    labels_table,
    minutes,
    money,
    slices_table,
)
from studio.domain.amounts import percent
from studio.domain.evaluation import Evaluation, Figure
from studio.domain.report import Report, Verdict

_WORDS = {Verdict.GO: "✓ Go", Verdict.NO_GO: "✗ No-go", Verdict.NOT_YET: "… Not yet"}


def render_report(report: Report, *, title: str) -> str:
    """Return the report as a complete HTML document.

    All text of the workspace is escaped. Undefined figures read "unknown".

    Args:
        report: What to show.
        title: The document's title and heading.
    """
    sections = [
        _head(report, title),
        _verdict(report),
        _figure(report),
        _facts(report),
        slices_table(report.worst),
        labels_table(report.evaluation),
        confusion_table(report.evaluation),
        arms_table(report.arms),
        _missing(report.missing),
        _method(report),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(report: Report, title: str) -> str:
    moment = report.created_at[:16].replace("T", " ")
    made = f" · {escape(moment)} UTC" if moment else ""
    question = f"<p>{escape(report.question)}</p>" if report.question else ""
    return (
        f"<header><h1>{escape(title)}</h1>{question}"
        f'<p class="soft">Task {escape(report.task)}{made}</p></header>'
    )


def _verdict(report: Report) -> str:
    decision = report.decision
    lines = [f"<p>{escape(decision.reason)}</p>"]
    if decision.needed:
        lines.append(
            f"<p>About {decision.needed:,} further blind labels on the test split would decide, "
            "if the figure stays as it is.</p>"
        )
    if report.criterion:
        goal = f"{_metric(report.criterion.metric)} of at least {report.criterion.threshold:.3g}"
        lines.append(f'<p class="soft">Promised: {goal} on blind gold of the test split.</p>')
    tone = decision.verdict.value.replace(" ", "-")
    return (
        f'<section class="verdict {tone}"><strong>{_WORDS[decision.verdict]}</strong>'
        f"<div>{''.join(lines)}</div></section>"
    )


def _figure(report: Report) -> str:
    """Draw the figure with its interval against the criterion and the majority baseline."""
    figure, evaluation = report.figure, report.evaluation
    if figure is None or math.isnan(figure.value):
        return ""
    metric = report.criterion.metric if report.criterion else "accuracy"
    goal = report.criterion.threshold if report.criterion else None
    base = _baseline(evaluation, metric)
    marks = [figure.low, *(m for m in (goal, base) if m is not None)]
    start = max(0.0, math.floor(min(marks) * 10 - 0.5) / 10)

    def x(value: float) -> float:
        return round(20 + 760 * (value - start) / (1 - start or 1), 1)

    steps = round((1 - start) * 10)
    ticks = "".join(_tick(x(start + i / 10), f"{start + i / 10:.1f}") for i in range(steps + 1))
    parts = [f'<line class="axis" x1="20" y1="70" x2="780" y2="70"/>{ticks}']
    if base is not None:
        parts.append(_rule("base", x(base), f"always the majority {base:.3f}", 108))
    if goal is not None:
        parts.append(_rule("goal", x(goal), f"criterion {goal:.3g}", 16))
    parts.append(
        f'<line class="interval" x1="{x(figure.low)}" y1="50" x2="{x(figure.high)}" y2="50"/>'
        f'<circle class="value" cx="{x(figure.value)}" cy="50" r="6"/>'
    )
    told = f"{_capital(_metric(metric))} {_plain(figure)}"
    classifier = f" of {escape(report.classifier)}" if report.classifier else ""
    return (
        f'<figure><svg viewBox="0 0 800 116" role="img" aria-label="{escape(told)}">'
        f"{''.join(parts)}</svg><figcaption>{escape(told)}{classifier}. The bar is the 95 % "
        "interval.</figcaption></figure>"
    )


def _baseline(evaluation: Evaluation | None, metric: str) -> float | None:
    """Return the metric of always saying the most frequent label (its F1 is 2p / (1 + p))."""
    if evaluation is None or not evaluation.n:
        return None
    share = evaluation.majority
    if metric == "accuracy":
        return share
    return 2 * share / (1 + share) / sum(label.support > 0 for label in evaluation.labels)


def _tick(x: float, text: str) -> str:
    return (
        f'<line class="axis" x1="{x}" y1="66" x2="{x}" y2="74"/>'
        f'<text x="{x}" y="88" text-anchor="middle">{text}</text>'
    )


def _rule(kind: str, x: float, text: str, y: int) -> str:
    anchor = "start" if x < 150 else "end" if x > 650 else "middle"
    strong = ' class="strong"' if kind == "goal" else ""
    return (
        f'<line class="{kind}" x1="{x}" y1="24" x2="{x}" y2="72"/>'
        f'<text{strong} x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
    )


def _facts(report: Report) -> str:
    evaluation = report.evaluation
    facts = [
        ("Money spent", money(report.cost_usd)),
        ("People's time", minutes(report.minutes)),
        *([("Decisions not timed", f"{report.untimed:,}")] if report.untimed else []),
        ("Looks at the test split", f"{report.test_looks:,}"),
    ]
    if evaluation and evaluation.n:
        facts += [
            ("Accuracy", _plain(evaluation.accuracy)),
            ("Macro-F1", _plain(evaluation.macro_f1)),
            ("Got a label", percent(evaluation.coverage)),
        ]
    facts += [(str(k).replace("_", " ").capitalize(), _fact(v)) for k, v in report.facts.items()]
    return (
        "<section><dl>"
        + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
        + "</dl></section>"
    )


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in missing)
    return f"<section><h2>What is missing</h2><ul>{items}</ul></section>"


def _method(report: Report) -> str:
    looks = (
        "Nobody has looked at figures on it yet."
        if not report.test_looks
        else f"Figures on it were looked at {_times(report.test_looks)}; each look that leads to a "
        "change makes them a little too good."
    )
    return (
        "<section><h2>How the figures were made</h2><ul>"
        "<li>The verdict counts blind gold labels of the test split only: labels given with no "
        "model's label in sight, or that came with the data.</li>"
        f"<li>The test split is never learnt from. {looks}</li>"
        f"{_tried(report)}"
        "<li>An example on which the classifier gave no label counts as an error.</li>"
        "<li>Go means that the low end of the 95 % interval reaches the criterion; no-go that its "
        "high end does not; anything between is not yet.</li>"
        "<li>Intervals of shares are Wilson's; macro-F1's is a bootstrap of the confusion matrix "
        "(1,000 draws). Macro-F1 is the mean over labels that occur or are predicted.</li>"
        "<li>Minutes are what the browser measured of people's decisions, or else estimated from "
        "their pace; pauses count as a minute at most.</li></ul></section>"
    )


def _tried(report: Report) -> str:
    """Return how many prompts were tried; the gold that chose is not that of the verdict."""
    if report.versions_tried is None:
        return ""
    told = f"{report.versions_tried['says']} That gold is of train and validation."
    return f"<li>Prompts: {escape(told)}</li>"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def _metric(name: str) -> str:
    return {"accuracy": "accuracy", "macro_f1": "macro-F1"}.get(name, name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(figure: Figure) -> str:
    if math.isnan(figure.value):
        return "unknown"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}, n={figure.n:,})"


def _fact(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
