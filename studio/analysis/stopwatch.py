"""Seconds an accepted label by way of working, and beside it how good these labels are.

Every claim that one way is so many times faster than another rests on the decisions of the people
at hand. They chose which examples to label in which way, so easy ones may lie behind a fast way.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from studio.analysis.economics import Spell, spells
from studio.analysis.intervals import UNDEFINED, wilson
from studio.analysis.pace_interval import seconds_each
from studio.domain.correction import Correction, Mode, Origin
from studio.domain.evaluation import Figure
from studio.domain.gold import resolve_gold

LEAST_UNITS = 20
"""With fewer timed pieces of work nothing is said of how far a pace can be trusted."""
CAUTION = (
    "People chose what they labeled in which way: easy examples may lie behind a fast one. What "
    "was pasted or came from a file was made elsewhere and is not timed."
)
_NAMES = {Mode.OTHER: "other ways", Mode.FILE: "from a file", Mode.PASTE: "pasted"}


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A way of working.

    Attributes:
        mode: Grid, queue, bulk and so on.
        origin: Blind, assisted or adjudicated.
    """

    mode: Mode
    origin: Origin

    def __str__(self) -> str:
        name = _NAMES.get(self.mode, self.mode.value)
        return name if self.origin is Origin.ADJUDICATED else f"{name}, {self.origin.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast and how good one way of working was.

    Attributes:
        way: Which.
        given: Labels given in this way, later changed or taken back ones included.
        accepted: Those of them that still stand.
        seconds: Seconds of work for each accepted label, time on what did not stand included; n is
            the number of timed pieces of work (a decision, or what was stored at once). Undefined
            without any; without ends below `LEAST_UNITS`.
        median: Of the seconds a label took; NaN without any.
        measured: Share of the timed labels whose time the browser measured; the others' is the
            time since the same person's decision before.
        capped: Pieces of work that took longer than what is counted at most.
        agreement: Share of the accepted labels that agree with an independent one.
        references: Where these came from: "adjudicated", "another person, blind", "a file".
        ratio: How many times as fast as the slowest blind way; None where it cannot be told. The
            more ways there are, the wider its interval: that way was chosen for being slow.
    """

    way: Way
    given: int
    accepted: int
    seconds: Figure
    median: float
    measured: float
    capped: int
    agreement: Figure
    references: Mapping[str, int]
    ratio: Figure | None = None

    @property
    def per_hour(self) -> Figure:
        """Accepted labels an hour; undefined where the pace has no interval."""
        s = self.seconds
        if math.isnan(s.low):
            return replace(UNDEFINED, n=s.n)
        return Figure(value=_hourly(s.value), low=_hourly(s.high), high=_hourly(s.low), n=s.n)

    def seconds_words(self) -> str:
        """Return the seconds as people read them, with the interval and n."""
        s = self.seconds
        if math.isnan(s.value):
            return "not timed"
        ends = "not enough to tell" if math.isnan(s.low) else f"[{s.low:.1f}, {s.high:.1f}]"
        return f"{s.value:.1f} {ends} n={s.n:,}"

    def agreement_words(self) -> str:
        """Return the agreement as people read it, with its interval and n."""
        return str(self.agreement) if self.agreement.n else "not enough to tell"

    def words(self, slowest: Way | None) -> str:
        """Return in words how this pace compares; "not enough to tell" where that is so."""
        if slowest == self.way:
            return "the slowest blind way"
        if self.ratio is None:
            return "not enough to tell"
        if self.ratio.low <= 1 <= self.ratio.high:
            return f"may be as fast as {slowest}"
        if self.ratio.low > 1:
            return f"{self.ratio.value:.1f} times as fast as {slowest}"
        return f"slower than {slowest}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "way": str(self.way),
            "mode": self.way.mode.value,
            "origin": self.way.origin.value,
            "given": self.given,
            "accepted": self.accepted,
            "seconds": self.seconds.to_dict(),
            "median_seconds": None if math.isnan(self.median) else round(self.median, 3),
            "labels_an_hour": self.per_hour.to_dict(),
            "measured": round(self.measured, 4),
            "capped": self.capped,
            "agreement": self.agreement.to_dict(),
            "references": dict(self.references),
            "times_as_fast": self.ratio.to_dict() if self.ratio else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopwatch:
    """How fast and how good people's ways of working were.

    Attributes:
        paces: Fastest first; those of unknown pace last.
        slowest: The slowest blind way, which the others are compared with; None without one whose
            pace can be trusted.
    """

    paces: tuple[Pace, ...]
    slowest: Way | None


def stopwatch(
    events: Sequence[Correction], files: Mapping[int, int], *, person: str = "", seed: int = 0
) -> Stopwatch:
    """Return the pace and the quality of each way of working that people used.

    Args:
        events: All decisions of people, oldest first.
        files: Example id to the label id a file gives it.
        person: Only this person's work; everybody's when empty.
        seed: Makes the intervals repeatable.
    """
    told = _History(events)
    units: dict[Way, list[_Unit]] = defaultdict(list)
    for unit in _units(told, person):
        units[unit.way].append(unit)
    paces = []
    for way, roots in told.by_way(person).items():
        timed = units[way]
        agreement, references = _quality(told, files, way, roots)
        paces.append(
            Pace(
                way=way,
                given=len(roots),
                accepted=sum(told.is_accepted(root) for root in roots),
                seconds=_seconds(timed, seed),
                median=_median(timed),
                measured=_share_measured(timed),
                capped=sum(unit.capped for unit in timed),
                agreement=agreement,
                references=references,
            )
        )
    slowest = _slowest(paces)
    known = sum(not math.isnan(pace.seconds.low) for pace in paces)
    compared = [_compared(pace, slowest, ways=known) for pace in paces]
    compared.sort(key=lambda p: (math.isnan(p.seconds.value), p.seconds.value, p.way))
    return Stopwatch(paces=tuple(compared), slowest=slowest.way if slowest else None)


class _History:
    """People's decisions, and which of them stand."""

    def __init__(self, events: Sequence[Correction]) -> None:
        self.events = [e for e in events if e.mode is not Mode.LABEL_CHANGE]
        self._by_id = {e.id: e for e in events}
        undone: set[int] = set()
        for event in events:
            if event.undoes is None:
                continue
            root = self.root(event)
            (undone.add if self._by_id[event.undoes] is root else undone.discard)(root.id)
        self.standing: dict[int, dict[str, Correction]] = defaultdict(dict)
        self._label: dict[tuple[int, str], int | None] = {}
        for event in events:
            if event.undoes is None and event.id not in undone:
                self._label[event.example_id, event.person] = event.label_id
                if event.mode is not Mode.LABEL_CHANGE:
                    self.standing[event.example_id][event.person] = event

    def root(self, event: Correction) -> Correction:
        """Return the decision that an undo or redo is about."""
        while event.undoes is not None:
            event = self._by_id[event.undoes]
        return event

    def is_accepted(self, event: Correction) -> bool:
        now = self.standing[event.example_id].get(event.person)
        return now is event and event.label_id is not None

    def label_now(self, event: Correction) -> int | None:
        """Return the label of a decision that stands, as changes of the label set left it."""
        return self._label[event.example_id, event.person]

    def by_way(self, person: str) -> dict[Way, list[Correction]]:
        found: dict[Way, list[Correction]] = defaultdict(list)
        for event in self.events:
            own = not person or event.person == person
            if own and event.undoes is None and event.label_id is not None:
                found[Way(event.mode, event.origin)].append(event)
        return found


