"""The queue: what comes first, why, and that the audit stays a random sample."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis.order_evidence import weigh_order
from studio.analysis.queue_streams import Pick, Strategy, Stream
from studio.analysis.queueing import (
    AUDIT_EVERY,
    CHECKS,
    Pool,
    audited,
    disagreements,
    draw,
    make_queue,
    spot_checks,
    typical,
    uncertain,
)
from studio.analysis.vote_matrix import VoteMatrix
from studio.domain.run import Method

from .builders import said

TOPICS = {
    "lost": "my card was lost in the street",
    "rate": "which exchange rate do you give",
    "wait": "the transfer is still pending today",
}


def texts(n=60):
    names = list(TOPICS)
    return [f"{TOPICS[names[i % 3]]} {'abcdefgh'[i % 8] * 2}" for i in range(n)]


def pool(n=60):
    return Pool.of(range(1, n + 1), texts(n))


def plain(stream, ids):
    return [Pick(example_id=i, stream=stream, why="") for i in ids]


def test_typical_ones_come_from_the_groups_with_least_labels():
    found = pool()
    first = typical(found, {}, 3)
    assert {(pick.example_id - 1) % 3 for pick in first} == {0, 1, 2}
    assert all("none of them labeled" in pick.why for pick in first)
    only_lost = {i: 1 for i in range(1, 61) if (i - 1) % 3 == 0 and i < 40}
    assert all((pick.example_id - 1) % 3 for pick in typical(found, only_lost, 2))


def test_uncertain_ones_lie_between_the_labels():
    both = ["apple apple pie", "iron iron bolt"] * 12
    mixed = ["apple bolt pie iron", "iron pie apple bolt"]
    found = Pool.of(range(len(both) + 2), [*both, *mixed])
    labels = {i: 1 + i % 2 for i in range(12)}
    assert uncertain(found, labels, 1)[0].example_id in {24, 25}
    assert uncertain(found, {0: 1, 2: 1}, 2) == []  # nothing to waver between


@settings(max_examples=25)
@given(
    st.sets(st.integers(1, 60), max_size=60),
    st.integers(1, 40),
    st.integers(0, 25),
    st.sampled_from(list(Strategy)),
)
def test_a_queue_has_each_open_example_once_and_ends_with_them(done, n, start, strategy):
    ids = np.arange(1, 61)
    is_audit = audited(ids)
    labels = {i: 1 + i % 2 for i in done}
    open_ = [i for i in ids[~is_audit].tolist() if i not in done]
    audit = [i for i in ids[is_audit].tolist() if i not in done]
    whole = _POOL
    rows = np.flatnonzero(~is_audit | np.isin(ids, list(done)))
    some = Pool(whole.ids[rows], whole.words[rows], whole.topics[rows])
    ready = {Stream.AUDIT: plain(Stream.AUDIT, audit), Stream.RANDOM: plain(Stream.RANDOM, open_)}
    args = (some, labels, strategy.streams, n)
    queue = make_queue(*args, start=start, ready=ready, seed=1)
    asked = [pick.example_id for pick in queue]
    assert len(set(asked)) == len(asked) == min(n, len(open_) + len(audit))
    assert not set(asked) & done
    assert queue == make_queue(*args, start=start, ready=ready, seed=1)
    for place, pick in enumerate(queue, start):
        if pick.stream is Stream.AUDIT:
            assert pick.example_id in audit
            assert place % AUDIT_EVERY == AUDIT_EVERY - 1 or place - start >= len(open_)


_POOL = pool()


def test_the_audit_is_a_tenth_and_knows_nothing_of_labels():
    ids = np.arange(1, 20_001)
    share = audited(ids).mean()
    assert 0.09 < share < 0.11
    assert (audited(ids[500:900]) == audited(ids)[500:900]).all()
    odd = (draw(ids, 3)[:2_000] % 2).mean()
    assert 0.45 < odd < 0.55
    assert draw(ids, 3).tolist() != draw(ids, 4).tolist()


def test_texts_without_a_word_and_few_texts_do_no_harm():
    for some in (["!!", "??"], ["one"], ["same same"] * 5):
        found = Pool.of(range(len(some)), some)
        queue = make_queue(found, {}, Strategy.AUTO.streams, 10, ready={})
        assert sorted(pick.example_id for pick in queue) == list(range(len(some)))
    assert make_queue(Pool.of([], []), {}, Strategy.HALF.streams, 5, ready={}) == []


def test_a_rule_is_checked_five_times_the_least_checked_first():
    votes = np.zeros((30, 2), dtype=np.int32)
    votes[:20, 0], votes[5:30, 1] = 1, 2
    matrix = VoteMatrix((8, 9), tuple(range(30)), votes, np.zeros(2, dtype=np.bool_))
    gold = {0: 1, 1: 1, 2: 2}
    found = spot_checks(matrix, {8: "eight", 9: "nine"}, gold, np.arange(3, 30), 0)
    rules = [pick.behind for pick in found]
    assert rules[:3] == ["The rule is nine."] * 3
    assert rules.count("The rule is eight.") == CHECKS - 3
    assert rules.count("The rule is nine.") == CHECKS
    assert not {pick.example_id for pick in found} & gold.keys()
    assert not any("nine" in pick.why or "eight" in pick.why for pick in found)


def test_the_surest_disagreements_come_first():
    a = [*said({1: 1, 2: 1}, 0.5), *said({3: 1}, 0.9), *said({4: 1}), *said({8: 1})]
    b = [*said({1: 2, 2: 1}, 0.5), *said({3: 2}, 0.9), *said({4: None}), *said({9: 1})]
    assert disagreements(a, b) == [3, 1, 4]


def test_a_method_that_boasts_is_not_surer_than_one_that_does_not():
    """Rules say 1 of most they vote on; that is no probability and outdoes none."""
    modest = [*said({1: 1}, 0.51, Method.DECISION), *said({2: 1}, 0.60, Method.DECISION)]
    bold = [*said({3: 1}, 0.97, Method.RULES), *said({4: 1}, 1.0, Method.RULES)]
    other = said({1: 2, 2: 2, 3: 2, 4: 2})
    assert disagreements([*modest, *bold], other) == [2, 4, 1, 3]


def vocabulary(seed, n, words, share=0.5):
    """Texts that hold one of many words of their label; what was not seen cannot be known."""
    rng = np.random.default_rng(seed)
    labels = 1 + (rng.random(n) < share)
    return [(f"word{rng.integers(words)}of{k} is here", int(k)) for k in labels]


def test_an_order_that_finds_the_rare_label_is_found_to_pay():
    random = vocabulary(0, 160, 8, share=0.05)
    chosen = [(f"word{i % 8}of{k} is here", k) for i in range(50) for k in (1, 2)]
    found = weigh_order(chosen, random, vocabulary(1, 600, 8, share=0.05))
    assert found.pays
    assert found.factor.value > 1
    assert "pays here" in found.words


def test_an_order_that_shows_one_word_only_is_found_not_to_pay():
    chosen = [(f"word0of{k} is here", k) for _ in range(60) for k in (1, 2)]
    found = weigh_order(chosen, vocabulary(0, 60, 10), vocabulary(1, 300, 10))
    assert found.pays is False
    assert "does not pay" in found.words
    assert "a label does the work of 0.25 or less [0.25 or less" in found.words


def test_a_random_order_and_too_few_labels_settle_nothing():
    found = weigh_order(vocabulary(2, 60, 20), vocabulary(0, 60, 20), vocabulary(1, 200, 20))
    assert found.pays is None
    factor = found.factor
    assert factor.low < factor.value < factor.high
    told = re.search(r"a label does the work of (.*) \[(.*), (.*)\] random ones", found.words)
    ends = [float(end.split()[0]) for end in told.groups()]
    assert ends == pytest.approx([factor.value, factor.low, factor.high], abs=0.051)
    few = weigh_order(vocabulary(2, 60, 20), vocabulary(0, 12, 20))
    assert few.needed == 8
    assert "80 more labels" in few.words
    assert "does the work" not in few.words
    one = weigh_order([("a", 1)] * 30, [("a", 1)] * 30)
    assert one.pays is None
    assert one.to_dict()["gain"]["value"] is None
