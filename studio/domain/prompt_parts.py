"""Parts of a prompt that can be locked, and how the examples it shows are chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from studio.domain.plain_values import number_of
from studio.errors import InputError

MOST_SHOTS = 50
USUAL_SHOTS = 8


class Part(StrEnum):
    """A part of a prompt that people edit, and may lock."""

    INSTRUCTIONS = "instructions"
    DEFINITIONS = "definitions"
    REASONS = "reasons"
    FEW_SHOTS = "few_shots"

    @property
    def words(self) -> str:
        """What people call it, as it stands in a sentence after "the".

        >>> [part.words for part in Part]
        ['instructions', 'definitions', 'rationales', 'few-shots']
        """
        return {"reasons": "rationales", "few_shots": "few-shots"}.get(self.value, self.value)


def part_named(name: str) -> Part:
    """Return the part of this name.

    Raises:
        InputError: If a prompt has none such.

    >>> part_named("few-shots")
    <Part.FEW_SHOTS: 'few_shots'>
    """
    for part in Part:
        if name in (part.value, part.words):
            return part
    raise InputError(
        f"A prompt has no part {name!r}.",
        next_step=f"Its parts are {', '.join(part.words for part in Part)}.",
    )


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of these names as a prompt keeps them: each once, in its own order.

    Raises:
        InputError: If a prompt has none such.

    >>> in_order(["few-shots", "instructions", "few_shots"])
    ('instructions', 'few_shots')
    """
    named = {part_named(str(name)) for name in names}
    return tuple(part.value for part in Part if part in named)


class ShotWay(StrEnum):
    """How examples for the prompt are chosen from gold of train."""

    NEAREST = "nearest"
    """For each text those most alike to it."""
    DIVERSE = "diverse"
    """For all texts the same, spread over the labels and over kinds of text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotPolicy:
    """Examples that are chosen from gold of train when a run starts.

    Attributes:
        way: How.
        count: How many are shown with each text.
    """

    way: ShotWay
    count: int

    def __str__(self) -> str:
        """Return it as people say it.

        >>> str(ShotPolicy(way=ShotWay.NEAREST, count=8))
        'the 8 most alike to each text'
        >>> str(ShotPolicy(way=ShotWay.DIVERSE, count=8))
        '8 diverse, the same for every text'
        """
        if self.way is ShotWay.NEAREST:
            return f"the {self.count} most alike to each text"
        return f"{self.count} diverse, the same for every text"

    @classmethod
    def parse(cls, text: str) -> ShotPolicy:
        """Read a policy as people write it; 8 where no number is told.

        Raises:
            InputError: If the way is unknown, or the number is none from 1 to 50.

        >>> str(ShotPolicy.parse("diverse:4")), ShotPolicy.parse("nearest").count
        ('4 diverse, the same for every text', 8)
        """
        way, _, number = text.strip().partition(":")
        return cls.from_dict({"way": way, "count": number or USUAL_SHOTS})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` reads them back."""
        return {"way": self.way.value, "count": self.count}

    @classmethod
    def from_dict(cls, data: Any) -> ShotPolicy:
        """Return the policy that `to_dict` described.

        Raises:
            InputError: If the way is unknown, or the number is none from 1 to 50.

        >>> ShotPolicy.from_dict({"way": "nearest", "count": 4}).count
        4
        """
        told = data if isinstance(data, dict) else {}
        way, number = told.get("way"), number_of(told.get("count"))
        if way not in list(ShotWay):
            raise InputError(
                f"Few-shots cannot be chosen by {way!r}.", next_step="Use nearest or diverse."
            )
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_SHOTS:
            raise InputError(
                f"A prompt chooses 1 to {MOST_SHOTS} few-shots, not {number!r}.",
                next_step="Use e.g. 8.",
            )
        return cls(way=ShotWay(way), count=number)
