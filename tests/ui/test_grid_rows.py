"""The rows of a page of the grid, and whether another page follows."""

from __future__ import annotations

import pytest

from studio.ui.grid import MOST_ROWS, _rows
from studio.ui.grid_options import Sight


@pytest.mark.parametrize(("more", "pages"), [(-1, [199]), (0, [200]), (1, [200, 1])])
def test_no_empty_page_follows_the_largest_one(ws, fill, more, pages):
    task = fill(ws, train=MOST_ROWS + more, validation=0, test=0, gold=False)
    rows, follows = _rows(ws, task, "Ada", Sight(size=MOST_ROWS), None)
    found = [len(rows)]
    while follows:
        rows, follows = _rows(ws, task, "Ada", Sight(size=MOST_ROWS), rows[-1]["cursor"])
        found.append(len(rows))
    assert found == pages
