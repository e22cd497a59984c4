"""What came of a preview: what changed, with the examples, while it works and after."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.actions.preview_results import Previewed, Tried, preview_result
from studio.actions.previews import estimate_more, preview_more
from studio.domain.estimate import Estimate
from studio.domain.evaluation import Comparison
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.colours import label_colours
from studio.ui.figures import count, duration, money, percent
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.rationale_text import figure_metric, label_chip, plain
from studio.workspace import Workspace

MOST_MORE = 500
"""Most examples that one press adds to a preview."""
_CHIPS = {
    "changed": "Changed", "fixed": "Fixed", "broke": "Broke", "wrong": "Wrong", "hard": "Hard",
    "all": "All",
}  # fmt: skip
_ROW = 72
"""Height of an example in pixels: four lines of its text; in rows of 4 rem and less none wraps."""
_OF_LOOKS = (
    f"{note('interval')} This one is somewhat wider than at 95 %: whoever looks again and again, "
    "on more or other examples, is then wrong in at most 5 of 100 cases."
)
_BY_CHANCE = (
    "A third of the sample is picked because it is hard: the run before got it wrong or was "
    "unsure, or it differs from the rules. The lists show them. Accuracy and difference come from "
    "the others alone: drawn at random over gold labels and kinds of examples, they hold for all "
    "of train and validation with gold."
)


def found_by(ws: Workspace, task: Task, run_id: int) -> Previewed:
    """Return what came of a preview; computed anew when anything of the task was written."""
    told = preview_state(ws, run_id)
    return _found(str(ws.path), task.revision, run_id, told, ws)


def preview_state(ws: Workspace, run_id: int) -> tuple[Any, ...]:
    """Return what changes while a preview works."""
    run = ws.read.runs.get(run_id)
    return run.task_id, run.status, run.done, [r.status for r in _runs(ws, run_id)]


def show_found(ws: Workspace, task: Task, run_id: int, text: str, person: str) -> int | None:
    """Draw a preview: its progress and rows while it works, then what changed.

    Args:
        ws: The workspace.
        task: The task.
        run_id: The run of the draft.
        text: Hash of what the editor holds now.
        person: Who looks.

    Returns:
        The run of a larger preview once one was asked for.
    """
    found = found_by(ws, task, run_id)
    for run in _runs(ws, run_id):
        if run.job_id is not None and run.status != "done":
            title = "Trying the draft" if run.id == run_id else f"Trying {plain(found.before)}"
            job_status(ws, run.job_id, key=f"prompts_preview_{run.id}", title=title)
    if found.is_open:
        st.fragment(_stream, run_every=1.0, key=f"prompts_stream_{run_id}")(ws, task, run_id)
        return None
    if found.text != text:
        st.caption("You changed the draft since this preview. Press Preview to see it anew.")
    grown = _figures(ws, task, found, person)
    for told in found.notes:
        st.info(plain(told), icon=":material/lightbulb:")
    _table(ws, task, found, "")
    return grown


def comparison_sentence(c: Comparison) -> str:
    """Return in a sentence whether the draft is better than the version before.

    >>> def c(low, high, needed):
    ...     d = Figure(value=0.05, low=low, high=high, n=40)
    ...     return Comparison(
    ...         runs=(1, 2),
    ...         metric="accuracy",
    ...         n=40,
    ...         difference=d,
    ...         p=0.1,
    ...         fixed=(),
    ...         broke=(),
    ...         changed=0,
    ...         needed=needed,
    ...     )
    >>> from studio.domain.evaluation import Figure
    >>> comparison_sentence(c(-0.05, 0.15, 120))
    'Not enough to tell: +5.0 points [-5.0, +15.0] on 40 examples. About 120 more would tell.'
    >>> comparison_sentence(c(-0.05, 0.15, None)).partition("examples. ")[2]
    'The two are so alike here that no sample within reach would tell.'
    >>> comparison_sentence(c(0.01, 0.15, None))
    'Better: +5.0 points [+1.0, +15.0] on 40 examples.'
    """
    d = c.difference
    points = f"{100 * d.value:+.1f} points [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    said = f"{points} on {count(d.n, 'example')}."
    if c.tells:
        return f"{'Better' if d.low > 0 else 'Worse'}: {said}"
    if not c.fixed and not c.broke and d.value == 0:
        return f"No difference on {count(d.n, 'example')} with gold."
    would = c.what_would_tell
    return (
        f"Not enough to tell: {said} {would[:1].upper()}{would[1:]}{'.' if would else ''}".rstrip()
    )


def _stream(ws: Workspace, task: Task, run_id: int) -> None:
    """Draw the rows that came by now; drawn anew each second, alone."""
    found = preview_result(ws, run_id)
    st.caption(f"{count(len(found.rows), 'answer')} of {found.asked:,} so far; figures at the end.")
    if found.rows:
        _table(ws, task, found, "_stream")


def _figures(ws: Workspace, task: Task, found: Previewed, person: str) -> int | None:
    grown = None
    if found.now is not None:
        columns = iter(st.columns(2))
        if found.before_id is not None:
            title = "Accuracy of that version on the same examples."
            figure_metric(next(columns), plain(found.before), found.then, title)
        figure_metric(next(columns), "This draft", found.now, note("accuracy"))
    elif len(found.rows) < found.asked:
        st.caption(
            f"It ended with {len(found.rows)} of {count(found.asked, 'answer')}, so there is no "
            "figure: those answered first are no fair sample."
        )
    else:
        changed = f"{count(len(found.of('changed')), 'label')} changed. " if found.before_id else ""
        st.caption(f"{changed}No gold in the sample, so nobody can say which are right.")
    if found.comparison is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            said = comparison_sentence(found.comparison)
            st.markdown(f"**{plain(said)}**", help=_OF_LOOKS, width="content")
            grown = _offer_more(ws, task, found, person)
        if found.looks > 1:
            st.caption(
                f"Looked at {found.looks} times on more or other examples; the interval is that "
                "much wider."
            )
    st.caption(plain(_truth(ws, found)))
    if found.majority[0]:
        st.caption(
            f"Always “{plain(found.majority[0])}” would be {percent(found.majority[1])}. "
            f"Figures are of the {found.by_chance:,} drawn at random, never of test.",
            help=_BY_CHANCE,
        )
    return grown


def _offer_more(ws: Workspace, task: Task, found: Previewed, person: str) -> int | None:
    """Offer to go on with as many examples as would tell, and return the run once it is filed."""
    needed = found.comparison.needed if found.comparison else None
    if not needed:
        return None
    more = min(needed, _left(str(ws.path), task.revision, found, ws), MOST_MORE)
    if more < 1:
        st.caption("All gold is in the sample already: more would have to be labeled first.")
        return None
    told = _estimate_more(str(ws.path), task.revision, found.run_id, more, ws)
    if st.button(
        f"Preview on {more:,} more", key=f"prompts_more_{found.run_id}",
        help=plain(told.sentence()) if told else None,
    ):  # fmt: skip
        with kindly():
            return preview_more(ws, found.run_id, more=more, by=person).run_id
    return None


def _truth(ws: Workspace, found: Previewed) -> str:
    """Return what it really asked, cost and took, beside what was expected.

    The price and time of an earlier answer are not paid again.
    """
    questions, usd, seconds = (found.expected.get(k) for k in ("questions", "cost_usd", "seconds"))
    parts = [count(found.calls, "call")]
    if questions is not None and questions != found.calls:
        parts[0] += f" (at most {int(questions):,} expected)"
    parts.append("free" if found.cost_usd == 0 else money(found.cost_usd))
    if usd:
        parts[-1] += f" (about {money(usd)} expected)"
    if found.seconds is not None:
        parts.append(duration(found.seconds))
        if seconds is not None:
            parts[-1] += f" ({duration(seconds)} expected)"
    if answered_by := ws.read.runs.answered_by(found.run_id):
        parts.append(f"answered by {answered_by}")
    return " · ".join(parts)


def _table(ws: Workspace, task: Task, found: Previewed, place: str) -> None:
    lists = {k: list(found.rows) if k == "all" else found.of(k) for k in _CHIPS}
    shown = [k for k in _CHIPS if lists[k] or k == "all"]
    default = next((k for k in ("changed", "wrong") if lists[k]), "all")
    kind = st.pills(
        "Examples", shown, default="all" if place else default, required=True,
        key=f"prompts_kind_{found.run_id}{place}", label_visibility="collapsed",
        format_func=lambda k: f"{_CHIPS[k]} {len(lists[k])}",
    )  # fmt: skip
    rows = lists[kind if kind in lists else "all"]
    colours = label_colours(task)
    pills = st.column_config.MultiselectColumn(
        width=80, options=list(colours), color=list(colours.values())
    )
    columns = {
        "Before": [[r.before] if r.before else [] for r in rows],
        "Now": [[r.now] if r.now else [] for r in rows],
        "Gold": [[r.gold] if r.gold else [] for r in rows],
        "Text": [r.text for r in rows],
    }
    if found.before_id is None:
        del columns["Before"]
    event: Any = st.dataframe(
        columns,
        hide_index=True,
        height=min(38 + _ROW * len(rows), 400),
        row_height=_ROW,
        column_config={
            "Before": pills,
            "Now": pills,
            "Gold": pills,
            "Text": st.column_config.TextColumn(width=190),  # it grows to what is left
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"prompts_rows_{found.run_id}_{kind}{place}",
        alt="Examples with their label before, now, and gold; select a row to see why",
    )
    chosen = event["selection"]["rows"]
    if chosen and chosen[0] < len(rows):
        _why(ws, task, found.run_id, rows[chosen[0]])
    else:
        st.caption("Select a row to read it whole and to see which lines of the prompt moved it.")


def _why(ws: Workspace, task: Task, run_id: int, row: Tried) -> None:
    """Draw one example and what moved the model."""
    st.text(row.text)
    if row.hard:
        st.caption(f"Hard: {plain(row.hard)}.")
    answer = ws.read.runs.answer(run_id, row.example_id)
    if answer is None:
        st.caption("Nothing more is known of this answer.")
        return
    colours = label_colours(task)
    chances = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:4]
    st.markdown(
        " · ".join(
            f"{label_chip(n, colours.get(n, 'gray'))} {percent(p, digits=0)}" for n, p in chances
        )
        or f"Outcome: {plain(answer.outcome.value)}"
    )
    if why := answer.detail.get("error"):
        st.error(plain(str(why)))
    evidence = answer.detail.get("evidence") or []
    if evidence:
        st.caption("What moved it, the strongest first (share of the answer):")
    for piece in evidence[:5]:
        label = str(piece.get("label", ""))
        weight = percent(float(piece.get("weight", 0.0)), digits=0)
        st.markdown(
            f":small[{label_chip(label, colours.get(label, 'gray'))} **{weight}** "
            f"{plain(str(piece.get('line', '')))}]"
        )
    for told, words in (("truncated", "The text is longer than the model reads."),
                        ("not_english", "The text does not look like English.")):  # fmt: skip
        if answer.detail.get(told):
            st.caption(words)


def _runs(ws: Workspace, run_id: int) -> list[Any]:
    """Return the run of the version before, if any, and that of the draft."""
    before = ws.read.runs.params(run_id).get("preview", {}).get("before")
    return [ws.read.runs.get(i) for i in (before, run_id) if i]


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _found(
    path: str, revision: int, run_id: int, state: tuple[Any, ...], _ws: Workspace
) -> Previewed:
    return preview_result(_ws, run_id)


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _left(path: str, revision: int, _found: Previewed, _ws: Workspace) -> int:
    task_id = _ws.read.runs.get(_found.run_id).task_id
    known = _ws.read.labels.counts(task_id)
    return sum(int(c["n"]) for c in known if c["split"] != "test") - _found.by_chance


@st.cache_data(max_entries=32, ttl=300, show_spinner=False)
def _estimate_more(
    path: str, revision: int, run_id: int, more: int, _ws: Workspace
) -> Estimate | None:
    try:
        return estimate_more(_ws, run_id, more=more)
    except StudioError:  # whoever presses the button is told what is missing
        return None
