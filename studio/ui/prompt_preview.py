"""What an edit of a prompt changed, seen on a small sample before it is saved."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from studio.actions.prompts import preview_prompt
from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import count, duration, money
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.prompt_found import Found, Shown, comparison_sentence, found_by
from studio.ui.rationale_text import figure_metric, label_chip, plain
from studio.workspace import Workspace

_STATE = "prompts_preview"


def start_preview(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: tuple[str, PromptText] | None,
    n: int,
    person: str,
) -> None:
    """File the two runs of a preview and remember which they are."""
    filed = preview_prompt(
        ws, task.id, body=body, before=before[1] if before else None, n=n, by=person
    )
    shown = Shown(
        run_id=filed.run_id,
        before_id=filed.before_id,
        before=before[0] if before else "",
        text=body.hash,
    )
    st.session_state.setdefault(_STATE, {})[task.id] = asdict(shown)


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
    row = ws.read.jobs.get(run.job_id) if run.job_id else None
    took = (
        duration(row.finished_at - row.started_at)
        if row and row.finished_at and row.started_at
        else "unknown"
    )
    answered_by = ws.read.runs.answered_by(run.id)
    model = f" · answered by {plain(answered_by)}" if answered_by else ""
    base = f" · always “{plain(found.majority[0])}” would be {found.majority[1]:.1%} here"
    st.caption(
        f"{count(run.calls, 'call')}, {money(run.cost_usd)}, {took}{model} · "
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


def _tried(ws: Workspace, run_id: int) -> PromptText:
    return PromptText.from_dict(ws.read.runs.params(run_id).get("body", {}))
