"""Puts the next examples on the card of the queue, and keeps what choosing them rests on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from studio.actions.queue import next_examples, order_ahead, order_evidence, take_ahead
from studio.analysis.order_evidence import OrderEvidence, weigh_order
from studio.analysis.queue_streams import Pick, Strategy, Stream
from studio.domain.example import Example, Split
from studio.domain.mark import MarkKind
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.aside import Pending, found_aside
from studio.ui.queue_card import CardItem
from studio.ui.queue_sitting import Choice
from studio.ui.queue_state import QueueState
from studio.workspace import Workspace

AT_ONCE = 25
REFILL_AT = 15
_RUNS_DRY = 10
_GROWTH = 1.25
"""What rests on labels is found out anew when there are so many times more of them."""
_USED_UP = 200
"""After so many labels, too, another order is worked out: this one comes to its end."""
_FEW = 20
_SMALL = 500
"""Of so few labels and examples an order takes no time worth telling."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


def feed(ws: Workspace, task: Task, state: QueueState) -> None:
    """See to it that enough examples are on the card, as long as there are any."""
    choice = state.choice
    if choice is None or state.ended or len(state.ahead) >= REFILL_AT:
        return
    if len(state.ahead) >= _RUNS_DRY and has_order(choice) and not order(ws, task, choice):
        return  # what is drawn meanwhile costs as much for one as for many
    since = ws.read.labels.last_event(task.id)
    try:
        found = _next(ws, task, choice, AT_ONCE - len(state.ahead), [*state.items])
    except InputError as error:
        state.ended = str(error)
        return
    items = card_items(ws, task, choice, [example for example, _ in found])
    for (example, pick), item in zip(found, items, strict=True):
        state.items[example.id] = item(pick.why, skip=pick.stream is Stream.SKIPPED)
        state.streams[example.id] = pick.stream
        state.since[example.id] = since
        state.ahead.append(example.id)


def _next(
    ws: Workspace, task: Task, choice: Choice, limit: int, without: list[int]
) -> list[tuple[Example, Pick]]:
    """Return the next examples of the order as far as it is worked out, then random ones.

    Raises:
        InputError: If there are none.
    """
    strategy, found = choice.strategy, []
    if has_order(choice):
        found = take_ahead(
            ws, task.id, order(ws, task, choice), limit=limit, by=choice.person, without=without
        )
        strategy, limit = Strategy.RANDOM, limit - len(found)
    if limit > 0:
        try:
            found += next_examples(
                ws, task.id, strategy=strategy.value, limit=limit, split=choice.split.value,
                by=choice.person, evidence=UNTOLD, without=[*without, *(e.id for e, _ in found)],
            ).items  # fmt: skip
        except InputError:
            if not found:
                raise
    return found


def freshen(ws: Workspace, task: Task, state: QueueState) -> None:
    """Take off the card what was decided elsewhere since it was put there."""
    if state.choice is None or state.choice.strategy.is_list or not state.ahead:
        return
    shared = {i for i in state.ahead if state.streams.get(i) is Stream.AUDIT}
    decided = set(ws.read.labels.gold(task.id, ids=state.ahead)) - shared
    state.ahead = [i for i in state.ahead if i not in decided]


def put_in_front(ws: Workspace, task: Task, state: QueueState, example_id: int) -> None:
    """Have the card go to an example, as it is stored now."""
    if state.choice is None:
        return
    known = state.items.get(example_id)
    example = ws.read.examples.get(task.id, example_id)
    item = card_items(ws, task, state.choice, [example])[0](
        known.why if known else "What you did last was on this one."
    )
    state.items[example_id] = item
    state.front = ((state.front[0] if state.front else 0) + 1, item)


