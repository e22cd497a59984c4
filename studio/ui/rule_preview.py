"""What a rule would do: how often it fires, how often it is right, and on which examples not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from studio.actions.rules import RulePreview, preview_rule, print_rule, read_rule
from studio.domain.coded_rationale import RuleBody, describe
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.colours import label_colours
from studio.ui.figures import count, percent
from studio.ui.rationale_text import figure_metric, label_chip, plain
from studio.ui.rationale_writer import open_example
from studio.workspace import Workspace

MOST = 200


def show_preview(ws: Workspace, task: Task, body: RuleBody) -> None:
    """Draw what a rule does on train and validation; a pattern that cannot be used says so here."""
    try:
        preview = _cached(str(ws.path), task.id, task.revision, print_rule(body), ws)
    except InputError as error:
        st.error(plain(str(error)))
        return
    score = preview.score
    st.text(describe(body))
    if not preview.looked_at:
        st.info("There are no examples in train and validation to try it on. Import some first.")
        return
    fires, right, conflict = st.columns([3, 4, 3])
    quiet: Any = {"delta_color": "off", "delta_arrow": "off"}
    fires.metric("Fires on", f"{score.fires:,}", f"{percent(score.coverage)} of all", **quiet,
        help=f"Of {count(preview.looked_at, 'example')} in train and validation.")  # fmt: skip
    figure_metric(right, "Accuracy", score.accuracy,
        "How often it is right on blind gold of train and validation.")  # fmt: skip
    conflict.metric("Conflicts", percent(score.conflict), "with other rules", **quiet,
        help="Share of examples on which another rule contradicts it.")  # fmt: skip
    _examples(ws, task, preview)


def _examples(ws: Workspace, task: Task, preview: RulePreview) -> None:
    lists = {
        "Wrong": preview.score.wrong,
        "Fires on": preview.fires_on,
        "Alone": preview.score.alone,
    }
    shown = st.segmented_control(
        "Examples", list(lists), default="Wrong", required=True, key="rationales_preview_list",
        format_func=lambda name: f"{name} {len(lists[name]):,}", label_visibility="collapsed",
    )  # fmt: skip
    example_table(ws, task, lists[shown or "Wrong"], key=f"rationales_preview_{shown}")


def example_table(ws: Workspace, task: Task, ids: Sequence[int], *, key: str) -> None:
    """List examples with their gold; a click on one shows it whole."""
    if not ids:
        st.caption("None.")
        return
    rows = _rows(str(ws.path), task.id, task.revision, tuple(ids[:MOST]), ws)
    colours = label_colours(task)
    event: Any = st.dataframe(
        {
            "Gold": [[r["gold"]] if r["gold"] else [] for r in rows],
            "Text": [r["text"] for r in rows],
        },
        hide_index=True,
        height=min(38 + 35 * len(rows), 290),
        on_select="rerun",
        selection_mode="single-row",
        key=f"{key}_{hash(tuple(ids[:MOST]))}",
        column_config={
            "Gold": st.column_config.MultiselectColumn(
                width="small", options=list(colours), color=list(colours.values())
            ),
            "Text": st.column_config.TextColumn(width="large"),
        },
        alt="Examples with their gold label; select a row to see the whole text",
    )
    if len(ids) > MOST:
        st.caption(f"The first {MOST} of {count(len(ids), 'example')}.")
    chosen = event["selection"]["rows"]
    if not chosen or chosen[0] >= len(rows):
        st.caption("Select a row to read it whole.")
        return
    row = rows[chosen[0]]
    with st.container(border=True):
        st.text(row["text"])
        gold = label_chip(row["gold"], colours[row["gold"]]) if row["gold"] else "no gold"
        facts = [plain(row["id"]), gold, *(f"{plain(k)}: {plain(v)}" for k, v in row["facts"])]
        st.caption(" · ".join(facts))
        if st.button("Write a rationale about it", key=f"{key}_reason", type="tertiary"):
            open_example(row["number"])
            st.rerun()


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False)
def _cached(path: str, task_id: int, revision: int, rule: str, _ws: Workspace) -> RulePreview:
    return preview_rule(_ws, task_id, read_rule(rule))


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False)
def _rows(
    path: str, task_id: int, revision: int, ids: tuple[int, ...], _ws: Workspace
) -> list[dict[str, Any]]:
    task = _ws.read.tasks.get(task_id)
    gold = _ws.read.labels.gold(task_id, ("train", "validation"), ids=ids)
    return [
        {
            "number": e.id,
            "id": e.external_id,
            "text": e.text,
            "gold": task.name_of(gold[e.id].label_id) if e.id in gold else None,
            "facts": list(e.metadata.items())[:4],
        }
        for e in _ws.read.examples.some(task_id, ids)
    ]
