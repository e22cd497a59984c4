"""What an edit of a prompt changed, seen on a small sample before it is saved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.actions.previews import estimate_preview, preview_prompt
from studio.actions.runs import Choice
from studio.domain.estimate import Estimate
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.colours import label_colours
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.prompt_found import Found, Shown, comparison_sentence, found_by
from studio.ui.rationale_text import figure_metric, label_chip, plain
from studio.ui.run_start import cost_line, draw_consent, run_estimate
from studio.workspace import Workspace

_STATE = "prompts_preview"


def draw_preview(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: PromptVersion | None,
    *,
    person: str,
    where: DeltaGenerator,
) -> bool:
    """Draw the button that previews a draft, and return whether it was filed.

    Where texts would leave the machine for the first time it opens a box first, with what
    somebody agrees to.

    Args:
        ws: The workspace.
        task: The task.
        body: The draft.
        before: The version it is held against; None without one.
        person: Who previews.
        where: Where a refusal is said.
    """
    n = st.session_state.get("prompts_sample", 40)
    told = _estimate(ws, task, body, before, n)
    icon, key, is_filed = ":material/visibility:", "prompts_preview_go", False
    agreed = ws.read.providers.has_consent
    if told is None or told.is_local or agreed(task.id, told.host, told.columns):
        said = plain(told.sentence()) if told else None
        pressed = st.button("Preview", icon=icon, type="primary", key=key, help=said)
    else:
        with st.popover("Preview", icon=icon, type="primary", key="prompts_preview_box"):
            st.markdown(plain(told.sentence()))
            pressed = draw_consent(ws, task, told, what="A preview", yes="Preview", key=key)
    if pressed:
        with where, kindly():
            filed = preview_prompt(
                ws, task.id, body=body, before=before.body if before else None, n=n, by=person,
                consent=told is not None and not told.is_local,
            )  # fmt: skip
            shown = Shown(
                run_id=filed.run_id,
                before_id=filed.before_id,
                before=before.title if before else "",
                text=body.hash,
            )
            st.session_state.setdefault(_STATE, {})[task.id] = asdict(shown)
            is_filed = True
    return is_filed


def show_estimates(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: PromptVersion | None,
    saved: PromptVersion | None,
) -> None:
    """Say before any click what a preview, and a run of the saved version, would ask and cost."""
    n = st.session_state.get("prompts_sample", 40)
    lines = {"Preview": _estimate(ws, task, body, before, n)}
    if saved is not None:
        lines["Run on all"] = run_estimate(ws, task, Choice(prompt=str(saved.id)))
    said = [f"{name}: {plain(told.sentence())}" for name, told in lines.items() if told]
    if said:
        st.caption("  \n".join(said))


def last_preview(ws: Workspace, task: Task, person: str) -> Shown | None:
    """Return this person's latest preview, also one asked for before a refresh of the page."""
    held = st.session_state.setdefault(_STATE, {})
    if task.id not in held:
        held[task.id] = _latest(ws, task, person)
    return Shown(**held[task.id]) if held[task.id] else None


def unused_lines(ws: Workspace, task: Task, shown: Shown | None, body: PromptText) -> list[str]:
    """Return the lines of this very text that the embedded reader said it cannot use."""
    if shown is None or shown.text != body.hash:
        return []
    if ws.read.runs.get(shown.run_id).done == 0:
        return []
    return found_by(ws, task, shown).unused


def show_preview(ws: Workspace, task: Task, shown: Shown, body: PromptText) -> None:
    """Draw a preview: its progress while it works, then what changed."""
    is_open = False
    runs = [(shown.before_id, shown.before or "version before"), (shown.run_id, "draft")]
    for run_id, title in runs:
        run = ws.read.runs.get(run_id) if run_id else None
        if run is not None and run.job_id is not None and run.status != "done":
            job_status(ws, run.job_id, key=f"prompts_preview_{run.id}", title=f"Trying the {title}")
            is_open = True
    if is_open:
        return
    if shown.text != body.hash:
        st.caption("You changed the draft since this preview. Press Preview to see it anew.")
    found = found_by(ws, task, shown)
    _figures(ws, shown, found)
    for told in found.notes:
        st.info(plain(told), icon=":material/lightbulb:")
    _table(ws, task, shown, found)


def _figures(ws: Workspace, shown: Shown, found: Found) -> None:
    columns = iter(st.columns(2))
    if shown.before_id is not None:
        figure_metric(next(columns), plain(shown.before), found.then, "Accuracy of that version.")
    figure_metric(next(columns), "This draft", found.now, note("accuracy"))
    if found.comparison is not None:
        st.markdown(f"**{plain(comparison_sentence(found.comparison))}**", help=note("interval"))
    run = ws.read.runs.get(shown.run_id)
    answered_by = ws.read.runs.answered_by(run.id)
    model = f" · answered by {plain(answered_by)}" if answered_by else ""
    base = f" · always “{plain(found.majority[0])}” would be {found.majority[1]:.1%} here"
    st.caption(
        f"{plain(cost_line(ws, run))}{model} · "
        "the sample is of train and validation, each label in turn, never of test"
        + (base if found.majority[0] else "")
    )


