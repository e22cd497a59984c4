"""The saved versions of the prompts with their best figures, and runs over all examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.actions.evaluations import evaluate_run
from studio.actions.runs import Choice
from studio.actions.tasks import choose_champion
from studio.domain.evaluation import Evaluation
from studio.domain.prompt import PromptVersion
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import figure_text, metric_name, percent
from studio.ui.job_status import job_status
from studio.ui.label_marks import draw_mark, marked_column, marks_of
from studio.ui.notes import note
from studio.ui.prompt_draft import NEW, PromptDrafts, turn_to
from studio.ui.prompt_matrix import draw_tried
from studio.ui.rationale_text import plain
from studio.ui.run_start import Offer, cost_line, draw_start
from studio.workspace import Workspace

SPLIT = "train+validation"
_ROW = 62
"""Height of a version in pixels, as texts wrap in higher rows than 4 rem only."""


def choose_version(
    versions: list[PromptVersion], drafts: PromptDrafts, beside: Callable[[], None]
) -> None:
    """Let a version be put in front; drafts of the others stay.

    Args:
        versions: Newest first.
        drafts: What is in the editor.
        beside: Draws what stands in the same line.
    """
    titles = {v.id: f"{v.title} · {v.author}" for v in versions} | {NEW: "New prompt"}
    titles |= {i: f"{titles[i]} · not saved" for i in drafts.texts if i in titles}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Prompt",
            list(titles),
            index=list(titles).index(drafts.base),
            format_func=lambda i: titles[i],
            key=f"prompts_base_{drafts.base}_{drafts.round}",
            width=360,
            help="Newest first. A saved version never changes; saving makes the next one.",
        )
        beside()
    if picked != drafts.base:
        turn_to(drafts, picked)
        st.rerun()


def prompt_runs(ws: Workspace, task: Task) -> list[Run]:
    """Return the runs of saved prompts over all of train and validation or a part, newest first."""
    return [r for r in ws.read.runs.all(task.id) if r.kind is ClassifierKind.PROMPT]


def start_all(
    ws: Workspace,
    task: Task,
    version: PromptVersion | None,
    person: str,
    where: DeltaGenerator,
) -> None:
    """Draw the button that runs a saved version on all of train and validation.

    Args:
        ws: The workspace.
        task: The task.
        version: The saved version in front; None while it has changes.
        person: Who would start it.
        where: Where a refusal is said.
    """
    if version is None:
        st.button(
            "Run on all", icon=":material/play_arrow:", key="prompts_run_all", disabled=True,
            help="Save the changes as a version first: only saved versions run on all.",
        )  # fmt: skip
        return
    offer = Offer(
        words="Run on all", choice=Choice(prompt=str(version.id)),
        help="All of train and validation, with the saved version. Test stays locked.",
    )  # fmt: skip
    if draw_start(ws, task, offer, person=person, key="prompts_run_all", where=where):
        st.rerun()


def show_run(ws: Workspace, task: Task, version: PromptVersion, runs: list[Run]) -> None:
    """Show the latest run of a version: its progress while it works, then its figures."""
    mine = [r for r in runs if r.prompt_version_id == version.id]
    if not mine:
        return
    run = mine[0]
    if run.job_id is not None and run.status != "done":
        title = f"Labeling with {plain(version.title)}"
        job_status(ws, run.job_id, key=f"prompts_run_{run.id}", title=title)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", border=True):
        found = figures(ws, task, run.id)
        st.markdown(f"**{plain(version.title)}** on train and validation", width="content")
        if found is None:
            st.caption("No gold there yet, so there is nothing to measure.")
        else:
            for name, figure in (("accuracy", found.accuracy), ("macro-F1", found.macro_f1)):
                st.markdown(f"{name} {figure_text(figure)}", width="content", help=note(name))
            st.markdown(
                f"always “{plain(found.majority_label)}” {found.majority:.3f}",
                width="content",
                help=note("majority"),
            )
            if found.coverage < 1:
                st.markdown(
                    f"coverage {percent(found.coverage)}", width="content", help=note("coverage")
                )
        draw_mark(marks_of(ws, task).runs.get(run.id))
        if task.champion == f"prompt:{version.id}":
            st.badge("Champion", icon=":material/trophy:", color="primary", help=note("champion"))
        else:
            st.button(
                "Make champion", key="prompts_champion", on_click=_crown,
                args=(ws, task.id, run.id), help="Let the task use this version from now on.",
            )  # fmt: skip
        st.page_link("pages/evaluate.py", label="See the errors", query_params={"run": str(run.id)})
        st.caption(plain(cost_line(ws, run)), width="content")
    draw_tried(ws, task, version.id)


def versions_table(
    ws: Workspace, task: Task, versions: list[PromptVersion], runs: list[Run]
) -> int | None:
    """List the versions, newest first, and return the id of one that was selected."""
    metric = task.criterion.metric if task.criterion else "accuracy"
    best = [_best(ws, task, v, runs, metric) for v in versions]
    marks = marks_of(ws, task).prompts
    event: Any = st.dataframe(
        {
            "Version": [v.title for v in versions],
            "Best": [figure_text(f) if f else "not run on all yet" for f in best],
            "Champion": ["yes" if task.champion == f"prompt:{v.id}" else "" for v in versions],
            "Note": [v.note for v in versions],
            "By": [v.author for v in versions],
            "Saved": [v.at[:16].replace("T", " ") for v in versions],
            **marked_column(marks, [v.id for v in versions]),
        },
        hide_index=True,
        height=min(38 + _ROW * len(versions), 390),
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        key=f"prompts_versions_{len(versions)}",
        column_config={
            "Version": st.column_config.TextColumn(width=120),
            "Best": st.column_config.TextColumn(
                f"Best {metric_name(metric)}", width=190,
                help=f"On train and validation. {note(metric_name(metric))} {note('interval')}",
            ),
            "Champion": st.column_config.TextColumn(width=80, help=note("champion")),
            "Note": st.column_config.TextColumn(width=170),  # it grows to what is left
            "By": st.column_config.TextColumn(width=110),
            "Saved": st.column_config.TextColumn("Saved (UTC)", width=130),
        },
        alt="Prompt versions with their best figure; select a row to open it",
    )  # fmt: skip
    rows = event["selection"]["rows"]
    return versions[rows[0]].id if rows and rows[0] < len(versions) else None


def figures(ws: Workspace, task: Task, run_id: int) -> Evaluation | None:
    """Return a run's figures on train and validation; None where there is no gold."""
    return _evaluation(str(ws.path), run_id, task.revision, ws)


def _crown(ws: Workspace, task_id: int, run_id: int) -> None:
    choose_champion(ws, task_id, run_id)


def _best(ws: Workspace, task: Task, version: PromptVersion, runs: list[Run], metric: str) -> Any:
    found = [
        evaluation.metric(metric)
        for run in runs
        if run.prompt_version_id == version.id and run.status == "done"
        if (evaluation := figures(ws, task, run.id)) is not None
    ]
    return max(found, key=lambda f: f.value, default=None)


@st.cache_data(max_entries=128, ttl=3600, show_spinner=False)
def _evaluation(path: str, run_id: int, revision: int, _ws: Workspace) -> Evaluation | None:
    try:
        return evaluate_run(_ws, run_id, split=SPLIT, by="studio")
    except InputError:
        return None
