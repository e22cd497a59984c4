"""Why an example has its label: which rules said what, with which weight, and who decided."""

from __future__ import annotations

import streamlit as st

from studio.actions.explanations import Explained, explain_label, explain_run_label
from studio.analysis.joining import Explanation, Said
from studio.domain.coded_rationale import describe
from studio.domain.task import Task
from studio.ui.colours import label_colours
from studio.ui.figures import percent
from studio.ui.guard import kindly
from studio.ui.rationale_text import label_chip, plain
from studio.ui.rule_boards import joining_now
from studio.workspace import Workspace

_WAYS = {
    "decisive": "a rule that decides alone",
    "majority": "most votes",
    "tie": "as many votes as another label; the earlier rule wins",
    "weighted": "the heaviest votes, weighed on gold",
    "label_model": "the heaviest votes, weighed by how far rules agree",
    "fallback": "no rule decides, so the label of silence",
    "silent": "no rule decides, and silence has no label",
}


@st.dialog("Why this label", width="large")
def explain_dialog(ws: Workspace, task: Task, example_id: int) -> None:
    """Open a box that tells what the rules in force say of an example."""
    example = ws.read.examples.get(task.id, example_id)
    with st.container(border=True, height=160 if len(example.text) > 400 else "content"):
        st.text(example.text)
    with kindly():
        draw_explanation(task, explain_label(ws, task.id, example_id, joining_now(ws, task)))


def draw_run_explanation(ws: Workspace, task: Task, run_id: int, example_id: int) -> None:
    """Draw what the rules of a run said of an example."""
    with kindly():
        draw_explanation(task, explain_run_label(ws, run_id, example_id))


def draw_explanation(task: Task, explained: Explained) -> None:
    """Draw the answer of the rules together, then each rule that spoke."""
    found = explained.explanation
    st.markdown(_answer(task, found))
    if not found.votes:
        st.caption("No rule fires on it.")
        return
    weighed = any(vote.accuracy is not None for vote in found.votes)
    st.dataframe(
        {
            "": ["decided" if vote.decided else "" for vote in found.votes],
            "Rule": [explained.rules[vote.rule_id].body.name for vote in found.votes],
            "Says": [_says(task, vote) for vote in found.votes],
            "Weight": [_weight(vote) for vote in found.votes],
            **({"Taken to be right": [_right(vote) for vote in found.votes]} if weighed else {}),
            **({"One voice with": _voices(explained)} if _shared(found) else {}),
            "If": [
                describe(explained.rules[vote.rule_id].body).partition(" if ")[2]
                for vote in found.votes
            ],
        },
        hide_index=True,
        column_config={
            "": st.column_config.TextColumn(width=74, help="Whether it led to the label."),
            "Weight": st.column_config.TextColumn(
                width=90,
                help="What its vote counts: by the expert's order each counts 1 and a rule that "
                "decides alone comes first; weighed on gold, the more often a rule is right.",
            ),
        },
        alt="The rules that fire on this example, what each says and with which weight",
    )
    if found.probabilities:
        told = sorted(found.probabilities.items(), key=lambda pair: -pair[1])
        shares = (f"{plain(task.name_of(i) or '?')} {percent(share)}" for i, share in told)
        st.caption("How likely, as measured on gold: " + " · ".join(shares))


def _answer(task: Task, found: Explanation) -> str:
    name = task.name_of(found.joined.label_id)
    way = _WAYS.get(found.joined.method, found.joined.method)
    if name is None:
        return f"**No label**: {way}."
    return f"{label_chip(name, label_colours(task)[name])}: {way}."


def _says(task: Task, vote: Said) -> str:
    name = task.name_of(vote.label_id) or "?"
    return f"not {name}" if vote.against else name


def _weight(vote: Said) -> str:
    return "alone" if vote.decisive else f"{vote.weight:.2f}".rstrip("0").rstrip(".")


def _right(vote: Said) -> str:
    return "" if vote.accuracy is None else percent(vote.accuracy)


def _shared(found: Explanation) -> bool:
    return any(vote.shares_with for vote in found.votes)


def _voices(explained: Explained) -> list[str]:
    """Return of each vote the rules that share its voice."""
    return [
        ", ".join(explained.rules[i].body.name for i in vote.shares_with)
        for vote in explained.explanation.votes
    ]
