"""Lists of examples a rule raises questions about, labeled by one key with its words in sight.

A list stays as it was opened while its examples are labeled, so that nobody loses their place; the
counts above it follow at once.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.actions.rules import OPEN_SPLITS
from studio.analysis.hits import find_hits
from studio.domain.coded_rationale import RuleBody
from studio.domain.example import Example
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.desk_decisions import GIVEN_UP
from studio.ui.example_keys import ExampleRow, example_keys
from studio.ui.figures import count
from studio.ui.grid_changes import Change, Deed, read_changes
from studio.ui.grid_store import why_unturned
from studio.ui.rationale_text import plain
from studio.ui.rationale_writer import open_example
from studio.ui.rule_explained import explain_dialog
from studio.ui.session import is_theirs, who
from studio.workspace import Workspace

PAGE = 50
_FACTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleList:
    """Examples with something in common.

    Attributes:
        name: What they are, in a word or two.
        ids: The examples, none of test.
        help: What they are in a sentence.
    """

    name: str
    ids: Sequence[int]
    help: str = ""


@dataclass(slots=True)
class LabelDesk:
    """What a session remembers of one list; one object, for a rerun may interrupt at any line.

    Attributes:
        shown: What is listed: the list's name, its page and the rule.
        ids: All examples of the list when it was opened.
        rows: Those of the page in sight.
        version: Changes when other examples are shown.
        given: Example id to the labels given here, the last one counting.
        applied: Number of the last entry applied, by instance.
        page: 0-based page.
        asked: The example whose label is to be explained.
        leaves: Whether to go and write a rationale.
        trouble: What went wrong, in a sentence.
    """

    shown: tuple[Any, ...] = ()
    ids: tuple[int, ...] = ()
    rows: tuple[ExampleRow, ...] = ()
    version: str = ""
    given: dict[int, list[int | None]] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    page: int = 0
    asked: int | None = None
    leaves: bool = False
    trouble: str = ""


def rule_examples(
    ws: Workspace,
    task: Task,
    person: str,
    lists: Sequence[ExampleList],
    *,
    key: str,
    body: RuleBody | None = None,
    beside: Callable[[Sequence[int]], Mapping[int, str]] | None = None,
) -> None:
    """Draw lists of examples, one in sight; a label is one key and counts as assisted.

    Args:
        ws: The workspace.
        task: The task.
        person: Who labels.
        lists: The lists; the first with examples is opened.
        key: Unique on the page.
        body: The rule whose words are highlighted; None highlights none.
        beside: Tells of examples what stands before their facts, e.g. which rules disagree.
    """
    if not lists:
        return
    named = {one.name: one for one in lists}
    first = next((one.name for one in lists if one.ids), lists[0].name)
    name = lists[0].name
    if len(lists) > 1:
        chosen = st.pills(
            "Examples", list(named), default=first, required=True, key=f"{key}_list",
            format_func=lambda n: f"{n} {len(named[n].ids):,}", label_visibility="collapsed",
            wrap=True,
        )  # fmt: skip
        name = chosen if chosen in named else first
    one = named[name]
    if one.help:
        st.caption(one.help)
    label_list(ws, task, person, one, key=f"{key}_examples", body=body, beside=beside)


def label_list(
    ws: Workspace,
    task: Task,
    person: str,
    examples: ExampleList,
    *,
    key: str,
    body: RuleBody | None = None,
    beside: Callable[[Sequence[int]], Mapping[int, str]] | None = None,
    blind: bool = False,
) -> LabelDesk:
    """Draw one list of examples; with `blind` only their texts, and labels count as blind.

    Returns:
        What the session remembers of it.
    """
    desk = _desk(key)
    take = functools.partial(take_labels, ws, task, person, key, blind=blind)
    take()
    if desk.leaves:  # the callback ran in a part of the page; the tab is outside of it
        desk.leaves = False
        st.rerun()
    wanted = (task.id, examples.name, body and body.hash, person)
    if desk.shown != (*wanted, desk.page):
        desk.page = desk.page if desk.shown[:-1] == wanted else 0
        _open(ws, task, desk, examples.ids, body=body, beside=beside, blind=blind)
        desk.shown = (*wanted, desk.page)
        take()
    if desk.trouble:
        st.error(plain(desk.trouble))
    if not desk.ids:
        st.caption("None.")
        return desk
    example_keys(
        task,
        desk.rows,
        key=key,
        label=f"Examples: {examples.name}",
        who=who(ws, person),
        version=desk.version,
        on_log=take,
        on_why=functools.partial(_write_about, desk, key),
        on_explain=None if blind else functools.partial(_ask, desk, key),
    )
    _turn(desk, examples.ids, key, blind=blind)
    if desk.asked is not None:
        example_id, desk.asked = desk.asked, None
        explain_dialog(ws, task, example_id)
    return desk


def _write_about(desk: LabelDesk, key: str) -> None:
    if example_id := _known(desk, st.session_state[key].why):
        open_example(example_id)
        desk.leaves = True


def _ask(desk: LabelDesk, key: str) -> None:
    desk.asked = _known(desk, st.session_state[key].explain)


def take_labels(ws: Workspace, task: Task, person: str, key: str, *, blind: bool = False) -> None:
    """Store what was done in a list, as far as it is new; what cannot be stored is tried again."""
    desk = _desk(key)
    if not desk.version:
        return
    value = getattr(st.session_state.get(key), "log", None)
    if not is_theirs(ws, person, value):
        return
    changes = read_changes(value, desk.applied)
    # A server started anew is sent everything again: what is stored already is not undone twice.
    before: dict[int, list[int | None]] = {}
    try:
        for change in changes.new:
            if change.deed is Deed.LABEL:
                _label(ws, task, person, desk, change, before, blind=blind)
            elif change.deed is Deed.UNDO:
                _undo(ws, task, person, desk, change, before)
            desk.applied[changes.instance] = change.seq
        desk.trouble = ""
        if changes.missing:
            desk.trouble = f"{changes.missing} decisions did not arrive. Look at the last labels."
    except StudioError as error:
        desk.trouble = f"Not saved yet: {error}"
    for example_id, labels in before.items():
        desk.given.setdefault(example_id, []).extend(labels)


def _label(
    ws: Workspace,
    task: Task,
    person: str,
    desk: LabelDesk,
    change: Change,
    before: dict[int, list[int | None]],
    *,
    blind: bool,
) -> None:
    name = task.name_of(change.label_id)
    example_id = _known(desk, change.example_id)
    if change.label_id is None or example_id is None:
        return
    if name is None:
        st.toast(GIVEN_UP)
        return
    decision = Decision(example_id=example_id, label=name, client=change.client)
    new = correct_labels(ws, task.id, [decision], beside_rule=not blind, by=person)
    (desk.given if new else before).setdefault(example_id, []).append(change.label_id)


def _undo(
    ws: Workspace,
    task: Task,
    person: str,
    desk: LabelDesk,
    change: Change,
    before: dict[int, list[int | None]],
) -> None:
    example_id = change.example_id or 0
    if before.get(example_id):
        before[example_id].pop()
    elif desk.given.get(example_id):
        undone = undo_correction(ws, task.id, by=person)
        if undone is None:
            st.toast(plain(why_unturned(ws, task.id, Deed.UNDO, person)))
            return
        desk.given[example_id].pop()
        if example_id not in undone.example_ids:
            st.toast("Your latest decision was on another example; that one was taken back.")


def _desk(key: str) -> LabelDesk:
    kept: LabelDesk = st.session_state.setdefault(f"{key}_desk", LabelDesk())
    return kept


def _known(desk: LabelDesk, example_id: Any) -> int | None:
    """Return an example's id if it is one of the list: a browser can send anything."""
    return example_id if isinstance(example_id, int) and example_id in set(desk.ids) else None


