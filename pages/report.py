"""Report."""

from studio.ui.page import open_page

open_page("Report", "…", needs_task=False)
