"""Labels everything with the rules, alone or joined with a model, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from studio.actions.classifiers import compare_classifiers
from studio.actions.evaluations import evaluate_run
from studio.actions.rules import chosen_joining
from studio.actions.runs import Choice, start_run
from studio.domain.evaluation import Evaluation
from studio.domain.finetune import FineTune, FineTuneStatus
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import figure_text, percent
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.ui.run_start import Offer, draw_start
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.rules_and_text import Choice as WayChoice

_KINDS = (ClassifierKind.RULES, ClassifierKind.JOINED)


def start_rules(ws: Workspace, task: Task, person: str, *, disabled: bool) -> None:
    """Draw the button that labels train and validation with the rules in force."""
    if st.button(
        "Label all with the rules",
        icon=":material/play_arrow:",
        disabled=disabled,
        key="rationales_run",
        help="All of train and validation. Test stays locked. Rules ask no model and cost nothing.",
    ):
        with kindly():
            start_run(ws, task.id, choice=Choice(rules=True), by=person)
            st.rerun()


def show_joined(ws: Workspace, task: Task, person: str) -> None:
    """Draw what gold says of a model alone, the rules alone and both, and start a run of both."""
    tuned = [f for f in ws.read.finetunes.all(task.id) if f.status is FineTuneStatus.SUCCEEDED]
    if not tuned:
        st.caption(
            "Rules can be joined with a fine-tuned model: where they are silent or disagree, the "
            "model tells. Train one first."
        )
        st.page_link("pages/finetunes.py", label="Go to Fine-tunes")
        return
    model = st.selectbox(
        "Rules together with", tuned, format_func=_title, key="rationales_join_model", width=420
    )
    with kindly():
        found: WayChoice = _ways(
            str(ws.path), task.id, task.revision, chosen_joining(ws, task.id), model.id, ws
        )
        st.markdown(f"**{plain(found.why)}**")
        _table(found)
        offer = Offer(
            words="Label all with both",
            choice=Choice(rules=True, model=str(model.id)),
            provider=model.provider,
            help="All of train and validation. The run decides by what gold advises above, chosen "
            "anew when it starts and kept with it.",
        )
        if draw_start(ws, task, offer, person=person, key="rationales_run_joined"):
            st.rerun()
    last_rules_run(ws, task)


def last_rules_run(ws: Workspace, task: Task) -> None:
    """Show the latest run of the rules: its progress while it works, then its figures."""
    run = next((r for r in ws.read.runs.all(task.id) if r.kind in _KINDS), None)
    if run is None:
        return
    if run.job_id is not None and run.status != "done":
        job_status(ws, run.job_id, key=f"rationales_run_{run.id}", title="Labeling with the rules")
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        try:
            found = _figures(str(ws.path), run.id, task.revision, ws)
        except InputError as error:
            st.caption(plain(str(error)))
        else:
            _show(run, found)
        st.page_link(
            "pages/evaluate.py",
            label="See the errors on Evaluate",
            query_params={"run": str(run.id)},
        )


def _show(run: Run, found: Evaluation) -> None:
    title = "Rules" if run.kind is ClassifierKind.RULES else plain(run.title)
    st.markdown(f"**{title} on validation** (run {run.id})", width="content")
    st.markdown(f"accuracy {figure_text(found.accuracy)}", width="content", help=note("accuracy"))
    st.markdown(f"macro-F1 {figure_text(found.macro_f1)}", width="content", help=note("macro-F1"))
    if found.coverage < 1:
        st.markdown(f"coverage {percent(found.coverage)}", width="content", help=note("coverage"))
    st.markdown(
        f"always “{plain(found.majority_label)}” {found.majority:.3f}",
        width="content",
        help=note("majority"),
    )


def _title(model: FineTune) -> str:
    return f"{model.id} · {model.model} · {model.provider}"


def _table(found: WayChoice) -> None:
    rows = found.candidates
    if not rows:
        return
    st.dataframe(
        {
            "Decides": [row.way.words for row in rows],
            "": ["advised" if row.way == found.way else "" for row in rows],
            "Macro-F1": [figure_text(row.macro_f1) for row in rows],
            "Gain on the text only": [
                "" if row is rows[0]
                else f"{row.gain.value:+.3f} [{row.gain.low:+.2f}, {row.gain.high:+.2f}]"
                for row in rows
            ],
            "Accuracy": [figure_text(row.accuracy) for row in rows],
            "Log-loss": [round(row.log_loss, 3) for row in rows],
        },
        hide_index=True,
        column_config={
            "Macro-F1": st.column_config.TextColumn(
                help="On blind gold whose labels the model had not learnt, by cross-validation; in "
                "brackets the 95 % interval."
            ),
            "Log-loss": st.column_config.NumberColumn(
                help="How surprised it is at the gold label on average; less is better."
            ),
        },
        alt="Text only, rules only and both with macro-F1 on gold",
    )  # fmt: skip


_keep: Callable[..., Any] = st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)


@_keep
def _ways(
    path: str, task_id: int, revision: int, joining: str, finetune_id: int, _ws: Workspace
) -> WayChoice:
    return compare_classifiers(_ws, task_id, str(finetune_id))


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _figures(path: str, run_id: int, revision: int, _ws: Workspace) -> Evaluation:
    return evaluate_run(_ws, run_id, split="validation", by="studio")
