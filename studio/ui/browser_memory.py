"""Keeps the person's name in the browser, so that it is asked once a browser."""

from __future__ import annotations

from typing import Any

import streamlit as st

_JS = """
export default function ({ data, setStateValue }) {
  const key = "rationale-studio-person";
  try {
    if (data.forget) localStorage.removeItem(key);
    else if (data.remember) localStorage.setItem(key, data.remember);
    else setStateValue("name", localStorage.getItem(key) || "");
  } catch (error) { setStateValue("name", ""); /* without storage it is asked again */ }
}
"""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_memory", js=_JS)


def browser_memory(*, remember: str, forget: bool) -> str | None:
    """Write the name into the browser, or read it from there.

    Args:
        remember: The name to keep; empty reads instead.
        forget: Remove what is kept.

    Returns:
        The name the browser knew, "" when it knows none, None while it has not answered.
    """
    # Out of sight once the sidebar is there; the gate has none.
    with st.sidebar if remember else st.container():
        result = _component()(
            data={"remember": remember, "forget": forget},
            key="browser_memory",
            height=1,
            on_name_change=_nothing,
        )
    if remember or forget:
        return ""
    return None if result.name is None else " ".join(str(result.name).split())[:60]


def _nothing() -> None:
    """Only its presence counts: with a callback the component's value always exists."""
