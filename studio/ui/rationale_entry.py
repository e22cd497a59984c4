"""What became of one rationale: its examples, its rules, the labels it decided, its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from studio.actions.rationales import RationaleRecord, rationale_records, retire_rationale
from studio.actions.rules import OPEN_SPLITS
from studio.analysis.rule_scores import RuleScore, rule_report
from studio.domain.coded_rationale import CodedRationale, describe
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import count, figure_text
from studio.ui.notes import note
from studio.ui.rationale_place import open_drafts
from studio.ui.rationale_text import label_chip, marked, plain, shortened
from studio.ui.rule_boards import task_board
from studio.workspace import Workspace

_SHOWN = 5
_CUT = 110
_MOST = 600
_MOST_RULE = 220

Code = Callable[[Rationale, CodedRationale | None], None]


def show_entry(
    ws: Workspace, task: Task, rationale: Rationale, rules: list[CodedRationale], code: Code
) -> None:
    """Draw what became of a rationale, and what can be done with it."""
    record, scores = _found(str(ws.path), task.id, task.revision, ws, task)
    mine: RationaleRecord | None = record.get(rationale.id)
    if len(rationale.text) > _CUT:
        st.text(rationale.text)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        _examples(ws, task, rationale, mine)
    with right:
        for rule in rules:
            _rule(rationale, rule, scores.get(rule.id), code)
        if not rules:
            st.caption("No rule says it yet.")
        if mine and rules:
            _record(task, mine)
    _buttons(ws, task, rationale, rules, code)


def show_source(ws: Workspace, task: Task, rationale: Rationale) -> None:
    """Draw the example a rationale was written about, with the words it points at."""
    _examples(ws, task, rationale, None)


def _examples(
    ws: Workspace, task: Task, rationale: Rationale, record: RationaleRecord | None
) -> None:
    ids = [rationale.example_id] if rationale.example_id is not None else []
    ids += [i for i in (record.example_ids if record else ()) if i not in ids]
    found = ws.read.examples.some(task.id, ids[:_SHOWN])
    if not found:
        st.caption(f"Written on its own by {plain(rationale.author)}, {rationale.at[:10]}.")
        return
    gold = ws.read.labels.gold(task.id, OPEN_SPLITS, ids=[e.id for e in found])
    colours = label_colours(task)
    for example in sorted(found, key=lambda e: ids.index(e.id)):
        own = example.id == rationale.example_id
        evidence = rationale.evidence if own else ()
        cut = len(example.text) > _MOST and all(e.end <= _MOST for e in evidence)
        st.markdown(marked(example.text[:_MOST] + " …" if cut else example.text, evidence))
        name = task.name_of(gold[example.id].label_id) if example.id in gold else None
        said = f"{label_chip(name, colours[name])} (gold)" if name else "no gold"
        about = f" · {plain(rationale.author)}, {rationale.at[:10]}" if own else ""
        st.caption(f"{plain(example.external_id)} · {said}{about}")
    if len(ids) > _SHOWN:
        st.caption(f"and {len(ids) - _SHOWN:,} more")


def _rule(rationale: Rationale, rule: CodedRationale, score: RuleScore | None, code: Code) -> None:
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                plain(rule.body.name),
                key=f"rationales_rule_{rationale.id}_{rule.id}",
                type="tertiary",
                icon=":material/rule:",
                on_click=code,
                args=(rationale, rule),
                help="Open the rule",
            )
            if score is None:
                st.caption("does not vote now", width="content")
            else:
                st.caption(
                    f"right {figure_text(score.accuracy)} · fires on {score.fires:,}",
                    width="content",
                    help="How often it is right on blind gold of train and validation, never test. "
                    + note("interval"),
                )
        st.text(shortened(describe(rule.body), _MOST_RULE))


def _record(task: Task, record: RationaleRecord) -> None:
    colours = label_colours(task)
    names = {label_id: task.name_of(label_id) for label_id in record.decided}
    decided = [
        f"{label_chip(name, colours[name])} {record.decided[label_id]:,}"
        for label_id, name in names.items()
        if name
    ]
    st.caption(
        f"So far: speaks on {count(record.fires, 'example')}, decided "
        + (", ".join(decided) or "none")
        + (f", right {figure_text(record.precision)}" if len(record.rules) > 1 else ""),
        help="Of train and validation. Decided: the rules together gave this label, and one of "
        "these was among those that decided it.",
    )


def _buttons(
    ws: Workspace, task: Task, rationale: Rationale, rules: list[CodedRationale], code: Code
) -> None:
    with st.container(horizontal=True, key=f"rationales_do_{rationale.id}"):
        st.button(
            "Make more rules of it" if rules else "Make rules of it",
            key=f"rationales_make_{rationale.id}",
            icon=":material/auto_fix_high:",
            on_click=open_drafts,
            args=(rationale.id,),
            help="Drafts rules from its words and from gold. You see what each would do before it "
            "counts.",
        )
        st.button(
            "Code it by hand",
            key=f"rationales_code_{rationale.id}",
            type="tertiary",
            on_click=code,
            args=(rationale, None),
            help="A rule says the same in words a computer can check.",
        )
        st.button(
            "Retire",
            key=f"rationales_retire_{rationale.id}",
            type="tertiary",
            on_click=_retire,
            args=(ws, task.id, rationale.id),
            help="It is not used any more; its rules stay. It can be brought back.",
        )


def _retire(ws: Workspace, task_id: int, rationale_id: int) -> None:
    retire_rationale(ws, task_id, rationale_id)
    st.session_state["rationales_retired"] = rationale_id


@st.cache_resource(max_entries=2, ttl=3600, show_spinner=False)
def _found(path: str, task_id: int, revision: int, _ws: Workspace, _task: Task) -> Any:
    """Return rationale id to record, and rule id to score."""
    board = task_board(_ws, _task)
    pairs = zip(board.corpus.ids.tolist(), board.gold.tolist(), strict=True)
    scores = rule_report(board.matrix, board.rules, {i: label for i, label in pairs if label})
    return rationale_records(_ws, task_id, board), {score.rule_id: score for score in scores}
