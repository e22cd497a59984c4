"""Rules drafted from metadata columns, lengths and numbers that a reason speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.analysis.ideas import Idea, slug
from studio.analysis.lexicon import stem
from studio.analysis.sentence import Limit
from studio.domain.coded_rationale import RuleBody
from studio.domain.conditions import Column, Condition, Length, Number
from studio.domain.example import normalise

Bools = NDArray[np.bool_]
_LEVEL = 0.01
_MOST_VALUES = 50
_CUTS = 19
_JUDGED = 3
_COMMON = 0.5


def fact_ideas(
    label: str,
    sentence: str,
    limits: Sequence[Limit],
    facts: Mapping[str, str],
    columns: Mapping[str, Sequence[str | None]],
    yes: Bools,
    no: Bools,
) -> list[Idea]:
    """Return rules over columns, lengths and numbers.

    Args:
        label: What they vote for.
        sentence: The expert's.
        limits: The numbers it sets.
        facts: Metadata of the example it was written about.
        columns: Column to its values.
        yes: Which examples have the label by gold of train.
        no: Which have another.
    """
    said = {stem(word) for word in normalise(sentence).split()}
    found = list(_limits(limits, said, columns))
    for name, values in columns.items():
        found += _values(name, values, f" {normalise(sentence)} ", yes, no)
        found += _shown(name, values, facts.get(name), yes, no)
    ideas = [
        Idea(RuleBody(name=slug(*words), label=label, all=(condition,)), why)
        for condition, words, why in found
    ]
    return list({idea.body.hash: idea for idea in reversed(ideas)}.values())[::-1]


_Found = tuple[Condition, tuple[str, ...], str]


def _limits(
    limits: Sequence[Limit], said: set[str], columns: Mapping[str, Sequence[str | None]]
) -> Iterator[_Found]:
    """Yield a condition for each number: on the column it names, else on length or the text."""
    for limit in limits:
        low, high = limit.low, limit.high
        bound = f"{'at least' if high is None else 'at most'} {low if high is None else high:g}"
        named = [c for c in columns if _is_named(c, said) and _numbers(columns[c]) is not None]
        if limit.unit in ("word", "words", "character", "characters", "letters"):
            unit = "words" if limit.unit.startswith("word") else "characters"
            ends = (None if low is None else int(low), None if high is None else int(high))
            yield Length(unit, *ends), (unit, bound), f"the sentence says {bound} {unit}"
        elif named:
            yield (Column(name=named[0], min=low, max=high), (named[0], bound),
                   f"the sentence says {bound}, and names the column {named[0]}")  # fmt: skip
        else:
            yield (Number(min=low, max=high), ("number", bound),
                   f"the sentence says {bound}, and the text may state the number")  # fmt: skip


def _is_named(column: str, said: set[str]) -> bool:
    return bool({stem(w) for w in normalise(column.replace("_", " ")).split() if len(w) > 2} & said)


def _values(
    name: str, values: Sequence[str | None], sentence: str, yes: Bools, no: Bools
) -> Iterator[_Found]:
    """Yield the values of a column that the sentence names, as far as gold does not object."""
    known = {normalise(v): v for v in values if v and len(v) <= 60}
    if not 1 < len(known) <= _MOST_VALUES:
        return
    base = yes.sum() / max(1, int((yes | no).sum()))

    def is_weak(value: str) -> bool:
        held = np.array([v == value for v in values], dtype=np.bool_)
        right, wrong = int(yes[held].sum()), int(no[held].sum())
        return right + wrong >= _JUDGED and right <= base * (right + wrong)

    said = [v for plain, v in sorted(known.items()) if len(plain) > 2 and f" {plain} " in sentence]
    named = [v for v in said if not is_weak(v)]
    if named:
        yield (Column(name=name, values=tuple(named)), (name, *named[:2]),
               f"the sentence names {', '.join(named)}, a value of the column {name}")  # fmt: skip


def _shown(
    name: str, values: Sequence[str | None], fact: str | None, yes: Bools, no: Bools
) -> Iterator[_Found]:
    """Yield the value or range of the rationale's own example, where train gold shows it tells."""
    if not fact or not fact.strip():
        return
    numbers = _numbers(values)
    if numbers is not None and len(np.unique(numbers[~np.isnan(numbers)])) > _MOST_VALUES // 4:
        yield from _range(name, numbers, float(fact.replace(",", "")), yes, no)
        return
    wanted = fact.strip().casefold()
    held = np.array([(v or "").strip().casefold() == wanted for v in values], dtype=np.bool_)
    distinct = len({v for v in values if v})
    if held.sum() > _COMMON * len(values):
        return
    if distinct <= _MOST_VALUES and _tells(held, yes, no, tests=max(1, distinct)):
        why = f"its example has {name} {fact.strip()}, which train gold of this label has more"
        yield Column(name=name, values=(fact.strip(),)), (name, fact), why


def _range(
    name: str, numbers: NDArray[np.float64], own: float, yes: Bools, no: Bools
) -> Iterator[_Found]:
    """Yield the half line that holds the example's own number and parts train gold best."""
    known = ~np.isnan(numbers) & (yes | no)
    if known.sum() < 10 or np.isnan(own):
        return
    cuts = np.unique(np.quantile(numbers[known], np.linspace(0.05, 0.95, _CUTS)).round(3))
    best: tuple[float, Column, str] | None = None
    for cut in cuts.tolist():
        up = own >= cut
        held = (numbers >= cut if up else numbers <= cut) & known
        p = _p(held, yes & known, no & known)
        if p * len(cuts) <= _LEVEL and (best is None or p < best[0]):
            bound = f"at {'least' if up else 'most'} {cut:g}"
            best = p, Column(name=name, min=cut if up else None, max=None if up else cut), bound
    if best:
        _, condition, bound = best
        why = f"its example has {name} {own:g}; train gold of this label has {bound} more often"
        yield condition, (name, bound), why


def _tells(held: Bools, yes: Bools, no: Bools, tests: int) -> bool:
    return _p(held, yes, no) * tests <= _LEVEL


def _p(held: Bools, yes: Bools, no: Bools) -> float:
    """Return the chance of so many of the label among those held, by drawing at random."""
    from scipy.stats import hypergeom

    judged, right, drawn = int((yes | no).sum()), int(yes.sum()), int((held & (yes | no)).sum())
    return float(hypergeom.sf(int((held & yes).sum()) - 1, judged, right, drawn))


def _numbers(values: Sequence[str | None]) -> NDArray[np.float64] | None:
    """Return a column as numbers, NaN where it is empty; None when some value is none."""
    found = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if value and value.strip():
            try:
                found[i] = float(value.replace(",", ""))
            except ValueError:
                return None
    return found if not np.isnan(found).all() else None
