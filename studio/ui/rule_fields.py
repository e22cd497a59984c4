"""The fields of the rule form; each writes what was typed into the draft."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.actions.rules import OPEN_SPLITS
from studio.domain.conditions import LEAST_ALIKE
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.ui.page import escape
from studio.ui.rationale_text import shortened
from studio.ui.rule_draft import GROUPS, KINDS, WRITTEN, RuleDraft, suggest_name
from studio.workspace import Workspace

_MOST_READ = 5_000
_FOUND = 12
# After so short a pause figures follow what is typed; the usual one would take most of their time.
_LIVE = "100ms"


def rule_head(ws: Workspace, task: Task, draft: RuleDraft) -> None:
    """Draw what holds for the whole rule: name, label, weight and what it reads."""
    form, key = draft.form, f"rationales_rule_{draft.round}"
    names = list(task.label_names)
    name, label = st.columns([3, 4])
    form["name"] = name.text_input(
        "Name",
        value=form["name"],
        key=f"{key}_name",
        placeholder=suggest_name(form),
        help="Short, lower case, e.g. fried-rice. Left empty, the grey name is taken.",
    )
    options = [(n, False) for n in names] + [(n, True) for n in names]
    now = (form["label"], form["against"])
    chosen = label.selectbox(
        "It says",
        options,
        index=options.index(now) if now in options else 0,
        format_func=lambda pair: f"not {pair[0]}" if pair[1] else pair[0],
        key=f"{key}_label",
    )
    form["label"], form["against"] = chosen
    with st.container(horizontal=True, vertical_alignment="center"):
        form["decisive"] = st.toggle(
            "Decides alone",
            value=form["decisive"],
            key=f"{key}_decisive",
            help="Such rules are tried first, in your order; the first that fires gives the label. "
            "The others vote together.",
        )
        columns = ["text", *metadata_columns(ws, task)]
        if form["scope"] not in columns:
            columns.append(form["scope"])
        if len(columns) > 1:
            form["scope"] = st.selectbox(
                "It reads",
                columns,
                index=columns.index(form["scope"]),
                key=f"{key}_scope",
                width=180,
                format_func=lambda c: "reads the text" if c == "text" else f"reads {c}",
                label_visibility="collapsed",
            )


def rule_condition(ws: Workspace, task: Task, draft: RuleDraft, c: dict[str, Any]) -> None:
    """Draw one condition: when it counts, its kind, and the fields of that kind."""
    key = f"rationales_rule_{draft.round}_{c['id']}"
    with st.container(border=True):
        group, kind, remove = st.columns([3, 6, 1], vertical_alignment="center")
        c["group"] = group.selectbox(
            "Fires if", list(GROUPS), index=list(GROUPS).index(c["group"]), key=f"{key}_group",
            format_func=lambda g: f"if {g}", label_visibility="collapsed",
        )  # fmt: skip
        if c["kind"] == WRITTEN:
            kind.markdown("it " + escape(c["said"]), help="Change it as YAML.")
        else:
            c["kind"] = kind.selectbox(
                "Condition", list(KINDS), index=list(KINDS).index(c["kind"]), key=f"{key}_kind",
                format_func=lambda k: KINDS[k], label_visibility="collapsed",
            )  # fmt: skip
        remove.button(
            "", icon=":material/close:", key=f"{key}_remove", type="tertiary",
            help="Remove this condition", disabled=len(draft.form["conditions"]) == 1,
            on_click=draft.remove_condition, args=(c["id"],),
        )  # fmt: skip
        if c["kind"] != WRITTEN:
            _FIELDS[c["kind"]](ws, task, c, key)


def _keywords(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    c["words"] = st.text_input(
        "Words, with commas between", value=c["words"], key=f"{key}_words", live=_LIVE,
        placeholder="rice, noodle*, fried potatoes",
        help="Any of them is enough. noodle* stands for any ending, so also for noodles.",
    )  # fmt: skip
    c["except"] = st.text_input(
        "But not inside", value=c["except"], key=f"{key}_except", live=_LIVE,
        placeholder="cauliflower rice, rice vinegar",
        help="The words do not count where they stand inside one of these phrases.",
    )  # fmt: skip


def _phrase(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    c["phrase"] = st.text_input(
        "Phrase", value=c["phrase"], key=f"{key}_phrase", live=_LIVE, placeholder="no added sugar"
    )


def _fuzzy(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    c["words"] = st.text_input(
        "Words, with commas between", value=c["words"], key=f"{key}_words", live=_LIVE,
        placeholder="risotto, mozzarella",
        help="Any word of the text that is nearly one of them is enough, so also a misspelt one.",
    )  # fmt: skip
    c["alike"] = st.number_input(
        "At least so alike, of 100", value=float(c["alike"]), key=f"{key}_alike",
        min_value=float(LEAST_ALIKE), max_value=100.0, step=1.0,
        help="100 is the same word. One wrong letter leaves a word of 7 letters about 86 alike.",
    )  # fmt: skip


def _regex(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    c["pattern"] = st.text_input(
        "Pattern", value=c["pattern"], key=f"{key}_pattern", live=_LIVE,
        placeholder=r"\b(no|without) (bread|bun)\b",
        help="A regular expression (RE2): a pattern of letters. Case is ignored.",
    )  # fmt: skip


def _length(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    c["unit"] = st.segmented_control(
        "Counted in", ["words", "characters"], default=c["unit"], key=f"{key}_unit", required=True
    )
    _limits(c, key, step=1)


def _number(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    _limits(c, key, step=None)


def _column(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    columns = metadata_columns(ws, task)
    if c["column"] and c["column"] not in columns:
        columns = [*columns, c["column"]]
    if not columns:
        st.caption("The examples of this task came without further columns.")
        return
    chosen = st.selectbox(
        "Column",
        columns,
        index=columns.index(c["column"]) if c["column"] else 0,
        key=f"{key}_column",
    )
    c["column"] = chosen
    c["values"] = st.multiselect(
        "Has one of", sorted({*column_values(ws, task, chosen), *c["values"]}), default=c["values"],
        key=f"{key}_values", accept_new_options=True, placeholder="Choose or type values",
        help="Leave it empty to ask for a number instead.",
    )  # fmt: skip
    if not c["values"]:
        _limits(c, key, step=None)


def _similar(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    search = st.text_input(
        "Find examples", key=f"{key}_find", type="search", live=_LIVE,
        placeholder="Search the texts, then choose below",
    )  # fmt: skip
    found: dict[str, str] = {}
    if search:
        wanted = GridFilter(splits=OPEN_SPLITS, search=search)
        rows = ws.read.examples.grid(task.id, run_id=None, person="", filter=wanted, limit=_FOUND)
        found = {row["external_id"]: row["text"] for row in rows}
    ids = ws.read.examples.by_external_id(task.id, c["examples"])
    for example in ws.read.examples.some(task.id, list(ids.values())):
        found.setdefault(example.external_id, example.text)
    c["examples"] = st.multiselect(
        "Like one of these", list(dict.fromkeys([*c["examples"], *found])), default=c["examples"],
        key=f"{key}_examples", accept_new_options=True, placeholder="Choose found ones or type ids",
        format_func=lambda i: f"{i}: {shortened(found[i], 60)}" if i in found else i,
    )  # fmt: skip
    c["near"] = st.slider(
        "At least so alike", 0.0, 1.0, float(c["near"]), 0.05, key=f"{key}_near",
        help="How near in meaning a text must be: 1 is the same, 0 has nothing in common.",
    )  # fmt: skip


def _answer(ws: Workspace, task: Task, c: dict[str, Any], key: str) -> None:
    versions = {(v.name, v.number): v for v in ws.read.prompts.all(task.id)}
    if not versions:
        st.caption("There is no prompt yet. Write one on Prompts and run it.")
        return
    now = (c["prompt"], c["version"])
    options = list(dict.fromkeys([*([now] if c["prompt"] else []), *versions]))
    chosen = st.selectbox(
        "Prompt", options, format_func=lambda o: f"{o[0]} v{o[1]}", key=f"{key}_prompt"
    )  # fmt: skip
    c["prompt"], c["version"] = chosen
    asked = versions.get(chosen)
    runs = ws.read.runs.all(task.id)
    if asked and not any(r.prompt_version_id == asked.id and r.status == "done" for r in runs):
        st.caption("It was not run to its end yet, so nothing has its answer. Run it on Prompts.")
    names = list(task.label_names)
    c["answers"] = st.multiselect(
        "It answered", names, default=[n for n in c["answers"] if n in names],
        key=f"{key}_answers", placeholder="Choose the answers that count",
    )  # fmt: skip
    c["sure"] = st.number_input(
        "With a confidence of at least", min_value=0.0, max_value=1.0, value=c["sure"], step=0.05,
        key=f"{key}_sure", placeholder="any",
    )  # fmt: skip


def _limits(c: dict[str, Any], key: str, step: int | None) -> None:
    low, high = st.columns(2)
    kind = int if step else float
    for where, name, words in ((low, "min", "At least"), (high, "max", "At most")):
        now = None if c[name] is None else kind(c[name])
        c[name] = where.number_input(words, value=now, step=step, key=f"{key}_{name}")


_FIELDS = {
    "keywords": _keywords,
    "phrase": _phrase,
    "fuzzy": _fuzzy,
    "regex": _regex,
    "length": _length,
    "number": _number,
    "column": _column,
    "similar": _similar,
    "answer": _answer,
}


def metadata_columns(ws: Workspace, task: Task) -> list[str]:
    """Return the metadata columns of a task's examples."""
    return _columns(str(ws.path), task.id, sum(ws.read.examples.counts(task.id).values()), ws)


def column_values(ws: Workspace, task: Task, name: str) -> list[str]:
    """Return up to two hundred values of a metadata column, the most frequent first.

    Of a large task a few thousand examples are looked at.
    """
    return _values(str(ws.path), task.id, task.revision, name, ws)


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _columns(path: str, task_id: int, n: int, _ws: Workspace) -> list[str]:
    return _ws.read.examples.columns(task_id)


@st.cache_data(max_entries=32, ttl=3600, show_spinner=False)
def _values(path: str, task_id: int, revision: int, name: str, _ws: Workspace) -> list[str]:
    counts: dict[str, int] = {}
    splits = ("train", "validation")
    known = _ws.read.examples
    few = sum(known.counts(task_id)[split] for split in splits) <= _MOST_READ
    for example in known.all(task_id, splits) if few else known.sample(task_id, splits, _MOST_READ):
        value = example.metadata.get(name, "")
        if value:
            counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda v: (-counts[v], v))[:200]
