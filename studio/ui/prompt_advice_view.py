"""Advice beside the prompt editor: what was found and why, before and after, applied by a click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.actions.prompt_advice import advise_prompt
from studio.analysis.word_diff import diff_words
from studio.domain.advice import (
    Advice,
    Rewrite,
    Section,
    Severity,
    apply_rewrite,
    before_after,
    is_locked,
    part_of,
)
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.prompt_draft import PromptDrafts, keep_drafts, put_body
from studio.ui.rationale_text import marked_change, plain
from studio.workspace import Workspace

_UNDO, _HIDDEN, _SAID = "prompts_advice_undo", "prompts_advice_hidden", "prompts_advice_said"
_AT_ONCE = 3
_LOOK = {
    Severity.ERROR: ":red[:material/error:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.HINT: ":blue[:material/info:]",
    Severity.IDEA: ":green[:material/lightbulb:]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What lies in front of a person who edits a prompt.

    Attributes:
        ws: The workspace.
        task: The task.
        versions: Its prompt versions.
        drafts: What this person has in the editor; applying advice changes it.
        body: The draft in front.
        person: Who edits.
    """

    ws: Workspace
    task: Task
    versions: list[PromptVersion]
    drafts: PromptDrafts
    body: PromptText
    person: str

    @property
    def undo_stack(self) -> list[tuple[str, dict[str, Any], str]]:
        """Title, text before and hash after of each edit applied to this draft, oldest first."""
        stacks: dict[Any, Any] = st.session_state.setdefault(_UNDO, {})
        stack: list[tuple[str, dict[str, Any], str]] = stacks.setdefault(
            (self.task.id, self.drafts.base), []
        )
        return stack

    def put(self, body: PromptText) -> None:
        """Put another text into the editor and keep it."""
        put_body(self.task, self.versions, self.drafts, body)
        self.drafts.round += 1
        keep_drafts(self.ws, self.task, self.drafts, self.person)


def draw_advice(desk: Desk) -> None:
    """Draw what could be better about the draft; nothing at all where there is nothing to say."""
    hidden: set[tuple[Any, ...]] = st.session_state.setdefault(_HIDDEN, set())
    found = [one for one in _advice(desk) if _key(desk.task, one) not in hidden]
    if not found and not desk.undo_stack and _SAID not in st.session_state:
        return
    with st.container(border=True, key="prompts_advice", gap="small"):
        _head(desk, found)
        if said := st.session_state.pop(_SAID, ""):
            st.caption(plain(said))
        for number, one in enumerate(found[:_AT_ONCE]):
            _draw(desk, one, number)
        if more := found[_AT_ONCE:]:
            with st.expander(f"{len(more)} more", key="prompts_advice_more"):
                for number, one in enumerate(more, _AT_ONCE):
                    _draw(desk, one, number)


def _head(desk: Desk, found: list[Advice]) -> None:
    """Draw the title with the number of findings, and the way back from the latest edit."""
    ideas = sum(one.severity is Severity.IDEA for one in found)
    counts = [f"{len(found) - ideas} to look at"] if len(found) > ideas else []
    counts += [f"{ideas} from your own work"] if ideas else []
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Advice** · {', '.join(counts) or 'nothing left to say'}",
            help="Found by words and patterns on this machine, as you write, the worst first: "
            "errors, warnings, hints, then lines that rationales and corrections suggest. It may "
            "be wrong: Preview tells what an edit changes.",
        )
        if desk.undo_stack:
            st.button(
                "Undo", icon=":material/undo:", type="tertiary", key="prompts_advice_undo_go",
                on_click=_undo, args=(desk,), help=f"Take back: {plain(desk.undo_stack[-1][0])}",
            )  # fmt: skip


def _draw(desk: Desk, one: Advice, number: int) -> None:
    """Draw one finding with its before and after."""
    told = [
        f"{_LOOK[one.severity]} **{plain(one.title)}**",
        f":small[:gray[{plain(one.why)} {plain(one.suggestion)}]]",
    ]
    if one.rewrite is not None:
        place = one.rewrite.place
        is_new = place.section is Section.REASONS and place.index is None
        lead = f"Rationale of {plain(place.label)}: " if is_new else ""
        told.append(lead + marked_change(diff_words(*before_after(desk.body, one.rewrite))))
    st.markdown("  \n".join(told))
    with st.container(horizontal=True, gap="small"):
        if one.rewrite and is_locked(desk.body, one.rewrite.place):
            locked = part_of(one.rewrite.place.section).words
            st.caption(f":material/lock: The {locked} are locked.", width="content")
        elif one.rewrite and one.rewrite.place.section not in (Section.LABELS, Section.MODEL):
            st.button(
                "Apply", key=f"prompts_advice_apply_{number}", on_click=_apply,
                args=(desk, one.title, one.rewrite), help="Put the green words into the draft.",
            )  # fmt: skip
        st.button(
            "Hide", key=f"prompts_advice_hide_{number}", type="tertiary", on_click=_hide,
            args=(_key(desk.task, one),), help="Do not show this again in this visit.",
        )  # fmt: skip


def _apply(desk: Desk, title: str, rewrite: Rewrite) -> None:
    """Put a rewrite into the draft, and remember what was there."""
    try:
        after = apply_rewrite(desk.body, rewrite)
    except InputError as error:
        st.session_state[_SAID] = str(error)
        return
    desk.undo_stack.append((title, desk.body.to_dict(), after.hash))
    desk.put(after)


def _undo(desk: Desk) -> None:
    """Put back what stood there before the latest rewrite; never over what was typed since."""
    title, before, applied = desk.undo_stack.pop()
    if desk.body.hash == applied:
        desk.put(PromptText.from_dict(before))
        return
    st.session_state[_SAID] = (
        f"You have typed since this was applied: {title}. It is not taken back, for your words "
        "would be lost; change them in the editor."
    )


def _hide(key: tuple[Any, ...]) -> None:
    st.session_state[_HIDDEN].add(key)


def _key(task: Task, one: Advice) -> tuple[Any, ...]:
    return task.id, one.code, one.title, one.place.section, one.place.label


def _advice(desk: Desk) -> list[Advice]:
    ws, task = desk.ws, desk.task
    key = (str(ws.path), task.id, task.revision, ws.default_provider, desk.body.hash)
    return _found(key, ws, desk.body)


@st.cache_data(max_entries=64, ttl=3600, show_spinner=False)
def _found(key: tuple[Any, ...], _ws: Workspace, _body: PromptText) -> list[Advice]:
    return advise_prompt(_ws, key[1], _body)
