"""Settings."""

from studio.ui.page import open_page

open_page("Settings", "…", needs_task=False)
