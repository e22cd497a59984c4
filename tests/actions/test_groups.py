"""Groups of examples that no index knows: by rule and by slice."""

import pytest

from studio.actions import groups
from studio.actions.groups import slice_group, slice_names, stored_group, voted_group
from studio.actions.rules import enable_rule, open_board, open_corpus, read_rule, save_rule
from studio.actions.samples import load_sample
from studio.analysis.slices import length_slices, metadata_slices
from studio.errors import NotFoundError
from studio.handlers.votes import rule_key

RULE = 'name: rice\nlabel: not_keto\nany:\n- keywords: {words: ["rice"]}\n'


@pytest.fixture
def ws(open_studio):
    return open_studio()


@pytest.fixture
def keto(ws):
    task = load_sample(ws, "keto", by="Ada")
    for rule in ws.read.rules.all(task.id):
        enable_rule(ws, task.id, rule.body.name, enabled=False)
    save_rule(ws, task.id, read_rule(RULE), by="Ada")
    return task


def with_rice(ws, keto):
    return {
        e.id for e in ws.read.examples.all(keto.id, ["train", "validation"])
        if "rice" in e.text.casefold().replace(",", " ").replace(".", " ").split()
    }  # fmt: skip


def test_a_rule_and_no_rule_share_out_train_and_validation(ws, keto):
    board = open_board(ws, keto.id, open_corpus(ws, keto.id))
    said, silent = voted_group(board, "rice").members, voted_group(board, "").members
    every = ws.read.examples.ids(keto.id, ["train", "validation"])
    assert set(said.ids.tolist()) >= with_rice(ws, keto) != set()
    assert sorted([*said.ids.tolist(), *silent.ids.tolist()]) == every


def test_stored_votes_are_taken_only_where_they_are_whole(ws, keto, monkeypatch):
    import numpy as np

    assert stored_group(ws, keto.id, "rice") is None  # a board has so few
    monkeypatch.setattr(groups, "MOST_EXAMPLES", 10)
    assert stored_group(ws, keto.id, "rice") is None  # nothing is stored
    ids = np.array(ws.read.examples.ids(keto.id))
    (rule,) = ws.read.rules.all(keto.id, enabled_only=True)
    ws.store.firings.save(keto.id, rule_key(rule.body), ids[:50], ids[:50] % 3 == 0)
    assert stored_group(ws, keto.id, "rice") is None  # most of it is not
    test = set(ws.read.examples.ids(keto.id, ["test"]))
    ws.store.firings.save(keto.id, rule_key(rule.body), ids, ids % 3 == 0)
    for name, kept in (("rice", True), ("", False)):
        group = stored_group(ws, keto.id, name)
        wanted = [i for i in ids.tolist() if (i % 3 == 0) is kept and i not in test]
        assert group.members.ids.tolist() == wanted
        assert not group.is_sample


def test_slices_hold_what_evaluate_puts_into_them(ws, keto):
    examples = ws.read.examples.all(keto.id)
    found = {s.name: s for s in (*metadata_slices(examples), *length_slices(examples))}
    assert set(slice_names(ws, keto.id)) == set(found)
    for name, slice_ in found.items():
        assert set(slice_group(ws, keto.id, name).members.ids.tolist()) == slice_.example_ids


def test_what_is_not_there_is_said(ws, keto):
    with pytest.raises(NotFoundError, match="no slice"):
        slice_group(ws, keto.id, "colour = red")
    with pytest.raises(NotFoundError, match="no rule 'nobody' in force"):
        voted_group(open_board(ws, keto.id, open_corpus(ws, keto.id)), "nobody")
