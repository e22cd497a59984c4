"""The app: page config, who you are, navigation; `asgi.py` adds headers and routes to it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from studio.ui.guard import kindly
from studio.ui.session import ask_name, choose_task, get_workspace
from studio.ui.shell import ICON, show_person, warm_up

HERE = Path(__file__).parent
PAGES = {
    "Overview": {"home": "Home", "data": "Data"},
    "Expert": {"rationales": "Rationales", "label": "Label"},
    "Business user": {"prompts": "Prompts"},
    "Analyst": {"finetunes": "Fine-tunes", "evaluate": "Evaluate"},
    "Stakeholder": {"report": "Report"},
    "Studio": {"settings": "Settings"},
}

st.set_page_config(page_title="Rationale Studio", page_icon=ICON, layout="wide")
warm_up()
with kindly(stop=True):
    ws = get_workspace()
ask_name()
page = st.navigation(
    {
        section: [
            st.Page(
                HERE / "pages" / f"{name}.py", title=title, url_path=name, default=name == "home"
            )
            for name, title in pages.items()
            if (HERE / "pages" / f"{name}.py").exists()
        ]
        for section, pages in PAGES.items()
    },
    expanded=True,
)
choose_task(ws)
show_person()
page.run()
