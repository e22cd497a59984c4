"""Which examples are worth an expert's next minutes, and why each of them.

Half are typical: the middle of a group of alike examples of which least are labeled, so that no
kind stays unseen. Half are uncertain: where a quick classifier, learnt from the labels so far,
wavers between two labels, thinned so that they differ from each other. Uncertain ones alone can do
2.5 times worse than a random order where labels are noisy.

Every tenth place goes to the audit: a tenth of all examples, drawn by a hash of their number and
kept out of every other stream, so that their labels stay a random sample whatever is asked else.
No reason names a label, so that what is decided stays blind.
"""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.analysis.queue_streams import Pick, Stream
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.run import Method, Prediction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AUDIT_EVERY = 10
"""One example in so many belongs to the audit, and so does one place of the queue."""
CHECKS = 5
"""Blind gold labels a rule is checked by before its precision counts."""
_TOPICS = 50
_MOST_GROUPS = 400
_SHORTLIST = 6


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """Examples that may be asked about, and those with labels, as vectors.

    Attributes:
        ids: Example ids, of shape (n,).
        words: TF-IDF of words and pairs of words, a sparse row an example.
        topics: What each example is about, as a unit vector; alike examples lie near each other.
    """

    ids: Ints
    words: Any
    topics: Floats

    @classmethod
    def of(cls, ids: Sequence[int], texts: Sequence[str]) -> Pool:
        """Read texts; where no word is left of them, all are alike."""
        from scipy import sparse
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize

        places = np.array(ids, dtype=np.int64)
        reader = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(texts) > 100 else 1,
            max_features=50_000, dtype=np.float32,
        )  # fmt: skip
        try:
            words = reader.fit_transform(texts)
        except ValueError:
            return cls(places, sparse.csr_array((len(ids), 1)), np.zeros((len(ids), 1)))
        if min(words.shape) - 1 > _TOPICS:
            topics = TruncatedSVD(_TOPICS, n_iter=3, random_state=0).fit_transform(words)
        else:
            topics = words.toarray()
        return cls(places, words, normalize(topics).astype(np.float64))

    @property
    def features(self) -> Any:
        """What a quick classifier learns from, a sparse row an example."""
        from scipy import sparse

        return sparse.hstack([self.words, sparse.csr_array(self.topics)], format="csr")

    def only(self, ids: Ints) -> Pool:
        """Return the part of it that holds these examples; their vectors stay as they are."""
        here = np.isin(self.ids, ids)
        return Pool(self.ids[here], self.words[here], self.topics[here])


def plain_picks(ids: Ints, stream: Stream) -> list[Pick]:
    """Return a stream whose reason is the same for each example."""
    return [Pick(example_id=i, stream=stream, why=stream.why) for i in ids.tolist()]


def audited(ids: Ints) -> Bools:
    """Return which examples belong to the audit; the same ones for ever."""
    chosen: Bools = drawing(ids, 0) % np.uint64(AUDIT_EVERY) == 0
    return chosen


def drawing(ids: Ints, seed: int) -> NDArray[np.uint64]:
    """Return a random number an example: sorted by it, any first few are a random sample.

    It depends on the example's own number and the seed alone, so others may come and go.
    """
    start = (seed + 1) * 0x9E3779B97F4A7C15 % 2**64  # SplitMix64
    mixed = ids.astype(np.uint64) + np.uint64(start)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def draw(ids: Ints, seed: int) -> Ints:
    """Return ids in a random order that is the same each time."""
    return ids[np.argsort(drawing(ids, seed), kind="stable")]


