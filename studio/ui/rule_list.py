"""The rules of a task in the expert's order, which is dragged, with what each is worth."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_JS = (Path(__file__).parent / "js" / "rules.js").read_text(encoding="utf-8")
_HTML = '<div class="scroll"><div class="list"></div></div><div class="said" role="status"></div>'
_CSS = """
.scroll { container-type: inline-size; overflow-x: auto; border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); }
.list { font: .88rem/1.4 var(--st-font); color: var(--st-text-color); min-width: 50rem; }
.head, .row { display: grid; align-items: center; gap: .6rem; padding: .35rem .7rem;
  grid-template-columns:
    2.6rem 1.4rem minmax(11rem, 1fr) 7rem 3.6rem 13rem repeat(3, 4.2rem); }
.head { font-size: .78rem; opacity: .68; border-bottom: 1px solid var(--st-border-color); }
.row { border-bottom: 1px solid var(--st-border-color-light, var(--st-border-color)); outline: 0;
  background: var(--st-background-color); }
.row:last-child { border-bottom: 0; }
.row:focus { box-shadow: inset 3px 0 0 var(--st-primary-color); }
.row:hover { background: color-mix(in srgb, var(--st-text-color) 3%, var(--st-background-color)); }
.row.off > :not(.on) { opacity: .45; }
.row.dragged { position: relative; z-index: 1; box-shadow: 0 2px 10px rgb(0 0 0 / .28); }
.handle { cursor: grab; touch-action: none; display: flex; gap: .35rem; user-select: none; }
.row.dragged .handle { cursor: grabbing; }
.grip { opacity: .45; }
.number { min-width: 1.2em; text-align: right; opacity: .7; font-variant-numeric: tabular-nums; }
.on { accent-color: var(--st-primary-color); margin: 0; width: 1rem; height: 1rem; }
.name { min-width: 0; }
.open { font: inherit; font-weight: 600; color: var(--st-link-color, inherit); background: none;
  border: 0; padding: 0; cursor: pointer; text-align: left; overflow-wrap: anywhere; }
.open:hover { text-decoration: underline; }
.condition { opacity: .7; font-size: .8rem; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.says { border-left: 4px solid var(--colour); padding-left: .5rem; overflow-wrap: anywhere; }
.decides { font-size: .8rem; opacity: .7; }
.decides.alone { opacity: 1; font-weight: 600; }
.accuracy, .share { font-variant-numeric: tabular-nums; }
.share { font-size: .82rem; }
.bar { display: block; height: 3px; border-radius: 2px; margin-top: 2px;
  background: color-mix(in srgb, var(--st-primary-color) 70%, transparent); }
.note { font-size: .8rem; color: var(--st-orange-text-color, inherit); }
@container (max-width: 50rem) {
  .list { min-width: 0; }
  .head, .row { grid-template-columns: 2.6rem 1.4rem minmax(7rem, 1fr) 6rem 12rem; }
  .head > :is(:nth-child(5), :nth-child(n + 7)), .decides, .share { display: none; }
}
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
COLUMNS = (
    ("", "The expert's order: the first decisive rule that fires decides"),
    ("", "Whether it votes"),
    ("Rule", "Its name, and when it fires"),
    ("Says", "The label it votes for, or against"),
    ("Decides", "Alone: tried first, in this order; the first that fires gives the label. "
     "The others vote together"),
    ("Accuracy", "How often it is right on blind gold of train and validation, never test; in "
     "brackets the 95 % interval, n is the number of examples behind it; below, what to see to"),
    ("Fires on", "Share of the examples it has something to say on"),
    ("Overlap", "Share on which another rule speaks too"),
    ("Conflict", "Share on which another rule contradicts it"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule of the list.

    Attributes:
        id: Its number in the workspace.
        name: Its name.
        on: Whether it votes.
        says: The label it is for, or "not LABEL".
        colour: The label's colour.
        decisive: Whether it decides alone.
        decides: That in a word.
        condition: When it fires, in words.
        accuracy: The figure with its interval, as shown.
        coverage, overlap, conflict: Shares of examples; None where unknown.
        note: What to see to, in a few words.
    """

    id: int
    name: str
    on: bool
    says: str
    colour: str
    decisive: bool
    decides: str
    condition: str
    accuracy: str = ""
    coverage: float | None = None
    overlap: float | None = None
    conflict: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleListDeed:
    """What somebody just did in the list; all None when nothing.

    Attributes:
        order: The ids of the rules as they stood in the browser, and in their new order.
        switched: (rule id, whether it is to vote).
        opened: The rule to open.
    """

    order: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    switched: tuple[int, bool] | None = None
    opened: int | None = None


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_rules", html=_HTML, css=_CSS, js=_JS)


def rule_list(rows: Sequence[RuleRow], *, key: str) -> RuleListDeed:
    """Draw the rules and return what was just done with them."""
    rules = [asdict(row) for row in rows]
    version = hashlib.sha256(repr(rules).encode()).hexdigest()[:16]
    result = _component()(
        data={"rules": rules, "columns": COLUMNS, "version": version},
        key=key,
        on_order_change=_nothing,
        on_switch_change=_nothing,
        on_open_change=_nothing,
    )
    return read_deed(result.order, result.switch, result.open, [row.id for row in rows])


def read_deed(order: Any, switch: Any, opened: Any, ids: Sequence[int]) -> RuleListDeed:
    """Return what a browser sent, as far as it makes sense.

    >>> read_deed({"before": [1, 2], "after": [2, 1]}, None, None, [1, 2, 3]).order
    ((1, 2), (2, 1))
    >>> read_deed({"before": [1, 2], "after": [2, 2]}, [7, True], "x", [1, 2])
    RuleListDeed(order=None, switched=None, opened=None)
    """
    known = set(ids)
    sent = order if isinstance(order, dict) else {}
    before, after = (_ids(sent.get(name), known) for name in ("before", "after"))
    return RuleListDeed(
        order=(before, after) if before and sorted(before) == sorted(after) else None,
        switched=(int(switch[0]), bool(switch[1]))
        if isinstance(switch, list) and len(switch) == 2 and switch[0] in known
        else None,
        opened=opened if isinstance(opened, int) and opened in known else None,
    )


def _ids(sent: Any, known: set[int]) -> tuple[int, ...]:
    """Return ids that are known, each once; nothing where a browser sent anything else."""
    listed = sent if isinstance(sent, list) else []
    whole = all(isinstance(i, int) and i in known for i in listed)
    return tuple(listed) if whole and len(set(listed)) == len(listed) else ()


def _nothing() -> None:
    """Only its presence counts: with a callback the component's value always exists."""
