"""One colour for each label, the same on every page, in charts and in the report."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from studio.domain.task import Task

# After Okabe and Ito, moved to a middle lightness: at least 3:1 on our light and our dark ground.
LABEL_COLOURS = (
    "#2b7bba",  # blue
    "#d55e00",  # vermilion
    "#0c9a72",  # bluish green
    "#bf5f9c",  # reddish purple
    "#1c95c8",  # sky
    "#b08400",  # amber
    "#8a6cc0",  # violet
    "#a0623a",  # brown
)
NEUTRAL = "#848a93"


def label_colours(task: Task) -> dict[str, str]:
    """Return label name to colour: the first eight have their own, the others are neutral."""
    return {
        label.name: LABEL_COLOURS[label.position]
        if label.position < len(LABEL_COLOURS)
        else NEUTRAL
        for label in task.labels
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours of charts on the ground the person chose.

    Attributes:
        kind: "light" or "dark".
        ground, text, muted, grid, accent: Colours as #rrggbb.
        good, bad, undecided: Of verdicts; never the only sign of them.
    """

    kind: str
    ground: str
    text: str
    muted: str
    grid: str
    accent: str
    good: str
    bad: str
    undecided: str


LIGHT = Theme(
    kind="light", ground="#ffffff", text="#1f2328", muted="#5c6570", grid="#e3e6ea",
    accent="#0b6e75", good="#1a7f4b", bad="#b3372b", undecided="#8a6100",
)  # fmt: skip
DARK = Theme(
    kind="dark", ground="#15181c", text="#e6e8ea", muted="#9aa3ad", grid="#2d333a",
    accent="#4fb8c0", good="#5cc48d", bad="#f08a7c", undecided="#e0b34d",
)  # fmt: skip


def theme() -> Theme:
    """Return the colours of the theme this browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT
