"""The head of every page: its title, what it is for, and where the task stands."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from studio.actions.samples import load_sample
from studio.domain.next_step import Standing
from studio.domain.task import Task
from studio.ui.figures import count, figure_text, metric_name
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.session import (
    check_entrance,
    current_task,
    get_workspace,
    go_to_task,
    open_page_of,
    person,
)
from studio.ui.standing import standing
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page works with.

    Attributes:
        ws: The workspace.
        chosen: The task chosen in the sidebar; None only on pages opened with needs_task=False.
        person: Who looks.
    """

    ws: Workspace
    chosen: Task | None
    person: str

    @property
    def task(self) -> Task:
        """The chosen task, on pages that need one."""
        assert self.chosen is not None, "this page was opened with needs_task=False"
        return self.chosen


def open_page(title: str, purpose: str, *, needs_task: bool = True) -> Page:
    """Draw a page's head and return what it works with.

    Without a task, a page that needs one says what to do next and ends here.

    Args:
        title: Its name, as in the navigation.
        purpose: One line: what it is for.
        needs_task: Whether it is of any use without a task.
    """
    check_entrance()
    with kindly(stop=True):
        ws = get_workspace()
        task = current_task(ws)
    st.title(title, anchor=False)
    st.caption(purpose)
    if task is not None:
        draw_state(task, standing(ws, task))
    elif needs_task:
        draw_first_steps(ws)
        st.stop()
    return Page(ws=ws, chosen=task, person=person())


def draw_state(task: Task, now: Standing) -> None:
    """Draw the line that says where the task stands."""
    with st.container(horizontal=True, gap="small", key="task_state"):
        st.markdown(f"**{escape(task.name)}**", width="content")
        st.markdown(count(now.total, "example"), width="content")
        st.markdown(f"{now.total_gold:,} gold", width="content", help=note("gold"))
        st.markdown(_best_text(now), width="content", help=note("interval"))
        if now.open_jobs:
            st.markdown(f":primary[{now.open_jobs} at work]", width="content")


def draw_first_steps(ws: Workspace, *, create: bool = True) -> None:
    """Draw what to do in an empty workspace: take the worked example, or create a task."""
    with st.container(border=True, key="first_steps"):
        st.markdown("**There is no task yet.**")
        st.write(
            "A task is one question with its labels, such as “Is this dish keto?”. "
            "Look around in the worked example first, or begin with your own texts."
        )
        with st.container(horizontal=True):
            if st.button("Load the keto example", type="primary", key="load_keto"):
                with kindly(), st.spinner("Loading 787 dishes …"):
                    go_to_task(load_sample(ws, name="keto", by=person()))
                    st.rerun()
            if create and st.button("Create a task", key="create_task"):
                open_page_of("data")


def escape(text: str) -> str:
    r"""Return untrusted text so that Markdown shows it as it is, links and images included.

    >>> escape("![x](http://a.b)")
    '\\!\\[x\\]\\(http\\:\\/\\/a\\.b\\)'
    """
    return "".join("\\" + c if c in "\\`*_{}[]()<>#+-.!|~$:/&^=" else c for c in text)


def _best_text(now: Standing) -> str:
    wanted = (
        f" · {metric_name(now.criterion.metric)} {now.criterion.threshold:g} wanted"
        if now.criterion
        else " · no criterion set"
    )
    if now.best is None:
        return "nothing measured on validation yet" + wanted
    best = now.best
    return f"best on validation: {metric_name(best.metric)} {figure_text(best.figure)}{wanted}"