def _open(
    ws: Workspace,
    task: Task,
    desk: LabelDesk,
    ids: Sequence[int],
    *,
    body: RuleBody | None,
    beside: Callable[[Sequence[int]], Mapping[int, str]] | None,
    blind: bool,
) -> None:
    """Read a page of a list; its examples then stay until another list, page or rule is shown."""
    desk.ids = tuple(ids)
    here = desk.ids[desk.page * PAGE :][:PAGE]
    known = {e.id: e for e in ws.read.examples.some(task.id, here)}
    found = [known[i] for i in here if i in known]
    gold = {} if blind else ws.read.labels.gold(task.id, OPEN_SPLITS, ids=here)
    told = beside(here) if beside else {}
    desk.rows = tuple(
        ExampleRow(
            id=e.id,
            text=e.text,
            hits=find_hits(body, e.text) if body and body.scope == "text" else (),
            gold=gold[e.id].label_id if e.id in gold else None,
            given=(desk.given.get(e.id) or [None])[-1],
            facts="" if blind else _facts(e, body),
            warning=told.get(e.id, ""),
        )
        for e in found
    )
    drawn = [(r.id, r.hits, r.warning, r.gold) for r in desk.rows]
    desk.version = hashlib.sha256(repr((desk.version, drawn)).encode()).hexdigest()[:16]


def _facts(example: Example, body: RuleBody | None) -> str:
    """Return an example's id and some of its columns, that which a rule reads first."""
    columns = example.metadata
    first = {body.scope: columns[body.scope]} if body and body.scope in columns else {}
    told = list({**first, **columns}.items())[:_FACTS]
    return " · ".join([example.external_id, *(f"{name}: {value}" for name, value in told)])


def _turn(desk: LabelDesk, now: Sequence[int], key: str, *, blind: bool) -> None:
    """Draw how far one is, and the buttons that show others."""
    pages = -(-len(desk.ids) // PAGE)
    changed = not blind and tuple(now) != desk.ids
    if pages < 2 and not changed:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        first = desk.page * PAGE + 1
        last = min(first + PAGE - 1, len(desk.ids))
        st.caption(f"{first:,} to {last:,} of {count(len(desk.ids), 'example')}", width="content")
        if pages > 1:
            for words, step in (("Previous", -1), ("Next", 1)):
                st.button(
                    words, key=f"{key}_{words}", type="tertiary",
                    disabled=not 0 <= desk.page + step < pages, on_click=_go, args=(desk, step),
                )  # fmt: skip
        if changed:
            st.button(
                "Renew the list", key=f"{key}_renew", type="tertiary", icon=":material/refresh:",
                help="What it should show has changed; it stays as it was while you label.",
                on_click=_renew, args=(desk,),
            )  # fmt: skip


def _go(desk: LabelDesk, step: int) -> None:
    desk.page += step


def _renew(desk: LabelDesk) -> None:
    desk.shown, desk.page = (), 0
