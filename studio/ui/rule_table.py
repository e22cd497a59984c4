"""The rules of a task in the expert's order, with what each is worth; and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from studio.actions.rules import (
    choose_fallback,
    enable_rule,
    export_rules,
    import_rules,
    rearrange_rules,
)
from studio.analysis.rule_review import RuleReview
from studio.domain.coded_rationale import CodedRationale, describe
from studio.domain.conditions import Votes
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.colours import label_colours
from studio.ui.figures import figure_text
from studio.ui.guard import kindly
from studio.ui.label_marks import SIGN, marks_of
from studio.ui.rule_boards import review
from studio.ui.rule_form import open_rule
from studio.ui.rule_list import RuleListDeed, RuleRow, rule_list
from studio.workspace import Workspace

_UPLOAD_MB = 5
_FEW = 5


def rule_table(ws: Workspace, task: Task, rules: Sequence[CodedRationale], person: str) -> None:
    """Draw the rules; they are dragged into order, switched and opened where they stand."""
    found = {one.score.rule_id: one for one in review(ws, task).rules}
    names = {rule.id: rule.body.name for rule in rules}
    colours = label_colours(task)
    rows = [_row(rule, colours[rule.body.label], found.get(rule.id), names) for rule in rules]
    marks = marks_of(ws, task).rules
    rows = [
        replace(r, note=", ".join(filter(None, [r.note, SIGN]))) if r.id in marks else r
        for r in rows
    ]
    if act(ws, task, rules, rule_list(rows, key=f"rationales_rules_{task.id}"), person):
        st.rerun()


def act(
    ws: Workspace, task: Task, rules: Sequence[CodedRationale], deed: RuleListDeed, person: str
) -> bool:
    """Do what somebody did in the list, and return whether that was anything."""
    by_id = {rule.id: rule for rule in rules}
    if deed.order is not None:
        rearrange_rules(ws, task.id, *deed.order)
    elif deed.switched is not None:
        rule_id, on = deed.switched
        enable_rule(ws, task.id, by_id[rule_id].body.name, enabled=on)
    elif deed.opened is not None:
        open_rule(ws, task, person, by_id[deed.opened])
    else:
        return False
    return True


def notes_of(found: RuleReview, names: dict[int, str]) -> str:
    """Return what to see to about a rule, in a few words; empty where nothing is amiss.

    Args:
        found: What it is worth beside the others.
        names: Rule id to name.
    """
    score = found.score
    if not score.fires:
        return "dead: never fires"
    said = []
    if not score.accuracy.n:
        said.append("no gold")
    elif score.accuracy.high < 0.5:
        said.append("more wrong than right")
    if len(found.lost) > len(found.won):
        said.append(f"hurts: {len(found.lost)} lost, {len(found.won)} won")
    if found.freshness.warnings:
        said.append("stale")
    if found.duplicates:
        said.append(f"same as {names.get(found.duplicates[0], '?')}")
    elif not score.alone and score.accuracy.n < _FEW:
        said.append("never alone")
    return ", ".join(said)


def _row(
    rule: CodedRationale, colour: str, found: RuleReview | None, names: dict[int, str]
) -> RuleRow:
    body = rule.body
    made_elsewhere = any(isinstance(c, Votes) for c in body.conditions)
    row = RuleRow(
        id=rule.id, name=body.name, on=rule.enabled,
        says=f"not {body.label}" if body.against else body.label, colour=colour,
        decisive=body.decisive, decides="alone" if body.decisive else "votes",
        condition=("made elsewhere: " if made_elsewhere else "")
        + describe(body).partition(" if ")[2],
    )  # fmt: skip
    if found is None:
        return row
    return replace(
        row, accuracy=figure_text(found.score.accuracy), coverage=found.score.coverage,
        overlap=found.score.overlap, conflict=found.score.conflict, note=notes_of(found, names),
    )  # fmt: skip


def fallback_choice(ws: Workspace, task: Task) -> None:
    """Let people say what holds where no rule speaks."""
    names = ["", *task.label_names]
    now = task.name_of(task.fallback_label_id) or ""
    chosen = st.selectbox(
        "Where no rule speaks",
        names,
        index=names.index(now),
        format_func=lambda name: f"else {name}" if name else "else no label",
        help="The label the rules give where none of them votes; no label leaves it open.",
        key=f"rationales_fallback_{task.id}_{now}",
        label_visibility="collapsed",
        width=160,
    )
    if chosen != now:
        choose_fallback(ws, task.id, chosen or None)
        st.rerun()


def rule_files(ws: Workspace, task: Task, rules: Sequence[CodedRationale], person: str) -> None:
    """Take the rules away as YAML, or bring some."""
    with st.popover("Files", icon=":material/description:"):
        if rules:
            st.download_button(
                "Download the rules (YAML)",
                lambda: export_rules(ws, task.id),
                file_name="rules.yaml",
                mime="application/yaml",
                on_click="ignore",
                key="rationales_export",
            )
            st.caption("Rules that are switched off are left out.")
        file = st.file_uploader(
            "Bring rules from a YAML file",
            type=["yaml", "yml"],
            max_upload_size=_UPLOAD_MB,
            key="rationales_import",
            help="Rules of the same name get a new version; all of the file or nothing is taken.",
        )
        if file is not None and st.button("Add these rules", key="rationales_import_go"):
            with kindly():
                added = import_rules(ws, task.id, _decoded(file.getvalue()), by=person)
                st.session_state["rationales_rule_said"] = f"Added {len(added)} rules."
                st.rerun()


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            "The file is not text in UTF-8.", next_step="Save it as UTF-8 and choose it again."
        ) from None
