"""Asks a chat model for rules too, where there is one: by a job, after consent, measured alike."""

from __future__ import annotations

import functools
from collections.abc import Callable

import streamlit as st

from studio.actions.jobs import steer_job
from studio.actions.rule_drafts import EMBEDDED, start_asking
from studio.domain.job import Want
from studio.domain.rationale import Rationale
from studio.domain.task import Task
from studio.errors import ConsentNeededError, StudioError
from studio.ui.job_status import job_status
from studio.ui.rationale_text import plain
from studio.workspace import Workspace


def offer_asking(
    ws: Workspace,
    task: Task,
    person: str,
    rationale: Rationale,
    forget: Callable[[int, int], None],
) -> None:
    """Draw the button that asks the default provider for rules, or how far that is.

    Args:
        ws: The workspace.
        task: The task.
        person: Who asks.
        rationale: What the rules are to code.
        forget: Has the drafts made anew once there is an answer.
    """
    key = f"rationales_ask_{rationale.id}"
    job_id = st.session_state.get(f"{key}_job")
    if job_id is not None:
        job_status(
            ws, job_id, key=f"{key}_status", title="Asking for rules",
            steer=functools.partial(_steer, job_id),
            on_done=functools.partial(forget, task.id, rationale.id),
        )  # fmt: skip
    if ws.default_provider == EMBEDDED:
        return
    needed = st.session_state.get(f"{key}_consent", "")
    if needed:
        st.markdown(plain(needed))
    st.button(
        "Agree and ask" if needed else f"Ask {plain(ws.default_provider)} for more",
        key=f"{key}_go",
        icon=":material/forum:",
        type="tertiary",
        on_click=_ask,
        args=(ws, task.id, rationale.id, person, key, bool(needed)),
        help="A chat model reads the rationale and a few train examples and proposes rules. They "
        "are tried like the others before you see them.",
    )
    if said := st.session_state.pop(f"{key}_error", ""):
        st.error(plain(said))


def _ask(
    ws: Workspace, task_id: int, rationale_id: int, person: str, key: str, consent: bool
) -> None:
    st.session_state.pop(f"{key}_consent", None)
    try:
        job_id = start_asking(ws, task_id, rationale_id, consent=consent, by=person)
    except ConsentNeededError as error:
        st.session_state[f"{key}_consent"] = error.message
    except StudioError as error:
        st.session_state[f"{key}_error"] = str(error)
    else:
        st.session_state[f"{key}_job"] = job_id


def _steer(job_id: int, ws: Workspace, _subject: int, want: Want) -> object:
    return steer_job(ws, job_id, want)