def card_items(
    ws: Workspace, task: Task, choice: Choice, examples: Sequence[Example]
) -> list[Callable[..., CardItem]]:
    """Return for each example what makes its item of a reason, with this person's marks on it."""
    ids = [example.id for example in examples]
    marks = ws.read.marks.of(task.id, ids, choice.person)
    open_ = [e.id for e in examples if e.split is not Split.TEST]
    said = {}
    if choice.run_id is not None:
        found = ws.read.runs.predictions(choice.run_id, example_ids=open_)
        said = {p.example_id: (p.label_id, p.confidence) for p in found}

    def maker(example: Example) -> Callable[..., CardItem]:
        own = marks.get(example.id, {})
        label, sure = said.get(example.id, (None, None))

        def make(why: str, *, skip: bool = False) -> CardItem:
            return CardItem(
                id=example.id,
                text=example.text,
                why=why,
                facts=f"{example.external_id} · {example.split.value}",
                said=label,
                sure=sure,
                flag=MarkKind.FLAG in own,
                skip=skip or MarkKind.SKIP in own,
                note=own.get(MarkKind.NOTE, ""),
            )

        return make

    return [maker(example) for example in examples]


def has_order(choice: Choice) -> bool:
    """Return whether what comes next is chosen by what the labels so far say."""
    listed = choice.strategy.is_list or choice.strategy is Strategy.RANDOM
    return choice.split is Split.TRAIN and not listed


def order(ws: Workspace, task: Task, choice: Choice) -> Sequence[Pick]:
    """Return the order as it was worked out last; empty until it was for the first time."""
    known = _known(str(ws.path))
    strategy, change = choice.strategy.value, _marks_of_change(ws, task)
    told = known.evidence.get(task.id, UNTOLD).pays
    # Only where ordering does not pay, and nobody asked for it by name, is the order another one.
    pays = False if told is False and choice.strategy is Strategy.AUTO else None
    if labels_of(ws, task.id) < _FEW and ws.read.examples.counts(task.id)["train"] <= _SMALL:
        return _small_order(str(ws.path), task.id, strategy, pays, change, ws)
    found = found_aside(
        "order", ws.path, change, order_ahead, task.id, strategy=strategy, pays=pays
    )
    if not isinstance(found, Pending):
        known.orders[task.id, strategy] = found
    return known.orders.get((task.id, strategy), ())


def evidence(ws: Workspace, task: Task) -> OrderEvidence | Pending:
    """Return whether the order pays; it is measured anew when there are a quarter more labels."""
    level = growth_level(ws, task.id)
    found = measured(ws, task.id, level, order_evidence, task.id)
    told = _known(str(ws.path)).evidence
    if not isinstance(found, Pending):
        told[task.id] = found
    return told.get(task.id, found)


def measured(
    ws: Workspace, task_id: int, level: int, function: Callable[Concatenate[Workspace, _P], _T],
    *args: _P.args, **kwargs: _P.kwargs,
) -> _T | Pending:  # fmt: skip
    """Return what rests on a task's labels; of so few that nothing is to be measured at once."""
    if labels_of(ws, task_id) < _FEW:
        return function(ws, *args, **kwargs)
    return found_aside("figures", ws.path, level, function, *args, **kwargs)


UNTOLD = weigh_order([], [])


@dataclass(frozen=True, slots=True)
class _Known:
    """What was worked out last, for everybody: choosing need not wait for what comes next.

    Attributes:
        orders: The order, by task and strategy.
        evidence: Whether the order pays, by task.
    """

    orders: dict[tuple[int, str], Sequence[Pick]] = field(default_factory=dict)
    evidence: dict[int, OrderEvidence] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _known(path: str) -> _Known:
    return _Known()


def labels_of(ws: Workspace, task_id: int) -> int:
    """Return how many examples of a task have a label that counts."""
    return sum(row["n"] for row in ws.read.labels.counts(task_id))


def growth_level(ws: Workspace, task_id: int) -> int:
    """Return a number that grows by one with every quarter more of labels."""
    return int(math.log(labels_of(ws, task_id) + 1) / math.log(_GROWTH))


def _marks_of_change(ws: Workspace, task: Task) -> tuple[Any, ...]:
    rules = tuple((r.id, r.body.hash) for r in ws.read.rules.all(task.id, enabled_only=True))
    runs = [run.id for run in ws.read.runs.all(task.id) if run.done]
    counts = ws.read.examples.counts(task.id)["train"]
    used = labels_of(ws, task.id) // _USED_UP
    return (growth_level(ws, task.id), used, rules, max(runs, default=0), counts)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _small_order(
    path: str, task_id: int, strategy: str, pays: bool | None, change: Any, _ws: Workspace
) -> Sequence[Pick]:
    return order_ahead(_ws, task_id, strategy=strategy, pays=pays)
