"""What a rule would do: how often it fires, how often it is right, and the examples behind it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from studio.actions.jobs import steer_job
from studio.actions.rules import Board, RulePreview, compute_likeness
from studio.domain.coded_rationale import RuleBody, describe
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import count, percent
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.rationale_text import figure_metric, plain, shortened
from studio.ui.rule_blind import offer_blind_check
from studio.ui.rule_boards import forget_boards, task_board, tried
from studio.ui.rule_examples import ExampleList, rule_examples
from studio.workspace import Workspace

_MOST_SAID = 240
_QUIET: Any = {"delta_color": "off", "delta_arrow": "off"}


def show_preview(ws: Workspace, task: Task, person: str, body: RuleBody, *, key: str) -> None:
    """Draw what a rule does on train and validation; a pattern that cannot be used says so here.

    Args:
        ws: The workspace.
        task: The task as it is now.
        person: Who looks and labels.
        body: The rule.
        key: Unique on the page.
    """
    try:
        board = task_board(ws, task)
        preview = tried(ws, task, body)
    except InputError as error:
        st.error(plain(str(error)))
        return
    st.caption(plain(shortened(describe(body), _MOST_SAID)))
    if not preview.looked_at:
        st.info("There are no examples in train and validation to try it on. Import some first.")
        return
    if preview.unknown:
        _show_unknown(ws, task, body, key)
    _show_figures(preview)
    lists = (
        ExampleList(name="Wrong", ids=preview.wrong),
        ExampleList(name="Conflicts", ids=preview.conflicting),
        ExampleList(name="Newly decided", ids=preview.newly_decided),
        ExampleList(name="Fires on", ids=preview.fires_on),
        ExampleList(name="Alone", ids=preview.score.alone),
    )
    beside = functools.partial(said_beside, board, body.name)
    rule_examples(ws, task, person, lists, key=key, body=body, beside=beside)
    offer_blind_check(ws, task, person, board, body, preview.fires_on, key=key)


def said_beside(board: Board, name: str, ids: Sequence[int]) -> dict[int, str]:
    """Return what the other rules say of examples, in a few words; silence is left out."""
    rows = np.searchsorted(board.corpus.ids, np.array(ids, dtype=np.int64))
    others = [(i, rule) for i, rule in enumerate(board.rules) if rule.body.name != name]
    told = {}
    for example_id, row in zip(ids, rows.tolist(), strict=True):
        votes = [
            f"{rule.body.name} says {'not ' if rule.body.against else ''}{rule.body.label}"
            for i, rule in others
            if board.matrix.labels[row, i]
        ]
        if votes:
            told[example_id] = ", ".join(votes[:3]) + (f" +{len(votes) - 3}" * (len(votes) > 3))
    return told


def _show_figures(preview: RulePreview) -> None:
    score = preview.score
    fires, right, conflict = st.columns([3, 4, 3])
    sampled = preview.looked_at < preview.of
    looked = f"a sample of {preview.looked_at:,} of {preview.of:,} examples" if sampled else (
        count(preview.looked_at, "example")
    )  # fmt: skip
    fires.metric("Fires on", f"{score.fires:,}", f"{percent(score.coverage)} of all", **_QUIET,
        help=f"Of {looked} in train and validation.")  # fmt: skip
    figure_metric(right, "Accuracy", score.accuracy,
        "How often it is right on blind gold of train and validation.")  # fmt: skip
    conflict.metric("Conflicts", percent(score.conflict), "with other rules", **_QUIET,
        help="Share of examples on which another rule contradicts it.")  # fmt: skip
    if sampled:
        st.caption(f"Looked at: {looked}, and all that have blind gold.")


def _show_unknown(ws: Workspace, task: Task, body: RuleBody, key: str) -> None:
    """Say that likeness is not known yet, and compute it when asked to."""
    place = f"{key}_likeness"
    jobs = [j for j in ws.read.jobs.open() if j.kind == "votes" and j.subject_id == task.id]
    if jobs:
        job_id = jobs[-1].id
        job_status(
            ws, job_id, key=place, title="Computing which examples are like these",
            steer=lambda ws, _, want: steer_job(ws, job_id, want), on_done=forget_boards,
        )  # fmt: skip
        return
    st.warning("Which examples are like those named is not computed yet, so it fires on none.")
    if st.button("Compute it", key=f"{place}_go", icon=":material/play_arrow:"):
        with kindly():
            compute_likeness(ws, task.id, [body])
            st.rerun()
