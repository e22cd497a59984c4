"""Data."""

from studio.ui.page import open_page

open_page("Data", "…", needs_task=False)
