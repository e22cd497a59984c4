"""Has a chat model propose a clearer prompt: asked by a click, shown as a change, never applied."""

from __future__ import annotations

import functools

import streamlit as st

from studio.actions.jobs import steer_job
from studio.actions.rewrites import estimate_rewrite, rewrite_of, start_rewrite, why_no_rewrite
from studio.analysis.word_diff import diff_bodies
from studio.domain.job import Want
from studio.errors import ConsentNeededError, StudioError
from studio.ui.figures import money
from studio.ui.job_status import job_status
from studio.ui.prompt_advice_view import Desk
from studio.ui.rationale_text import marked_change, plain
from studio.workspace import Workspace

_KEY = "prompts_rewrite"


def draw_rewrite(desk: Desk) -> None:
    """Draw the button that asks for a rewrite, what it costs, and what came of it."""
    why = why_no_rewrite(desk.ws, desk.body)
    if why:
        st.button(
            "Propose a rewrite", icon=":material/edit_note:", type="tertiary", disabled=True,
            key=f"{_KEY}_none", help=plain(why),
        )  # fmt: skip
        return
    job_id = st.session_state.get(f"{_KEY}_job_{desk.task.id}")
    if job_id is not None:
        job_status(
            desk.ws, job_id, key=f"{_KEY}_status", title="Asking for a rewrite",
            steer=functools.partial(_steer, job_id),
        )  # fmt: skip
    _offer(desk)
    if said := st.session_state.pop(f"{_KEY}_error", ""):
        st.error(plain(said))
    _proposal(desk)


def _offer(desk: Desk) -> None:
    name = plain(desk.ws.default_provider)
    with st.popover(f"Have {name} propose a rewrite", icon=":material/edit_note:", type="tertiary"):
        with_errors = st.checkbox(
            "Show it up to 8 examples of train that were labeled wrong", key=f"{_KEY}_errors"
        )
        try:
            told = estimate_rewrite(desk.ws, desk.task, desk.body, with_errors=with_errors)
        except StudioError as error:
            st.error(plain(str(error)))
            return
        st.markdown(
            f"Sends label names, definitions, instructions and rationales to {plain(told.host)}"
            f"{', and these examples' if with_errors else ', and no example'}: "
            f"{plain(told.cost_text())}. Nothing of test is ever sent, and nothing is changed "
            "before you apply it."
        )
        if needed := st.session_state.get(f"{_KEY}_consent", ""):
            st.markdown(plain(needed))
        st.button(
            "Agree and ask" if needed else "Ask", type="primary", key=f"{_KEY}_go",
            on_click=_ask, args=(desk, with_errors, bool(needed)),
        )  # fmt: skip


def _proposal(desk: Desk) -> None:
    found = rewrite_of(desk.ws, desk.task, desk.body)
    if found is None:
        return
    with st.container(border=True, key=f"{_KEY}_found", gap="small"):
        st.markdown(f"**Proposed by {plain(found.model)}** · {plain(money(found.cost_usd))}")
        if found.why:
            st.caption(plain(found.why))
        for change in diff_bodies(desk.body, found.body, desk.task.label_names):
            st.markdown(f"**{plain(change.part)}**  \n{marked_change(change.pieces)}")
        st.button(
            "Apply", key=f"{_KEY}_apply", on_click=_apply, args=(desk,),
            help="Put it into the draft. Preview tells whether it is better; Undo takes it back.",
        )  # fmt: skip


def _ask(desk: Desk, with_errors: bool, consent: bool) -> None:
    st.session_state.pop(f"{_KEY}_consent", None)
    try:
        job_id = start_rewrite(
            desk.ws, desk.task.id, desk.body, with_errors=with_errors, consent=consent,
            by=desk.person,
        )  # fmt: skip
    except ConsentNeededError as error:
        st.session_state[f"{_KEY}_consent"] = error.message
    except StudioError as error:
        st.session_state[f"{_KEY}_error"] = str(error)
    else:
        st.session_state[f"{_KEY}_job_{desk.task.id}"] = job_id


def _apply(desk: Desk) -> None:
    """Put the proposal for what the editor holds into the draft."""
    found = rewrite_of(desk.ws, desk.task, desk.body)
    if found is not None:
        desk.undo_stack.append(("the proposed rewrite", desk.body.to_dict(), found.body.hash))
        desk.put(found.body)


def _steer(job_id: int, ws: Workspace, _subject: int, want: Want) -> object:
    return steer_job(ws, job_id, want)
