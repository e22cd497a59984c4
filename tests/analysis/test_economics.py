"""Minutes are those that were timed, and every amount says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studio.analysis.economics import Rates, Spent, arms, people_time
from studio.analysis.stopwatch import stopwatch
from studio.domain.correction import Correction, Mode, Origin


def at(seconds: float, person: str = "ann", origin: Origin = Origin.BLIND) -> Correction:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return Correction(
        id=1, example_id=1, person=person, label_id=1, origin=origin, at=moment.isoformat()
    )


@pytest.mark.parametrize(
    ("seconds", "expected", "untimed"),
    [
        ([], 0, 0),
        ([0], 0, 1),
        ([0, 10, 20], 20, 1),
        ([20, 0, 10], 20, 1),
        ([0, 10, 110], 10 + 60, 1),
        ([0, 10, 20, 5000], 20, 2),
        ([0, 10, 10, 10], 10, 1),
    ],
)
def test_minutes_of_one_person(seconds, expected, untimed):
    time = people_time([at(s) for s in seconds])
    assert time.minutes * 60 == pytest.approx(expected)
    assert (time.timed, time.untimed) == (len(seconds) - untimed, untimed)


def test_what_came_from_a_file_or_was_pasted_is_no_measured_minute():
    """Not the first, for which no pace is known, nor those after it, stored at once."""
    for mode in (Mode.FILE, Mode.PASTE):
        brought = [replace(at(30), id=i, mode=mode, deed="d") for i in range(2, 52)]
        time = people_time([at(0), *brought, replace(at(40), id=60)])
        assert (time.minutes * 60, time.timed, time.untimed) == (10, 1, 51)
        assert "51 decisions" in time.lacks
        measured = people_time([replace(at(0), mode=mode, seconds=5.0)])
        assert (measured.minutes * 60, measured.untimed, measured.lacks) == (5, 0, "")


def test_the_minutes_are_those_the_stopwatch_counts():
    deeds = [
        replace(at(when), id=10 * n + i, example_id=10 * n + i, mode=Mode.BULK, deed=f"d{n}")
        for n, when in enumerate((0, 20, 4000, 4030))
        for i in range(10)
    ]
    pasted = [replace(at(4040), id=90, example_id=90, mode=Mode.PASTE)]
    undone = [replace(at(4050), id=91, example_id=39, label_id=None, undoes=39, mode=Mode.BULK)]
    time = people_time([*deeds, *pasted, *undone])
    paces = {pace.way.mode: pace for pace in stopwatch([*deeds, *pasted, *undone], {}).paces}
    assert time.minutes * 60 == pytest.approx(20 + 30 + 10)
    bulk = paces[Mode.BULK].seconds
    assert bulk.value * 19 == pytest.approx(60)  # 19 of the 20 timed ones stand
    assert (time.timed, time.untimed) == (20, 21), "a deed whose first is not timed is not timed"


def test_people_work_side_by_side_and_files_cost_nobody_time():
    events = [at(0), at(10), at(5, "bob"), at(9, "bob"), at(7, "file.csv", Origin.IMPORTED)]
    time = people_time(events)
    assert time.minutes * 60 == pytest.approx(10 + 4)
    assert (time.timed, time.untimed) == (2, 2)
    computed = people_time([at(0, origin=Origin.COMPUTED)])
    assert (computed.minutes, computed.untimed, computed.lacks) == (0, 0, "")


def test_every_arm_says_what_is_measured_and_what_is_assumed():
    own, prompt, others = arms(
        Spent(minutes=30, service_usd=1.0, reached=True),
        Spent(minutes=6, service_usd=None, reached=False),
        600,
        Rates(expert_usd_hour=60, annotator_usd_hour=30, ml_expert_usd_hour=100),
    )
    assert own.total_usd == pytest.approx(31)
    assert "Measured" in own.basis
    assert "Assumed" in own.basis
    assert "reaches the benchmark" in own.basis
    assert prompt.total_usd is None
    assert "unknown" in prompt.basis
    assert others.minutes == pytest.approx(600 * 3 * 20 / 60 + 40 * 60)
    assert others.total_usd == pytest.approx(10 * 30 + 40 * 100)
    assert "nothing of it measured" in others.basis


def test_a_sum_that_leaves_most_of_the_work_out_is_not_told():
    (most,) = arms(Spent(minutes=30, service_usd=1.0, timed=50, untimed=3), None, None)
    assert most.total_usd == pytest.approx(31)
    assert "Not timed: 3 more decisions, so it took longer." in most.basis
    (least,) = arms(Spent(minutes=0, service_usd=1.0, untimed=8000), None, None)
    assert least.total_usd is None
    assert "0.0 minutes" in least.basis
    assert "8,000 more decisions" in least.basis


def test_unknown_ways_are_left_out():
    assert len(arms(Spent(minutes=0, service_usd=0.0), None, None)) == 1


def test_what_the_browser_measured_counts_instead_of_the_pace():
    """Of the three, one is measured and one timed by its pace; a pause is nobody's work."""
    events = [at(0), replace(at(250), seconds=7.0), at(260)]
    assert people_time(events).minutes * 60 == pytest.approx(7 + 10)
    assert people_time([replace(at(0), seconds=900.0)]).minutes * 60 == pytest.approx(300)
    changed = people_time([replace(at(0), mode=Mode.LABEL_CHANGE)])
    assert (changed.minutes, changed.untimed) == (0, 0)
