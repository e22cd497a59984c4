"""People: how far they agree, what they work on, and how what they differ on is settled."""

from __future__ import annotations

import streamlit as st

from studio.ui.empty import empty_state
from studio.ui.guidelines_view import draw_guidelines
from studio.ui.page import open_page
from studio.ui.people_adjudicate import draw_adjudication
from studio.ui.people_agreement import draw_agreement
from studio.ui.people_rounds import draw_rounds
from studio.ui.session import take_tab
from studio.ui.stopwatch_view import draw_stopwatch

page = open_page(
    "People", "See how far people agree, share out the work, and settle what they differ on."
)
if not sum(page.ws.read.examples.counts(page.task.id).values()):
    empty_state(
        "There are no examples yet.",
        "Import the texts that people are to label: a CSV, JSON lines or pasted lines.",
        page="data",
        button="Go to Data",
    )
    st.stop()
take_tab("people")
agreement, adjudicate, rounds, guidelines, stopwatch = st.tabs(
    ["Agreement", "Adjudicate", "Rounds", "Guidelines", "Stopwatch"],
    key="people",
    on_change="rerun",
)
with agreement:
    if agreement.open:
        draw_agreement(page.ws, page.task)
with adjudicate:
    if adjudicate.open:
        draw_adjudication(page.ws, page.task, page.person)
with rounds:
    if rounds.open:
        draw_rounds(page.ws, page.task, page.person)
with guidelines:
    if guidelines.open:
        draw_guidelines(page.ws, page.task, page.person)
with stopwatch:
    if stopwatch.open:
        draw_stopwatch(page.ws, page.task)
