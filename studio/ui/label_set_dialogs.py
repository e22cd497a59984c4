"""Dialogs that change a label set: each says what it will do before it is done."""

from __future__ import annotations

import streamlit as st

from studio.actions.label_sets import change_labels, foresee_change
from studio.domain.label_change import Add, Deed, Merge, Rename, Reorder, Split
from studio.domain.label_names import joined_definition
from studio.domain.task import Label, Task
from studio.errors import InputError
from studio.ui.guard import kindly
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

ORDERED = "labels_ordered"
"""Key of the order that is being made."""
_LONGEST = 60
_IN_SIGHT = 9
"""Labels that are shown at once while they are ordered; more are scrolled."""
_AGAIN = "Look again at the gold it touches"


@st.dialog("Rename a label")
def ask_rename(ws: Workspace, task: Task, person: str, label: Label) -> None:
    """Ask for another name of a label."""
    to = st.text_input("New name", value=label.name, max_chars=_LONGEST, key="labels_to")
    changed = st.checkbox(
        "It means something else now", key="labels_meaning",
        help="Then all its gold is queued for another look.",
    )  # fmt: skip
    deed = Rename(label=label.name, to=to, meaning_changed=changed)
    _confirm(ws, task, person, deed if to.strip() != label.name else None, "Rename")


@st.dialog("Merge two labels")
def ask_merge(ws: Workspace, task: Task, person: str, label: Label) -> None:
    """Ask for the label that another one is merged into."""
    st.write(plain(f"“{label.name}” is given up: whatever says it says the other label."))
    others = [name for name in task.label_names if name != label.name]
    into = st.selectbox("Into", others, key="labels_into")
    to = st.text_input("Called", value=into, max_chars=_LONGEST, key=f"labels_called_{into}")
    both = joined_definition(task.label(into).definition, label.definition)
    told = st.text_area("Definition", value=both, key=f"labels_defined_{into}")
    again = st.checkbox(_AGAIN, key="labels_again")
    deed = Merge(label=label.name, into=into, to=to, definition=told, look_again=again)
    _confirm(ws, task, person, deed if to.strip() else None, "Merge")


@st.dialog("Split a label")
def ask_split(ws: Workspace, task: Task, person: str, label: Label) -> None:
    """Ask for the labels that one is split into."""
    st.write(plain(f"What was said of “{label.name}” stays with the first; the second is new."))
    parts = []
    for number, (name, definition) in enumerate([(label.name, label.definition), ("", "")]):
        words = "first" if number == 0 else "second"
        called = st.text_input(
            f"Name of the {words}", value=name, max_chars=_LONGEST, key=f"labels_part_{number}"
        )
        told = st.text_area(
            f"Definition of the {words}", value=definition, height=80, key=f"labels_told_{number}"
        )
        parts.append((called, told))
    deed = Split(label=label.name, parts=tuple(parts))
    _confirm(ws, task, person, deed if all(name.strip() for name, _ in parts) else None, "Split")


@st.dialog("Add a label")
def ask_add(ws: Workspace, task: Task, person: str) -> None:
    """Ask for one more label."""
    name = st.text_input("Name", max_chars=_LONGEST, key="labels_name")
    told = st.text_area(
        "Definition", key="labels_definition",
        help="When it applies, in a sentence. Models read it.",
    )  # fmt: skip
    again = st.multiselect(
        "Look again at the gold of", task.label_names, key="labels_again_at",
        help="Labels that people gave for want of the new one.",
    )  # fmt: skip
    deed = Add(name=name, definition=told, look_again=tuple(again))
    _confirm(ws, task, person, deed if name.strip() else None, "Add")


@st.dialog("Change the order", width="medium")
def ask_order(ws: Workspace, task: Task, person: str) -> None:
    """Ask for the order of the labels: each moves up, down, or to a place."""
    names: list[str] = st.session_state.get(ORDERED, [])
    if sorted(names) != sorted(task.label_names):
        names = st.session_state[ORDERED] = list(task.label_names)
    st.caption("The order decides keys and colours. Type a number to move a label far.")
    with st.container(
        height=420 if len(names) > _IN_SIGHT else "content", border=False, gap="xxsmall"
    ):
        for place in range(len(names)):
            _draw_place(names, place)
    is_other = tuple(names) != task.label_names
    _confirm(ws, task, person, Reorder(names=tuple(names)) if is_other else None, "Save")


def _draw_place(names: list[str], place: int) -> None:
    """Draw a label with its place, and what moves it."""
    name, key = names[place], f"labels_place_{names[place]}_{place}"

    def move(to: int) -> None:
        names.insert(to, names.pop(place))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.number_input(
            f"Place of {name}", 1, len(names), place + 1, key=key, width=110,
            label_visibility="collapsed",
            on_change=lambda: move(int(st.session_state[key]) - 1),
        )  # fmt: skip
        st.markdown(plain(name), width="stretch")
        for words, icon, to in (
            ("Up", "arrow_upward", place - 1),
            ("Down", "arrow_downward", place + 1),
        ):
            st.button(
                f":material/{icon}:", key=f"{key}_{words}", type="tertiary", help=words,
                disabled=not 0 <= to < len(names), on_click=move, args=(to,),
            )  # fmt: skip


def _confirm(ws: Workspace, task: Task, person: str, deed: Deed | None, words: str) -> None:
    """Say what a change will do, and do it when asked to; None is not ready yet."""
    ready = False
    if deed is not None:
        try:
            foreseen = foresee_change(ws, task.id, deed)
        except InputError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            ready = True
            st.markdown(plain(" ".join(foreseen.sentences) or "Nothing that was made is touched."))
            st.caption("It can be undone under Changes of the label set.")
    if st.button(words, type="primary", disabled=not ready, key="labels_confirm"):
        assert deed is not None
        with kindly():
            change_labels(ws, task.id, deed, by=person)
            st.toast("Changed.")
            st.rerun()
