"""Label probabilities from tokens: exact, or none."""

import functools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.providers.logprobs import Masses, label_masses
from studio.providers.replies import read_reply
from tests.providers.helpers import completion


def token(text, *others):
    """One chosen token; `others` are (text, probability), the chosen one among them."""
    shares = dict(others) or {text: 1.0}
    return {
        "token": text,
        "logprob": math.log(shares[text]),
        "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in shares.items()],
    }


def reply(tokens):
    text = "".join(entry["token"] for entry in tokens)
    return completion(text, logprobs={"content": tokens})


HEAD = [token('{"'), token("label"), token('":"')]


def test_labels_with_different_first_tokens():
    tokens = [*HEAD, token("k", ("k", 0.6), ("not", 0.4)), token("eto"), token('"}')]
    answer = read_reply(reply(tokens), ["keto", "not_keto"])
    assert answer.probabilities == pytest.approx({"keto": 0.6, "not_keto": 0.4})


def test_a_label_that_begins_another_one_needs_the_closing_quote():
    tokens = [
        *HEAD,
        token("billing", ("billing", 0.9), ("other", 0.1)),
        token('"}', ('"}', 0.25), ("_dispute", 0.75)),
    ]
    answer = read_reply(reply(tokens), ["billing", "billing_dispute", "other"])
    expected = {"billing": 0.225, "billing_dispute": 0.675, "other": 0.1}
    assert answer.probabilities == pytest.approx(expected)


def test_the_opening_quote_may_stand_in_the_labels_token():
    tokens = [
        token('{"label"'),
        token(":"),
        token(' "ham', (' "ham', 0.75), (' "sp', 0.25)),
        token('"}'),
    ]
    answer = read_reply(reply(tokens), ["ham", "spam"])
    assert answer.probabilities == pytest.approx({"ham": 0.75, "spam": 0.25})


def test_mass_on_a_path_not_walked_is_given_to_nobody():
    tokens = [*HEAD, token("o", ("o", 0.6), ("bil", 0.4)), token('ther"}')]
    answer = read_reply(reply(tokens), ["billing", "bill_pay", "other"])
    assert answer.probabilities == pytest.approx({"other": 0.6})
    assert answer.detail["uncovered"] == pytest.approx(0.4)
    assert answer.detail["notes"] == [
        "Of 40 % of the probability nothing tells which label's it is."
    ]


def test_a_little_missing_mass_is_shared_out():
    tokens = [*HEAD, token("ham", ("ham", 0.74), ("sp", 0.25), ("?", 0.01)), token('"}')]
    answer = read_reply(reply(tokens), ["ham", "spam"])
    assert sum(answer.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([token("ham")], "ham"),
        ([*HEAD, token('ham"}')], '{"label":"spam"}'),
        ([*HEAD, token('Ham"}')], '{"label":"Ham"}'),
        ([*HEAD, token("sp")], '{"label":"sp'),
        ([{"token": '{"label":"ham"}', "logprob": None}], '{"label":"ham"}'),
        ([{"token": '{"label":"ham"}', "logprob": math.nan}], '{"label":"ham"}'),
        (["x"], '{"label":"ham"}'),
        ([], ""),
    ],
)
def test_what_cannot_be_told_exactly_is_left_empty(tokens, text):
    assert label_masses(tokens, text, ["ham", "spam", "spa"]) == Masses({}, 0.0, 1.0)


def test_parts_of_a_character_are_read_by_their_bytes():
    first, second = "é".encode()[:1], "é".encode()[1:]
    tokens = [*HEAD, token("\\xc3", ("\\xc3", 0.8), ("z", 0.2)), token("\\xa9"), token('"}')]
    for entry, part in zip(tokens[3:5], (first, second), strict=True):
        entry["bytes"] = entry["top_logprobs"][0]["bytes"] = list(part)
    masses = label_masses(tokens, '{"label":"é"}', ["é", "z"])
    assert masses.labels == pytest.approx({"é": 0.8, "z": 0.2})


