"""What the labeling grid shows: the choices above it, and chips of what is chosen."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo

import streamlit as st

from studio.domain.example import Split
from studio.domain.run import Run
from studio.domain.task import Task
from studio.errors import StudioError
from studio.store.examples import GridFilter
from studio.store.grid_filter import ANYBODY, IdSet
from studio.ui.address import is_news, tell
from studio.ui.figures import count
from studio.ui.grid import KEYS
from studio.ui.grid_choices import Choice, choices, take_address, tell_address
from studio.ui.grid_columns import choose_look
from studio.ui.grid_filter_form import IN_SIGHT, Found, draw_filter, draw_shown
from studio.ui.grid_groups import rule_group, slice_of
from studio.ui.grid_options import Sight
from studio.ui.held import hold
from studio.ui.rationale_text import plain
from studio.ui.session import person
from studio.workspace import Workspace

MOST_ASKED = 5000
MOST_COUNTED = 5000
_NO_MODEL = "No model: label blind"
_BLIND, _RUN_TOLD = "none", "label_run_told"


def choose_sight(ws: Workspace, task: Task) -> Sight:
    """Draw the choices above the grid and return what they say."""
    ids, who = _asked_examples(), person()
    runs = {run.id: run for run in ws.read.runs.all(task.id) if run.done}
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="label_sight"
    ):
        run = _choose_run(runs, task)
        found = choices(ws, task, runs, run)
        take_address(found)
        draw_shown(found)
        draw_filter(found)
        look = choose_look(ws, task, who)
        with st.popover("Keys"):
            show_keys()
    tell_address(found)
    sight = Sight(
        filter=_filter(ws, task, found, who, ids),
        run_id=run.id if run else None,
        size=look.size,
        columns=look.columns,
        whole_text=look.whole_text,
    )
    _draw_chips(ws, task, found, sight, who)
    return sight


def show_keys() -> None:
    """Draw what every key does."""
    st.caption("The keys work in the grid; click a row if they do not.")
    for key, does in KEYS:
        with st.container(horizontal=True, gap="small"):
            st.markdown(f"**{plain(key)}**", width=190)
            st.markdown(does, width="stretch")


def forget_asked() -> None:
    """Show all examples again; a callback."""
    st.query_params.pop("examples", None)
    for key in ("label_ids", "label_ids_from"):
        st.session_state.pop(key, None)


def _asked_examples() -> tuple[int, ...] | None:
    """Draw a chip for the examples another page asked to see, and return their ids."""
    asked = [int(i) for i in re.findall(r"\d{1,18}", st.query_params.get("examples", ""))]
    asked = (asked or list(st.session_state.get("label_ids") or []))[:MOST_ASKED]
    if not asked:
        return None
    came_from = str(st.session_state.get("label_ids_from") or "")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_asked"):
        said = f" from {plain(came_from)}" if came_from else " chosen on another page"
        st.badge(f"{count(len(asked), 'example')}{said}", icon=":material/filter_alt:")
        st.button("Show all", key="label_forget", type="tertiary", on_click=forget_asked)
    return tuple(sorted(set(asked)))


def _choose_run(runs: dict[int, Run], task: Task) -> Run | None:
    # A run on test alone has nothing to show here: test stays blind.
    finished = [r.id for r in runs.values() if r.done >= r.total and set(r.splits) != {Split.TEST}]
    options: list[int | None] = [None, *runs]
    key = f"label_run_{task.id}_{len(runs)}"
    linked = st.query_params.get("run", "")
    if is_news(_RUN_TOLD, linked):
        number = int(linked) if linked.isdecimal() and len(linked) <= 18 else None
        if linked == _BLIND or number in runs:
            st.session_state[key] = number
    if (asked := st.session_state.pop("label_ids_run", None)) in runs:
        st.session_state[key] = asked
    hold(key)
    chosen = st.selectbox(
        "Whose labels are in sight",
        options,
        index=options.index(finished[0]) if finished and key not in st.session_state else 0,
        format_func=lambda i: _NO_MODEL if i is None else _title(runs[i]),
        key=key,
        width=200,
        placeholder=_NO_MODEL,  # what stands there where None was chosen before
        label_visibility="collapsed",
        persist_state="session",
        help="A label given while a model's label is in sight counts as assisted gold, "
        "one given without counts as blind gold, which weighs more.",
    )
    told = str(chosen or _BLIND)
    if runs and tell(_RUN_TOLD, linked, told):
        st.query_params["run"] = told
    return runs.get(chosen) if chosen is not None else None


def _title(run: Run) -> str:
    part = "" if run.done >= run.total else f" ({run.done:,} of {run.total:,})"
    return f"{run.title} · run {run.id}{part}"


def _filter(
    ws: Workspace, task: Task, found: Found, who: str, ids: tuple[int, ...] | None
) -> GridFilter:
    chosen = {name: choice.value for name, choice in found.items()}
    sure = found.get("sure")
    return GridFilter(
        splits=tuple(sorted(chosen["split"])),
        search=chosen["search"].strip(),
        label_id=chosen.get("said"),
        confidence=(sure.value[0] / 100, sure.value[1] / 100) if sure and sure.is_active else None,
        outcome=chosen.get("outcome") or "",
        differs_from=chosen.get("differs"),
        gold_label_id=chosen["gold"],
        gold_origin=chosen["origin"] or "",
        own_label_id=chosen["own"],
        people_differ=chosen["people"],
        by=chosen["by"],
        since=_moment(chosen["since"]),
        until=_moment(chosen["until"], days=1),
        mark=chosen["mark"] or "",
        marked_by=ANYBODY if chosen["marked"] else who,
        relook=chosen["again"],
        assigned=chosen["assigned"],
        show=chosen["show"],
        ids=ids,
        among=_among(ws, task, found),
        order=chosen["order"],
    )


def _moment(day: datetime.date | None, *, days: int = 0) -> str:
    """Return when a day begins for who looks, in UTC."""
    if day is None:
        return ""
    try:
        zone: datetime.tzinfo = ZoneInfo(st.context.timezone or "UTC")
    except (OSError, ValueError):  # the browser names a zone this machine does not know
        zone = datetime.UTC
    try:
        begins = datetime.datetime.combine(
            day + datetime.timedelta(days=days), datetime.time(), tzinfo=zone
        )
        return begins.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    except OverflowError:  # the first or the last day there is narrows nothing
        return ""


def _among(ws: Workspace, task: Task, found: Found) -> IdSet | None:
    """Return the examples of the rule and slice chosen; a sample is said to be one."""
    among: IdSet | None = None
    try:
        for name, read in (("rule", rule_group), ("slice", slice_of)):
            if not found[name].is_active:
                continue
            group = read(ws, task, found[name].value)
            among = group.members if among is None else among & group.members
            if group.is_sample:
                st.caption(
                    f"Rules were tried on {group.looked_at:,} of {group.of:,} examples; a run of "
                    "the rules tells all of them."
                )
    except StudioError as error:
        st.warning(str(error))
    return among


def _draw_chips(ws: Workspace, task: Task, found: Found, sight: Sight, who: str) -> None:
    """Draw what is chosen, each with a way to drop it, and how many examples fit."""
    chosen = [c for c in found.values() if c.is_active and c.name not in IN_SIGHT]
    if "marked" in found and not found["mark"].is_active:
        chosen = [c for c in chosen if c.name != "marked"]
    if not chosen:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="label_chips"
    ):
        for choice in chosen:
            st.button(
                plain(choice.said),
                icon=":material/close:",
                key=f"label_drop_{choice.name}",
                help="Show the examples without this, too",
                on_click=choice.clear,
            )
        if len(chosen) > 1:
            st.button(
                "Clear all", key="label_drop", type="tertiary", on_click=_clear, args=(chosen,)
            )
        n, _ = ws.read.examples.grid_count(
            task.id, run_id=sight.run_id, person=who, filter=sight.filter, limit=MOST_COUNTED
        )
        more = "+" if n == MOST_COUNTED else ""
        st.markdown(f"{n:,}{more} fit", width="content")


def _clear(chosen: list[Choice]) -> None:
    for choice in chosen:
        choice.clear()