def _table(ws: Workspace, task: Task, shown: Shown, found: Found) -> None:
    kinds = ["Changed", "Fixed", "Broke", "Wrong", "All"]
    lists = {k: [r for r in found.rows if k == "All" or k in r["kinds"]] for k in kinds}
    default = "Changed" if lists["Changed"] else "Wrong" if lists["Wrong"] else "All"
    kind = st.segmented_control(
        "Examples", kinds, default=default, required=True, key=f"prompts_kind_{shown.run_id}",
        format_func=lambda k: f"{k} {len(lists[k])}", label_visibility="collapsed",
    )  # fmt: skip
    rows = lists[str(kind)]
    if not rows:
        st.caption("None.")
        return
    colours = label_colours(task)
    pills = st.column_config.MultiselectColumn(
        width=92, options=list(colours), color=list(colours.values())
    )
    table, detail = st.container(), st.container()
    with table:
        event: Any = st.dataframe(
            {
                "Before": [[r["before"]] if r["before"] else [] for r in rows],
                "Now": [[r["now"]] if r["now"] else [] for r in rows],
                "Gold": [[r["gold"]] if r["gold"] else [] for r in rows],
                "Text": [r["text"] for r in rows],
            },
            hide_index=True,
            height=min(38 + 35 * len(rows), 290),
            column_config={"Before": pills, "Now": pills, "Gold": pills},
            on_select="rerun",
            selection_mode="single-row",
            key=f"prompts_rows_{shown.run_id}_{kind}",
            alt="Examples with their label before, now, and gold; select a row to see why",
        )
    chosen = event["selection"]["rows"]
    with detail:
        if chosen and chosen[0] < len(rows):
            _why(ws, task, shown, rows[chosen[0]])
        else:
            st.caption(
                "Select a row to read it whole and to see which lines of the prompt moved it."
            )


def _why(ws: Workspace, task: Task, shown: Shown, row: dict[str, Any]) -> None:
    """Draw one example and what moved the model."""
    st.text(row["text"])
    answer = ws.read.runs.answer(shown.run_id, row["id"])
    if answer is None:
        st.caption("Nothing more is known of this answer.")
        return
    colours = label_colours(task)
    chances = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:4]
    st.markdown(
        " · ".join(f"{label_chip(n, colours.get(n, 'gray'))} {p:.0%}" for n, p in chances)
        or f"Outcome: {plain(answer.outcome.value)}"
    )
    if why := answer.detail.get("error"):
        st.error(plain(str(why)))
    evidence = answer.detail.get("evidence") or []
    if evidence:
        st.caption("What moved it, the strongest first (share of the answer):")
    for piece in evidence[:5]:
        label = str(piece.get("label", ""))
        weight = float(piece.get("weight", 0.0))
        st.markdown(
            f":small[{label_chip(label, colours.get(label, 'gray'))} **{weight:.0%}** "
            f"{plain(str(piece.get('line', '')))}]"
        )
    for told, words in (("truncated", "The text is longer than the model reads."),
                        ("not_english", "The text does not look like English.")):  # fmt: skip
        if answer.detail.get(told):
            st.caption(words)


def _latest(ws: Workspace, task: Task, person: str) -> dict[str, Any] | None:
    mine = [
        r for r in ws.read.runs.all(task.id, previews=True) if r.preview and r.created_by == person
    ]
    draft = next((r for r in mine if r.title == "draft"), None)
    if draft is None:
        return None
    before = next((r for r in mine if r.id == draft.id - 1 and r.title != "draft"), None)
    body = _tried(ws, draft.id)
    titles = {v.body.hash: v.title for v in ws.read.prompts.all(task.id)}
    return asdict(
        Shown(
            run_id=draft.id,
            before_id=before.id if before else None,
            before=titles.get(_tried(ws, before.id).hash, "version before") if before else "",
            text=body.hash,
        )
    )


def _estimate(
    ws: Workspace, task: Task, body: PromptText, before: PromptVersion | None, n: int
) -> Estimate | None:
    prices = repr(ws.read.prices.own())
    old = before.body if before else None
    key = (str(ws.path), task.id, task.revision, prices, body.hash, old and old.hash)
    return _preview_estimate(key, n, ws, body, old)


@st.cache_data(max_entries=32, ttl=300, show_spinner=False)
def _preview_estimate(
    key: tuple[Any, ...], n: int, _ws: Workspace, _body: PromptText, _before: PromptText | None
) -> Estimate | None:
    try:
        return estimate_preview(_ws, key[1], body=_body, before=_before, n=n)
    except StudioError:  # whoever presses the button is told what is missing
        return None


def _tried(ws: Workspace, run_id: int) -> PromptText:
    return PromptText.from_dict(ws.read.runs.params(run_id).get("body", {}))
