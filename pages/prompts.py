"""Prompts: edit what the model is told, and see at once what the edit changed."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.domain.prompt import PromptText, PromptVersion
from studio.ui.held import hold
from studio.ui.page import Page, open_page
from studio.ui.prompt_advice_view import Desk, draw_advice
from studio.ui.prompt_draft import (
    PromptDrafts,
    body_of,
    discard,
    drafts_of,
    keep_drafts,
    put_body,
    turn_to,
    version_before,
)
from studio.ui.prompt_form import edit_prompt, show_rendered
from studio.ui.prompt_injection import draw_injections
from studio.ui.prompt_matrix import draw_matrix
from studio.ui.prompt_preview import (
    draw_preview,
    last_preview,
    show_estimates,
    show_preview,
)
from studio.ui.prompt_rewrite import draw_rewrite
from studio.ui.prompt_save import save, show_diff
from studio.ui.prompt_start import draw_starts
from studio.ui.prompt_versions import (
    choose_version,
    prompt_runs,
    show_run,
    start_all,
    versions_table,
)
from studio.ui.rationale_text import plain

DOES, SEES, CHANGED = "What it does", "As the model sees it", "What you changed"


def main() -> None:
    page = open_page(
        "Prompts", "Edit what the model is told, and see at once which labels the edit changed."
    )
    ws, task = page.ws, page.task
    versions = ws.read.prompts.all(task.id)[::-1]
    drafts = drafts_of(ws, task, versions, page.person)
    desk = Desk(
        ws=ws, task=task, versions=versions, drafts=drafts,
        body=body_of(task, versions, drafts), person=page.person,
    )  # fmt: skip
    choose_version(versions, drafts, lambda: draw_starts(desk))
    bar = st.container(horizontal=True, vertical_alignment="center")
    progress = st.container()
    with st.container(key="columns_prompts"):
        left, right = st.columns([5, 6], gap="medium")
    with left:
        key = f"prompts_{task.id}_{drafts.base}_{drafts.round}"
        body = edit_prompt(ws, task, body_of(task, versions, drafts), key)
        put_body(task, versions, drafts, body)
        keep_drafts(ws, task, drafts, page.person)
    before = version_before(versions, drafts)
    with right:
        desk = replace(desk, body=body)
        draw_advice(desk)
        draw_rewrite(desk)
        show_side(page, body, before)
    here = next((v for v in versions if v.id == drafts.base), None)
    saved = here if drafts.base not in drafts.texts else None
    with bar:
        act(page, versions, drafts, body, before, saved, progress)
    runs = prompt_runs(ws, task)
    with progress:
        show_estimates(ws, task, body, before, saved)
        if said := st.session_state.pop("prompts_said", None):
            st.success(plain(said))
        if here is not None:
            show_run(ws, task, here, runs)
    if saved is not None:
        draw_injections(ws, task, saved, page.person)
    if versions:
        st.subheader("Versions", anchor=False)
        chosen = versions_table(ws, task, versions, runs)
        if chosen is not None and chosen != drafts.base:
            st.button(
                "Open this version", on_click=turn_to, args=(drafts, chosen), key="prompts_open"
            )
        box = st.expander("Versions by slice", on_change="rerun", key="prompts_matrix")
        if box.open:
            with box:
                draw_matrix(ws, task)


def show_side(page: Page, body: PromptText, before: PromptVersion | None) -> None:
    """Show beside the editor what the draft does, how the model sees it, and what changed."""
    shown = last_preview(page.ws, page.task, page.person)
    if wanted := st.session_state.pop("prompts_side_next", None):
        st.session_state["prompts_side"] = wanted
    hold("prompts_side")
    does, model, diff = st.tabs(
        [DOES, SEES, CHANGED],
        default=DOES if shown else SEES,
        key="prompts_side",
        on_change="rerun",
    )
    with does:
        if does.open and shown:
            show_preview(page.ws, page.task, shown, body, page.person)
        elif does.open:
            st.caption("Press Preview: the draft and the version before label the same sample.")
    with model:
        if model.open:
            show_rendered(page.task, body)
    with diff:
        if diff.open:
            show_diff(page.task, before, body)


def act(
    page: Page,
    versions: list[PromptVersion],
    drafts: PromptDrafts,
    body: PromptText,
    before: PromptVersion | None,
    saved: PromptVersion | None,
    told: DeltaGenerator,
) -> None:
    """Draw the actions: preview, save, run on all, discard; what goes wrong is said in `told`."""
    if draw_preview(page.ws, page.task, body, before, person=page.person, where=told):
        st.session_state["prompts_side_next"] = DOES
        st.rerun()
    st.selectbox(
        "Sample",
        [40, 100, 200],
        key="prompts_sample",
        format_func=lambda k: f"on {k} examples",
        label_visibility="collapsed",
        width=160,
        persist_state="session",
    )
    with st.popover(
        "Save",
        icon=":material/save:",
        key=f"prompts_save_{drafts.base}_{drafts.round}",  # another one, closed, once it is saved
    ):
        # Never greyed: what is being typed is heard of when its box is left, by this very click.
        if saved is None:
            save(page.ws, page.task, versions, drafts, body, page.person)
        else:
            st.caption("Nothing is changed since this version was saved.")
    start_all(page.ws, page.task, saved, page.person, told)
    if drafts.base in drafts.texts:
        st.button(
            "Discard changes",
            type="tertiary",
            on_click=discard,
            args=(drafts,),
            key="prompts_discard",
        )
        st.markdown(":orange-badge[not saved]", width="content")


main()
