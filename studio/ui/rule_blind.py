"""Ten examples labeled blind, half of which a rule fires on: the quickest honest look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from studio.actions.rules import OPEN_SPLITS
from studio.analysis.rule_board import Board
from studio.domain.coded_rationale import RuleBody
from studio.domain.correction import Origin
from studio.domain.task import Task
from studio.ui.figures import count
from studio.ui.rationale_text import plain
from studio.ui.rule_examples import ExampleList, LabelDesk, label_list
from studio.workspace import Workspace

SIZE = 10
_ENDED = "rationales_blind_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCheck:
    """A check that was begun.

    Attributes:
        ids: Its examples, shuffled.
        fires: Those of them the rule fires on.
        body: The rule.
        number: Of the checks of this session, from 1.
    """

    ids: tuple[int, ...]
    fires: frozenset[int]
    body: RuleBody
    number: int


def offer_blind_check(
    ws: Workspace,
    task: Task,
    person: str,
    board: Board,
    body: RuleBody,
    fires_on: Sequence[int],
    *,
    key: str,
) -> None:
    """Draw the button that opens a check of a rule.

    Args:
        ws: The workspace.
        task: The task.
        person: Who labels.
        board: What the rule was tried on.
        body: The rule.
        fires_on: The examples it fires on.
        key: Unique on the page.
    """
    if st.button(
        f"Check {SIZE} blind", key=f"{key}_blind", icon=":material/visibility_off:",
        disabled=not fires_on,
        help=f"Label {SIZE} examples without seeing what the rule or anybody says of them; it "
        "fires on half of them. Such labels are blind gold, the only kind rules are measured on.",
    ):  # fmt: skip
        number = st.session_state.get("rationales_blind_checks", 0) + 1
        st.session_state["rationales_blind_checks"] = number
        gold = ws.read.labels.gold(task.id, OPEN_SPLITS)
        assisted = [i for i, told in gold.items() if told.origin is Origin.ASSISTED]
        ids = draw_ids(board, fires_on, assisted, seed=[task.revision, number])
        fires = frozenset(ids) & frozenset(fires_on)
        check = BlindCheck(ids=ids, fires=fires, body=body, number=number)
        _dialog(ws, task, person, check, key)


def draw_ids(
    board: Board, fires_on: Sequence[int], assisted: Sequence[int], *, seed: Sequence[int]
) -> tuple[int, ...]:
    """Return ten examples in no order, half of which a rule fires on; those without gold first.

    Examples whose gold was assisted are left out: who saw what a rule or a run says of them is not
    blind on them any more.
    """
    random = np.random.default_rng(list(seed))
    ids = board.corpus.ids
    fires = np.isin(ids, np.array(fires_on, dtype=np.int64))
    unseen = ~np.isin(ids, np.array(assisted, dtype=np.int64))
    rows = [
        *_draw(np.flatnonzero(fires & unseen), board.gold, SIZE // 2, random),
        *_draw(np.flatnonzero(~fires & unseen), board.gold, SIZE - SIZE // 2, random),
    ]
    return tuple(int(ids[row]) for row in random.permutation(np.array(rows, dtype=np.int64)))


def _draw(
    rows: NDArray[np.intp], gold: NDArray[np.int32], n: int, random: np.random.Generator
) -> list[int]:
    shuffled = random.permutation(rows)
    chosen: list[int] = shuffled[np.argsort(gold[shuffled] != 0, kind="stable")][:n].tolist()
    return chosen


@st.dialog("Check blind", width="large", on_dismiss="rerun")
def _dialog(ws: Workspace, task: Task, person: str, check: BlindCheck, key: str) -> None:
    place = f"{key}_blind_{check.number}"
    if place in st.session_state.get(_ENDED, ()):  # who has read how the rule did is not blind
        desk: LabelDesk = st.session_state[f"{place}_desk"]
        st.markdown(plain(_verdict(check, _given(task, desk))))
        return
    st.caption("Which label does each have? What rules and others say of them is hidden.")
    examples = ExampleList(name="to label blind", ids=check.ids)
    given = _given(task, label_list(ws, task, person, examples, key=place, blind=True))
    if not given:
        return
    if len(given) < len(check.ids):
        st.caption(f"{len(given)} of {len(check.ids)} labeled")
    st.button(
        "Show how the rule did", key=f"{place}_show", type="primary", on_click=_end, args=(place,),
        help="It ends the check.",
    )  # fmt: skip


def _end(place: str) -> None:
    st.session_state[_ENDED] = {*st.session_state.get(_ENDED, ()), place}


def _given(task: Task, desk: LabelDesk) -> dict[int, str | None]:
    return {i: task.name_of(labels[-1]) for i, labels in desk.given.items() if labels}


def _verdict(check: BlindCheck, given: dict[int, str | None]) -> str:
    """Return how the labels given fit what the rule says."""
    body = check.body
    fired = [name for i, name in given.items() if i in check.fires]
    right = sum((name == body.label) != body.against for name in fired)
    says = f"not {body.label}" if body.against else body.label
    silent = [name for i, name in given.items() if i not in check.fires]
    missed = sum((name == body.label) != body.against for name in silent)
    return (
        f"Of {count(len(given), 'example')} the rule fires on {len(fired)} and says {says}; you "
        f"agree on {right}. On the other {len(silent)} it is silent; {missed} of them are {says}."
    )
