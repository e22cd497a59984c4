"""What the rules do not speak of: groups of alike examples, named, with the reason to ask for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.domain.example import normalise

MOST = 20_000
"""Above this a seeded sample stands for all."""
MOST_GROUPS = 12
LEAST = 5
"""Smaller groups are not worth a rule."""
_WORDS = 3
_TYPICAL = 3
_ENOUGH = 20
_WORD = r"[^\W\d_]{2,}"
_TOPICS = 50
_CLEAR = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Alike examples that no rule speaks of.

    Attributes:
        name: The words that tell them from the other uncovered ones.
        example_ids: All of them that were looked at.
        size: About how many there are, where only a sample was looked at.
        typical: Up to three that lie nearest to the middle.
        gold: Label id to how many of them have this gold.
        likely: The label id most of their gold has; None without gold, or on a tie.
        question: The next rationale to ask an expert for, in a sentence.
    """

    name: str
    example_ids: tuple[int, ...]
    size: int
    typical: tuple[int, ...]
    gold: dict[int, int]
    likely: int | None
    question: str


def find_gaps(
    ids: Sequence[int],
    texts: Sequence[str],
    gold: Mapping[int, int],
    *,
    label_names: Mapping[int, str],
    fallback_label_id: int | None = None,
    seed: int = 0,
) -> list[Gap]:
    """Return the groups of examples no rule speaks of, those a rule would help most first.

    That is the size times the share that is wrong now: of the gold of a group, what is not the
    answer of silence. With no gold at all half of it is taken to be wrong.

    Args:
        ids: The examples no rule speaks of.
        texts: Their texts.
        gold: Example id to gold label id, where known and allowed to be looked at.
        label_names: Label id to name.
        fallback_label_id: What the rules answer where none speaks.
        seed: Same seed, same groups.
    """
    scale = max(1.0, len(ids) / MOST)
    if len(ids) > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(len(ids), MOST, replace=False))
        ids, texts = [ids[i] for i in chosen], [texts[i] for i in chosen]
    counted = _count(texts)
    if counted is None:
        return []
    counts, words = counted
    gaps = []
    group, near = _cluster(_places(counts, seed), seed)
    names = _names(counts, words, group)
    for number, name in names.items():
        members = np.flatnonzero(group == number)
        if len(members) < LEAST or not name:
            continue
        typical = members[np.argsort(-near[members], kind="stable")[:_TYPICAL]]
        found = Counter(gold[ids[i]] for i in members.tolist() if ids[i] in gold)
        size = round(len(members) * scale)
        gaps.append(
            Gap(
                name=name,
                example_ids=tuple(ids[i] for i in members.tolist()),
                size=size,
                typical=tuple(ids[i] for i in typical.tolist()),
                gold=dict(found.most_common()),
                likely=_likely(found),
                question=_question(name, size, scale > 1, found, label_names),
            )
        )
    return sorted(gaps, key=lambda gap: (-_worth(gap, fallback_label_id), gap.name))


def _count(texts: Sequence[str]) -> tuple[Any, NDArray[np.str_]] | None:
    """Return how often each telling word stands in each text, and the words; None without any."""
    from sklearn.feature_extraction.text import CountVectorizer

    if len(texts) < LEAST:
        return None
    reader = CountVectorizer(
        preprocessor=normalise, token_pattern=_WORD, stop_words="english", min_df=2,
        # Of a handful of texts, a word in most of them is no stop word.
        max_df=0.5 if len(texts) >= _ENOUGH else 1.0, max_features=20_000, dtype=np.float32,
    )  # fmt: skip
    try:
        return reader.fit_transform(texts), reader.get_feature_names_out()
    except ValueError:  # no word is left
        return None


def _places(counts: Any, seed: int) -> NDArray[np.float64]:
    """Return each text as a unit vector of what it is about."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.preprocessing import normalize

    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    # In the space of words all short texts are far from each other, and one group takes most.
    if min(*weights.shape) - 1 > _TOPICS:
        weights = TruncatedSVD(_TOPICS, n_iter=3, random_state=seed).fit_transform(weights)
    else:
        weights = weights.toarray()
    places: NDArray[np.float64] = normalize(weights)
    return places


def _cluster(places: NDArray[np.float64], seed: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the group of each text, and how near it lies to the middle of its group."""
    from sklearn.cluster import MiniBatchKMeans

    groups = max(1, min(MOST_GROUPS, round(math.sqrt(len(places) / 2))))
    model = MiniBatchKMeans(groups, random_state=seed, batch_size=1024, n_init=3)
    group = model.fit_predict(places)
    return group.astype(np.int64), (places * model.cluster_centers_[group]).sum(axis=1)


def _names(counts: Any, words: NDArray[np.str_], group: NDArray[np.int64]) -> dict[int, str]:
    """Return for each group the words that it uses more than the others, by class-based TF-IDF."""
    groups = np.unique(group)
    sums = np.stack([np.asarray(counts[group == g].sum(axis=0))[0] for g in groups])
    share = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1.0)
    rarity = np.log1p(sums.sum(axis=1).mean() / np.maximum(sums.sum(axis=0), 1.0))
    weight = share * rarity
    return {
        int(g): ", ".join(_distinct(words[np.argsort(-row, kind="stable")[:12]], row))
        for g, row in zip(groups, weight, strict=True)
        if row.any()
    }


def _distinct(words: NDArray[np.str_], weights: NDArray[np.float64]) -> list[str]:
    """Return the first words that are not another form of one before them."""
    kept: list[str] = []
    for word in words.tolist():
        if all(not word.startswith(k[:-1]) and not k.startswith(word[:-1]) for k in kept):
            kept.append(word)
    return kept[: min(_WORDS, int((weights > 0).sum()))]


def _likely(found: Counter[int]) -> int | None:
    first = found.most_common(2)
    if not first or (len(first) == 2 and first[0][1] == first[1][1]):
        return None
    return first[0][0]


def _question(
    name: str, size: int, sampled: bool, found: Counter[int], label_names: Mapping[int, str]
) -> str:
    judged = found.total()
    start = f"{'About ' if sampled else ''}{size:,} examples about '{name}' have no rule"
    if not judged:
        return f"{start}, and none of them has gold: what are they, and why?"
    (label_id, most), *others = found.most_common(2)
    named = f"{most} of {judged} with gold are {label_names.get(label_id, label_id)}"
    if most >= _CLEAR * judged:
        return f"{start}; {named}. Why?"
    other, fewer = others[0]
    return f"{start}; {named}, {fewer} {label_names.get(other, other)}: what tells them apart?"


def _worth(gap: Gap, fallback: int | None) -> float:
    """Return about how many of its examples a rule would put right."""
    judged = sum(gap.gold.values())
    wrong = judged - gap.gold.get(fallback or 0, 0)
    return gap.size * (wrong + 0.5) / (judged + 1)
