"""What a page shows while there is nothing to show: why, and what to do next."""

from __future__ import annotations

import streamlit as st


def empty_state(
    message: str, next_step: str, *, page: str | None = None, button: str | None = None
) -> bool:
    """Draw why there is nothing yet and what to do next.

    Args:
        message: What is missing, in a sentence.
        next_step: What to do about it, in a sentence.
        page: The page to go to, e.g. "data"; its button carries `button`.
        button: What the button says.

    Returns:
        Whether a button without a page was pressed.
    """
    with st.container(border=True, key=f"empty_{page or button or 'state'}"):
        st.markdown(f"**{message}**")
        st.write(next_step)
        if button is None:
            return False
        if page is not None:
            st.page_link(f"pages/{page}.py", label=button, icon=":material/arrow_forward:")
            return False
        return st.button(button, type="primary", key=f"empty_button_{button}")
