"""Sharing out examples: even, repeatable, steady; and the promised width against real intervals."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analysis.agreement import agree
from studio.analysis.assigning import expected_width, hand_over, share_out
from studio.analysis.people_votes import PeopleVotes

PEOPLE = ("Ada", "Bo", "Cy", "Di")
ids = st.lists(st.integers(1, 10**9), unique=True, max_size=60)


@given(
    ids,
    st.integers(2, 4),
    st.floats(0, 1),
    st.integers(2, 4),
    st.integers(1, 80),
    st.integers(0, 9),
)
def test_loads_are_even_and_each_example_goes_to_so_many(
    found, many, overlap, together, size, seed
):
    together = min(together, many)
    plan = share_out(found, PEOPLE[:many], size=size, overlap=overlap, together=together, seed=seed)
    loads = [len(given_) for given_ in plan.given.values()]
    assert max(loads) - min(loads) <= 1
    takers = {}
    for person, some in plan.given.items():
        assert len(set(some)) == len(some)
        for example_id in some:
            takers.setdefault(example_id, set()).add(person)
    assert plan.examples == len(takers) == min(size, len(found))
    assert set(takers) <= set(found)
    for example_id, who in takers.items():
        assert len(who) == (together if example_id in plan.shared else 1)
    assert len(plan.shared) == pytest.approx(overlap * len(takers), abs=1)
    assert plan.shared or not (overlap >= 1e-6 and takers)


@given(ids, ids, st.integers(0, 5))
def test_examples_added_later_move_no_other_one(found, later, seed):
    size = 10
    before = {i for s in share_out(found, PEOPLE, size=size, seed=seed).given.values() for i in s}
    both = list(dict.fromkeys([*found, *later]))
    after = {i for s in share_out(both, PEOPLE, size=size, seed=seed).given.values() for i in s}
    assert after & set(found) <= before
    assert share_out(sorted(both), PEOPLE, seed=seed) == share_out(both[::-1], PEOPLE, seed=seed)


def test_another_seed_chooses_others_and_all_are_chosen_equally_often():
    counts = np.zeros(50)
    for seed in range(400):
        (chosen,) = share_out(range(50), ["Ada"], size=10, seed=seed).given.values()
        counts[list(chosen)] += 1
    assert counts.min() > 50
    assert counts.max() < 115  # 80 expected, 8 of standard deviation


def test_every_two_people_meet_about_equally_often():
    plan = share_out(range(120), PEOPLE, overlap=1, together=2)
    met = {
        pair: len(set(plan.given[pair[0]]) & set(plan.given[pair[1]]))
        for pair in itertools.combinations(PEOPLE, 2)
    }
    assert set(met.values()) == {20}


@given(ids, st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 50), min_size=1), st.data())
def test_what_is_handed_over_goes_to_those_who_do_not_know_it(left, loads, data):
    known = {p: data.draw(st.sets(st.sampled_from(left or [0]))) for p in loads}
    taken = hand_over(left, loads, known)
    moved = [i for some in taken.values() for i in some]
    assert len(moved) == len(set(moved))
    assert all(not set(some) & known[person] for person, some in taken.items())
    assert {i for i in left if all(i in known[p] for p in loads)} == set(left) - set(moved)


def test_handing_over_evens_out():
    taken = hand_over(range(10), {"Ada": 0, "Bo": 4}, {})
    assert {person: len(some) for person, some in taken.items()} == {"Ada": 7, "Bo": 3}


@pytest.mark.parametrize(("shared", "together", "alpha"), [(60, 2, 0.5), (150, 3, 0.8)])
def test_the_promised_width_is_that_of_the_intervals_found(shared, together, alpha):
    rng = np.random.default_rng(5)
    halves = []
    for _ in range(40):
        truth = rng.integers(1, 4, (shared, 1))
        means = rng.random((shared, together)) < math.sqrt(alpha)
        said = np.where(means, truth, rng.integers(1, 4, (shared, together)))
        told = [(i, str(j), int(said[i, j])) for i in range(shared) for j in range(together)]
        figure = agree(PeopleVotes.of(told, {1: "a", 2: "b", 3: "c"}), draws=200).alpha
        halves.append((figure.high - figure.low) / 2)
    expected = expected_width(shared, together, alpha=alpha, frequent=[1, 1, 1])
    assert expected == pytest.approx(np.mean(halves), rel=0.15)


def test_nothing_shared_promises_nothing():
    assert math.isnan(expected_width(0, 2, alpha=0.6, frequent=[1, 1]))
    assert math.isnan(expected_width(50, 1, alpha=0.6, frequent=[1, 1]))
    assert math.isnan(expected_width(50, 2, alpha=0.6, frequent=[1, 0]))
