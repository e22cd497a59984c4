"""The card on which one example after the other is decided, by keys or by fingers.

Only this module knows the component. The browser holds the next examples, so that a key moves on
at once; what was done there stands in a log that is sent again until it was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from studio.domain.task import Task
from studio.ui.colours import label_colours

KEYS = (
    ("1 … 9", "give the label of that number and go on"),
    ("/ or l", "find a label by typing"),
    ("a or Enter", "accept the label that is proposed"),
    ("s or Space", "skip it: it comes back last"),
    ("f", "flag it, or take the flag away"),
    ("t or m", "write a note on it"),
    ("u or Ctrl+Z", "undo what you did last"),
    ("r or Ctrl+Y", "put back what was undone"),
    ("w", "write why"),
    ("b", "see what stood behind the last one you decided"),
    ("← →", "look back at what you decided, and forward again"),
    ("k / h", "keep your label, or take theirs, where somebody decided otherwise meanwhile"),
    ("?", "show these keys"),
)
_FOLDER = Path(__file__).parent / "js"
_JS = (_FOLDER / "queue_card.js").read_text(encoding="utf-8")
_CODE = "\n".join(
    (_FOLDER / name).read_text(encoding="utf-8")
    for name in ("queue.js", "queue_draw.js", "desk_hold.js")
)
_HTML = """<div class="card" tabindex="0" role="group">
<div class="top"><span class="why"></span><span class="count"></span></div>
<div class="bar"><i></i></div>
<div class="text" dir="auto" tabindex="0"></div>
<div class="facts"></div><div class="marks"></div><div class="model"></div>
<div class="labels"></div><div class="line"></div><div class="tools"></div></div>
<div class="said" role="status"></div>"""
_CSS = """
:host, button, input { font: 1rem/1.5 var(--st-font); color: var(--st-text-color); }
.card { display: flex; flex-direction: column; gap: .6rem; padding: 1rem 1.2rem; outline: none;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.card:focus { border-color: var(--st-primary-color); }
.top { display: flex; justify-content: space-between; gap: 1rem; font-size: .9rem; }
.why, .facts, .marks, .count { opacity: .75; font-size: .9rem; overflow-wrap: anywhere; }
.facts:empty, .marks:empty, .model:empty, .line:empty { display: none; }
.count { white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar { height: 3px; border-radius: 2px; overflow: hidden;
  background: color-mix(in srgb, var(--st-text-color) 10%, transparent); }
.bar i { display: block; height: 100%; width: 0; background: var(--st-primary-color); }
.text { font-size: 1.35rem; line-height: 1.6; min-height: 7.5rem; max-height: 34vh;
  overflow-y: auto; white-space: pre-wrap; overflow-wrap: anywhere; text-align: start;
  outline: none; user-select: text; }
.text.long { font-size: 1.08rem; }
.text:focus-visible { box-shadow: 0 0 0 1px var(--st-primary-color); }
.empty .text { opacity: .75; font-size: 1.08rem; }
.labels, .tools, .found { display: flex; flex-wrap: wrap; gap: .5rem; }
.label { display: inline-flex; align-items: center; gap: .55rem; min-height: 3rem;
  padding: .4rem 1rem; cursor: pointer; background: none; max-width: 100%;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 6px); }
.label .name { overflow-wrap: anywhere; text-align: start; }
.label:hover:enabled, .label.here { border-color: var(--st-primary-color); }
.label.given { border-color: var(--colour); box-shadow: inset 0 0 0 1px var(--colour);
  background: color-mix(in srgb, var(--colour) 16%, transparent); }
.label.pre { border: 2px dashed var(--colour); }
.label:disabled { opacity: .45; cursor: default; }
.found .label { min-height: 2.4rem; }
.found { margin-top: .5rem; }
.dot { width: .75rem; height: .75rem; flex: none; border-radius: 3px; background: var(--colour); }
.tool { display: inline-flex; align-items: center; gap: .35rem; min-height: 2.4rem;
  padding: .1rem .7rem; font-size: .9rem; background: none; cursor: pointer;
  border: 1px solid transparent; border-radius: var(--st-button-radius, 6px); }
.tool:hover, .tool.on { border-color: var(--st-border-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
kbd { font: .8rem var(--st-code-font, monospace); opacity: .75; }
kbd:empty { display: none; }
.field { width: 100%; box-sizing: border-box; padding: .5rem .7rem; background: none;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.field:focus { outline: none; border-color: var(--st-primary-color); }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (pointer: coarse) { .tool { min-height: 3rem; } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardItem:
    """One example of the card.

    Attributes:
        id: Its number in the workspace.
        text: Its text, shown whole.
        why: Why it is asked about; names no label.
        facts: What stands below the text in small print.
        said: The label a run gave it, where that may be seen before the decision.
        sure: How sure the run was of it, where known.
        given: The label this person gave it.
        flag, skip: Whether this person flagged or skipped it.
        note: This person's note.
    """

    id: int
    text: str
    why: str
    facts: str = ""
    said: int | None = None
    sure: float | None = None
    given: int | None = None
    flag: bool = False
    skip: bool = False
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as the browser takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardState:
    """What the card shows beside its examples.

    Attributes:
        version: Changes when the card begins anew.
        who: A short name of the person, so that no other one's decisions are sent under it.
        heard: The last entry heard of each log that the browser may still hold.
        done: How many were decided in this sitting.
        goal: How many the sitting is about to have.
        assisted: What says the labels that are proposed; empty when none are.
        ended: What to say when nothing is left; empty while more may come.
        front: A number that grows, and the example to go to now.
    """

    version: str
    who: str
    heard: Mapping[str, int]
    done: int
    goal: int
    assisted: str = ""
    ended: str = ""
    front: tuple[int, CardItem] | None = None


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_queue", html=_HTML, css=_CSS, js=_JS)


@st.cache_resource(show_spinner=False)
def _code() -> Any:
    return st.components.v2.component("rationale_studio_queue_code", js=_CODE)


def load_card() -> None:
    """Bring the code that draws the card; outside the fragment, so that no label brings it anew."""
    _code()(key="queue_code", height=1)


def queue_card(
    task: Task,
    items: Sequence[CardItem],
    state: CardState,
    *,
    key: str,
    on: Mapping[str, Callable[[], None]],
) -> None:
    """Draw the card, as soon as `load_card` brought its code.

    Args:
        task: Whose labels the keys give: 1 to 9 in their order.
        items: The examples not decided yet, in their order.
        state: What it shows beside them.
        key: Under it stands in the session what was done: `log`, and what was asked for.
        on: What is called on a `log`, and when somebody asks `why`, `behind`, `help` or answers
            that somebody `crossed` them; the value is the example's id.
    """
    colours = label_colours(task)
    front = state.front and {"n": state.front[0], "item": state.front[1].to_dict()}
    _component()(
        data={
            "items": [item.to_dict() for item in items],
            "labels": [
                {"id": one.id, "name": one.name, "colour": colours[one.name]} for one in task.labels
            ],
            "label": "The example to decide",
            "version": state.version,
            "who": state.who,
            "ack": dict(state.heard),
            "done": state.done,
            "goal": state.goal,
            "assisted": state.assisted,
            "ended": state.ended,
            "front": front,
        },
        key=key,
        **{f"on_{name}_change": call for name, call in on.items()},
    )
