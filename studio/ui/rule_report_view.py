"""What is to be seen to about the rules: each finding opens its examples, as does each gap."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from studio.actions.rules import Board
from studio.analysis.rule_review import Bucket, Review, RuleReview
from studio.analysis.uncovered import Gap
from studio.domain.coded_rationale import RuleBody
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import count
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.ui.rationale_writer import open_example
from studio.ui.rule_boards import gaps, review, task_board
from studio.ui.rule_examples import ExampleList, label_list
from studio.ui.rule_preview import said_beside
from studio.workspace import Workspace

_PAIRS = 12
_BUCKETS = ("all_wrong", "only", "none_votes")
_LEAVE = "rationales_gap_leave"
_ROW = 62
"""Height of a finding in pixels: three lines of advice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to see to.

    Attributes:
        what: What it is, in a few words.
        says: What it means and what to do.
        ids: The examples it shows on; empty for a rule that fires on none.
        body: The rule whose words are highlighted, if it is about one.
    """

    what: str
    says: str
    ids: tuple[int, ...]
    body: RuleBody | None = None


@st.fragment
def show_findings(ws: Workspace, task: Task, person: str) -> None:
    """Draw what the report on the rules found; one chosen finding opens its examples below."""
    task = ws.read.tasks.get(task.id)
    board = task_board(ws, task)
    found = review(ws, task)
    st.caption(
        f"On {count(found.looked_at, 'example')} of train and validation, "
        f"{found.judged:,} with blind gold; votes joined by {found.joining.words}."
    )
    findings = list(findings_of(found, board))
    if not findings:
        st.success("Nothing to see to: no contradiction, no dead or stale rule.")
        return
    event = st.dataframe(
        {
            "What": [one.what for one in findings],
            "Examples": [len(one.ids) for one in findings],
            "What to do": [one.says for one in findings],
        },
        hide_index=True,
        height=min(38 + _ROW * len(findings), 480),
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        key=f"rationales_findings_{task.id}",
        column_config={
            "What": st.column_config.TextColumn(width=240),
            "Examples": st.column_config.NumberColumn(width=80, format="localized"),
            "What to do": st.column_config.TextColumn(width="large"),
        },
        alt="What the report on the rules found; choose a line to see its examples",
    )
    chosen = event["selection"]["rows"]
    if not chosen or chosen[0] >= len(findings):
        st.caption("Choose a line to see its examples.")
        return
    one = findings[chosen[0]]
    st.markdown(f"**{plain(one.what)}**. {plain(one.says)}")
    label_list(
        ws, task, person, ExampleList(name=one.what, ids=one.ids), key="rationales_finding",
        body=one.body, beside=functools.partial(said_beside, board, ""),
    )  # fmt: skip


@st.fragment
def show_gaps(ws: Workspace, task: Task, person: str) -> None:
    """Draw the groups of examples no rule speaks of, with the next rationale worth asking for."""
    if st.session_state.pop(_LEAVE, False):  # the tab to go to is outside of this part
        st.rerun()
    task = ws.read.tasks.get(task.id)
    with st.spinner("Grouping what no rule covers …"):
        groups = gaps(ws, task)
    if not groups:
        st.success("Rules speak on nearly all examples: no group of five is left without one.")
        return
    texts = {
        e.id: e.text
        for e in ws.read.examples.some(task.id, [i for gap in groups for i in gap.typical])
    }
    for number, gap in enumerate(groups):
        _show_gap(task, gap, texts, number)
    names = [gap.name for gap in groups]
    chosen = st.selectbox(
        "Read a group", names, index=None, key=f"rationales_gap_{task.id}",
        placeholder="Choose one to read and label its examples", width=420,
    )  # fmt: skip
    if chosen in names:
        ids = groups[names.index(chosen)].example_ids
        label_list(
            ws, task, person, ExampleList(name=chosen, ids=ids), key="rationales_gap_examples"
        )


def findings_of(found: Review, board: Board) -> Iterator[Finding]:
    """Yield what the report found, the most pressing first."""
    bodies = {rule.id: rule.body for rule in board.rules}
    buckets = {name: [b for b in found.buckets if b.name == name] for name in _BUCKETS}
    for bucket in buckets["all_wrong"]:
        if bucket.example_ids:
            yield Finding(what="All rules wrong", says=bucket.says, ids=bucket.example_ids)
    for one in found.rules:
        yield from _about(one, bodies, board)
    for pair in found.contradictions[:_PAIRS]:
        first, second = (bodies[i].name for i in pair.rule_ids)
        judged = (
            f"with gold {first} is right on {pair.right[0]} and {second} on {pair.right[1]} of "
            f"{pair.judged}: name the exception, or let the better one decide alone."
            if pair.judged
            else "none of them has gold: label a few."
        )
        yield Finding(
            what=f"{first} contradicts {second}",
            says=f"Both speak on {count(len(pair.example_ids), 'example')}; {judged}",
            ids=pair.example_ids,
        )
    wrong = {one.score.rule_id: set(one.score.wrong) for one in found.rules}

    def errors(bucket: Bucket) -> int:
        return len(wrong.get(bucket.rule_id or 0, set()) & set(bucket.example_ids))

    for bucket in sorted(buckets["only"], key=errors, reverse=True):
        body = bodies[bucket.rule_id or 0]
        yield Finding(
            what=f"Only {body.name} speaks", says=bucket.says, ids=bucket.example_ids, body=body
        )
    for bucket in buckets["none_votes"]:
        if bucket.example_ids:
            yield Finding(what="No rule speaks", says=bucket.says, ids=bucket.example_ids)


def _about(one: RuleReview, bodies: dict[int, RuleBody], board: Board) -> Iterator[Finding]:
    """Yield what is amiss with one rule."""
    body = bodies[one.score.rule_id]
    if not one.score.fires:
        yield Finding(what=f"{body.name} is dead", says=" ".join(one.advice), ids=(), body=body)
        return
    if len(one.lost) > len(one.won):
        says = f"Without it {len(one.lost)} more would be right, and {len(one.won)} fewer."
        yield Finding(what=f"{body.name} hurts", says=says, ids=one.lost, body=body)
    if one.freshness.warnings:
        column = board.matrix.rule_ids.index(one.score.rule_id)
        newest = board.corpus.ids[np.flatnonzero(board.matrix.labels[:, column])][::-1]
        yield Finding(
            what=f"{body.name} is stale", says=" ".join(one.freshness.warnings),
            ids=tuple(newest.tolist()), body=body,
        )  # fmt: skip
    twins = [i for i in one.duplicates if i > one.score.rule_id]
    if twins:
        columns = [board.matrix.rule_ids.index(i) for i in (one.score.rule_id, *twins)]
        both = board.corpus.ids[board.matrix.fires[:, columns].all(axis=1)]
        names = ", ".join(bodies[i].name for i in twins)
        yield Finding(
            what=f"{body.name} says what {names} says", says="Keep one of them.",
            ids=tuple(both.tolist()), body=body,
        )  # fmt: skip


def _show_gap(task: Task, gap: Gap, texts: dict[int, str], number: int) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            likely = task.name_of(gap.likely)
            chip = f" · likely {label_chip(likely, label_colours(task)[likely])}" if likely else ""
            st.markdown(
                f"**{plain(gap.name)}** · {count(gap.size, 'example')}{chip}", width="content"
            )
            st.space("stretch")
            st.button(
                "Write a rationale about it", key=f"rationales_gap_why_{number}",
                icon=":material/edit_note:", on_click=_write_about, args=(gap.typical,),
            )  # fmt: skip
        st.caption(plain(gap.question))
        st.text("\n".join(f"· {shortened(texts[i], 150)}" for i in gap.typical if i in texts))


def _write_about(typical: Sequence[int]) -> None:
    open_example(typical[0])
    st.session_state[_LEAVE] = True
