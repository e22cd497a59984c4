"""Choosing what a model learns from, with which prompt and where, and launching it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from studio.actions.finetunes import (
    create_training_set,
    estimate_finetune,
    launch_finetune,
    lint_training_set,
    preview_training_set,
    training_eligibility,
)
from studio.domain.eligibility import Access
from studio.domain.estimate import TrainingEstimate
from studio.domain.finetune import TrainingSet
from studio.domain.task import Task
from studio.errors import InputError
from studio.providers.base_url import read_base_url
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

CHOSEN = "finetunes_chosen"
SET_HELP = "Frozen examples with their labels: what was learnt from can always be looked up."
_ORIGINS = {
    "blind": "given blind",
    "assisted": "given with a model's label in sight",
    "imported": "imported",
    "computed": "computed",
    "adjudicated": "adjudicated",
    "prediction": "made by a model",
}
_GOLD = "gold"
_Source = str | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a model can be trained.

    Attributes:
        name: The provider's name.
        host: Where texts are sent; empty when they stay on this machine.
        model: The base model used when none is named.
    """

    name: str
    host: str = ""
    model: str = ""


def places(ws: Workspace) -> list[Place]:
    """Return the providers to train with, the configured one first; none is spoken to."""
    found = [Place(name="embedded")]
    for entry in ws.read.providers.all():
        try:
            url = read_base_url(entry.base_url)
        except InputError:
            continue
        host = "" if url.is_local else url.host
        found.append(Place(name=entry.name, host=host, model=entry.model))
    return sorted(found, key=lambda place: place.name != ws.default_provider)


def draw_launch(ws: Workspace, task: Task, person: str) -> None:
    """Draw the choices and the button that trains."""
    with st.container(border=True, key="finetune_launch"):
        left, right = st.columns([6, 5], gap="large")
        with left:
            source, training_set = _choose_source(ws, task)
            _draw_set(task, training_set)
        with right:
            prompt = _choose_prompt(ws, task)
            place, base = _choose_place(ws)
            is_open = _draw_eligibility(ws, place, base)
            told = _estimate(
                str(ws.path), task.id, task.revision, source, prompt, place.name, base, ws
            )
            agreed = is_open and _ask_consent(ws, task, place, told)
            usable = training_set.size >= 10 and len(training_set.labels) > 1
            with st.container(horizontal=True):
                if st.button(
                    f"Train on {count(training_set.size, 'label')}",
                    type="primary", key="finetune_train", disabled=not (usable and agreed),
                ):  # fmt: skip
                    _launch(ws, task, person, source, prompt, place, base)
                if source_is_new(source) and st.button(
                    "Only freeze", key="finetune_freeze", disabled=not usable, help=SET_HELP
                ):
                    with kindly():
                        frozen = _freeze(ws, task, source, person)
                        st.toast(f"Training set {frozen.id} is frozen.")


def source_is_new(source: _Source) -> bool:
    """Return whether labels are to be frozen first, rather than a frozen set taken."""
    return source == _GOLD or source[0] == "run"


def _choose_source(ws: Workspace, task: Task) -> tuple[_Source, TrainingSet]:
    runs = [r for r in ws.read.runs.all(task.id) if r.done and "train" in r.splits]
    sets = ws.read.finetunes.training_sets(task.id)
    names: dict[_Source, str] = {_GOLD: "All gold of train"}
    names |= {("run", r.id): f"Labels of run {r.id} ({r.title}), with corrections" for r in runs}
    names |= {("set", s.id): f"Training set {s.id}: {s.name}" for s in sets}
    source: _Source = st.selectbox(
        "Learn from", list(names), format_func=names.__getitem__, key="finetune_source",
        help="Only examples of train are ever learnt from. " + SET_HELP,
    )  # fmt: skip
    by_id = {s.id: s for s in sets}
    if isinstance(source, tuple) and source[0] == "set":
        return source, by_id[source[1]]
    run_id = source[1] if isinstance(source, tuple) else None
    return source, _preview(str(ws.path), task.id, task.revision, run_id, ws)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _preview(
    path: str, task_id: int, revision: int, run_id: int | None, _ws: Workspace
) -> TrainingSet:
    return preview_training_set(_ws, task_id, run_id=run_id)


