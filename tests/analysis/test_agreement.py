"""Agreement of people: against published figures, other definitions, and what must hold."""

import csv
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from studio.analysis.agreement import agree, words_of
from studio.analysis.coefficients import (
    alphas,
    bootstrapped,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)
from studio.analysis.differing import label_pairs
from studio.analysis.intervals import wilson
from studio.analysis.people import (
    dawid_skene,
    disputed,
    majority,
    people_agreement,
)
from studio.analysis.people_votes import PeopleVotes
from tests.analysis.builders import shared

LABELS = {1: "yes", 2: "no", 3: "maybe"}

votes = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from("abcd"), st.sampled_from(list(LABELS))),
    max_size=40,
).map(lambda told: PeopleVotes.of(told, LABELS))


def by_pairs(found):
    """Alpha from its definition: disagreement within examples over that among all votes."""
    said = [found.label[found.example == i].tolist() for i in range(len(found.example_ids))]
    said = [one for one in said if len(one) > 1]
    everything = [label for one in said for label in one]
    observed = sum(
        sum(a != b for a, b in itertools.permutations(one, 2)) / (len(one) - 1) for one in said
    )
    expected = sum(a != b for a, b in itertools.permutations(everything, 2))
    if not expected:
        return math.nan
    return 1 - observed * (len(everything) - 1) / expected


@given(votes)
def test_alpha_is_what_its_definition_says(found):
    assert krippendorff_alpha(found.counts()) == pytest.approx(by_pairs(found), nan_ok=True)


@given(votes, st.permutations(list(LABELS)))
def test_names_of_labels_and_people_do_not_matter(found, order):
    counts = found.counts()
    moved = counts[:, [label - 1 for label in order]]
    assert krippendorff_alpha(moved) == pytest.approx(krippendorff_alpha(counts), nan_ok=True)
    assert fleiss_kappa(moved) == pytest.approx(fleiss_kappa(counts), nan_ok=True)


@given(votes)
def test_every_interval_holds_its_figure(found):
    told = agree(found, draws=50)
    figures = [told.alpha, told.kappa, told.agreement]
    figures += [one.kappa for one in told.pairs] + [one.alpha for one in told.labels.values()]
    for figure in figures:
        assert math.isnan(figure.value) or figure.low <= figure.value <= figure.high
    assert told.shared <= told.examples


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_cohens_kappa_is_that_of_scikit_learn(pairs):
    a, b = zip(*pairs, strict=True)
    assume(len({*a, *b}) > 1)
    matrix = np.zeros((3, 3), dtype=np.int64)
    np.add.at(matrix, (a, b), 1)
    assert cohen_kappa(matrix) == pytest.approx(cohen_kappa_score(a, b))


def one_by_one(found, rounds=200):
    """Dawid-Skene as its authors write it, example by example."""
    size, people, n = len(found.labels), len(found.people), len(found.example_ids)
    told = list(zip(found.example, found.person, found.label, strict=True))
    chances = found.counts() / found.counts().sum(axis=1, keepdims=True)
    for last in range(rounds):
        confusions = np.full((people, size, size), 0.02 / size)
        for example, person, label in told:
            confusions[person, :, label] += chances[example]
        confusions /= confusions.sum(axis=2, keepdims=True)
        prior = chances.sum(axis=0) + 1 / size
        scores = np.tile(np.log(prior / prior.sum()), (n, 1))
        for example, person, label in told:
            scores[example] += np.log(confusions[person, :, label])
        scores[:, found.counts().sum(axis=0) == 0] = -np.inf
        before, chances = chances, np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        if np.abs(before - chances).max() < 1e-6 or last == rounds - 1:
            return chances


@settings(deadline=None)
@given(votes.filter(lambda found: len(found.label)), st.integers(1, 3))
def test_examples_of_one_kind_taken_together_tell_the_same(found, times):
    n = len(found.example_ids)
    many = PeopleVotes.of(
        [
            (int(found.example_ids[example]) + 10 * again, found.people[person], label + 1)
            for again in range(times)
            for example, person, label in zip(
                found.example, found.person, found.label.tolist(), strict=True
            )
        ],
        LABELS,
    )
    assert many.kinds.many.sum() == n * times == len(many.kinds.kind)
    assert np.array_equal(many.kinds.votes.counts()[many.kinds.kind], many.counts())
    assert np.allclose(dawid_skene(many).chances, one_by_one(many), atol=1e-7)
    counts = many.counts()
    shared, kinds = counts.sum(axis=1) >= 2, many.kinds.votes.counts()
    times_each = np.where(kinds.sum(axis=1) >= 2, many.kinds.many, 0)
    one, other = (
        bootstrapped(counts[shared], alphas, 50, 0),
        bootstrapped(kinds[times_each > 0], alphas, 50, 0, times_each[times_each > 0]),
    )
    assert str(one) == str(other)
    by_row = {
        row: (set(found.label[found.example == row]), int(found.example_ids[row]))
        for row in range(n)
    }
    differ = {number for labels, number in by_row.values() if len(labels) > 1}
    assert {one.example_id for one in disputed(found)} == differ


