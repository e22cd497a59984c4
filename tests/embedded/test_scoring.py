"""The quick way to an answer gives the slow way's answer, to the last digit."""

import functools
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from studio.embedded.encoder import load_encoder
from studio.embedded.language import _ENGLISH, _FOREIGN, looks_foreign
from studio.embedded.reading import read_prompt
from studio.embedded.scoring import EVIDENCE, PromptScorer, Scored, texts
from studio.embedded.weights import MissingWeights

from .conftest import KETO, NOT_KETO, PROMPT, messages, strict

LINES = ["bread and rice", "grilled meat", "green leaves", "cheese", "sweet fruit"]


def log_softmax(values):
    shifted = values.astype(np.float64) - values.max()
    return shifted - np.log(np.exp(shifted).sum())


def slow_answer(reading, vectors, encoder, vector):
    """Return what `PromptScorer` promises, nothing computed before the text is known."""
    labels = sorted(reading.labels)
    lines = sorted(reading.lines, key=lambda line: (line.label, line.kind, line.text))
    shots = sorted(reading.shots, key=lambda line: (line.label, line.text))
    empty = np.zeros((0, encoder.dims), np.float32)
    matrix = np.vstack([vectors[one.embedded] for one in lines]) if lines else empty
    index = np.array([labels.index(one.label) for one in lines], dtype=np.int64)
    count = np.bincount(index, minlength=len(labels))
    pull = encoder.temperature * (matrix @ vector).astype(np.float64) - np.log(count[index])
    mute = np.where(count == 0, encoder.temperature * encoder.neutral, -np.inf)
    top = max(float(np.max(pull, initial=-np.inf)), float(np.max(mute)))
    by_line, silent = np.exp(pull - top), np.exp(mute - top)
    by_label = np.bincount(index, by_line, len(labels)) + silent
    total = by_label.sum()
    chances, shares, by_shot = by_label / total, by_line / total, np.zeros(0)
    if shots:
        scorer = PromptScorer(reading, vectors, encoder)  # its regression is fitted once anyway
        share, weights = scorer._learn()
        learned = log_softmax(weights @ np.append(vector, 1.0))
        near = np.vstack([vectors[one.embedded] for one in shots])
        chances = np.exp(log_softmax((1 - share) * np.log(chances + 1e-12) + share * learned))
        by_shot = share * np.exp(log_softmax(encoder.temperature * (near @ vector)))
        shares = (1 - share) * shares
    moved = [*zip(shares, lines, strict=True), *zip(by_shot, shots, strict=False)]
    moved.sort(key=lambda pair: -pair[0])
    evidence = tuple(
        (line.text, line.label, line.kind, round(float(weight), 4))
        for weight, line in moved[:EVIDENCE]
        if weight >= 0.01
    )
    rounded = (round(float(one), 6) for one in chances)
    return Scored(dict(zip(labels, rounded, strict=True)), evidence)


WORDS = load_encoder(MissingWeights("a test"))


@functools.cache
def vector_of(text):
    return WORDS.encode([text]).vectors[0].astype(np.float32)


@given(
    said=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(LINES)), max_size=7),
    shots=st.lists(
        st.tuples(st.sampled_from(LINES), st.sampled_from(["aa", "bb"])), max_size=3
    ).map(tuple),
    text=st.sampled_from([*KETO, *NOT_KETO, ""]),
)
def test_scores_and_evidence(said, shots, text):
    system = "\n".join(f"- {name * 2}: {words}" for name, words in said)
    reading = read_prompt(system, ["aa", "bb", "cc"], shots)
    vectors = {one: vector_of(one) for one in texts(reading)}
    found = PromptScorer(reading, vectors, WORDS).score(vector_of(text))
    assert found == slow_answer(reading, vectors, WORDS, vector_of(text))


def test_served_answers(server, client, raw):
    """Asked twice, the second time with everything in memory."""

    def vectors_of(wanted):
        made = raw("POST", "/embeddings", json={"model": "studio-encoder", "input": wanted})
        found = [np.array(one["embedding"], np.float32) for one in made.json()["data"]]
        return dict(zip(wanted, found, strict=True))

    reading, encoder = read_prompt(PROMPT, ["keto", "not_keto"]), load_encoder()
    vectors = vectors_of(texts(reading))
    for text, vector in vectors_of([*KETO[:4], *NOT_KETO[:4]]).items():
        chances, evidence = slow_answer(reading, vectors, encoder, vector)
        for _ in range(2):
            reply = client.chat.completions.create(
                model="studio-encoder",
                messages=messages(text),
                response_format=strict("keto", "not_keto"),
            )
            told = reply.model_extra["studio"]
            assert told["probabilities"] == chances
            assert [tuple(one.values()) for one in told["evidence"]] == list(evidence)
            likeliest = max(chances, key=chances.__getitem__)
            assert json.loads(reply.choices[0].message.content)["label"] == likeliest


def slow_foreign(text):
    letters = [char for char in text if char.isalpha()]
    words = "".join(char if char.isalpha() else " " for char in text.lower()).split()
    foreign, english = (sum(word in known for word in words) for known in (_FOREIGN, _ENGLISH))
    strange = sum(char > "\u024f" for char in letters)
    return bool(letters) and (
        strange > 0.3 * len(letters) or (foreign >= 2 and foreign > 2 * english)
    )


@given(
    st.lists(st.sampled_from(["der", "ist", "the", "of", "q", "рис", "für", "7", "."])).map(
        " ".join
    )
)
def test_foreign_texts(text):
    assert looks_foreign(text) == slow_foreign(text)
