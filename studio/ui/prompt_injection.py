"""How often injections talk a saved prompt into a label: the button and the figure."""

from __future__ import annotations

import streamlit as st

from studio.actions.injections import (
    attack_result,
    estimate_attack,
    last_attack,
    start_attack,
)
from studio.domain.prompt import PromptVersion
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.figures import figure_text
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.rationale_text import figure_metric, plain
from studio.ui.run_start import cost_line, draw_consent
from studio.workspace import Workspace

_HELP = (
    "An injection is a sentence in a text that orders the model to answer a certain label. "
    "The flip rate is the share of texts that then get that label, of those that keep theirs "
    "when neutral words are added."
)


def draw_injections(ws: Workspace, task: Task, version: PromptVersion, person: str) -> None:
    """Draw what came of attacking a version, and the button that does it."""
    box = st.expander(
        "Test with injections", key=f"prompts_injections_{version.id}", on_change="rerun"
    )
    with box:
        if not box.open:
            return
        st.caption(
            "Injections in several languages and disguises are put into texts of train and "
            f"validation, and asked about with {plain(version.title)}.",
            help=_HELP,
        )
        run = last_attack(ws, task.id, version.id)
        if run is not None and run.job_id is not None and run.status != "done":
            job_status(ws, run.job_id, key=f"prompts_attack_{run.id}", title="Attacking the prompt")
            if run.status not in ("failed", "cancelled"):
                return
        elif run is not None:
            _result(ws, run.id)
            st.caption(plain(cost_line(ws, run)))
        _start(ws, task, version, person)


def _result(ws: Workspace, run_id: int) -> None:
    found = attack_result(ws, run_id)
    if found is None:
        return
    if not found.rate.n:
        st.info("Neutral words changed every label already, so no attack can be told apart.")
        return
    figure_metric(st, "Flip rate", found.rate, _HELP)
    left_out = f"{found.unsteady + found.unanswered} of {found.pairs} pairs do not count"
    st.caption(
        f"{left_out}: neutral words changed the label too, or there was none"
        + (f" · {found.unlabeled} attacked texts got no label" if found.unlabeled else "")
    )
    st.dataframe(
        {
            "Family": list(found.families),
            "Flip rate": [figure_text(figure, digits=2) for figure in found.families.values()],
        },
        hide_index=True,
        key=f"prompts_attack_families_{run_id}",
        alt="Flip rate by family of injections, the most successful first",
    )
    if found.flipped:
        st.caption(f"Got their label: {plain(', '.join(found.flipped))}")


def _start(ws: Workspace, task: Task, version: PromptVersion, person: str) -> None:
    try:
        told = estimate_attack(ws, task.id, prompt=str(version.id))
    except StudioError as error:
        st.caption(plain(f"{error.message} {error.next_step}"))
        return
    st.caption(plain(told.sentence()))
    key = f"prompts_attack_go_{version.id}"
    if told.is_local:
        pressed = st.button("Attack", icon=":material/shield:", key=key)
    else:
        pressed = draw_consent(ws, task, told, what="A test with injections", yes="Attack", key=key)
    if pressed:
        with kindly():
            start_attack(ws, task.id, prompt=str(version.id), consent=not told.is_local, by=person)
            st.rerun()
