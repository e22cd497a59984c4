"""Our client against our own server: what one sends, the other takes."""

import asyncio
import dataclasses

import pytest

from studio.domain.finetune import FineTuneStatus
from studio.domain.prompt import (
    FewShot,
    PromptText,
    render_decision,
    render_messages,
    training_jsonl,
)
from studio.domain.run import Method, Outcome, Question, Wire
from studio.embedded import EmbeddedServer
from studio.providers.base import BatchStatus
from studio.providers.openai_compatible import OpenAICompatible

LABELS = ("keto", "not_keto")
PROMPT = PromptText(
    instructions="Does the dish fit a keto diet?",
    definitions={"keto": "meat, fish, eggs, cheese", "not_keto": "rice, bread, pasta, sugar"},
    reasons=(("not_keto", "sweet fruit and juices"),),
)


def question(text, **more):
    return asking(PROMPT, text, **more)


def asking(prompt, text, **more):
    return Question(
        model="studio-encoder",
        messages=tuple(render_messages(prompt, LABELS, text)),
        label_names=LABELS,
        instructions=render_decision(prompt, LABELS),
        definitions=prompt.definitions,
        **more,
    )


QUESTIONS = {
    "a": question("grilled salmon"),
    "b": question("fried rice with sugar"),
    "ü": question("cheese omelette", sample=2),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with EmbeddedServer(tmp_path_factory.mktemp("embedded")) as running:
        yield running


def speaking(server, do, wire=Wire.AUTO):
    async def main():
        provider = OpenAICompatible(
            "embedded", server.url, server.token, wire=wire, identity="embedded"
        )
        try:
            return await do(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


async def asked(provider):
    return {key: await provider.classify(question) for key, question in QUESTIONS.items()}


def without_time(answers):
    return {
        key: dataclasses.replace(answer, usage=dataclasses.replace(answer.usage, latency_ms=0.0))
        for key, answer in answers.items()
    }


def test_every_wish_is_taken_and_nothing_costs(server):
    async def do(provider):
        answers = await asked(provider)
        wishes = provider._sampling.options("studio-encoder")
        return answers, wishes, await provider.engine()

    answers, wishes, engine = speaking(server, do)
    assert {answer.outcome for answer in answers.values()} == {Outcome.OK}
    assert {answer.usage.cost_usd for answer in answers.values()} == {0.0}
    assert {"seed", "max_completion_tokens", "logprobs", "store"} <= set(wishes)
    assert engine


def test_a_batch_answers_as_asking_one_by_one_does(server):
    async def do(provider):
        state = await provider.create_batch(QUESTIONS, key="once")
        found = await provider.find_batch("once")
        assert found is not None
        assert found.remote_id == state.remote_id
        assert await provider.find_batch("other") is None
        while not state.status.is_final:
            await asyncio.sleep(0.05)
            state = await provider.batch(state.remote_id)
        answers = await provider.batch_answers(state, LABELS)
        return state, answers, await asked(provider), await provider.cancel_batch(state.remote_id)

    state, answers, single, cancelled = speaking(server, do)
    assert (state.status, state.total, state.done, state.failed) == (BatchStatus.COMPLETED, 3, 3, 0)
    assert without_time(answers) == without_time(single)
    assert cancelled == state


def test_a_line_the_server_refuses_is_told_with_its_reason(server):
    bad = dataclasses.replace(QUESTIONS["a"], messages=({"role": "nobody", "content": "x"},))

    async def do(provider):
        state = await provider.create_batch({"good": QUESTIONS["a"], "bad": bad}, key="mixed")
        while not state.status.is_final:
            await asyncio.sleep(0.05)
            state = await provider.batch(state.remote_id)
        return await provider.batch_answers(state, LABELS)

    answers = speaking(server, do)
    assert answers["good"].outcome is Outcome.OK
    assert answers["bad"].outcome is Outcome.ERROR
    assert "HTTP 400" in answers["bad"].detail["error"]


@pytest.mark.parametrize("wire", [Wire.DECISIONS, Wire.SYSTEMONE])
@pytest.mark.parametrize("text", ["grilled salmon", "fried rice with sugar", "apple juice"])
def test_a_decision_says_what_chat_says(server, wire, text):
    async def do(provider):
        return await provider.classify(question(text))

    chat, decided = speaking(server, do), speaking(server, do, wire)
    assert (chat.outcome, decided.outcome) == (Outcome.OK, Outcome.OK)
    assert decided.label == chat.label
    assert decided.probabilities == pytest.approx(chat.probabilities, abs=1e-6)
    assert (chat.method, decided.method) == (Method.SERVER, Method.DECISION)
    if wire is Wire.DECISIONS:  # System One has no place for what is ours alone
        assert decided.usage.cost_usd == 0.0
        assert decided.detail["engine"] == chat.detail["engine"]


@pytest.mark.parametrize("wire", [Wire.DECISIONS, Wire.SYSTEMONE])
def test_few_shots_move_a_decision_too(server, wire):
    shots = tuple(FewShot(text=f"zorgl number {i}", label="keto") for i in range(4))
    shown = dataclasses.replace(PROMPT, few_shots=shots)

    async def do(provider):
        return [
            (await provider.classify(asking(prompt, "zorgl number 7"))).probabilities["keto"]
            for prompt in (PROMPT, shown)
        ]

    bare, moved = speaking(server, do, wire)
    assert moved > bare + 0.05


@pytest.mark.parametrize("wire", [Wire.DECISIONS, Wire.SYSTEMONE])
def test_255_labels_go_through_and_back(server, wire):
    names = tuple(f"dish of kind {i}" for i in range(255))
    asked = dataclasses.replace(QUESTIONS["a"], label_names=names, definitions={})

    async def do(provider):
        return await provider.classify(asked)

    answer = speaking(server, do, wire)
    assert answer.outcome is Outcome.OK
    assert set(answer.probabilities) == set(names)
    assert answer.label == max(names, key=answer.probabilities.__getitem__)


def test_a_training_rests_and_goes_on(server):
    lines = training_jsonl(
        PROMPT, LABELS, [(n, f"{LABELS[n % 2]} dish {n}", LABELS[n % 2]) for n in range(40)]
    )

    async def do(provider):
        file_id = await provider.upload(lines.encode(), "t.jsonl")
        launched = await provider.create_fine_tune(file_id, "studio-encoder", seed=1)
        paused = await provider.pause_fine_tune(launched.remote_id)
        seen = await provider.fine_tune(launched.remote_id)
        resumed = await provider.resume_fine_tune(launched.remote_id)
        await provider.cancel_fine_tune(launched.remote_id)
        return [state.status for state in (paused, seen, resumed)]

    paused, seen, resumed = speaking(server, do)
    assert paused is seen is FineTuneStatus.PAUSED
    assert resumed not in (FineTuneStatus.PAUSED, FineTuneStatus.CANCELLED)


def test_texts_become_vectors_that_are_alike_where_the_texts_are(server):
    async def main():
        provider = OpenAICompatible("embedded", server.url, server.token, "studio-encoder")
        try:
            return await provider.embed(["beef stew", "braised beef", "tax return", ""])
        finally:
            await provider.close()

    vectors = asyncio.run(main())
    assert vectors.shape == (4, 384)
    assert (vectors**2).sum(axis=1) == pytest.approx([1, 1, 1, 1], abs=1e-3)
    beef = vectors @ vectors[0]
    assert beef[1] > 0.5 > beef[2]
