"""Decisions from a desk on their way into the store, where some of them can never be stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from studio.actions.corrections import Decision
from studio.errors import InputError
from studio.ui.figures import count
from studio.ui.rationale_text import plain

GIVEN_UP = "That label was given up meanwhile; choose another."


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of decisions.

    Attributes:
        saved: How many were new.
        stored: Those that are stored.
        refused: The examples of those that never can be.
        trouble: How many these are, and why, in words; empty where there are none.
    """

    saved: int
    stored: tuple[Decision, ...]
    refused: tuple[int, ...] = ()
    trouble: str = ""


def keep_decisions(
    decisions: Sequence[Decision],
    store: Callable[[Sequence[Decision]], int],
    *,
    given_up: Sequence[int] = (),
) -> Kept:
    """Store decisions together, or each by itself where one of them can never be stored.

    Whoever tried those again for ever would keep all that comes after from being stored.

    Args:
        decisions: In their order.
        store: Stores some of them, all or none, and returns how many were new.
        given_up: Examples decided by a label that the task does not have any more.
    """
    saved, stored, refused = 0, list[Decision](), list(given_up)
    why = GIVEN_UP if given_up else ""
    try:
        saved, stored = store(decisions) if decisions else 0, [*decisions]
    except InputError:
        for decision in decisions:
            try:
                saved += store([decision])
                stored.append(decision)
            except InputError as error:
                refused.append(decision.example_id)
                why = str(error)
    trouble = f"{count(len(refused), 'decision')} could not be stored. {why}" if refused else ""
    return Kept(saved, tuple(stored), tuple(refused), trouble)


def draw_refused(refused: list[str]) -> None:
    """Say what could not be stored until somebody has seen it."""
    if refused:
        words = "\n\n".join(plain(words) for words in dict.fromkeys(refused))
        st.warning(words, icon=":material/block:")
        st.button("Seen", key="label_refused", on_click=refused.clear)