def _draw_set(task: Task, training_set: TrainingSet) -> None:
    """Draw label counts, origins, and what speaks against learning from them."""
    if training_set.labels:
        origins = {_ORIGINS.get(name, name): n for name, n in training_set.origins.items()}
        st.text(f"Labels: {_counted(training_set.labels)}\nOrigins: {_counted(origins)}")
    for warning in lint_training_set(task, training_set):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            st.badge("Mind", color="orange")
            st.text(warning, width="stretch")


def _counted(counts: Mapping[str, int]) -> str:
    shown = list(counts.items())[:12]
    more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
    return ", ".join(f"{n:,} {name}" for name, n in shown) + more


def _choose_prompt(ws: Workspace, task: Task) -> str:
    titles = [version.title for version in ws.read.prompts.all(task.id)][::-1]
    if not titles:
        st.text("Prompt: made of the label definitions")
        return ""
    return st.selectbox(
        "Prompt it is trained and asked with", titles, key="finetune_prompt",
        help="Its definitions and rationales count as light examples. " + note("prompt"),
    )  # fmt: skip


def _choose_place(ws: Workspace) -> tuple[Place, str]:
    found = {place.name: place for place in places(ws)}
    name = st.selectbox("Provider", list(found), key="finetune_provider", help=note("provider"))
    place = found[name]
    if not place.host:
        st.caption(
            "Everything stays on this machine; the embedded provider trains in seconds."
            if name == "embedded"
            else "This service runs on this machine; nothing leaves it."
        )
        return place, ""
    base = st.text_input(
        "Base model", key="finetune_base", placeholder=place.model or "the provider's default",
        help="What the training starts from.",
    )  # fmt: skip
    return place, base.strip()


def _draw_eligibility(ws: Workspace, place: Place, base: str) -> bool:
    """Draw whether the place still trains such a model, and return whether it may."""
    known = training_eligibility(ws, place.host, base or place.model, is_local=not place.host)
    if known.access is Access.CLOSED:
        st.error(plain(known.warning), icon=":material/event_busy:")
    elif known.warning:
        st.warning(plain(known.warning), icon=":material/event_busy:")
    if known.source:
        st.caption(f"Read on {known.as_of} at {known.source}")
    return known.access is not Access.CLOSED


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _estimate(
    path: str, task_id: int, revision: int, source: _Source, prompt: str, provider: str, base: str,
    _ws: Workspace,
) -> TrainingEstimate:  # fmt: skip
    numbered = source if isinstance(source, tuple) else ("", None)
    return estimate_finetune(
        _ws, task_id, prompt=prompt, provider=provider, base_model=base,
        training_set_id=numbered[1] if numbered[0] == "set" else None,
        run_id=numbered[1] if numbered[0] == "run" else None,
    )  # fmt: skip


def _ask_consent(ws: Workspace, task: Task, place: Place, told: TrainingEstimate) -> bool:
    """Draw what the training would send and cost; return whether texts may go there."""
    if not place.host:
        return True
    priced = f" Price: {told.price.source} ({told.price.as_of})" if told.price else ""
    st.caption(plain(f"{told.sentence()}.{priced}"))
    if ws.read.providers.has_consent(task.id, place.host, told.columns):
        st.text(f"Texts and labels go to {place.host}; somebody agreed to that for this task.")
        return True
    return st.checkbox(
        f"I agree to send {told.examples:,} {told.sent} with their labels to {place.host}, "
        f"{told.cost_text().replace('about', 'for about', 1)}.",
        key=f"finetune_consent_{place.name}",
        wrap=True,
    )


def _freeze(ws: Workspace, task: Task, source: _Source, person: str) -> TrainingSet:
    run_id = source[1] if isinstance(source, tuple) else None
    return create_training_set(ws, task.id, run_id=run_id, by=person)


def _launch(
    ws: Workspace, task: Task, person: str, source: Any, prompt: str, place: Place, base: str
) -> None:
    with kindly():
        set_id = _freeze(ws, task, source, person).id if source_is_new(source) else source[1]
        launched = launch_finetune(
            ws,
            task.id,
            training_set_id=set_id,
            prompt=prompt,
            provider=place.name,
            base_model=base,
            consent=bool(place.host),
            by=person,
        )
        st.session_state[CHOSEN] = launched.id
        st.rerun()
