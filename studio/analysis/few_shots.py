"""Which examples of train a prompt shows: those most alike to a text, or diverse ones for all.

Likeness is the cosine of words and pairs of words, weighed by how rare they are. A text is never
shown itself, nor a copy of it: its own label would answer the question. Everything is
deterministic: the same candidates in any order give the same choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from studio.domain.example import normalise
from studio.domain.prompt import FewShot
from studio.domain.prompt_parts import ShotPolicy, ShotWay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COPY = 0.9
"""Texts that share so many of their words count as copies of each other."""
_CELLS = 4_000_000
"""Likenesses computed at once: about 30 MB."""


class ShotChooser:
    """Chooses few-shots among gold of train, for one text after the other.

    Args:
        candidates: Examples of train with their gold, each with its id.
        policy: How to choose, and how many.

    >>> gold = [
    ...     FewShot(text="fried rice with egg", label="no", example_id=1),
    ...     FewShot(text="grilled salmon", label="yes", example_id=2),
    ...     FewShot(text="rice pudding", label="no", example_id=3),
    ... ]
    >>> nearest = ShotChooser(gold, ShotPolicy(way=ShotWay.NEAREST, count=1))
    >>> [shot.text for shot in nearest.choose(["rice with peas"])[0]]
    ['fried rice with egg']
    >>> [shot.text for shot in nearest.choose(["Fried rice with egg!"])[0]]  # itself is left out
    ['rice pudding']
    """

    def __init__(self, candidates: Sequence[FewShot], policy: ShotPolicy) -> None:
        self._shots = sorted(candidates, key=lambda shot: shot.example_id or 0)
        self._policy = policy
        self._words = [frozenset(normalise(shot.text).split()) for shot in self._shots]

    def choose(
        self, texts: Sequence[str], own: Sequence[int | None] = ()
    ) -> list[tuple[FewShot, ...]]:
        """Return the few-shots of each text: of alike ones the most alike last, next to it.

        Args:
            texts: The texts that are asked about.
            own: The example id of each where it is known: it is left out though its text differs.
        """
        if not self._shots or not texts:
            return [()] * len(texts)
        nearest = self._policy.way is ShotWay.NEAREST
        # Of diverse ones only what can be shown is compared, the same places for every text.
        places = range(len(self._shots)) if nearest else self._spread
        size = max(1, _CELLS // len(places))
        chosen: list[tuple[FewShot, ...]] = []
        for start in range(0, len(texts), size):
            block = texts[start : start + size]
            likeness = self._likeness(block, places)
            for i, text in enumerate(block):
                mine = own[start + i] if own else None
                found = self._pick(places, likeness[i], text, mine, nearest=nearest)
                chosen.append(found[::-1] if nearest else found)
        return chosen

    def _pick(
        self, places: Sequence[int], likeness: NDArray[np.float64], text: str, own: int | None,
        *, nearest: bool,
    ) -> tuple[FewShot, ...]:  # fmt: skip
        """Return what is shown with a text: nothing that is the text, nearly so, or shown twice."""
        # Of equals that with the smaller id.
        order = (-likeness).argsort(kind="stable").tolist() if nearest else range(len(places))
        seen, found = [frozenset(normalise(text).split())], []
        for i in order:
            shot, words = self._shots[places[i]], self._words[places[i]]
            is_own = own is not None and shot.example_id == own
            if is_own or any(_are_copies(words, one) for one in seen):
                continue
            seen.append(words)
            found.append(shot)
            if len(found) == self._policy.count:
                break
        return tuple(found)

    def _likeness(self, texts: Sequence[str], places: Sequence[int]) -> NDArray[np.float64]:
        words, known = self._vectors
        found: NDArray[np.float64] = (words.transform(texts) @ known[list(places)].T).toarray()
        return found

    @cached_property
    def _vectors(self) -> tuple[Any, Any]:
        """The weighing of words, and the candidates by it."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(
            preprocessor=normalise, tokenizer=str.split, ngram_range=(1, 2), sublinear_tf=True,
            token_pattern=None,
        )  # fmt: skip
        try:
            return words, words.fit_transform([shot.text for shot in self._shots])
        except ValueError:  # texts of signs only: nothing is like anything
            words = TfidfVectorizer(analyzer="char")
            return words, words.fit_transform([shot.text or " " for shot in self._shots])

    @cached_property
    def _spread(self) -> list[int]:
        """Places of diverse examples: a label after the other, of each what it has not shown yet.

        There are some more than are shown, for texts that are among them.
        """
        turns = {label: self._kinds(label) for label in sorted({s.label for s in self._shots})}
        wanted = self._policy.count + len(turns) + 2
        order: list[int] = []
        while turns and len(order) < wanted:
            for label in list(turns):
                place = next(turns[label], None)
                if place is None:
                    del turns[label]
                else:
                    order.append(place)
        return order

    def _kinds(self, label: str) -> Iterator[int]:
        """Yield places of a label: the most typical, then each time the one least like those."""
        import numpy as np

        places = np.array([i for i, shot in enumerate(self._shots) if shot.label == label])
        rows = self._vectors[1][places]
        middle = np.asarray(rows.mean(axis=0)).ravel()
        nearest = np.full(len(places), -np.inf)
        here = int(np.argmax(np.asarray(rows @ middle).ravel()))
        for _ in range(len(places)):
            yield int(places[here])
            likeness = np.asarray((rows @ rows[here].T).todense()).ravel()
            nearest = np.maximum(nearest, likeness)
            nearest[here] = np.inf
            here = int(np.argmin(nearest))


def _are_copies(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= COPY * len(one | other)
