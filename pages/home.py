"""Home: where the task stands, and the next useful step."""

from studio.ui.page import open_page

open_page("Home", "Where the task stands, and the one next step that helps most.")
