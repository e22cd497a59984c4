"""What a browser session and the process remember of the labeling grids that were drawn."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from threading import RLock

import streamlit as st

from studio.domain.correction import Crossed
from studio.ui.grid_changes import Change, Deed

_STATE = "label_grid"
_MOST_INSTANCES = 5_000
_RECENT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A grid as it was drawn: what counts for everything that comes back from it."""

    key: str
    task_id: int
    run_id: int | None
    person: str


class Applied:
    """How far the log of each grid was applied, for all sessions of the process.

    A reload begins a new session in the same tab, which sends again what the one before may or may
    not have stored.

    Attributes:
        name: Another one after the server was started anew and remembers nothing.
        lock: Held while a log is applied, since two sessions may hold the same one.
    """

    def __init__(self) -> None:
        self.name = secrets.token_hex(6)
        self.lock = RLock()
        self._last: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def get(self, instance: str) -> int | None:
        """Return the number of the last entry applied; None for a grid never heard of."""
        return self._last.get(instance, (None, ""))[0]

    def latest(self, person: str) -> dict[str, int]:
        """Return how far this person's grids heard of last were applied, a few dozen.

        Never anybody else's: whoever knows a grid's name could pass a log of their own off as its.
        """
        with self.lock:
            own = (
                (name, seq) for name, (seq, who) in reversed(self._last.items()) if who == person
            )
            return dict(islice(own, _RECENT))

    def set(self, instance: str, seq: int, person: str) -> None:
        """Remember an entry as applied; the grids heard of longest ago are forgotten."""
        self._last[instance] = seq, person
        self._last.move_to_end(instance)
        while len(self._last) > _MOST_INSTANCES:
            self._last.popitem(last=False)


@st.cache_resource
def applied() -> Applied:
    """Return what this process applied."""
    return Applied()


@dataclass(slots=True)
class GridState:
    """What a browser session remembers of the grid.

    One mutable object: a rerun may interrupt a script at any use of session_state, so nothing is
    assigned there between storing a decision and remembering that it was stored.

    Attributes:
        mount: The grid drawn last.
        saved: Decisions stored in this session.
        turned: What was undone or redone last, and how many decisions were stored by then.
        revision: Grows when the grid must be drawn anew.
        sight: The hash of what was seen last.
        task_id, person: Whose work what is remembered is about.
        cursors: Where this page and those before it begin.
        end: Where the page drawn last ends, if another follows; what was labeled since may have
            left the filter, so this cannot be read anew.
        since: The task's last decision when the page was read; later ones of others cross ours.
        crossed: What others decided meanwhile of examples decided here, until one chooses.
        settled: Crossings one has chosen about.
        focus: The example to look at after drawing anew.
        looked_at: The example a reason would be about, as far as known.
        at: The example the keys are about, as far as known.
        given: Whether each example touched since the page was read has a label of this person.
        asked: What was asked for beside decisions, in order.
        trouble: What went wrong, in a sentence.
        refused: What could not be stored and never can be, until somebody has seen it.
    """

    mount: Mount | None = None
    saved: int = 0
    turned: tuple[str, int] = ("", 0)
    revision: int = 0
    sight: str = ""
    task_id: int = 0
    person: str = ""
    cursors: list[tuple[float, int] | None] = field(default_factory=lambda: [None])
    end: tuple[float, int] | None = None
    since: int = 0
    crossed: list[Crossed] = field(default_factory=list)
    settled: set[Crossed] = field(default_factory=set)
    focus: int | None = None
    looked_at: int | None = None
    at: int | None = None
    given: dict[int, bool] = field(default_factory=dict)
    asked: list[Change] = field(default_factory=list)
    trouble: str = ""
    refused: list[str] = field(default_factory=list)

    @property
    def done(self) -> str:
        """What was done last, in words: saved, undone or redone; empty where nothing was."""
        words, saved = self.turned
        if words and saved == self.saved:
            return words
        return f"{self.saved:,} saved" if self.saved else ""

    def wish(self, *deeds: Deed) -> Change | None:
        """Return and forget the last wish of these kinds."""
        found = [c for c in self.asked if c.deed in deeds]
        self.asked = [c for c in self.asked if c.deed not in deeds]
        return found[-1] if found else None

    def must_draw(self, revision: int) -> bool:
        """Whether the grid drawn at this revision no longer shows what it should."""
        turning = any(c.deed in (Deed.NEXT, Deed.PREVIOUS) for c in self.asked)
        return turning or self.revision != revision

    def refuse(self, why: str, example_id: int | None) -> None:
        """Say what could not be stored, and show the example as it is."""
        self.refused.append(why)
        self.draw_anew(example_id)

    def draw_anew(self, focus: int | None = None) -> None:
        """Have the next run draw the grid from the store."""
        self.revision += 1
        self.focus = focus or self.at


def grid_state() -> GridState:
    """Return what this session remembers."""
    if _STATE not in st.session_state:
        st.session_state[_STATE] = GridState()
    state: GridState = st.session_state[_STATE]
    return state