def test_alpha_of_the_example_krippendorff_published():
    rows = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 ."]  # fmt: skip
    told = [
        (place, who, int(said))
        for who, row in zip("abcd", rows, strict=True)
        for place, said in enumerate(row.split())
        if said != "."
    ]
    found = PeopleVotes.of(told, {i: str(i) for i in range(1, 6)})
    assert krippendorff_alpha(found.counts()) == pytest.approx(0.743, abs=5e-4)


def test_kappa_of_the_example_fleiss_published():
    rows = """0 0 0 0 14
        0 2 6 4 2
        0 0 3 5 6
        0 3 9 2 0
        2 2 8 1 1
        7 7 0 0 0
        3 2 6 3 0
        2 5 3 2 2
        6 5 2 1 0
        0 2 2 3 7"""
    counts = np.array([[int(n) for n in row.split()] for row in rows.splitlines()])
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)


def test_who_differs_from_whom_on_what():
    said = {"Ada": "1112", "Bo": "1122", "Cy": "2222"}
    told = [(i, who, int(x)) for who, row in said.items() for i, x in enumerate(row)]
    found = agree(PeopleVotes.of(told, LABELS))
    first = found.pairs[0]
    assert first.people == ("Ada", "Cy")
    assert first.differ == (("yes", "no", 3),)
    assert first.agreement.value == 0.25
    assert found.kappa_kind == "fleiss"
    assert {one.example_id for one in found.disputed} == {0, 1, 2}
    assert found.shared == 4
    assert {one.person: one.agreement.n for one in found.people}["Bo"] == 1  # the others tie on 3
    assert agree(PeopleVotes.of(told[:8], LABELS)).kappa_kind == "cohen"


def test_two_careful_people_outweigh_three_who_guess():
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 3, 200)
    told = []
    for i, right in enumerate(truth.tolist()):
        told += [(i, who, right) for who in ("careful", "careful too")]
        told += [(i, f"guesses {k}", int(rng.integers(1, 3))) for k in range(3)]
    found = PeopleVotes.of(told, {1: "yes", 2: "no"})
    together = dawid_skene(found)
    said = np.array([*found.labels])[together.chances.argmax(axis=1)]
    assert (said == truth).mean() > 0.98
    assert (majority(found).argmax(axis=1) + 1 == truth).mean() < 0.95
    assert together.skill[found.people.index("careful")] > 0.95
    overruled = [one for one in agree(found, draws=20).disputed if one.is_overruled]
    assert overruled
    assert all(len(one.said[one.likely]) == 2 for one in overruled)


@pytest.mark.parametrize(("many", "each", "sizes"), [(3, 3, 60), (5, 2, 300), (6, 4, 100)])
def test_how_often_somebody_is_right_is_told_with_an_honest_interval(many, each, sizes):
    rng, held = np.random.default_rng(11), []
    for _ in range(25):
        skill = rng.uniform(0.65, 0.97, many)
        told = []
        for i, right in enumerate(rng.integers(1, 3, sizes).tolist()):
            told += [
                (i, str(who), right if rng.random() < skill[who] else 3 - right)
                for who in rng.choice(many, each, replace=False).tolist()
            ]
        found = people_agreement(PeopleVotes.of(told, {1: "yes", 2: "no"}))
        held += [one.skill.low <= skill[int(one.person)] <= one.skill.high for one in found]
    assert np.mean(held) > 0.87  # 0.95 of 75 or more, less three standard errors


@pytest.mark.parametrize("votes_each", [10, 20, 40])
@pytest.mark.parametrize("skill", [0.9, 0.95, 0.98, 0.999])
def test_who_is_nearly_always_right_is_told_with_an_honest_interval_that_is_not_wide(
    skill, votes_each
):
    rng, held, surest = np.random.default_rng(5), [], []
    for _ in range(40):
        told = [
            (i, who, right if rng.random() < skill else 3 - right)
            for i, right in enumerate(rng.integers(1, 3, votes_each).tolist())
            for who in "abc"
        ]
        found = people_agreement(PeopleVotes.of(told, {1: "yes", 2: "no"}))
        held += [one.skill.low <= skill <= one.skill.high for one in found]
        surest += [one.skill.low for one in found if one.skill.value > 0.9995]
    assert np.mean(held) > 0.89  # 0.95 of 120, less three standard errors
    # As if the votes were known to be right, or nearly: whoever is always right is not unknown.
    assert min(surest) > wilson(votes_each, votes_each).low - 0.03


