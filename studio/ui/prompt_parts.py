"""Heads of a prompt's parts: what they are called, and the lock that keeps them as they are."""

from __future__ import annotations

import streamlit as st

from studio.domain.prompt import PromptText
from studio.domain.prompt_parts import Part, in_order


def locked_parts(body: PromptText, key: str) -> tuple[str, ...]:
    """Return the parts that are locked now.

    Args:
        body: What the fields held when they were first drawn.
        key: Begins the keys of the editor's widgets.
    """
    held: tuple[str, ...] = st.session_state.setdefault(_place(key), body.frozen)
    return held


def part_head(part: Part, key: str, told: str, *, title: str = "", help: str | None = None) -> bool:
    """Draw a part's title with its lock, and return whether it is locked.

    Args:
        part: The part.
        key: Begins the keys of the editor's widgets.
        told: What the title adds to the name, e.g. how many there are.
        title: What it is called; the part's own words when empty.
        help: What it is for.
    """
    locked = part.value in st.session_state[_place(key)]
    then = "Unlock to change them." if locked else "The lock is saved with the version."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = title or part.words.capitalize()
        st.markdown(f"**{name}**{told}", help=help, width="content")
        st.button(
            "Unlock" if locked else "Lock",
            icon=":material/lock:" if locked else ":material/lock_open:",
            type="tertiary",
            key=f"{key}_lock_{part.value}",
            on_click=_turn,
            args=(key, part),
            help=f"Advice and rewrites leave the {part.words} alone, and nobody changes them by "
            f"chance. {then}",
        )
    return locked


def _turn(key: str, part: Part) -> None:
    held = st.session_state[_place(key)]
    others = [name for name in held if name != part.value]
    st.session_state[_place(key)] = in_order(
        others if part.value in held else [*others, part.value]
    )


def _place(key: str) -> str:
    return f"{key}_frozen"