@dataclass(slots=True)
class _Unit:
    """What was done at once: one measured decision, one deed, or what was stored together."""

    way: Way
    labels: int = 0
    accepted: int = 0
    seconds: float | None = 0.0
    measured: bool = True
    capped: bool = False

    def add(self, spell: Spell, *, is_label: bool, accepted: bool) -> None:
        self.labels += is_label
        self.accepted += accepted
        known = self.seconds is not None and spell.seconds is not None
        self.seconds = (self.seconds or 0.0) + (spell.seconds or 0.0) if known else None
        self.measured &= spell.measured
        self.capped |= spell.capped


def _units(told: _History, person: str) -> list[_Unit]:
    """Return the pieces of work whose time is known."""
    units: dict[tuple[Any, ...], _Unit] = {}
    for spell in spells(told.events):
        event = spell.event
        root = told.root(event)
        way = Way(root.mode, root.origin)
        if person not in ("", event.person):
            continue
        unit = units.setdefault((way, *spell.piece), _Unit(way))
        own = event.undoes is None
        unit.add(
            spell,
            is_label=own and event.label_id is not None,
            accepted=own and told.is_accepted(event),
        )
    return [unit for unit in units.values() if unit.seconds is not None]


def _seconds(units: Sequence[_Unit], seed: int) -> Figure:
    took = np.array([unit.seconds for unit in units], dtype=np.float64)
    kept = np.array([unit.accepted for unit in units], dtype=np.float64)
    return seconds_each(took, kept, least=LEAST_UNITS, seed=seed)


