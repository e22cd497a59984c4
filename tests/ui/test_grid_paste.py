"""Whatever is pasted, each row is stored, known already, empty, or rejected with a reason."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from studio.actions.label_sets import change_labels
from studio.domain.label_change import Merge, Rename
from studio.ui import grid_paste
from studio.ui.grid_paste import read_pasted
from studio.ui.grid_state import GridState

NAMES = ["keto", "Not keto", "unsure"]
WRITTEN = {name.casefold(): name for name in NAMES}
IDS = {"a": 1, "b": 2, "c": 3}
CELLS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b ", " c", "zz", ""]) | st.text(max_size=3),
        st.sampled_from(["keto", " KETO", "not keto", "unsure\n", "", " ", "other"])
        | st.text(max_size=6),
    ),
    max_size=30,
)
OWN = st.dictionaries(st.sampled_from([1, 2, 3]), st.sampled_from(NAMES))


@given(cells=CELLS, own=OWN)
def test_every_pasted_row_is_stored_known_empty_or_rejected(cells, own):
    rows = [(n, id_text, label) for n, (id_text, label) in enumerate(cells, 1)]
    pasted = read_pasted(rows, ids=IDS, names=WRITTEN, own=own)
    assert set(pasted.given) <= set(IDS.values())
    assert set(pasted.given.values()) <= set(NAMES)
    assert all(own.get(i) != label for i, label in pasted.given.items())
    assert pasted.changed == sum(i in own for i in pasted.given)
    rejected = {r.row for r in pasted.rejected}
    assert len(rejected) == len(pasted.rejected)
    assert all(r.why for r in pasted.rejected)
    final = own | pasted.given
    for row, id_text, label in rows:
        wanted, example = label.strip().casefold(), IDS.get(id_text.strip())
        if not wanted:
            assert row not in rejected
        elif row not in rejected:
            assert example is not None
            assert final[example].casefold() == wanted
        elif example is not None and wanted in {name.casefold() for name in NAMES}:
            assert final[example].casefold() != wanted


def test_a_second_row_of_an_id_is_rejected_only_where_it_says_otherwise():
    rows = [(1, "a", "keto"), (2, "a", "Keto"), (3, "a", "unsure")]
    pasted = read_pasted(rows, ids=IDS, names=WRITTEN, own={1: "unsure"})
    assert pasted.given == {1: "keto"}
    assert pasted.changed == 1
    assert [(r.row, r.why) for r in pasted.rejected] == [(3, "the same id stands above with keto")]


def test_what_was_pasted_never_moves_to_other_examples(monkeypatch):
    """The table keeps edits by place; a label given elsewhere moves the rows of a filter."""
    keys = []

    def editor(table, *, key, **_):
        keys.append(key)
        return table

    monkeypatch.setattr(grid_paste.st, "data_editor", editor)
    rows = [{"id": i, "external_id": f"x{i}", "text": "rice"} for i in range(4)]
    for shown, own in ((rows[:3], {}), (rows[:3], {1: "keto"}), (rows[1:], {})):
        assert grid_paste._draw_filled(shown, own, "label_pasted:filter:0") == []
    assert keys[0] == keys[1] != keys[2]


def test_a_former_name_of_a_label_is_read_as_what_it_is_called_now(ws, fill, monkeypatch):
    task = fill(ws, gold=False, labels=("ham", "spam", "scam"))
    change_labels(ws, task.id, Rename(label="ham", to="Good"), by="Ada")
    change_labels(ws, task.id, Merge(label="scam", into="spam"), by="Ada")
    written = [(1, "tr0", "HAM"), (2, "tr1", " scam"), (3, "tr2", "good"), (4, "tr3", "eggs")]
    told = []
    monkeypatch.setattr(grid_paste.st, "segmented_control", lambda *_, **__: "ids")
    monkeypatch.setattr(grid_paste.st, "caption", lambda _: None)
    monkeypatch.setattr(grid_paste, "_draw_empty", lambda _: written)
    monkeypatch.setattr(grid_paste, "_confirm", lambda *given: told.append(given[-1]))
    page = SimpleNamespace(ws=ws, task=ws.read.tasks.get(task.id), person="Ada")
    grid_paste.paste_dialog.__wrapped__(page, None, None, GridState())
    (pasted,) = told
    assert sorted(pasted.given.values()) == ["Good", "Good", "spam"]
    assert [(r.row, r.why) for r in pasted.rejected] == [(4, "no label has this name")]
