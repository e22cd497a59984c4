"""What people's time and the service cost, and what other ways to the same benchmark would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.domain.amounts import count
from studio.domain.correction import FROM_FILES, Correction, Mode
from studio.domain.report import Arm

LONGEST_GAP_S = 60.0
BURST_GAP_S = 300.0
_ELSEWHERE = frozenset({Mode.FILE, Mode.PASTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """How long one decision took.

    Attributes:
        event: The decision.
        seconds: None where nobody can tell: the first after a pause, what was pasted or came from
            a file.
        measured: The browser measured it; else it is the time since the same person's last one.
        capped: It was longer, and counts as this long.
    """

    event: Correction
    seconds: float | None
    measured: bool = False
    capped: bool = False

    @property
    def piece(self) -> tuple[Any, ...]:
        """What it shares with those done at once: a measured decision, a deed, or one moment."""
        event = self.event
        return event.person, event.deed or (event.id if self.measured else event.at)


def spells(events: Iterable[Correction]) -> list[Spell]:
    """Return how long each decision of people took, undos included, in their order.

    Where a browser measured it, that counts, at most five minutes. Else a decision took the time
    since the same person's last one, at most a minute; after five minutes without one nobody can
    tell, nor how long people took elsewhere for what they bring as a file or paste. Imported and
    computed labels and changes of the label set took nobody's time.
    """
    last: dict[str, datetime] = {}
    found = []
    for event in sorted(events, key=lambda e: (e.at, e.id)):
        if event.origin in FROM_FILES or event.mode is Mode.LABEL_CHANGE:
            continue
        at = datetime.fromisoformat(event.at).replace(tzinfo=None)
        before = last.get(event.person)
        last[event.person] = at
        if event.seconds is not None:
            most, took = BURST_GAP_S, event.seconds
        else:
            gap = (at - before).total_seconds() if before is not None else BURST_GAP_S + 1
            most, took = LONGEST_GAP_S, gap
        here = event.mode not in _ELSEWHERE and took <= BURST_GAP_S
        known = event.seconds is not None or here
        found.append(
            Spell(
                event=event,
                seconds=min(took, most) if known else None,
                measured=event.seconds is not None,
                capped=known and took > most,
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleTime:
    """How long people worked, as far as it was timed.

    Attributes:
        minutes: Of timed decisions and undos; 0 without any.
        timed: Decisions whose time is known.
        untimed: Decisions of which nobody can tell; the stopwatch calls them not timed.
    """

    minutes: float
    timed: int
    untimed: int

    @property
    def lacks(self) -> str:
        """Say what is missing for all of people's time; empty when nothing is.

        >>> PeopleTime(minutes=2, timed=9, untimed=1).lacks
        'The time of 1 decision: pasted, from a file or first after a pause, it was not timed.'
        """
        if not self.untimed:
            return ""
        it = "it was" if self.untimed == 1 else "they were"
        return (
            f"The time of {count(self.untimed, 'decision')}: pasted, from a file or first after a "
            f"pause, {it} not timed."
        )


def people_time(events: Iterable[Correction]) -> PeopleTime:
    """Return how long people worked, and how many decisions nobody timed.

    What was done at once is timed as a whole or, where one of it is not, not at all.

    Args:
        events: All events, in any order.
    """
    pieces: dict[tuple[Any, ...], list[Spell]] = defaultdict(list)
    for spell in spells(events):
        pieces[spell.piece].append(spell)
    seconds, decisions = 0.0, {True: 0, False: 0}
    for piece in pieces.values():
        took = [spell.seconds for spell in piece if spell.seconds is not None]
        is_timed = len(took) == len(piece)
        seconds += sum(took) if is_timed else 0.0
        decisions[is_timed] += sum(spell.event.undoes is None for spell in piece)
    return PeopleTime(minutes=seconds / 60, timed=decisions[True], untimed=decisions[False])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is assumed where nothing can be measured.

    Attributes:
        expert_usd_hour: Of the expert who gives reasons and corrects.
        annotator_usd_hour: Of an annotator who only labels.
        ml_expert_usd_hour: Of somebody who trains and evaluates a model by hand.
        seconds_per_label: An annotator's, for one label of one example.
        labels_per_example: Annotators who see each example.
        ml_expert_hours: Until a model is trained, evaluated and handed over.
        minutes_per_rationale, minutes_per_rule, minutes_per_prompt: To write one.
    """

    expert_usd_hour: float = 60.0
    annotator_usd_hour: float = 20.0
    ml_expert_usd_hour: float = 100.0
    seconds_per_label: float = 20.0
    labels_per_example: float = 3.0
    ml_expert_hours: float = 40.0
    minutes_per_rationale: float = 2.0
    minutes_per_rule: float = 4.0
    minutes_per_prompt: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a way took so far.

    Attributes:
        minutes: People's minutes on labels, measured.
        timed, untimed: Decisions whose time these minutes hold, and those that nobody timed.
        rationales, rules, prompts: How many were written; their minutes are assumed.
        service_usd: Money for calls and training; None when some price is unknown.
        reached: Whether its figure reaches the criterion; None when nobody can tell yet.
    """

    minutes: float
    service_usd: float | None
    reached: bool | None = None
    timed: int = 0
    untimed: int = 0
    rationales: int = 0
    rules: int = 0
    prompts: int = 0


def arms(
    rationales: Spent,
    prompt: Spent | None,
    labels_needed: int | None,
    rates: Rates | None = None,
) -> tuple[Arm, ...]:
    """Return what three ways to the benchmark cost, each saying what is measured and assumed.

    Args:
        rationales: Measured on rationales, corrections and fine-tunes of this task.
        prompt: Measured on the best prompt alone; None when no prompt was run.
        labels_needed: Examples annotators would have to label to train and measure a model: from a
            learning curve or, failing that, those labeled here; None when unknown.
        rates: What is assumed; the defaults are round figures, not a survey.
    """
    rates = rates or Rates()
    result = [_measured_arm("Rationales and a fine-tune", rationales, rates)]
    if prompt is not None:
        result.append(_measured_arm("Prompt only", prompt, rates))
    if labels_needed is not None:
        result.append(_annotator_arm(labels_needed, rates))
    return tuple(result)


def _measured_arm(name: str, spent: Spent, rates: Rates) -> Arm:
    written = (
        (spent.rationales, "rationale", rates.minutes_per_rationale),
        (spent.rules, "rule", rates.minutes_per_rule),
        (spent.prompts, "prompt version", rates.minutes_per_prompt),
    )
    minutes = spent.minutes + sum(n * each for n, _, each in written)
    writing = "".join(
        f", {n} {what}{'' if n == 1 else 's'} at {each:g} minutes" for n, what, each in written if n
    )
    people = minutes / 60 * rates.expert_usd_hour
    untimed = (
        f" Not timed: {count(spent.untimed, 'more decision')}, so it took longer."
        if spent.untimed
        else ""
    )
    # A sum that leaves most of the work out would look like a bargain.
    is_known = spent.service_usd is not None and spent.untimed <= spent.timed
    service = (
        "the price of the service is unknown"
        if spent.service_usd is None
        else f"${spent.service_usd:,.2f} for the service"
    )
    state = {
        True: "It reaches the benchmark.",
        False: "It misses the benchmark.",
        None: "Whether it reaches the benchmark is not decided yet.",
    }[spent.reached]
    return Arm(
        name=name,
        minutes=minutes,
        service_usd=spent.service_usd,
        total_usd=people + (spent.service_usd or 0.0) if is_known else None,
        basis=f"Measured here: {spent.minutes:,.1f} minutes of decisions, {service}.{untimed} "
        f"Assumed: an expert at ${rates.expert_usd_hour:g} an hour{writing}. {state}",
    )


def _annotator_arm(labels_needed: int, rates: Rates) -> Arm:
    labeling = labels_needed * rates.labels_per_example * rates.seconds_per_label / 60
    training = rates.ml_expert_hours * 60
    money = (labeling * rates.annotator_usd_hour + training * rates.ml_expert_usd_hour) / 60
    return Arm(
        name="Annotators and an ML expert",
        minutes=labeling + training,
        service_usd=0.0,
        total_usd=money,
        basis=f"Assumed, nothing of it measured here: {labels_needed:,} examples labeled "
        f"{rates.labels_per_example:g} times at {rates.seconds_per_label:g} s and "
        f"${rates.annotator_usd_hour:g} an hour, {rates.ml_expert_hours:g} hours of an ML expert "
        f"at ${rates.ml_expert_usd_hour:g}.",
    )