def test_a_label_may_come_escaped():
    tokens = [*HEAD, token("\\u00e9", ("\\u00e9", 0.5), ("é", 0.2), ("z", 0.3)), token('"}')]
    masses = label_masses(tokens, '{"label":"\\u00e9"}', ["é", "z"])
    assert masses.labels == pytest.approx({"é": 0.7, "z": 0.3})


class ToyModel:
    """Writes one of the labels by tokens of one to three characters, by chance of its own."""

    def __init__(self, labels, vocabulary, seed):
        self.texts = {f'{{"label":"{label}"}}': label for label in labels}
        self.vocabulary = sorted({*vocabulary, *"".join(self.texts)})
        self.seed = seed

    @functools.cache  # noqa: B019 - as short-lived as the model
    def next(self, written):
        """Return token to probability: all that can go on towards some label."""
        if not written:
            return {'{"label":': 1.0}
        able = [t for t in self.vocabulary if any(x.startswith(written + t) for x in self.texts)]
        chances = random.Random(f"{self.seed}{written}")
        weights = [chances.random() ** 3 + 1e-6 for _ in able]
        return {t: w / sum(weights) for t, w in zip(able, weights, strict=True)}

    @functools.cache  # noqa: B019
    def truth(self, written=""):
        """Return label to probability over every way to write it."""
        if written in self.texts:
            return {self.texts[written]: 1.0}
        total = dict.fromkeys(self.texts.values(), 0.0)
        for piece, share in self.next(written).items():
            for label, rest in self.truth(written + piece).items():
                total[label] += share * rest
        return total

    def answer(self, listed):
        """Return what a greedy model writes, and its tokens, so many alternatives listed."""
        written, tokens = "", []
        while written not in self.texts:
            ranked = sorted(self.next(written).items(), key=lambda pair: -pair[1])
            is_begun = len(written) > len('{"label":')
            tokens.append(token(ranked[0][0], *ranked[: listed if is_begun else 30]))
            written += ranked[0][0]
        return written, tokens


LABEL = st.text("abc_", min_size=1, max_size=4)
PIECES = st.sets(st.text('abc_"}', min_size=2, max_size=3), max_size=12)


@given(st.sets(LABEL, min_size=2, max_size=6), PIECES, st.integers(0, 99), st.integers(1, 30))
def test_no_label_gets_what_is_not_its_own(labels, vocabulary, seed, listed):
    """Against every way to write every label: a bound from below, and the gap is told."""
    labels, model = sorted(labels), ToyModel(labels, vocabulary, seed)
    text, tokens = model.answer(listed)
    masses, truth = label_masses(tokens, text, labels), model.truth()
    assert math.fsum(masses.labels.values()) + masses.shared + masses.lost == pytest.approx(1)
    gap = masses.shared + masses.lost
    for label in labels:
        assert -1e-9 <= truth[label] - masses.labels[label] <= gap + 1e-9
    if listed == 30:
        assert masses.lost == pytest.approx(0, abs=1e-9)


@given(st.sets(st.sampled_from(["a", "bab", "cc", "_a_", "b", "c_b", "_"]), min_size=2),
       st.sets(st.from_regex(r"[abc_]{1,2}[abc_\"]", fullmatch=True)),
       st.integers(0, 99))  # fmt: skip
def test_labels_with_first_letters_of_their_own_get_all_that_is_theirs(labels, vocabulary, seed):
    labels = sorted({label[0]: label for label in sorted(labels)}.values())
    model = ToyModel(labels, vocabulary, seed)
    text, tokens = model.answer(30)
    masses = label_masses(tokens, text, labels)
    assert masses.labels == pytest.approx(model.truth())


def test_two_labels_where_one_begins_the_other_are_told_apart_to_the_end():
    """The only rival of the chosen label lies on its own path, so nothing is missing."""
    for seed in range(20):
        model = ToyModel(["bill", "bill_pay"], {"bill", "_pay", '"}', "pay"}, seed)
        text, tokens = model.answer(30)
        found = read_reply(reply(tokens), ["bill", "bill_pay"])
        assert text == found.raw
        covered = math.fsum(found.probabilities.values())
        assert covered + found.detail.get("uncovered", 0.0) == pytest.approx(1, abs=1e-4)
        for label, share in found.probabilities.items():
            assert share <= model.truth()[label] + 0.021
