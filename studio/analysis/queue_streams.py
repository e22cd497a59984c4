"""Why an example is asked about, and in which orders a person may choose to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stream(StrEnum):
    """Why an example is asked about."""

    TYPICAL = "typical"
    UNCERTAIN = "uncertain"
    SPOT_CHECK = "spot_check"
    DISAGREEMENT = "disagreement"
    AUDIT = "audit"
    RANDOM = "random"
    RELOOK = "relook"
    ASSIGNED = "assigned"
    FLAGGED = "flagged"
    SKIPPED = "skipped"

    @property
    def why(self) -> str:
        """The reason in words, of those that say the same of each example; else empty."""
        return _WHY.get(self, "")


_WHY = {
    Stream.UNCERTAIN: "A quick classifier of the labels so far cannot decide here.",
    Stream.DISAGREEMENT: "A model and the rules differ here.",
    Stream.AUDIT: "Drawn at random for the audit, which shows how good everything else is.",
    Stream.RANDOM: "Drawn at random.",
    Stream.RELOOK: "The labels changed since this was decided: look at it once more.",
    Stream.ASSIGNED: "It was assigned to you.",
    Stream.FLAGGED: "It was flagged for another look.",
    Stream.SKIPPED: "You skipped it before.",
}


class Strategy(StrEnum):
    """In which order examples are asked about.

    Those that choose among all open examples keep a tenth of the places for the audit; a list
    (another look, assigned, flagged) is gone through as it is.
    """

    AUTO = "auto"
    HALF = "half"
    TYPICAL = "typical"
    UNCERTAIN = "uncertain"
    SPOT_CHECKS = "spot_checks"
    DISAGREEMENTS = "disagreements"
    RANDOM = "random"
    ANOTHER_LOOK = "another_look"
    ASSIGNED = "assigned"
    FLAGGED = "flagged"

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What takes turns."""
        return _ORDERS[self].streams

    @property
    def heading(self) -> str:
        """Its name on screen."""
        return _ORDERS[self].heading

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return _ORDERS[self].about

    @property
    def is_list(self) -> bool:
        """Whether it goes through a list somebody made, of whatever split."""
        return self in (Strategy.ANOTHER_LOOK, Strategy.ASSIGNED, Strategy.FLAGGED)


@dataclass(frozen=True, slots=True)
class _Order:
    heading: str
    about: str
    streams: tuple[Stream, ...]


_T, _U = Stream.TYPICAL, Stream.UNCERTAIN
_ORDERS = {
    Strategy.AUTO: _Order(
        "The studio chooses",
        "Typical and uncertain ones in turn, among them checks of rules and examples on which a "
        "model and the rules differ; random ones where ordering does not pay.",
        (_T, _U, Stream.SPOT_CHECK, _T, _U, Stream.DISAGREEMENT),
    ),
    Strategy.HALF: _Order(
        "Half typical, half uncertain",
        "The robust choice: no kind of text stays unseen, and doubtful ones are settled.",
        (_T, _U),
    ),
    Strategy.TYPICAL: _Order(
        "Typical", "The middle of each group of alike texts, the least labeled groups first.", (_T,)
    ),
    Strategy.UNCERTAIN: _Order(
        "Uncertain",
        "Where a quick classifier wavers. Quick on clear tasks, worse than random on noisy ones.",
        (_U,),
    ),
    Strategy.SPOT_CHECKS: _Order(
        "Checks of rules",
        "Examples that rules speak on, until each has the checks its precision rests on.",
        (Stream.SPOT_CHECK,),
    ),
    Strategy.DISAGREEMENTS: _Order(
        "Disagreements",
        "Where the latest run and the rules differ, the surest first.",
        (Stream.DISAGREEMENT,),
    ),
    Strategy.RANDOM: _Order(
        "Random", "No choice at all: right where labels measure something.", (Stream.RANDOM,)
    ),
    Strategy.ANOTHER_LOOK: _Order(
        "Another look", "What a change of the labels put in doubt.", (Stream.RELOOK,)
    ),
    Strategy.ASSIGNED: _Order(
        "Assigned to me", "What a round of work gave to you.", (Stream.ASSIGNED,)
    ),
    Strategy.FLAGGED: _Order("Flagged", "What somebody flagged.", (Stream.FLAGGED,)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An example to ask about.

    Attributes:
        example_id: The example.
        stream: What chose it.
        why: The reason in words; it names no label.
        behind: What stands behind it and may sway who reads it: to be shown after the decision.
        completes: With it a rule has all its checks.
    """

    example_id: int
    stream: Stream
    why: str
    behind: str = ""
    completes: bool = False
