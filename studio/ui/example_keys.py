"""A list of examples that people read and label by keys, one key an example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from studio.domain.task import Task
from studio.ui.colours import label_colours

_JS = (Path(__file__).parent / "js" / "examples.js").read_text(encoding="utf-8")
_HTML = (
    '<div class="help"></div><div class="list" tabindex="0" role="listbox"></div>'
    '<div class="said" role="status"></div>'
)
_CSS = """
:host, .list, .help { font: .9rem/1.5 var(--st-font); color: var(--st-text-color); }
.list { max-height: var(--most, max(22rem, 50vh)); overflow-y: auto; outline: none;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.list:focus { border-color: var(--st-primary-color);
  box-shadow: 0 0 0 1px var(--st-primary-color); }
.row { display: flex; gap: .7rem; padding: .4rem .7rem; cursor: default;
  border-left: 3px solid transparent; }
.row + .row { border-top: 1px solid var(--st-border-color-light, var(--st-border-color)); }
.row.here { background: color-mix(in srgb, var(--st-text-color) 5%, transparent); }
.list:focus .row.here { border-left-color: var(--st-primary-color); }
.chip { flex: 0 0 clamp(4.5rem, 18%, 7.5rem); padding-left: .55rem; height: 1.4em;
  overflow: hidden; opacity: .75;
  text-overflow: ellipsis; white-space: nowrap; border-left: 4px solid var(--colour); }
.chip.given { font-weight: 600; opacity: 1; }
.body { flex: 1; min-width: 0; }
.words { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical;
  overflow: hidden; overflow-wrap: anywhere; }
.row.open .words { display: block; white-space: pre-wrap; }
.words mark { color: inherit; border-radius: 3px;
  background: color-mix(in srgb, var(--st-primary-color) 24%, transparent); }
.facts { font-size: .8rem; opacity: .68; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.row.open .facts { white-space: normal; }
.after { font-size: .8rem; font-weight: 600; }
.after:empty { display: none; }
.help { display: flex; flex-wrap: wrap; gap: .3rem; margin-bottom: .4rem; }
.key { display: inline-flex; align-items: center; gap: .35rem; padding: .1rem .5rem;
  font: inherit; color: inherit; background: none; border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius, 6px); cursor: pointer; }
.key:hover { border-color: var(--st-primary-color); }
kbd { font: .78rem var(--st-code-font, monospace); opacity: .75; }
.dot { width: .6rem; height: .6rem; border-radius: 2px; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRow:
    """One example of the list.

    Attributes:
        id: Its number in the workspace.
        text: Its text.
        hits: Where words stand that are to be highlighted, as (start, end).
        gold: The id of its gold label, if any.
        given: The id of the label somebody gave it in this list before.
        facts: What stands below it in small print.
        warning: What stands before that, e.g. how it is contradicted.
        after: What stands there as soon as somebody labeled it in this list, and not before.
    """

    id: int
    text: str
    hits: tuple[tuple[int, int], ...] = ()
    gold: int | None = None
    given: int | None = None
    facts: str = ""
    warning: str = ""
    after: str = ""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("rationale_studio_examples", html=_HTML, css=_CSS, js=_JS)


def example_keys(
    task: Task,
    rows: Sequence[ExampleRow],
    *,
    key: str,
    label: str,
    who: str,
    version: str,
    on_log: Callable[[], None],
    on_why: Callable[[], None],
    on_explain: Callable[[], None] | None = None,
) -> None:
    """Draw the list.

    What was done stands in the session under the key: `log` for `grid_changes.read_changes`, and
    `why` and `explain`, the id of the example that somebody just asked to write a rationale about,
    or to have explained. They are told by callbacks, which run also where a page is left at once.

    Args:
        task: Whose labels the keys give: 1 to 9 in their order.
        rows: The examples; some fifty are a good page.
        key: The same list drawn again under the same key and version goes on where it was.
        label: What a screen reader calls it.
        who: What the browser knows the person by.
        version: Changes when other examples are shown; the list then begins anew.
        on_log: Called when something was done.
        on_why: Called when somebody asks to write a rationale.
        on_explain: Called when somebody asks why an example has its label; None offers it not.
    """
    colours = label_colours(task)
    _component()(
        data={
            "items": [_item(row) for row in rows],
            "labels": [
                {"id": one.id, "name": one.name, "colour": colours[one.name]}
                for one in task.labels
            ],
            "label": label,
            "who": who,
            "version": version,
            "explains": on_explain is not None,
        },
        key=key,
        on_log_change=on_log,
        on_why_change=on_why,
        on_explain_change=on_explain or on_log,
    )  # fmt: skip


def pieces(text: str, hits: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Return a text cut where highlighting begins and ends; overlapping hits are one.

    >>> pieces("fried rice", [(6, 10), (6, 8)])
    [('fried ', False), ('rice', True)]
    """
    found: list[tuple[str, bool]] = []
    at = 0
    for start, end in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if start < at:
            continue
        if start > at:
            found.append((text[at:start], False))
        found.append((text[start:end], True))
        at = end
    return [*found, (text[at:], False)] if at < len(text) else found


def _item(row: ExampleRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "pieces": pieces(row.text, row.hits),
        "gold": row.gold,
        "given": row.given,
        "facts": row.facts,
        "warning": row.warning,
        "after": row.after,
    }
