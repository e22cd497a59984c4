"""Who looks, at which workspace and which task."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from studio.actions.tasks import last_worked_on, work_on
from studio.bootstrap import open_workspace
from studio.config import load_settings
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.browser_memory import browser_memory
from studio.ui.held import hold
from studio.workspace import Workspace

PERSON = "person"
TASK = "task"
_NEXT_TASK = "next_task"
_NEXT_TAB = "_next_tab"
_FORGET = "forget_person"
_ENTERED = "entered"
_WORKED_ON = "worked_on"


def get_workspace() -> Workspace:
    """Return the configured workspace, opened once a process, its worker started.

    Raises:
        WorkspaceError: If the file is not a workspace, is damaged, or cannot be written.
        InputError: If a setting cannot be read.
    """
    return _open(str(load_settings().workspace))


@st.cache_resource(show_spinner=False)
def _open(path: str) -> Workspace:
    ws = open_workspace(Path(path))
    with suppress(StudioError):  # the pages that need the worker say that it is not there
        ws.wake()
    return ws


def person() -> str:
    """Return who is looking: the signed-in user, else the name given in this browser."""
    return _signed_in() or str(st.session_state.get(PERSON, "")) or load_settings().person or "me"


def ask_name() -> None:
    """Let nobody in without a name: sign-in where it is set up, else ask once a browser."""
    if _signed_in():
        return
    if st.user.get("is_logged_in") is False:
        st.title("Rationale Studio")
        st.write("Sign in to go on: what you label and decide is kept under your name.")
        st.button("Sign in", type="primary", on_click=st.login, key="sign_in")
        st.stop()
    known = str(st.session_state.get(PERSON, ""))
    # The browser's last answer outlives the name: it is not asked again until there is another.
    remembered = browser_memory(
        remember=known, forget=not known and bool(st.session_state.get(_FORGET))
    )
    if not known and remembered:
        st.session_state[PERSON] = remembered
        st.rerun()
    if not known:
        if remembered is not None:  # the browser answers within a moment; do not ask before
            _draw_gate()
        st.stop()


def is_known() -> bool:
    """Whether we know who looks."""
    return bool(_signed_in() or st.session_state.get(PERSON))


def enter() -> None:
    """Mark that this visit came through app.py, with its sign-in; called by it alone."""
    st.session_state[_ENTERED] = True


def check_entrance() -> None:
    """Send a visit that did not come through app.py there, at the same address.

    Until some visit ran app.py in this process, Streamlit opens the files of `pages/` directly.
    Going to app.py as to a page would clear the address in the browser, which writes before it
    hears of the next one: what the visit asked for would be lost, and its page with it.
    """
    if not st.session_state.get(_ENTERED):
        PagesManager.uses_pages_directory = False
        st.rerun()


def who(ws: Workspace, name: str) -> str:
    """Return a short name of a person here, by which a browser knows whose decisions it holds.

    In another workspace and after a restore it is another one: the numbers of examples and labels
    mean others there, and an open page would put its labels on them.
    """
    here = [ws.read.tasks.setting(key) for key in ("workspace_id", "generation")]
    return hashlib.sha256("\n".join([*here, name]).encode()).hexdigest()[:12]


def is_theirs(ws: Workspace, name: str, value: Any) -> bool:
    """Whether what a browser sent was written down here by this person; untrusted."""
    return isinstance(value, dict) and value.get("who") == who(ws, name)


def forget_name() -> None:
    """Ask for a name again, and forget what the person before left in this visit; a callback."""
    task = st.session_state.get(TASK)
    st.session_state.clear()  # drafts are kept by person in the workspace
    st.session_state[_ENTERED] = st.session_state[_FORGET] = True
    if task:
        st.session_state[_NEXT_TASK] = task


def is_signed_in() -> bool:
    """Whether the name comes from a sign-in, so that it cannot be changed here."""
    return bool(_signed_in())


def choose_task(ws: Workspace) -> None:
    """Draw the choice of the task in the sidebar; once a run, by app.py.

    A visit whose address names no task goes on with the one this person worked on last.
    """
    ids = {task.name: task.id for task in ws.read.tasks.all()}
    wanted = st.session_state.pop(_NEXT_TASK, None)
    if not ids:
        return
    if wanted is None and TASK not in st.session_state and TASK not in st.query_params:
        last = last_worked_on(ws, by=person())
        wanted = next((name for name, task_id in ids.items() if task_id == last), None)
    if wanted in ids:
        st.session_state[TASK] = wanted
    hold(TASK)
    chosen = st.sidebar.selectbox("Task", list(ids), key=TASK, bind="query-params")
    if chosen in ids and st.session_state.get(_WORKED_ON) != (chosen, person()):
        st.session_state[_WORKED_ON] = (chosen, person())
        with suppress(StudioError):  # a full disk is told where something is to be kept
            work_on(ws, ids[chosen], by=person())


def current_task(ws: Workspace) -> Task | None:
    """Return the task chosen in the sidebar, else the first one; None in an empty workspace."""
    tasks = ws.read.tasks.all()
    chosen = st.session_state.get(TASK)
    return next((task for task in tasks if task.name == chosen), tasks[0] if tasks else None)


def go_to_task(task: Task) -> None:
    """Choose this task on the next run; follow it with `st.rerun()` or `open_page_of`."""
    st.session_state[_NEXT_TASK] = task.name


def open_page_of(page: str, *, tab: str = "") -> NoReturn:
    """Go to a page, and there to a tab if one is named, whatever stands in the address.

    `st.switch_page` by itself fails while the address carries a parameter that a widget is bound
    to, as it does as soon as another task or tab was chosen; it neither clears nor sets one. So the
    task and the tab are handed over in the session.
    """
    if tab:
        st.session_state[page + _NEXT_TAB] = tab
    if TASK in st.session_state:
        st.session_state.setdefault(_NEXT_TASK, st.session_state[TASK])
    st.switch_page(f"pages/{page}.py", query_params={})


def take_tab(page: str) -> None:
    """Turn to the tab somebody was sent to; call it before the tabs with this key are drawn."""
    if tab := st.session_state.pop(page + _NEXT_TAB, None):
        st.session_state[page] = tab


def _signed_in() -> str:
    # Without a sign-in or a trusted proxy, what Streamlit calls the user is a placeholder.
    user: Any = st.user
    if user.get("is_logged_in") or st.get_option("server.trustedUserHeaders"):
        return str(user.get("name") or user.get("email") or "")
    return ""


def _draw_gate() -> None:
    st.title("Rationale Studio")
    st.write("What may we call you? What you label and decide is kept under this name.")
    with st.form("name_gate", width=420):
        name = st.text_input(
            "Your name",
            value=load_settings().person,
            max_chars=60,
            autocomplete="name",
            placeholder="Your name",
            # A label comes late and pushes the button from under the pointer.
            label_visibility="collapsed",
        )
        if st.form_submit_button("Start", type="primary"):
            clean = " ".join(name.split())
            if clean:
                st.session_state.pop(_FORGET, None)
                st.session_state[PERSON] = clean
                st.rerun()
            st.error("Type a name first, e.g. Ada.")
    st.caption("It stays on this machine, and this browser remembers it.")
