"""The colours of both themes can be read: at least 4.5:1 between a text and what it lies on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from studio.ui.charts import contrast
from studio.ui.shell import LOOK

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
THEMES = ("light", "dark")


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@pytest.mark.parametrize("kind", THEMES)
@pytest.mark.parametrize("ink", ["primaryColor", "linkColor", "textColor"])
def test_text_can_be_read_on_every_ground_of_a_theme(kind: str, ink: str):
    theme = tomllib.loads(CONFIG.read_text())["theme"][kind]
    grounds = [
        theme["backgroundColor"], theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ]  # fmt: skip
    for ground in grounds:
        assert contrast(rgb(theme[ink]), rgb(ground)) >= 4.5, (ink, ground)


@pytest.mark.parametrize("kind", THEMES)
def test_words_on_a_primary_button_can_be_read(kind: str):
    theme = tomllib.loads(CONFIG.read_text())["theme"][kind]
    inks = re.search(
        r'stBaseButton-primary"\]:not[^}]*light-dark\((#\w{6}), (#\w{6})\)', LOOK.read_text(), re.S
    )
    assert inks
    assert contrast(rgb(inks[1 + THEMES.index(kind)]), rgb(theme["primaryColor"])) >= 4.5
