"""Few-shots of a prompt: by hand, alike to each text, or diverse; and which would be sent."""

from __future__ import annotations

import random

import streamlit as st

from studio.actions.prompts import chosen_shots
from studio.domain.example import Split
from studio.domain.prompt import FewShot, PromptText
from studio.domain.prompt_parts import MOST_SHOTS, USUAL_SHOTS, Part, ShotPolicy, ShotWay
from studio.domain.task import Task
from studio.store.examples import GridFilter
from studio.ui.colours import label_colours
from studio.ui.notes import note
from studio.ui.prompt_parts import part_head
from studio.ui.rationale_text import label_chip, plain, shortened
from studio.workspace import Workspace

_MATCHES = 40
_HAND = "hand"
_WAYS = {
    _HAND: "By hand",
    ShotWay.NEAREST.value: "Alike",
    ShotWay.DIVERSE.value: "Diverse",
}


def choose_shots(
    ws: Workspace, task: Task, body: PromptText, key: str
) -> tuple[tuple[FewShot, ...], ShotPolicy | None]:
    """Draw how few-shots are chosen, and return those chosen by hand and the policy."""
    by_hand = len(st.session_state.get(f"{key}_shot_ids", body.few_shots))
    with st.expander(f"Few-shots · {_told(body.policy, by_hand, key)}", key=f"{key}_shots"):
        locked = part_head(Part.FEW_SHOTS, key, "", title="Examples shown to the model")
        policy = _policy(body.policy, key, disabled=locked)
        if policy is not None:
            st.caption("Always sent as well, chosen by hand:")
        shots = _by_hand(ws, task, body, key, disabled=locked)
        if policy is not None:
            _try_out(ws, task, PromptText(instructions="", few_shots=shots, policy=policy), key)
    return shots, policy


def _told(policy: ShotPolicy | None, by_hand: int, key: str) -> str:
    way = st.session_state.get(f"{key}_shot_way", policy.way.value if policy else _HAND)
    if way == _HAND:
        return str(by_hand)
    number = st.session_state.get(f"{key}_shot_count", policy.count if policy else USUAL_SHOTS)
    return str(ShotPolicy(way=ShotWay(way), count=int(number))) + (
        f", {by_hand} by hand" * bool(by_hand)
    )


def _policy(policy: ShotPolicy | None, key: str, *, disabled: bool) -> ShotPolicy | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "How they are chosen",
            list(_WAYS),
            default=policy.way.value if policy else _HAND,
            format_func=_WAYS.__getitem__,
            key=f"{key}_shot_way",
            disabled=disabled,
            required=True,
            wrap=True,
            help="By hand: the same for every text. Alike: for each text the gold of train that "
            "resembles it most. Diverse: gold of train spread over labels and kinds of text, the "
            "same for every text. Gold is frozen when a run starts; the text itself, copies of it "
            "and texts of test are never shown.",
        )
        if way in (None, _HAND):
            return None
        number = st.number_input(
            "How many", 1, MOST_SHOTS, policy.count if policy else USUAL_SHOTS,
            key=f"{key}_shot_count", disabled=disabled, width=130,
        )  # fmt: skip
    return ShotPolicy(way=ShotWay(way), count=int(number))


def _by_hand(
    ws: Workspace, task: Task, body: PromptText, key: str, *, disabled: bool
) -> tuple[FewShot, ...]:
    """Let examples of train with gold be shown to the model."""
    search = st.text_input(
        "Find examples of train",
        key=f"{key}_shot_search",
        type="search",
        live=True,
        placeholder="Search the texts of train",
        label_visibility="collapsed",
        disabled=disabled,
    )
    rows = ws.read.examples.grid(
        task.id,
        run_id=None,
        person="",
        filter=GridFilter(splits=(Split.TRAIN.value,), search=search or ""),
        limit=_MATCHES,
    )
    found = {
        row["id"]: FewShot(text=row["text"], label=name, example_id=row["id"])
        for row in rows
        if (name := task.name_of(row["gold"]))
    }
    kept: dict[int | str, FewShot] = {s.example_id or s.text: s for s in body.few_shots}
    options = {**kept, **{i: s for i, s in found.items() if i not in kept}}
    chosen = st.multiselect(
        "Examples",
        list(options),
        default=list(kept),
        format_func=lambda i: (
            f"{options[i].label}: {shortened(options[i].text)}" if i in options else str(i)
        ),
        key=f"{key}_shot_ids",
        placeholder="Choose a few, some of every label",
        help="A few examples with their gold label, of train only: what is shown cannot be "
        f"measured on honestly. {note('train')}",
        label_visibility="collapsed",
        select_all=False,
        disabled=disabled,
    )
    return tuple(options[i] for i in chosen if i in options)


def _try_out(ws: Workspace, task: Task, body: PromptText, key: str) -> None:
    """Show which few-shots a text would be sent with."""
    field, shown = f"{key}_shot_text", f"{key}_shot_seed"

    def sample() -> None:
        seed = st.session_state[shown] = st.session_state.get(shown, -1) + 1
        splits = (Split.VALIDATION.value, Split.TRAIN.value)
        ids = [i for split in splits for i in ws.read.examples.ids(task.id, (split,))[:2000]]
        if ids:
            drawn = random.Random(seed).choice(ids)  # noqa: S311 - no secret
            st.session_state[field] = ws.read.examples.texts(task.id, [drawn])[0]

    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Which would be sent with this text?",
            key=field,
            placeholder="Type a text, or take one of the examples",
        )
        st.button("Take one", key=f"{key}_shot_sample", on_click=sample)
    if not text:
        return
    shots = chosen_shots(ws, task, body, text)
    colours = label_colours(task)
    for shot in shots:
        chip = label_chip(shot.label, colours.get(shot.label, "gray"))
        st.caption(f"**{chip}** · {plain(shortened(shot.text, 140))}")
    if not shots:
        st.caption("None: there is no gold in train yet. Label examples, or choose by hand.")