def _median(units: Iterable[_Unit]) -> float:
    each = sorted(((u.seconds or 0.0) / u.labels, u.labels) for u in units if u.labels)
    middle, passed = sum(n for _, n in each) / 2, 0
    for seconds, n in each:
        passed += n
        if passed >= middle:
            return float(seconds)
    return math.nan


def _share_measured(units: Sequence[_Unit]) -> float:
    labels = sum(unit.labels for unit in units)
    return sum(unit.labels for unit in units if unit.measured) / labels if labels else 0.0


def _quality(
    told: _History, files: Mapping[int, int], way: Way, roots: Sequence[Correction]
) -> tuple[Figure, dict[str, int]]:
    """Return how many accepted labels agree with an independent one, and where these are from."""
    if way.origin is Origin.ADJUDICATED:
        return UNDEFINED, {}  # it settles what others said: to agree with one of them says nothing
    right, sources = 0, Counter[str]()
    for event in filter(told.is_accepted, roots):
        others = [
            e
            for person, e in told.standing[event.example_id].items()
            if person != event.person and e.origin is not Origin.ASSISTED
        ]
        gold = resolve_gold(others) if others else None
        if gold is not None:
            settled = next(e for e in others if e.id == gold.event_id)
            label_id = told.label_now(settled)
            is_adjudicated = settled.origin is Origin.ADJUDICATED
            source = "adjudicated" if is_adjudicated else "another person, blind"
        elif event.example_id in files:
            label_id, source = files[event.example_id], "a file"
        else:
            continue
        sources[source] += 1
        right += label_id == told.label_now(event)
    return wilson(right, sources.total()), dict(sources)


def _slowest(paces: Iterable[Pace]) -> Pace | None:
    """Return the slowest blind way whose pace can be trusted at all."""
    known = [p for p in paces if p.way.origin is Origin.BLIND and not math.isnan(p.seconds.low)]
    return max(known, key=lambda p: p.seconds.value, default=None)


def _compared(pace: Pace, slowest: Pace | None, *, ways: int) -> Pace:
    """Return the pace with how many times as fast it is as the slowest blind one.

    Any two of the ways could have come to be compared, so it is held to all pairs (Bonferroni): of
    2 to 5 ways that are equally fast, one is said to be faster in 1 to 6 % of cases, simulated;
    with intervals of two chosen ways alone it would be up to a third.
    """
    if slowest is None or pace is slowest or math.isnan(pace.seconds.low):
        return pace
    own, other = pace.seconds, slowest.seconds
    ratio = other.value / own.value
    # Each end is as far off as the two farther ends together (Zou and Donner 2008), in logarithms.
    wider = NormalDist().inv_cdf(1 - 0.025 / math.comb(ways, 2)) / 1.96
    below = math.hypot(math.log(other.value / other.low), math.log(own.high / own.value)) * wider
    above = math.hypot(math.log(other.high / other.value), math.log(own.value / own.low)) * wider
    figure = Figure(
        value=ratio, low=ratio * math.exp(-below), high=ratio * math.exp(above), n=own.n
    )
    return replace(pace, ratio=figure)


def _hourly(seconds: float) -> float:
    return 3600 / seconds if seconds else math.nan
