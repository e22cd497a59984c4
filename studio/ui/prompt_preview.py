"""Trying an edit of a prompt on a small sample before it is saved: the button and its cost."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.actions.preview_results import last_preview as latest
from studio.actions.previews import estimate_preview, preview_prompt, sample_of_preview
from studio.actions.runs import Choice
from studio.analysis.sampling import Sample
from studio.domain.estimate import Estimate
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.guard import kindly
from studio.ui.prompt_found import found_by, show_found
from studio.ui.rationale_text import plain
from studio.ui.run_start import draw_consent, run_estimate
from studio.workspace import Workspace

_STATE = "prompts_preview"


def draw_preview(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: PromptVersion | None,
    *,
    person: str,
    where: DeltaGenerator,
) -> bool:
    """Draw the button that previews a draft, and return whether it was filed.

    Where texts would leave the machine for the first time it opens a box first, with what
    somebody agrees to.

    Args:
        ws: The workspace.
        task: The task.
        body: The draft.
        before: The version it is held against; None without one.
        person: Who previews.
        where: Where a refusal is said.
    """
    n = st.session_state.get("prompts_sample", 40)
    told = _estimate(ws, task, body, before, n)
    icon, key, is_filed = ":material/visibility:", "prompts_preview_go", False
    agreed = ws.read.providers.has_consent
    if told is None or told.is_local or agreed(task.id, told.host, told.columns):
        said = plain(told.sentence()) if told else None
        pressed = st.button("Preview", icon=icon, type="primary", key=key, help=said)
    else:
        with st.popover("Preview", icon=icon, type="primary", key="prompts_preview_box"):
            st.markdown(plain(told.sentence()))
            pressed = draw_consent(ws, task, told, what="A preview", yes="Preview", key=key)
    if pressed:
        with where, kindly():
            filed = preview_prompt(
                ws, task.id, body=body, before=before.body if before else None, n=n, by=person,
                consent=told is not None and not told.is_local,
            )  # fmt: skip
            st.session_state.setdefault(_STATE, {})[task.id] = filed.run_id
            is_filed = True
    return is_filed


def show_estimates(
    ws: Workspace,
    task: Task,
    body: PromptText,
    before: PromptVersion | None,
    saved: PromptVersion | None,
) -> None:
    """Say before any click what a preview, and a run of the saved version, would ask and cost."""
    n = st.session_state.get("prompts_sample", 40)
    told = _estimate(ws, task, body, before, n)
    lines = {_named(told, before): told}
    if saved is not None:
        lines["Run on all"] = run_estimate(ws, task, Choice(prompt=str(saved.id)))
    said = [f"{name}: {plain(told.sentence())}" for name, told in lines.items() if told]
    if said:
        st.caption("  \n".join(said))


def _named(told: Estimate | None, before: PromptVersion | None) -> str:
    """Return what a preview asks about, so that its number of questions can be understood."""
    if told is None or before is None:
        return "Preview"
    asked = f"{told.examples // 2:,} examples"
    return f"Preview, {asked} with this draft and with {plain(before.title)}"


def last_preview(ws: Workspace, task: Task, person: str) -> int | None:
    """Return this person's latest preview, also one asked for before a refresh of the page."""
    held = st.session_state.setdefault(_STATE, {})
    if task.id not in held:
        held[task.id] = latest(ws, task.id, person)
    run_id: int | None = held[task.id]
    return run_id


def unused_lines(ws: Workspace, task: Task, run_id: int | None, body: PromptText) -> list[str]:
    """Return the lines of this very text that the embedded reader said it cannot use."""
    if run_id is None:
        return []
    found = found_by(ws, task, run_id)
    return list(found.unused) if found.text == body.hash else []


def show_preview(ws: Workspace, task: Task, run_id: int, body: PromptText, person: str) -> None:
    """Draw a preview: its progress and rows while it works, then what changed."""
    grown = show_found(ws, task, run_id, body.hash, person)
    if grown is not None:
        st.session_state[_STATE][task.id] = grown
        st.rerun()


def _estimate(
    ws: Workspace, task: Task, body: PromptText, before: PromptVersion | None, n: int
) -> Estimate | None:
    prices = repr((ws.read.prices.own(), ws.default_provider))
    old = before.body if before else None
    key = (str(ws.path), task.id, task.revision, prices, body.hash, old and old.hash)
    return _preview_estimate(key, n, ws, body, old)


@st.cache_data(max_entries=32, ttl=300, show_spinner=False)
def _preview_estimate(
    key: tuple[Any, ...], n: int, _ws: Workspace, _body: PromptText, _before: PromptText | None
) -> Estimate | None:
    try:
        sample = _sample((key[0], key[1], key[2], _before and _before.hash), n, _ws, _before)
        return estimate_preview(_ws, key[1], body=_body, before=_before, n=n, sample=sample)
    except StudioError:  # whoever presses the button is told what is missing
        return None


@st.cache_data(max_entries=32, ttl=300, show_spinner=False)
def _sample(key: tuple[Any, ...], n: int, _ws: Workspace, _before: PromptText | None) -> Sample:
    return sample_of_preview(_ws, key[1], before=_before, n=n)
