"""What can be asked of the labeling grid: choices with their place in session and address.

The address tells the whole filter, so that a link or a refresh shows the same examples. Whatever a
link or an older session names that there is no more counts as not chosen.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.mark import MarkKind
from studio.domain.run import ClassifierKind, Outcome, Run
from studio.domain.task import Task
from studio.store.grid_filter import ANYBODY, Order
from studio.ui.address import is_news, tell
from studio.ui.grid_groups import known_slices
from studio.ui.held import hold
from studio.workspace import Workspace

NO_RULE = ""
ORDERS = {
    Order.IMPORTED: "as imported",
    Order.LEAST_SURE: "least sure first",
    Order.MOST_SURE: "most sure first",
    Order.LATEST: "latest decision first",
}
SHOWN = {"all": "All", "todo": "To do", "mine": "Mine", "errors": "Errors"}
_MARKS = {MarkKind.FLAG: "flagged", MarkKind.NOTE: "with a note", MarkKind.SKIP: "skipped"}
_TOLD = "label_told"


class Kind(Protocol):
    """How a choice stands in the address."""

    @property
    def empty(self) -> Any:
        """The value that narrows nothing."""

    def write(self, value: Any) -> str:
        """Return the text of a value."""

    def read(self, text: str) -> Any:
        """Return the value of a text; `empty` where it says nothing sensible."""

    def has(self, value: Any) -> bool:
        """Return whether a value can be chosen."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some values.

    Attributes:
        texts: Value to what people read and the address says.
        empty: The value that narrows nothing.
    """

    texts: Mapping[Any, str]
    empty: Any = None

    def write(self, value: Any) -> str:
        """Return what people read."""
        return self.texts[value]

    def read(self, text: str) -> Any:
        """Return the value people read so."""
        return next((value for value, said in self.texts.items() if said == text), self.empty)

    def has(self, value: Any) -> bool:
        """Return whether it is one of them."""
        return value == self.empty or value in self.texts


@dataclass(frozen=True, slots=True)
class SomeOf:
    """Several of some words."""

    words: Sequence[str]

    @property
    def empty(self) -> list[str]:
        """None of them."""
        return []

    def write(self, value: Any) -> str:
        """Return the words, with commas between."""
        return ",".join(value)

    def read(self, text: str) -> list[str]:
        """Return those of the words that there are."""
        return [word for word in text.split(",") if word in self.words]

    def has(self, value: Any) -> bool:
        """Return whether all are known."""
        return all(word in self.words for word in value or [])


class Words:
    """Any text."""

    empty = ""

    def write(self, value: Any) -> str:
        """Return it as it is."""
        return str(value)

    def read(self, text: str) -> str:
        """Return it as it is."""
        return text

    def has(self, value: Any) -> bool:
        """Return whether it is a text."""
        return isinstance(value, str | None)


class Percents:
    """A range of percents."""

    empty = (0, 100)

    def write(self, value: Any) -> str:
        """Return both ends.

        >>> Percents().write((50, 60))
        '50-60'
        """
        return f"{value[0]}-{value[1]}"

    def read(self, text: str) -> tuple[int, int]:
        """Return both ends; everything where they are none.

        >>> Percents().read("50-60"), Percents().read("60-x")
        ((50, 60), (0, 100))
        """
        low, _, high = text.partition("-")
        whole = [int(end) for end in (low, high) if end.isdecimal() and len(end) <= 3]
        if len(whole) < 2 or not whole[0] <= whole[1] <= 100:
            return self.empty
        return whole[0], whole[1]

    def has(self, value: Any) -> bool:
        """Return whether it has two ends."""
        return len(value or ()) == 2


class Day:
    """A day, or none."""

    empty = None

    def write(self, value: Any) -> str:
        """Return it in ISO form."""
        return str(value.isoformat())

    def read(self, text: str) -> datetime.date | None:
        """Return the day; None where the text names none."""
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            return None

    def has(self, value: Any) -> bool:
        """Return whether it is a day or none."""
        return isinstance(value, datetime.date | None)


class Yes:
    """Whether something is wanted."""

    empty = False

    def write(self, value: Any) -> str:
        """Return a word for yes."""
        return "yes"

    def read(self, text: str) -> bool:
        """Return whether the text is that word."""
        return text == "yes"

    def has(self, value: Any) -> bool:
        """Return whether it is a truth."""
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a person can narrow or order the grid by.

    Attributes:
        name: What the address calls it.
        key: Where the session has it.
        kind: Which values it has.
        chip: What is shown of it above the grid, before the value; a toggle has no value to show.
    """

    name: str
    key: str
    kind: Kind
    chip: str

    @property
    def value(self) -> Any:
        """What is chosen."""
        value = st.session_state.get(self.key, self.kind.empty)
        return self.kind.empty if value is None else value

    @property
    def is_active(self) -> bool:
        """Whether it narrows or orders anything."""
        return bool(self.value != self.kind.empty)

    @property
    def said(self) -> str:
        """What is shown of it above the grid."""
        if isinstance(self.kind, Yes):
            return self.chip
        value = self.kind.write(self.value)
        return f"{self.chip} {value}{' %' if isinstance(self.kind, Percents) else ''}".strip()

    def clear(self) -> None:
        """Choose nothing; a callback."""
        st.session_state[self.key] = self.kind.empty


