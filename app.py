"""The app: page config, who you are, navigation; `asgi.py` adds headers and routes to it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from studio.errors import DamagedError
from studio.ui.carrier import carry_labels
from studio.ui.guard import kindly
from studio.ui.late import page_kept
from studio.ui.rescue import draw_rescue
from studio.ui.session import ask_name, choose_task, enter, get_workspace, is_known, person
from studio.ui.shell import ICON, LOOK, SIDEBAR_PX, show_person, warm_up, warn_of_disk

HERE = Path(__file__).parent
PAGES = {
    "Overview": {"home": "Home", "data": "Data"},
    "Expert": {"rationales": "Rationales", "label": "Label", "people": "People"},
    "Business user": {"prompts": "Prompts"},
    "Analyst": {"finetunes": "Fine-tunes", "evaluate": "Evaluate"},
    "Stakeholder": {"report": "Report"},
    "Studio": {"settings": "Settings"},
}

st.set_page_config(
    page_title="Rationale Studio", page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR_PX
)
st.logo(ICON, size="small")
st.html(LOOK)
warm_up()
page = st.navigation(
    {
        section: [
            st.Page(file, title=title, url_path=name, default=name == "home")
            for name, title in pages.items()
            if (file := HERE / "pages" / f"{name}.py").exists()
        ]
        for section, pages in PAGES.items()
    },
    position="sidebar" if is_known() else "hidden",
    expanded=True,
)
with kindly(stop=True):
    try:
        ws = get_workspace()
    except DamagedError as error:
        ask_name()  # who may not come in may not restore either
        draw_rescue(error)
        st.stop()
ask_name()
enter()
choose_task(ws)
show_person()
warn_of_disk(ws)
carry_labels(ws, person())
with page_kept():
    page.run()
