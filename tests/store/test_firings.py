"""What rules say of examples is kept by example, and what is not known is never taken for a no."""

import numpy as np
import pytest

FAR = 5 * 65_536


def ids(*numbers):
    return np.array(numbers, dtype=np.int64)


@pytest.fixture
def firings(ws, fill):
    fill(ws)
    return ws.store.firings


def test_only_what_was_saved_is_known(firings):
    firings.save(1, "rule:a", ids(3, 9, FAR + 1), np.array([True, False, True]))
    values, known = firings.load(1, "rule:a", ids(FAR + 1, 2, 3, 9, 10**7))
    assert values.tolist() == [True, False, True, False, False]
    assert known.tolist() == [True, False, True, True, False]


def test_saving_more_keeps_what_was_there_and_the_latest_counts(firings):
    firings.save(1, "rule:a", ids(3, 9), np.array([True, True]))
    firings.save(1, "rule:a", ids(9, 70_000, 1), np.array([False, True, True]))
    values, known = firings.load(1, "rule:a", ids(1, 3, 9, 70_000, 4))
    assert (values.tolist(), known.tolist()) == ([True, True, False, True, False],
                                                 [True, True, True, True, False])  # fmt: skip


def test_numbers_are_kept_to_half_precision(firings):
    firings.save(1, "similar:x", ids(70_001, 2), np.array([0.75, -1.0]), made_by="e1")
    values, known = firings.load(1, "similar:x", ids(2, 3, 70_001))
    assert known.tolist() == [True, False, True]
    assert values[[0, 2]].tolist() == [-1.0, 0.75]
    assert np.isnan(values[1])
    assert firings.made_by(1, "similar:x") == "e1"


def test_tasks_and_keys_do_not_meet(ws, firings, fill):
    other = fill(ws, "other")
    firings.save(1, "rule:a", ids(3), np.array([True]))
    for task_id, key in ((other.id, "rule:a"), (1, "rule:b")):
        assert firings.load(task_id, key, ids(3))[1].tolist() == [False]
    assert firings.load(1, "rule:a", ids())[0].tolist() == []


def test_what_is_no_longer_asked_for_is_forgotten(firings):
    for key in ("rule:a", "rule:b", "rule_:a", "votes:a"):
        firings.save(1, key, ids(1), np.array([True]))
    firings.keep_only(1, "rule:", ["rule:b"])
    assert [firings.has(1, key) for key in ("rule:a", "rule:b", "rule_:a", "votes:a")] == [
        False, True, True, True,
    ]  # fmt: skip
    firings.drop(1, "votes:a")
    assert not firings.has(1, "votes:a")


def test_a_small_task_takes_few_bytes(ws, firings):
    firings.save(1, "rule:a", ids(*range(1, 201)), np.zeros(200, dtype=np.bool_))
    assert ws.store.db.value("SELECT length(body) FROM firing") == 2 * 26
