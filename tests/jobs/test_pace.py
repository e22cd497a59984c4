"""How fast a job goes: of late, from the first second, and without what was no work."""

import pytest

from studio.jobs.pace import Pace


def told(pace, steps):
    """Return the last rate of (done, now) pairs."""
    return [pace.rate(done, now) for done, now in steps][-1]


def test_it_is_right_from_the_first_second_and_follows_a_change():
    pace = Pace(0.0, longest_gap_s=15.0)
    pace.start(0)
    assert told(pace, [(i, i / 10) for i in range(1, 13)]) == pytest.approx(10.0)
    slower = [(12 + i, 1.2 + i) for i in range(1, 61)]
    assert told(pace, slower) == pytest.approx(1.0, rel=0.1)


def test_what_was_done_before_it_was_taken_up_is_no_speed():
    pace = Pace(0.0, longest_gap_s=15.0)
    pace.start(90_000)
    assert told(pace, [(90_000 + 2 * i, float(i)) for i in range(1, 6)]) == pytest.approx(2.0)


def test_the_rate_before_a_pause_is_told_until_there_is_a_new_one():
    pace = Pace(5_000.0, longest_gap_s=15.0, before=7.0)
    assert pace.rate(40, 5_000.1) == 7.0
    pace.start(40)
    assert pace.rate(40, 5_000.2) == 7.0
    assert told(pace, [(40 + 3 * i, 5_000.0 + i) for i in range(1, 9)]) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_clock_that_jumps_changes_nothing(jump):
    pace = Pace(0.0, longest_gap_s=15.0)
    pace.start(0)
    before = told(pace, [(4 * i, float(i)) for i in range(1, 6)])
    assert pace.rate(20, 5.0 + jump) == before
    assert pace.rate(24, 6.0 + jump) == pytest.approx(4.0)


def test_steps_that_take_a_minute_are_not_forgotten_between_two():
    pace = Pace(0.0, longest_gap_s=15.0)
    pace.start(0)
    looks = [(int(now // 60), float(now)) for now in range(2, 600, 2)]
    assert told(pace, looks) == pytest.approx(1 / 60, rel=0.2)


def test_one_that_stalls_slows_down():
    pace = Pace(0.0, longest_gap_s=15.0)
    pace.start(0)
    assert told(pace, [(10 * i, float(i)) for i in range(1, 11)]) == pytest.approx(10.0)
    assert told(pace, [(100, 10.0 + i) for i in range(1, 121)]) < 0.1
