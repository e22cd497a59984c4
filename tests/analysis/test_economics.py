"""Minutes come from the pace of decisions, and every amount says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studio.analysis.economics import Rates, Spent, arms, people_minutes
from studio.domain.correction import Correction, Mode, Origin


def at(seconds: float, person: str = "ann", origin: Origin = Origin.BLIND) -> Correction:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return Correction(
        id=1, example_id=1, person=person, label_id=1, origin=origin, at=moment.isoformat()
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], 0),
        ([0], 15),
        ([0, 10, 20], 30),
        ([20, 0, 10], 30),
        ([0, 10, 110], 10 + 60 + 35),
        ([0, 10, 20, 5000], 40),
        ([0, 10, 10, 10], 20),
    ],
)
def test_minutes_of_one_person(seconds, expected):
    assert people_minutes([at(s) for s in seconds]) * 60 == pytest.approx(expected)


def test_people_work_side_by_side_and_files_cost_nobody_time():
    events = [at(0), at(10), at(5, "bob"), at(9, "bob"), at(7, "file.csv", Origin.IMPORTED)]
    assert people_minutes(events) * 60 == pytest.approx(20 + 8)
    assert people_minutes([at(0, origin=Origin.COMPUTED)]) == 0


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


def test_unknown_ways_are_left_out():
    assert len(arms(Spent(minutes=0, service_usd=0.0), None, None)) == 1


def test_what_the_browser_measured_counts_instead_of_the_pace():
    """Of the three, one is measured; the pause before it is nobody's work."""
    events = [at(0), replace(at(250), seconds=7.0), at(260)]
    assert people_minutes(events) * 60 == pytest.approx(7 + 10 + 8.5)
    assert people_minutes([replace(at(0), seconds=900.0)]) * 60 == pytest.approx(300)
    assert people_minutes([replace(at(0), mode=Mode.LABEL_CHANGE)]) == 0
