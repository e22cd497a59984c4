"""How the votes of rules are joined: the choice, and what gold says for and against each way."""

from __future__ import annotations

import streamlit as st

from studio.actions.rules import choose_joining, chosen_joining
from studio.analysis.joining import JoiningChoice, JoiningEvidence, JoiningMethod
from studio.domain.task import Task
from studio.ui.figures import figure_text
from studio.ui.guard import kindly
from studio.ui.rationale_text import plain
from studio.ui.rule_boards import joining_evidence
from studio.workspace import Workspace

_HELP = {
    JoiningMethod.EXPERT: "Rules that decide alone come first, in your order; of the others most "
    "votes win, and of a tie the earlier rule.",
    JoiningMethod.WEIGHTED: "Rules that decide alone still come first; the votes of the others "
    "count the more, the more often the rule was right on blind gold. Rules that nearly always say "
    "the same share one voice.",
    JoiningMethod.LABEL_MODEL: "As weighed on gold, but how often a rule is right is told from how "
    "far the rules agree, with no gold at all.",
}


def show_joining(ws: Workspace, task: Task) -> None:
    """Draw how votes are joined, the other ways, and what gold says of each."""
    found = joining_evidence(ws, task)
    now = JoiningMethod(chosen_joining(ws, task.id))
    st.markdown(f"**{plain(found.why)}**")
    _table(found, now)
    offered = [row.method for row in found.evidence if not row.missing or row.method == now]
    chosen = st.selectbox(
        "Join votes by", offered, index=offered.index(now), format_func=lambda m: m.words,
        key=f"rationales_joining_{task.id}_{now}", help=_HELP[now], width=320,
    )  # fmt: skip
    if chosen != now:
        with kindly():
            choose_joining(ws, task.id, chosen)
            st.rerun()
    said = [_silence(task)]
    if now != found.advised:
        said.append(f"Gold advises {found.advised.words}; nothing changes until you choose it.")
    st.caption(plain(" ".join(said)))


def _silence(task: Task) -> str:
    name = task.name_of(task.fallback_label_id)
    told = f"the answer is {name}" if name else "there is no answer"
    return f"Where no rule decides {told}, as chosen above."


def _table(found: JoiningChoice, now: JoiningMethod) -> None:
    rows = found.evidence
    st.dataframe(
        {
            "Way": [row.method.words for row in rows],
            "": [_mark(row, found, now) for row in rows],
            "Macro-F1": [_or_missing(row, figure_text(row.macro_f1)) for row in rows],
            "Against the expert's order": [_difference(row) for row in rows],
            "Accuracy": ["" if row.missing else figure_text(row.accuracy) for row in rows],
            "How": [row.missing or _HELP[row.method] for row in rows],
        },
        hide_index=True,
        column_config={
            "": st.column_config.TextColumn(width=130),
            "Macro-F1": st.column_config.TextColumn(
                width=170,
                help="On blind gold of train and validation; weights are fitted on four fifths of "
                "it and asked about the rest. In brackets the 95 % interval.",
            ),
            "Against the expert's order": st.column_config.TextColumn(
                width=190, help="The difference in macro-F1 on the same examples."
            ),
            "Accuracy": st.column_config.TextColumn(width=170),
            "How": st.column_config.TextColumn(width="large"),
        },
        alt="The ways to join votes with macro-F1 and accuracy on blind gold",
    )


def _mark(row: JoiningEvidence, found: JoiningChoice, now: JoiningMethod) -> str:
    words = ["used now"] if row.method == now else []
    return ", ".join([*words, *(["advised"] if row.method == found.advised else [])])


def _or_missing(row: JoiningEvidence, text: str) -> str:
    return "not offered" if row.missing else text


def _difference(row: JoiningEvidence) -> str:
    if row.missing or row.method is JoiningMethod.EXPERT:
        return ""
    more = row.more_macro_f1
    return f"{more.value:+.3f} [{more.low:+.2f}, {more.high:+.2f}]"
