"""What the process remembers of grids, for all sessions."""

from __future__ import annotations

from studio.ui.grid_state import Applied


def test_nobody_is_told_the_names_of_anothers_grids():
    applied = Applied()
    applied.set("of-ada", 3, "Ada")
    applied.set("of-bo", 5, "Bo")
    applied.set("of-ada", 4, "Ada")
    assert applied.latest("Ada") == {"of-ada": 4}
    assert applied.latest("Zoe") == {}
    assert (applied.get("of-bo"), applied.get("of-none")) == (5, None)
