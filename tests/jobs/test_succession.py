"""Which worker is the one: the latest start wins, once, and never by accident."""

from dataclasses import replace

import pytest

from studio.jobs import succession
from studio.jobs.process import WorkerLock, this_worker
from studio.jobs.succession import BY_HAND, fingerprint, is_outdated, take_turn


def worker(pid, started_at, version="1", **settings):
    keys = settings.pop("keys", ())
    told = fingerprint(settings, keys)
    return replace(this_worker(version, float(started_at), settings=told), pid=pid)


OLD = worker(1, 10, concurrency=16)


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (worker(2, 20, concurrency=16), False),
        (worker(2, 20, concurrency=8), True),
        (worker(2, 20, version="2", concurrency=16), True),
        (worker(2, 5, version="2", concurrency=8), False),  # it started after us: it is the latest
        (worker(2, 20, concurrency=16, keys=["A_KEY"]), True),
        (replace(worker(2, 20, concurrency=8), host="elsewhere"), False),
    ],
)
def test_what_makes_a_worker_outdated(mine, expected):
    assert is_outdated(OLD, mine) is expected


def test_a_key_it_has_and_we_lack_is_no_reason():
    rich = worker(1, 10, keys=["A_KEY", "B_KEY"])
    assert not is_outdated(rich, worker(2, 20, keys=["B_KEY"]))
    assert is_outdated(rich, worker(2, 20, keys=["C_KEY"]))


def test_one_of_people_and_one_before_this_was_known():
    newer = worker(2, 20, version="2")
    assert not is_outdated(replace(OLD, settings=BY_HAND), newer)
    assert is_outdated(replace(OLD, settings=""), worker(2, 20, concurrency=16))


def test_two_apps_of_different_settings_replace_each_others_worker_once():
    app_a, app_b = worker(100, 1, concurrency=4), worker(101, 2, concurrency=8)
    by_a = worker(200, 3, concurrency=4)
    assert is_outdated(by_a, worker(101, 4, concurrency=8))
    by_b = worker(201, 5, concurrency=8)
    assert not is_outdated(by_b, app_a)
    assert not is_outdated(by_b, app_b)


def test_no_value_of_a_setting_can_be_read_from_a_fingerprint():
    assert "secret-host" not in fingerprint({"base_url": "https://secret-host"}, ["A_KEY"])


@pytest.fixture
def told(monkeypatch):
    """The workers that were asked to stop."""
    stopped = []
    monkeypatch.setattr(succession, "ask_to_stop", stopped.append)
    return stopped


@pytest.fixture
def locks(tmp_path):
    """The lock of the worker at work, and that of the process that would follow it."""
    held, lock = WorkerLock(tmp_path / "lock"), WorkerLock(tmp_path / "lock")
    assert held.take()
    yield held, lock
    held.release()
    lock.release()


def test_a_good_one_is_left_at_work(locks, told):
    _, lock = locks
    mine = worker(2, 20, concurrency=16)
    assert not take_turn(lock, mine, lambda: [OLD])
    assert told == []


def test_one_that_died_this_moment_is_followed(locks, told):
    held, lock = locks

    def living():
        held.release()  # killed after the lock was tried, and before this look
        return []

    assert take_turn(lock, worker(2, 20, concurrency=16), living)
    assert told == []


def test_while_it_is_restored_nobody_works(locks, told):
    _, lock = locks
    assert not take_turn(lock, worker(2, 20), list, patience_s=0.1)


def test_an_outdated_one_is_told_once_and_waited_for(locks, told):
    held, lock = locks
    looks = []

    def living():
        looks.append(1)
        if len(looks) == 3:
            held.release()
        return [OLD]

    assert take_turn(lock, worker(2, 20, concurrency=8), living)
    assert told == [OLD]
    assert not held.take()  # ours now


def test_one_that_does_not_end_is_left_to_itself(locks, told):
    _, lock = locks
    mine = worker(2, 20, concurrency=8)
    assert take_turn(lock, mine, lambda: [OLD], patience_s=0.1)
    assert told == [OLD]


def test_of_two_successors_the_slower_one_goes(locks, told):
    _, lock = locks
    mine = worker(2, 20, concurrency=8)
    faster = worker(3, 19.9, concurrency=8)
    answers = [[OLD], [OLD], [faster]]
    assert not take_turn(lock, mine, lambda: answers.pop(0))
    assert told == [OLD]
