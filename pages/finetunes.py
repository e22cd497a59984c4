"""Fine-tunes: freeze a training set, train a model on it, see what came out."""

from __future__ import annotations

import streamlit as st

from studio.ui.empty import empty_state
from studio.ui.finetune_launch import draw_launch
from studio.ui.finetune_view import draw_finetune, draw_list
from studio.ui.page import open_page

page = open_page(
    "Fine-tunes", "Train a model on the labels you have, and see whether it beats the best prompt."
)
ws, task = page.ws, page.task

in_train = [row for row in ws.read.labels.counts(task.id) if row["split"] == "train"]
if not in_train and not ws.read.runs.all(task.id):
    empty_state(
        "There is nothing to learn from yet.",
        "A model learns from examples of train with a label. Label some, or import a file that "
        "has a label column.",
        page="label",
        button="Label examples",
    )
else:
    draw_launch(ws, task, page.person)

finetunes = ws.read.finetunes.all(task.id)
if finetunes:
    draw_finetune(ws, task, draw_list(ws, task, finetunes), page.person)
else:
    st.caption("No fine-tune yet. The first one appears here with its events and figures.")
