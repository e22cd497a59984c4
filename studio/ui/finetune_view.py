"""The list of fine-tunes, and one of them in detail: figures, events, learning curve."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from studio.actions.finetunes import (
    expected_of,
    export_training_set,
    note_before_use,
    steer_finetune,
)
from studio.actions.runs import Choice
from studio.actions.tasks import choose_champion
from studio.analysis.intervals import wilson
from studio.domain.amounts import money
from studio.domain.evaluation import Figure
from studio.domain.finetune import FineTune, FineTuneEvent, FineTuneStatus, TrainingSet
from studio.domain.job import Want
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.ui.charts import is_dark, learning_curve_chart, show_chart
from studio.ui.evaluation_compare import NEXT_RUN, compare_quietly
from studio.ui.evaluation_data import figures_of_all, measured_runs, metric_of
from studio.ui.evaluation_examples import chosen_index, download
from studio.ui.evaluation_view import side_by_side
from studio.ui.figures import duration, figure_text, metric_name
from studio.ui.finetune_launch import CHOSEN
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.label_marks import draw_mark, marked_cell, marks_of
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.ui.run_start import Offer, draw_start
from studio.ui.session import open_page_of
from studio.workspace import Workspace

CROSSED = (
    "Cross-validated on the training set: five times, a fifth of it is held out, and the model "
    "that learnt from the rest is measured there."
)
NOT_GOLD = (
    "Most of its training labels were made by a model, so this says how well it copies that model, "
    "not how often it is right; validation tells that."
)
_RUN_KEY = "finetunes_run_of"
_ADVICE = {
    "failed": "Read the last events, mend what they name, and go on: where the provider failed it, "
    "that is a new training of the same labels.",
    "cancelled": "Go on where it was, or train again with other choices.",
}


def draw_list(ws: Workspace, task: Task, found: Sequence[FineTune]) -> FineTune:
    """Draw all fine-tunes, newest first, and return the chosen one."""
    sets = {s.id: s for s in ws.read.finetunes.training_sets(task.id)}
    prompts = {p.id: p.title for p in ws.read.prompts.all(task.id)}
    marks = marks_of(ws, task).models
    lines = [
        {
            "Fine-tune": f.id,
            "Status": f.status.value.replace("_", " "),
            "Learns from": f"{sets[f.training_set_id].name} ({sets[f.training_set_id].size:,})",
            "Prompt": prompts.get(f.prompt_version_id or 0, "label definitions"),
            "Provider": f.provider,
            "Cross-validated accuracy": _crossed_text(
                crossed_accuracy(events_of(ws, task, f)), sets[f.training_set_id]
            )
            if f.status is FineTuneStatus.SUCCEEDED
            else "",
            "Took": duration(f.seconds) if f.seconds is not None else "",
            "Launched (UTC)": f"{f.created_at[5:16].replace('T', ' ')}, {f.created_by}",
            **marked_cell(marks, f.id),
        }
        for f in found
    ]
    event = st.dataframe(
        lines,
        hide_index=True,
        column_config={
            "Fine-tune": st.column_config.NumberColumn(width="small", help=note("fine-tune")),
            "Cross-validated accuracy": st.column_config.TextColumn(help=CROSSED),
        },
        on_select="rerun",
        selection_mode="single-row",
        key="finetunes_list",
        alt="Fine-tunes, newest first",
    )
    index = chosen_index(event, len(found))
    if index is not None and st.session_state.get("finetunes_clicked") != found[index].id:
        st.session_state[CHOSEN] = found[index].id
    st.session_state["finetunes_clicked"] = found[index].id if index is not None else None
    by_id = {f.id: f for f in found}
    return by_id.get(st.session_state.get(CHOSEN, 0), found[0])


def draw_finetune(ws: Workspace, task: Task, finetune: FineTune, person: str) -> None:
    """Draw one fine-tune: its state, what to do with its model, its events."""
    st.subheader(f"Fine-tune {finetune.id}", anchor=False)
    draw_mark(marks_of(ws, task).models.get(finetune.id))
    if finetune.job_id is not None and not finetune.status.is_final:
        title = f"Fine-tune {finetune.id}"
        job_status(ws, finetune.job_id, key=f"finetune_job_{finetune.id}", title=title)
    _draw_state(ws, finetune)
    events = events_of(ws, task, finetune)
    if finetune.model:
        _draw_model(ws, task, finetune, events, person)
    # While it trains, events come by themselves, without the rest of the page.
    every = None if finetune.status.is_final else 2.0
    st.fragment(_draw_details, run_every=every, key=f"finetune_details_{finetune.id}")(
        ws, task, finetune
    )


def _draw_details(ws: Workspace, task: Task, finetune: FineTune) -> None:
    events = events_of(ws, task, finetune)
    points = curve_points(events)
    if len(points) < 2:
        _draw_events(ws, task, finetune, events)
        return
    left, right = side_by_side("finetune_details", 380, "stretch")
    with left:
        _draw_curve(finetune, points)
    with right:
        _draw_events(ws, task, finetune, events)


def _draw_state(ws: Workspace, finetune: FineTune) -> None:
    status = finetune.status
    if status in (FineTuneStatus.FAILED, FineTuneStatus.CANCELLED):
        said = finetune.error or f"The training was {status.value}."
        with st.container(border=True, key="finetune_ended"):
            st.badge("Failed" if status is FineTuneStatus.FAILED else "Cancelled", color="red")
            st.text(said)
            st.text(_ADVICE[status.value])
            if st.button("Go on where it was", key=f"finetune_resume_{finetune.id}"):
                with kindly():
                    steer_finetune(ws, finetune.id, Want.RUN)
                    st.rerun()


def _draw_model(
    ws: Workspace, task: Task, finetune: FineTune, events: Sequence[FineTuneEvent], person: str
) -> None:
    st.code(finetune.model, language=None)
    if told := note_before_use(ws, finetune):
        st.info(plain(told))
    expected = expected_of(ws, finetune)
    if expected and finetune.metrics.get("cost_usd", 0) != 0:
        cost = money(finetune.metrics["cost_usd"])
        st.caption(plain(f"The training cost {cost}; {money(expected['cost_usd'])} was expected."))
    measured = crossed(events)
    if measured:
        macro = measured.get("macro_f1")
        text = f"Cross-validated: accuracy {figure_text(crossed_accuracy(events))}"
        text += f", macro-F1 {macro:.3f}." if macro is not None else "."
        learnt = ws.read.finetunes.training_set(task.id, finetune.training_set_id)
        st.caption(text + (f" {NOT_GOLD}" if _made(learnt) else ""), help=CROSSED)
    runs = [r for r in measured_runs(ws, task) if r.model == finetune.model]
    known = figures_of_all(ws, task, runs, "validation")
    with st.container(horizontal=True, vertical_alignment="center"):
        _run_button(ws, task, finetune, ("validation",), person, primary=not runs)
        _run_button(ws, task, finetune, ("train", "validation"), person)
        _champion_button(ws, task, finetune, runs)
        if runs and st.button("Evaluate", key=f"finetune_evaluate_{finetune.id}"):
            st.session_state[NEXT_RUN] = runs[0].id
            open_page_of("evaluate")
    _draw_open_run(ws, finetune)
    if known:
        best = next(run for run in runs if run.id in known)
        figure = known[best.id].metric(metric_of(task))
        name = metric_name(metric_of(task))
        st.text(f"On validation (run {best.id}): {name} {figure_text(figure)}")
        _draw_against_prompt(ws, task, best)


def _run_button(
    ws: Workspace, task: Task, finetune: FineTune, splits: tuple[str, ...], person: str,
    *, primary: bool = False,
) -> None:  # fmt: skip
    name = " + ".join(splits)
    offer = Offer(
        words=f"Run it on {name}", choice=Choice(model=str(finetune.id)), splits=splits,
        help="Labels these examples with the model, so that it can be evaluated.",
        is_primary=primary,
    )  # fmt: skip
    key = f"finetune_run_{finetune.id}_{'_'.join(splits)}"
    run = draw_start(ws, task, offer, person=person, key=key)
    if run is not None:
        st.session_state[_RUN_KEY] = (finetune.id, run.id)
        st.rerun()


def _draw_open_run(ws: Workspace, finetune: FineTune) -> None:
    """Draw the run that was started here, where it was started."""
    owner, run_id = st.session_state.get(_RUN_KEY, (0, 0))
    if owner != finetune.id:
        return
    run = ws.read.runs.get(run_id)
    if run.job_id is not None:
        job_status(ws, run.job_id, key=f"finetune_run_job_{run.id}", title=f"Run {run.id}")


def _champion_button(ws: Workspace, task: Task, finetune: FineTune, runs: Sequence[Run]) -> None:
    if task.champion == f"model:{finetune.id}":
        st.badge("Champion", icon=":material/check:", help=note("champion"))
    elif st.button(
        "Make champion", key=f"finetune_champion_{finetune.id}", disabled=not runs,
        help=note("champion") if runs else "Run the model first, to know how good it is.",
    ):  # fmt: skip
        with kindly():
            choose_champion(ws, task.id, runs[0].id)
            st.rerun()


def _draw_against_prompt(ws: Workspace, task: Task, run: Run) -> None:
    """Draw the model beside the best prompt on the same examples."""
    prompts = [r for r in measured_runs(ws, task) if r.kind is ClassifierKind.PROMPT]
    known = figures_of_all(ws, task, prompts[:12], "validation")
    metric = metric_of(task)
    best = max(known, key=lambda i: known[i].metric(metric).value, default=None)
    if best is None:
        st.caption("Run a prompt on validation as well, to see whether the model is worth it.")
        return
    title = next(r.title for r in prompts if r.id == best)
    st.text(f"Against the best prompt, {title} (run {best}):")
    st.markdown(compare_quietly(ws, task, (best, run.id)))


def curve_points(events: Sequence[FineTuneEvent]) -> tuple[tuple[int, float], ...]:
    """Return (examples learnt from, macro-F1) as a training reported them."""
    return tuple(
        (int(e.data["examples"]), float(e.data["macro_f1"]))
        for e in events
        if e.data.get("kind") == "learning_curve" and {"examples", "macro_f1"} <= set(e.data)
    )


def _draw_curve(finetune: FineTune, points: tuple[tuple[int, float], ...]) -> None:
    st.markdown("**Would more examples help?**")
    show_chart(
        learning_curve_chart(points, dark=is_dark()),
        key=f"finetune_curve_{finetune.id}",
        alt="Macro-F1 by examples learnt from: " + ", ".join(f"{n}: {v:.3f}" for n, v in points),
    )
    gain = points[-1][1] - max(value for _, value in points[:-1])
    st.caption(
        "Measured on a part of the training set, kept aside. "
        + ("It still rises: more labels should help." if gain > 0.01 else "It is nearly flat.")
    )


def _draw_events(
    ws: Workspace, task: Task, finetune: FineTune, events: Sequence[FineTuneEvent]
) -> None:
    if events:
        st.markdown("**Events**")
        st.dataframe(
            {
                "Time (UTC)": [_clock(e.at) for e in reversed(events)],
                "Level": [e.level for e in reversed(events)],
                "Message": [e.message for e in reversed(events)],
            },
            hide_index=True,
            height="auto" if len(events) < 7 else 270,
            column_config={"Message": st.column_config.TextColumn(width="large")},
            key=f"finetune_events_{finetune.id}",
            alt="Events of the training, newest first",
        )
        rows = [{"at": _clock(e.at), "level": e.level, "message": e.message} for e in events]
        name = f"finetune-{finetune.id}-events"
        download(
            rows,
            ["at", "level", "message"],
            name=name,
            key=f"finetune_csv_{finetune.id}",
            what="events",
        )
    else:
        st.caption("No event yet.")
    prompts = {p.id: p.title for p in ws.read.prompts.all(task.id)}
    st.download_button(
        "Save its training set as JSONL",
        data=functools.partial(
            _jsonl, ws, task.id, finetune.training_set_id,
            prompts.get(finetune.prompt_version_id or 0, ""),
        ),
        file_name=f"training-set-{finetune.training_set_id}.jsonl",
        mime="application/jsonl",
        on_click="ignore",
        key=f"finetune_jsonl_{finetune.id}",
        icon=":material/download:",
        type="tertiary",
        help="OpenAI chat format, an example a line.",
    )  # fmt: skip


def _jsonl(ws: Workspace, task_id: int, training_set_id: int, prompt: str) -> bytes:
    return export_training_set(ws, task_id, training_set_id, prompt=prompt).encode()


def events_of(ws: Workspace, task: Task, finetune: FineTune) -> list[FineTuneEvent]:
    """Return the events of a fine-tune; those of one that has ended are kept."""
    if not finetune.status.is_final:
        return ws.read.finetunes.events(finetune.id)
    found: list[FineTuneEvent] = _events(
        str(ws.path), finetune.id, finetune.status.value, task.revision, ws
    )
    return found


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _events(
    path: str, finetune_id: int, status: str, revision: int, _ws: Workspace
) -> list[FineTuneEvent]:
    return _ws.read.finetunes.events(finetune_id)


def crossed(events: Sequence[FineTuneEvent]) -> Mapping[str, Any]:
    """Return the cross-validated figures a training reported, empty where it did not."""
    return next((e.data for e in events if e.data.get("kind") == "out_of_fold"), {})


def crossed_accuracy(events: Sequence[FineTuneEvent]) -> Figure | None:
    """Return the cross-validated accuracy with its interval, None where it is unknown."""
    data = crossed(events)
    if "accuracy" not in data or "n" not in data:
        return None
    n = int(data["n"])
    return wilson(round(float(data["accuracy"]) * n), n)


def _made(training_set: TrainingSet) -> bool:
    """Return whether most labels of a training set were made by a model."""
    return training_set.origins.get("prediction", 0) * 2 > training_set.size


def _crossed_text(figure: Figure | None, training_set: TrainingSet) -> str:
    """Return the cross-validated figure; one that is not held against gold says so."""
    return figure_text(figure) + (" (not gold)" if figure and _made(training_set) else "")


def _clock(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%m-%d %H:%M:%S")
