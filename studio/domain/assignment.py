"""Work shared out among people: a round gives each of them examples to label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.domain.amounts import count
from studio.errors import InputError

MOST_PEOPLE = 100
MOST_GIVEN = 100_000
"""More than people label in months; a larger round would only make everybody wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One sharing out of examples among people.

    Attributes:
        id: Number in the workspace.
        name: What people call it.
        people: Who takes part; those who took over later, too.
        examples: How many different examples it has.
        shared: How many of these go to several people.
        together: To how many people each of the shared ones goes.
        splits: Where the examples are from.
        seed: What made the choice repeatable.
        created_by: Who started it.
        created_at: UTC time in ISO form.
        closed_at: When it was closed; None while it is open.
    """

    id: int
    name: str
    people: tuple[str, ...]
    examples: int
    shared: int
    together: int
    splits: tuple[str, ...]
    seed: int
    created_by: str
    created_at: str
    closed_at: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "round": self.id, "name": self.name, "examples": self.examples, "shared": self.shared,
            "together": self.together, "splits": list(self.splits), "seed": self.seed,
            "created_by": self.created_by, "created_at": self.created_at,
            "closed_at": self.closed_at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one person has of a round.

    Attributes:
        person: The name.
        given: Examples given to the person.
        done: How many of these carry the person's label.
    """

    person: str
    given: int
    done: int

    @property
    def left(self) -> int:
        """Examples still to label."""
        return self.given - self.done

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {"person": self.person, "given": self.given, "done": self.done}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a round is.

    Attributes:
        round: The round.
        shares: Of each person, by name; of a closed round as it stood when it was closed.
    """

    round: Round
    shares: tuple[Share, ...]

    @property
    def done(self) -> int:
        """Labels given, of all people together."""
        return sum(share.done for share in self.shares)

    @property
    def given(self) -> int:
        """Labels wanted, of all people together."""
        return sum(share.given for share in self.shares)

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        people = [share.to_dict() for share in self.shares]
        return {**self.round.to_dict(), "given": self.given, "done": self.done, "people": people}


def check_people(names: Sequence[str]) -> tuple[str, ...]:
    """Return people's names as they are stored.

    Raises:
        InputError: If there is none, a name is empty or stands twice, or there are too many.

    >>> check_people([" Ada ", "Bo  B"])
    ('Ada', 'Bo B')
    """
    clean = tuple(" ".join(name.split()) for name in names)
    how = "Name people as they sign in, e.g. --people Ada,Bo."
    if not clean or not all(clean):
        raise InputError("Nobody is named who should label.", next_step=how)
    folded = [name.casefold() for name in clean]
    for name in clean:
        if folded.count(name.casefold()) > 1:
            raise InputError(f"{name} is named twice.", next_step=how)
    if len(clean) > MOST_PEOPLE:
        raise InputError(
            f"A round has at most {MOST_PEOPLE} people, not {len(clean)}.",
            next_step="Start several rounds.",
        )
    return clean


def shares_text(shares: Sequence[Share]) -> str:
    """Return how far people are, in a line.

    >>> shares_text([Share(person="Ada", given=10, done=4), Share(person="Bo", given=1, done=1)])
    'Ada 4 of 10 examples, Bo 1 of 1 example'
    """
    return ", ".join(f"{s.person} {s.done:,} of {count(s.given, 'example')}" for s in shares)