def choices(
    ws: Workspace, task: Task, runs: Mapping[int, Run], run: Run | None
) -> dict[str, Choice]:
    """Return what can be chosen now, by name; what a model says only with a run in sight."""
    labels = {label.id: label.name for label in task.labels}
    shown = [name for name in SHOWN if run or name != "errors"]
    orders = [o for o in Order if run or o in (Order.IMPORTED, Order.LATEST)]
    people = {name: name for name in ws.read.examples.deciders(task.id)}
    rules = {r.body.name: r.body.name for r in ws.read.rules.all(task.id, enabled_only=True)}
    slices = {name: name for name in known_slices(ws, task)}
    own = f"_{task.id}"
    found = [
        Choice("show", f"label_show_{'run' if run else 'blind'}",
               OneOf({name: name for name in shown}, "all"), ""),
        Choice("search", "label_search", Words(), "has"),
        Choice("order", f"label_order_{'run' if run else 'blind'}",
               OneOf({o: ORDERS[o] for o in orders}, Order.IMPORTED), ""),
        Choice("split", "label_split", SomeOf([split.value for split in Split]), "in"),
        Choice("gold", f"label_gold{own}", OneOf(labels), "gold is"),
        Choice("origin", "label_origin", OneOf({o.value: o.value for o in Origin}), "gold is"),
        Choice("own", f"label_own{own}", OneOf(labels), "I said"),
        Choice("by", f"label_by{own}", OneOf({ANYBODY: "anybody"} | people), "decided on by"),
        Choice("since", "label_since", Day(), "decided since"),
        Choice("until", "label_until", Day(), "decided until"),
        Choice("people", "label_people", Yes(), "people differ"),
        Choice("mark", "label_mark", OneOf({k.value: said for k, said in _MARKS.items()}), ""),
        Choice("marked", "label_marked", Yes(), "marks of anybody"),
        Choice("assigned", "label_assigned", Yes(), "assigned to me"),
        Choice("again", "label_relook", Yes(), "queued for another look"),
        Choice("rule", f"label_rule{own}", OneOf({NO_RULE: "none votes"} | rules), "rule"),
        Choice("slice", f"label_slice{own}", OneOf(slices), "slice"),
    ]  # fmt: skip
    if run is not None:
        others = {i: _run_name(other) for i, other in runs.items() if i != run.id}
        outcomes = {o.value: o.value.replace("_", " ") for o in Outcome}
        found += [
            Choice("said", f"label_said{own}", OneOf(labels), "model says"),
            Choice("sure", "label_sure", Percents(), "sure"),
            Choice("outcome", "label_outcome", OneOf(outcomes), "model"),
            Choice("differs", f"label_differs{own}", OneOf(others), "not as"),
        ]
    return {choice.name: choice for choice in found}


def _run_name(run: Run) -> str:
    kind = "rules" if run.kind is ClassifierKind.RULES else run.title
    return f"{kind} · run {run.id}"


def take_address(found: Mapping[str, Choice]) -> None:
    """Choose what the address says, if somebody came by a link; forget what there is no more."""
    address = _address(found)
    is_new = address and is_news(_TOLD, frozenset(address.items()))
    for choice in found.values():
        if is_new:
            said = address.get(choice.name)
            st.session_state[choice.key] = (
                choice.kind.empty if said is None else choice.kind.read(said)
            )
        elif choice.key in st.session_state and not choice.kind.has(st.session_state[choice.key]):
            choice.clear()
    hold(*(choice.key for choice in found.values() if not isinstance(choice.kind, Words)))


def tell_address(found: Mapping[str, Choice]) -> None:
    """Let the address say what is chosen."""
    address = _address(found)
    told = {
        name: choice.kind.write(choice.value) for name, choice in found.items() if choice.is_active
    }
    if not tell(_TOLD, frozenset(address.items()), frozenset(told.items())):
        return
    for name in found:
        if name not in told:
            st.query_params.pop(name, None)
        elif address.get(name) != told[name]:
            st.query_params[name] = told[name]


def _address(found: Mapping[str, Choice]) -> dict[str, str]:
    return {name: st.query_params[name] for name in found if name in st.query_params}
