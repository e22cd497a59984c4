"""Labels pasted on Label: blind gold only where the person says that no model's was in sight."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import fill_task


def dialog():
    """Draw the end of the dialog, where one label of each split was pasted."""
    from studio.bootstrap import open_workspace
    from studio.ui import grid_paste
    from studio.ui.grid_options import Sight
    from studio.ui.grid_state import GridState
    from studio.ui.page import Page

    ws = open_workspace()
    task = ws.read.tasks.all()[0]
    ids = [ws.read.examples.ids(task.id, [split])[0] for split in ("train", "test")]
    page = Page(ws=ws, chosen=task, person="Ada")
    pasted = grid_paste.Pasted(given=dict.fromkeys(ids, "ham"))
    grid_paste._confirm(page, Sight(), GridState(), pasted)


@pytest.mark.parametrize(("ticked", "origin"), [(False, "assisted"), (True, "blind")])
def test_pasted_labels_are_blind_only_where_it_is_ticked(ws, ticked, origin):
    task = fill_task(ws, gold=False)
    at = AppTest.from_function(dialog, default_timeout=30).run()
    tick = at.checkbox(key="label_paste_blind")
    assert not tick.value
    assert tick.label == "No model's or rule's label was in sight when these labels were made"
    tick.set_value(ticked).run()
    assert f"They count as {origin} gold, on test too" in " ".join(c.value for c in at.caption)
    at.button(key="label_paste_go").click().run()
    assert not at.exception
    assert {e.origin.value for e in ws.read.labels.history(task.id)} == {origin}
    assert len(ws.read.labels.gold(task.id, ["test"], blind_only=True)) == ticked
