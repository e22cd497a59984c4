"""Turns what a person can mend into one sentence on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from studio.errors import StudioError


@contextmanager
def kindly(*, stop: bool = False) -> Iterator[None]:
    """Show a StudioError as one sentence with its next step; let everything else fail loudly.

    Args:
        stop: End the page after the sentence, where nothing below it could be drawn.
    """
    try:
        yield
    except StudioError as error:
        st.error(str(error), icon=":material/error:")
        if stop:
            st.stop()
