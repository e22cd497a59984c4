"""Seconds an accepted label by way of working: from invented histories whose truth is known."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from studio.analysis.pace_interval import seconds_each
from studio.analysis.stopwatch import Way, stopwatch
from studio.domain.correction import Correction, Mode, Origin

START = datetime(2026, 1, 1, tzinfo=UTC)
GRID = Way(Mode.GRID, Origin.BLIND)
BULK = Way(Mode.BULK, Origin.ASSISTED)


class Story:
    """Decisions as they are stored, told one by one."""

    def __init__(self):
        self.events = []
        self.now = 0.0

    def say(self, example, label, *, after=0.0, who="Ada", origin=Origin.BLIND, **more):
        self.now += after
        at = (START + timedelta(seconds=self.now)).isoformat(timespec="milliseconds")
        event = Correction(
            id=len(self.events) + 1, example_id=example, person=who, label_id=label,
            origin=origin, at=at, **{"mode": Mode.GRID, **more},
        )  # fmt: skip
        self.events.append(event)
        return event

    def undo(self, event, **more):
        return self.say(event.example_id, None, undoes=event.id, origin=event.origin, **more)


def by_way(story, files=None, **more):
    return {pace.way: pace for pace in stopwatch(story.events, files or {}, **more).paces}


def test_seconds_are_of_labels_that_stand_and_time_in_vain_counts():
    story = Story()
    for i in range(30):
        story.say(i, 1, seconds=4.0)
    slip = story.say(30, 1, seconds=4.0)
    story.undo(slip, after=6.0)
    pace = by_way(story)[GRID]
    assert (pace.given, pace.accepted) == (31, 30)
    assert pace.seconds.value == pytest.approx((31 * 4 + 6) / 30)
    assert pace.median == 4.0
    assert pace.per_hour.value == pytest.approx(3600 / pace.seconds.value)


def test_a_label_put_back_or_moved_by_the_label_set_is_accepted():
    story = Story()
    one = story.say(1, 1, seconds=2.0)
    story.say(1, 1, undoes=story.undo(one).id)
    story.say(2, 1, seconds=2.0)
    story.say(2, 9, mode=Mode.LABEL_CHANGE)
    story.say(3, 1, seconds=2.0)
    story.say(3, 2, seconds=2.0)
    pace = by_way(story, {2: 9, 3: 2})[GRID]
    assert (pace.given, pace.accepted) == (4, 3)
    assert (pace.agreement.value, pace.agreement.n) == (1.0, 2)


def test_without_a_measured_time_the_pace_counts_and_a_pause_does_not():
    story = Story()
    for i, after in enumerate([0, 5, 5, 90, 4000, 5]):
        story.say(i, 1, after=after)
    pace = by_way(story)[GRID]
    assert pace.seconds.n == 4
    assert pace.seconds.value == pytest.approx((5 + 5 + 60 + 5) / 4)
    assert pace.capped == 1
    assert pace.measured == 0


def test_labels_stored_together_share_their_time():
    story = Story()
    story.say(0, 1)
    for i in range(1, 11):
        story.say(i, 1, after=20.0 if i == 1 else 0.0)
    pace = by_way(story)[GRID]
    assert pace.median == 2.0
    assert pace.seconds.value == pytest.approx(2.0)
    assert pace.seconds.n == 1


def test_a_deed_of_many_is_one_piece_of_work():
    story = Story()
    for deed in range(25):
        for i in range(40):
            story.say(
                deed * 40 + i, 1, after=20.0 if i == 0 else 0.0, origin=Origin.ASSISTED,
                mode=Mode.BULK, deed=f"d{deed}",
            )  # fmt: skip
    pace = by_way(story)[BULK]
    assert pace.seconds.n == 24  # how long the very first took, nobody knows
    assert pace.seconds.value == pytest.approx(0.5)


def test_what_came_from_a_file_is_not_timed():
    story = Story()
    story.say(0, 1)
    story.say(1, 1, after=3.0, mode=Mode.FILE, deed="f")
    pace = by_way(story)[Way(Mode.FILE, Origin.BLIND)]
    assert pace.accepted == 1
    assert (pace.seconds.n, math.isnan(pace.seconds.value)) == (0, True)
    assert pace.words(GRID) == "not enough to tell"


def test_quality_is_told_by_others_who_did_not_see_the_label():
    story = Story()
    for i in range(4):
        story.say(i, 1, origin=Origin.ASSISTED, seconds=1.0)
    story.say(0, 1, who="Bo")
    story.say(1, 2, who="Bo", origin=Origin.ASSISTED)  # saw a label: no witness
    story.say(2, 2, who="Bo")
    story.say(2, 1, who="Cy", origin=Origin.ADJUDICATED, mode=Mode.ADJUDICATION)
    pace = by_way(story, {3: 2, 2: 2})[Way(Mode.GRID, Origin.ASSISTED)]
    assert pace.references == {"another person, blind": 1, "adjudicated": 1, "a file": 1}
    # Of Bo's own label on 1, Ada's is no witness either: it was assisted.
    assert (pace.agreement.n, pace.agreement.value) == (3, pytest.approx(2 / 3))


def test_times_as_fast_is_told_against_the_slowest_blind_way():
    story, chance = Story(), np.random.default_rng(3)
    for i in range(60):
        story.say(i, 1, seconds=float(chance.lognormal(2.0, 0.4)))
        story.say(1000 + i, 1, seconds=float(chance.lognormal(0.7, 0.4)), origin=Origin.ASSISTED)
        story.say(2000 + i, 1, seconds=float(chance.lognormal(1.95, 0.4)), mode=Mode.QUEUE)
    found = stopwatch(story.events, {})
    slowest = found.slowest
    assert slowest in (GRID, Way(Mode.QUEUE, Origin.BLIND))
    assisted = found.paces[0]
    assert assisted.way == Way(Mode.GRID, Origin.ASSISTED)
    assert assisted.ratio.low > 2.5
    assert assisted.ratio.high < 6
    assert assisted.words(slowest).endswith(f"times as fast as {slowest}")
    other = next(p for p in found.paces if p.ratio and p.way.origin is Origin.BLIND)
    assert other.ratio.low < 1 < other.ratio.high
    assert other.words(slowest) == f"may be as fast as {slowest}"


def test_of_equal_ways_none_is_said_to_be_faster():
    """The slowest was chosen of all for being slow: two intervals alone would claim a third."""
    chance, claims = np.random.default_rng(7), 0
    for _ in range(60):
        story = Story()
        for mode in (Mode.GRID, Mode.QUEUE, Mode.BULK, Mode.OTHER):
            for i in range(25):
                story.say(i, 1, seconds=float(chance.lognormal(1, 0.8)), mode=mode)
        claims += any(p.ratio and p.ratio.low > 1 for p in stopwatch(story.events, {}).paces)
    assert claims <= 6


def test_with_few_decisions_nothing_is_claimed():
    story = Story()
    for i in range(19):
        story.say(i, 1, seconds=9.0)
        story.say(100 + i, 1, seconds=1.0, origin=Origin.ASSISTED)
    found = stopwatch(story.events, {})
    assert found.slowest is None
    assert {p.words(None) for p in found.paces} == {"not enough to tell"}


def test_one_persons_work_is_told_apart():
    story = Story()
    story.say(1, 1, seconds=2.0)
    story.say(1, 1, seconds=8.0, who="Bo")
    assert by_way(story, person="Bo")[GRID].seconds.value == 8.0
    assert by_way(story, person="Bo")[GRID].agreement.n == 1
    assert by_way(story)[GRID].given == 2


def test_nobody_worked():
    assert stopwatch([], {}).paces == ()


@pytest.mark.parametrize(("n", "least"), [(20, 0.90), (60, 0.92)])
def test_the_interval_holds_the_truth(n, least):
    chance, hits, trials = np.random.default_rng(1), 0, 150
    truth = math.exp(1 + 0.8**2 / 2) / 0.85
    for trial in range(trials):
        took = chance.lognormal(1, 0.8, n)
        kept = (chance.random(n) < 0.85).astype(float)
        figure = seconds_each(took, kept, seed=trial)
        hits += figure.low <= truth <= figure.high
    assert least <= hits / trials <= 0.99


def test_always_the_same_time_is_certain():
    figure = seconds_each(np.full(30, 2.0), np.ones(30))
    assert (figure.low, figure.value, figure.high) == (2.0, 2.0, 2.0)


def test_one_pause_that_outweighs_all_work_leaves_no_interval():
    took = np.append(np.random.default_rng(0).uniform(0.24, 0.26, 39), 36.0)
    figure = seconds_each(took, np.ones(40))
    assert 1.1 < figure.value < 1.2
    assert math.isnan(figure.low)
    assert math.isnan(figure.high)