def test_a_label_that_nobody_gave_is_never_the_likely_one():
    told = [(i, who, 0) for i in range(30) for who in ("a", "b")]
    told += [(i, who, label) for i in range(30, 45) for who, label in (("a", 0), ("b", 1))]
    told += [(i, "c", 0) for i in range(10)]
    votes = PeopleVotes.of(told, {0: "yes", 1: "no", 2: "cannot tell"})
    together = dawid_skene(votes)
    assert together.chances[:, 2].max() == 0
    assert np.allclose(together.chances.sum(axis=1), 1)
    assert {one.likely for one in disputed(votes)} <= {"yes", "no"}


def test_two_people_alone_cannot_show_which_is_right():
    told = [(i, who, 1 + i % 2) for i in range(30) for who in ("Ada", "Bo")]
    told += [(i, who, label) for i in (31, 30) for who, label in (("Ada", 1), ("Bo", 2))]
    votes = PeopleVotes.of(told, LABELS)
    assert all(math.isnan(one.skill.value) for one in people_agreement(votes))
    of_two = [(one.example_id, one.likely, one.chance) for one in disputed(votes)]
    assert of_two == [(30, None, None), (31, None, None)]
    of_three = disputed(PeopleVotes.of([*told, (0, "Cy", 2)], LABELS))
    assert all(one.likely and one.chance for one in of_three)


@given(votes)
def test_labels_that_met_are_found_on_their_examples(found):
    met = label_pairs(found)
    counts = found.counts()
    for i, one in enumerate(found.example_ids):
        given_ = {name for name, n in zip(LABELS.values(), counts[i], strict=True) if n}
        apart = {pair for pair, ids in met.items() if one in ids and pair[0] != pair[1]}
        assert apart == set(itertools.combinations([n for n in LABELS.values() if n in given_], 2))
        same = {a for (a, b), ids in met.items() if one in ids and a == b}
        assert same == {n for n, k in zip(LABELS.values(), counts[i], strict=True) if k > 1}
    for pair in agree(found, draws=2).pairs:
        told = label_pairs(found, pair.people)
        assert sum(map(len, told.values())) == pair.agreement.n
        assert {(a, b, len(ids)) for (a, b), ids in told.items() if a != b} >= set(pair.differ)


def test_nobody_and_one_person_alone():
    for told in ([], [(1, "Ada", 1), (2, "Ada", 2)]):
        found = agree(PeopleVotes.of(told, LABELS))
        assert found.shared == 0
        assert math.isnan(found.alpha.value)
        assert found.to_dict()["alpha"]["value"] is None
        assert "share no example" in words_of(found.alpha)


def test_full_agreement_on_a_handful_is_not_certain():
    told = [(i, who, 1 + i % 2) for i in range(6) for who in "ab"]
    assert agree(PeopleVotes.of(told, LABELS)).alpha.low < 0.8


def test_alpha_holds_the_truth_about_as_often_as_it_says():
    rng, held, rounds = np.random.default_rng(0), 0, 200
    # Three people of whom each says the truth in .8 of cases, else guesses: alpha is .8 squared.
    for _ in range(rounds):
        truth = rng.integers(0, 2, 200)
        heard = np.where(rng.random((3, 200)) < 0.8, truth, rng.integers(0, 2, (3, 200)))
        counts = np.stack([(heard == label).sum(axis=0) for label in (0, 1)], axis=1)
        alpha = bootstrapped(counts, alphas, 200, 0)
        held += alpha.low <= 0.64 <= alpha.high
    assert 0.9 <= held / rounds <= 0.99


@pytest.fixture(scope="module")
def rte():
    """Published votes of 164 people on 800 examples, ten each, and the right labels."""
    place = {"entailed": 1, "not_entailed": 2}
    with shared("datasets", "rte_multiannotator", "items.csv").open(encoding="utf-8") as file:
        right = {int(row["id"]): place[row["label"]] for row in csv.DictReader(file)}
    with shared("datasets", "rte_multiannotator", "annotations.csv").open(encoding="utf-8") as file:
        told = [
            (int(row["id"]), row["annotator"], place[row["label"]]) for row in csv.DictReader(file)
        ]
    found = PeopleVotes.of(told, {i: name for name, i in place.items()})
    return found, np.array([right[i] - 1 for i in found.example_ids])


def test_published_figures_of_rte(rte):
    found, right = rte
    rows = np.arange(len(right))
    assert majority(found)[rows, right].mean() == pytest.approx(0.896, abs=1e-3)
    assert (dawid_skene(found).chances.argmax(axis=1) == right).mean() == 0.9275
    told = agree(found)
    names = np.array(found.people)[found.person]
    correct = right[found.example] == found.label
    held = [
        one.skill.low <= correct[names == one.person].mean() <= one.skill.high
        for one in told.people
    ]
    assert np.mean(held) > 0.9
    assert all(one.skill.low > 0.83 for one in told.people if one.skill.value > 0.9995)
    assert told.alpha.value == pytest.approx(0.2415, abs=5e-5)
    assert told.kappa.value == pytest.approx(0.2414, abs=5e-5)
    assert told.examples == told.shared == 800
    assert "sharpen" in words_of(told.alpha)
