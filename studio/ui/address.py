"""What a page's address asks for, told apart from what it only has not caught up with.

A page writes what is chosen into its address, and a link or the browser's way back chooses by it.
The browser follows a moment after it was told, and until then sends the address before: taken for
a link, it would take back the choice just made.
"""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st


def is_news(key: str, said: Hashable) -> bool:
    """Return whether an address asks for something.

    Args:
        key: Where the session keeps what the address was told.
        said: What the address says in this run.
    """
    told, outdated = st.session_state.get(key, (None, frozenset()))
    return said != told and said not in outdated


def tell(key: str, said: Hashable, chosen: Hashable) -> bool:
    """Remember what is chosen, and return whether the address is to be told.

    Args:
        key: Where the session keeps what the address was told.
        said: What the address says in this run.
        chosen: What it should say.
    """
    told, outdated = st.session_state.get(key, (None, frozenset()))
    is_behind = said != chosen
    # What it said before counts again as soon as it has followed: somebody may go back to it.
    st.session_state[key] = (chosen, outdated | {told, said} if is_behind else frozenset())
    return is_behind
