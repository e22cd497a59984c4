"""The rules of a task in the expert's order, with what each is worth; and their files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.actions.rules import (
    choose_fallback,
    enable_rule,
    export_rules,
    import_rules,
    order_rules,
    report_rules,
)
from studio.analysis.rule_scores import RuleScore
from studio.domain.coded_rationale import CodedRationale, describe
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.colours import label_colours
from studio.ui.figures import figure_text
from studio.ui.guard import kindly
from studio.ui.rule_form import open_rule
from studio.workspace import Workspace

_UPLOAD_MB = 5


def rule_table(ws: Workspace, task: Task, rules: list[CodedRationale], person: str) -> None:
    """Draw the rules; the switch, the arrows and the pencil act on their row."""
    shape = hash(tuple((r.id, r.enabled, r.version) for r in rules))
    key = f"rationales_rules_{task.id}_{shape}"
    if _switched(ws, task, rules, key):
        st.rerun()
    scores = {s.rule_id: s for s in rule_scores(ws, task)}
    colours = label_colours(task)
    names = [n for label in task.label_names for n in (label, f"not {label}")]

    def act(what: str) -> None:
        row = st.session_state[f"{key}_{what}"]["row"]
        if what == "edit":
            open_rule(ws, task, person, rules[row])
        else:
            move_rule(ws, task, rules, row, -1 if what == "up" else 1)

    def button(what: str, help: str) -> Any:
        return st.column_config.ButtonColumn(
            "",
            width=44,
            type="tertiary",
            help=help,
            on_click=act,
            args=(what,),
            key=f"{key}_{what}",
        )

    st.data_editor(
        {
            "On": [r.enabled for r in rules],
            "Rule": [r.body.name for r in rules],
            "Says": [[("not " if r.body.against else "") + r.body.label] for r in rules],
            "Alone": ["alone" if r.body.decisive else "votes" for r in rules],
            "Accuracy": [_right(scores.get(r.id)) for r in rules],
            "Fires on": [_share(scores.get(r.id), "coverage") for r in rules],
            "Conflict": [_share(scores.get(r.id), "conflict") for r in rules],
            "edit": [":material/edit:"] * len(rules),
            "up": [":material/arrow_upward:"] * len(rules),
            "down": [":material/arrow_downward:"] * len(rules),
            "Overlap": [_share(scores.get(r.id), "overlap") for r in rules],
            "If": [describe(r.body).partition(" if ")[2] for r in rules],
        },
        key=key,
        hide_index=True,
        num_rows="fixed",
        height=min(38 + 35 * len(rules), 620),
        disabled=["Rule", "Says", "Alone", "Accuracy", "Fires on", "Overlap", "Conflict", "If"],
        column_config={
            "On": st.column_config.CheckboxColumn(width=54, help="Whether it votes."),
            "Rule": st.column_config.TextColumn(width=155),
            "Says": st.column_config.MultiselectColumn(
                width=98, options=names, color=[colours[n] for n in task.label_names for _ in "ab"]
            ),
            "Alone": st.column_config.TextColumn(
                "Decides",
                width=66,
                help="Alone: tried first, in this order; the first that fires gives the label. "
                "The others vote together.",
            ),
            "Accuracy": st.column_config.TextColumn(
                width=172,
                help="How often it is right on blind gold of train and validation, never test; in "
                "brackets the 95 % interval, n is the number of examples behind it.",
            ),
            "Fires on": _percent("Share of the examples it has something to say on."),
            "Overlap": _percent("Share on which another rule speaks too."),
            "Conflict": _percent("Share on which another rule contradicts it."),
            "edit": button("edit", "Open the rule"),
            "up": button("up", "Move it up"),
            "down": button("down", "Move it down"),
            "If": st.column_config.TextColumn(width="large"),
        },
        alt="Rules in the expert's order with their accuracy, coverage, overlap and conflict",
    )


def rule_scores(ws: Workspace, task: Task) -> list[RuleScore]:
    """Return how each rule in force does on train and validation."""
    return _scores(str(ws.path), task.id, task.revision, ws)


def move_rule(ws: Workspace, task: Task, rules: list[CodedRationale], row: int, by: int) -> None:
    """Move a rule one place up (-1) or down (1)."""
    names = [rule.body.name for rule in rules]
    to = max(0, min(len(names) - 1, row + by))
    names.insert(to, names.pop(row))
    order_rules(ws, task.id, names)


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


def rule_files(ws: Workspace, task: Task, rules: list[CodedRationale], person: str) -> None:
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


def _switched(ws: Workspace, task: Task, rules: list[CodedRationale], key: str) -> bool:
    """Store what was switched on or off in the table; the same edit twice changes nothing."""
    edits = (st.session_state.get(key) or {}).get("edited_rows", {})
    changed = False
    for row, values in edits.items():
        rule = rules[int(row)]
        if "On" in values and values["On"] != rule.enabled:
            enable_rule(ws, task.id, rule.body.name, enabled=values["On"])
            changed = True
    return changed


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            "The file is not text in UTF-8.", next_step="Save it as UTF-8 and choose it again."
        ) from None


def _right(score: RuleScore | None) -> str:
    return "off" if score is None else figure_text(score.accuracy)


def _share(score: RuleScore | None, name: str) -> float | None:
    return None if score is None else 100 * float(getattr(score, name))


def _percent(help: str) -> Any:
    return st.column_config.NumberColumn(width=74, format="%.1f%%", help=help)


@st.cache_data(max_entries=16, ttl=3600, show_spinner=False)
def _scores(path: str, task_id: int, revision: int, _ws: Workspace) -> list[RuleScore]:
    return report_rules(_ws, task_id)