def make_queue(
    pool: Pool,
    labels: Mapping[int, int],
    strategy: Sequence[Stream],
    n: int,
    *,
    start: int = 0,
    ready: Mapping[Stream, Sequence[Pick]],
    seed: int = 0,
) -> list[Pick]:
    """Return the next examples to ask about, in their order, fewer than n where no more are left.

    Args:
        pool: What typical and uncertain ones are chosen from, and the examples with labels.
        labels: Example id to label id, of the pool's examples that have one.
        strategy: The streams that take turns.
        n: Most to return.
        start: How many were asked about before: it tells whose turn it is.
        ready: The picks of the other streams, the audit's among them, in their order.
        seed: Makes groups and ties repeatable.
    """
    taken: set[int] = set()
    sources: dict[Stream, Iterator[Pick]] = {}

    def next_of(stream: Stream) -> Pick | None:
        if stream not in sources:
            sources[stream] = iter(_picks(stream, pool, labels, n, ready, seed))
        found = (pick for pick in sources[stream] if pick.example_id not in taken)
        return next(found, None)

    queue: list[Pick] = []
    for place in range(start, start + n):
        is_audit = place % AUDIT_EVERY == AUDIT_EVERY - 1
        turn = strategy[(place - place // AUDIT_EVERY) % len(strategy)]
        # Where a stream has run dry, the others fill its place.
        wanted = (Stream.AUDIT if is_audit else turn, *strategy, *_FILL)
        pick = next((pick for stream in wanted if (pick := next_of(stream))), None)
        if pick is None:
            break
        taken.add(pick.example_id)
        queue.append(pick)
    return queue


_FILL = (Stream.TYPICAL, Stream.UNCERTAIN, Stream.RANDOM, Stream.AUDIT)


def _picks(
    stream: Stream,
    pool: Pool,
    labels: Mapping[int, int],
    n: int,
    ready: Mapping[Stream, Sequence[Pick]],
    seed: int,
) -> Sequence[Pick]:
    if stream is Stream.TYPICAL:
        return typical(pool, labels, n, seed)
    if stream is Stream.UNCERTAIN:
        return uncertain(pool, labels, n, seed)
    return ready.get(stream, ())


def typical(pool: Pool, labels: Mapping[int, int], n: int, seed: int = 0) -> list[Pick]:
    """Return examples from the middle of groups of alike ones, the least labeled groups first."""
    labeled = _labeled(pool, labels)
    rows = np.flatnonzero(~labeled)
    if not len(rows) or n < 1:
        return []
    group, near = _groups(pool.topics, min(_MOST_GROUPS, int(labeled.sum()) + n), seed)
    seen, size = (np.bincount(group[which], minlength=group.max() + 1) for which in (labeled, rows))
    inner = rows[np.lexsort((pool.ids[rows], -near[rows], group[rows]))]
    begins = np.searchsorted(group[inner], np.arange(len(size)))
    rank = np.arange(len(inner)) - begins[group[inner]]
    # Taking one fills its group by one: the second of a group waits as if the first had a label.
    known = seen[group[inner]] + rank
    best = np.lexsort((pool.ids[inner], -size[group[inner]], known))[:n]
    return [
        Pick(
            example_id=int(pool.ids[inner[i]]),
            stream=Stream.TYPICAL,
            why=_typical_words(int(size[group[inner[i]]]), int(seen[group[inner[i]]])),
        )
        for i in best
    ]


def _typical_words(size: int, seen: int) -> str:
    if size + seen == 1:
        return "No other text is like it."
    labeled = "none of them labeled yet" if not seen else f"only {seen} of them labeled"
    return f"Typical of {size + seen:,} alike texts, {labeled}."


def uncertain(pool: Pool, labels: Mapping[int, int], n: int, seed: int = 0) -> list[Pick]:
    """Return examples on which a quick classifier wavers most, thinned to differ from each other.

    Until two labels were given there is nothing to waver between, and none is returned.
    """
    open_ = np.flatnonzero(~_labeled(pool, labels))
    margin = margins(pool, labels)[open_]
    if not len(open_) or n < 1 or np.isnan(margin).all():
        return []
    short = open_[np.lexsort((pool.ids[open_], margin))[: _SHORTLIST * n]]
    group = _groups(pool.topics[short], min(n, len(short)), seed)[0]
    # The shortlist goes by margin: the first of each group is its least sure one.
    firsts = np.unique(group, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(short)), firsts)
    chosen = short[np.concatenate([np.sort(firsts), others])][:n]
    return plain_picks(pool.ids[chosen], Stream.UNCERTAIN)


def margins(pool: Pool, labels: Mapping[int, int]) -> Floats:
    """Return by how much the likeliest label leads the next one, for each example.

    All are not a number where fewer than two labels were given.
    """
    rows = np.flatnonzero(_labeled(pool, labels))
    target = np.array([labels[i] for i in pool.ids[rows].tolist()], dtype=np.int64)
    if len(np.unique(target)) < 2:
        return np.full(len(pool.ids), np.nan)
    features = pool.features
    chances = np.sort(learn(features, rows, target).predict_proba(features), axis=1)
    lead: Floats = (chances[:, -1] - chances[:, -2]).astype(np.float64)
    return lead


def learn(features: Any, rows: Ints, target: Ints) -> Any:
    """Return a quick classifier of scikit-learn.

    Args:
        features: A sparse row an example, as `Pool.features`.
        rows: Which of them it learns from.
        target: Their labels, at least two different ones.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=100, class_weight="balanced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for an order
        return model.fit(features[rows], target)


def _labeled(pool: Pool, labels: Mapping[int, int]) -> Bools:
    return np.isin(pool.ids, np.fromiter(labels, dtype=np.int64, count=len(labels)))


def _groups(topics: Floats, groups: int, seed: int) -> tuple[Ints, Floats]:
    """Return the group of each example, and how near it lies to the middle of its group."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    groups = max(1, min(groups, len(topics)))
    model = MiniBatchKMeans(groups, random_state=seed, batch_size=2048, n_init=1, max_iter=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different texts than groups
        group = model.fit_predict(topics).astype(np.int64)
    near: Floats = (topics * model.cluster_centers_[group]).sum(axis=1)
    return group, near


def spot_checks(
    matrix: VoteMatrix, names: Mapping[int, str], gold: Mapping[int, int], open_: Ints, seed: int
) -> list[Pick]:
    """Return up to five examples for each rule that blind gold has not checked as often yet.

    They are drawn at random of those the rule speaks on; rules take turns, the least checked first.

    Args:
        matrix: Votes on open examples and on those with gold.
        names: Rule id to name.
        gold: Blind gold, example id to label id.
        open_: Examples that may be asked about.
        seed: Makes the draw repeatable.
    """
    ids = np.array(matrix.example_ids, dtype=np.int64)
    judged = np.isin(ids, np.fromiter(gold, dtype=np.int64, count=len(gold)))
    may = np.isin(ids, open_)
    found: list[tuple[int, int, Pick]] = []
    for column, rule_id in enumerate(matrix.rule_ids):
        fires = matrix.labels[:, column] != 0
        done = int((fires & judged).sum())
        for more, example_id in enumerate(draw(ids[fires & may], seed)[: max(0, CHECKS - done)]):
            why = f"One of {CHECKS} that check a rule; {done + more} are done."
            behind = f"The rule is {names.get(rule_id, rule_id)}."
            pick = Pick(
                example_id=int(example_id), stream=Stream.SPOT_CHECK, why=why, behind=behind,
                completes=done + more == CHECKS - 1,
            )  # fmt: skip
            found.append((done + more, column, pick))
    return [pick for *_, pick in sorted(found, key=lambda one: one[:2])]


def disagreements(preds_a: Sequence[Prediction], preds_b: Sequence[Prediction]) -> list[int]:
    """Return example ids two runs label differently, the surest disagreements first.

    Surest is the highest sum of how sure each run is by its own measure (no confidence counts as
    0); equals go by id. A confidence is compared with those of its own method only: what counts is
    how many of these it is above. Examples only one of them was asked about are left out; a label
    against no label is a disagreement.
    """
    other = {p.example_id: p for p in preds_b}
    sure_a, sure_b = _standings(preds_a), _standings(preds_b)
    differ = [
        a.example_id
        for a in preds_a
        if a.example_id in other and a.label_id != other[a.example_id].label_id
    ]
    return sorted(differ, key=lambda i: (-sure_a.get(i, 0.0) - sure_b.get(i, 0.0), i))


def _standings(predictions: Sequence[Prediction]) -> dict[int, float]:
    """Return example id to the share of its method's confidences it is above, equals by half."""
    told: defaultdict[Method | None, list[float]] = defaultdict(list)
    for p in predictions:
        if p.confidence is not None:
            told[p.method].append(p.confidence)
    for values in told.values():
        values.sort()
    return {
        p.example_id: (bisect_left(of, p.confidence) + bisect_right(of, p.confidence)) / len(of) / 2
        for p in predictions
        if p.confidence is not None and (of := told[p.method])
    }
