"""The scripted provider does what its script says."""

import asyncio

import pytest

from studio.domain.finetune import FineTuneStatus
from studio.domain.run import Answer, Outcome
from studio.errors import ProviderUnavailableError, RateLimitedError
from studio.providers.base import FINE_TUNE_KEY, BatchStatus, Provider
from studio.providers.scripted import ScriptedProvider
from tests.providers.helpers import QUESTION


def run(coroutine):
    return asyncio.run(coroutine)


def test_answers_come_from_a_mapping_or_a_function():
    provider = ScriptedProvider({'{"text": "hi"}': "ham"})
    assert run(provider.classify(QUESTION)).label == "ham"
    assert run(ScriptedProvider({}).classify(QUESTION)).outcome is Outcome.ABSTAINED
    refused = Answer(outcome=Outcome.REFUSED)
    assert run(ScriptedProvider(lambda _: refused).classify(QUESTION)) is refused
    assert provider.questions == [QUESTION]


def test_it_fails_as_often_as_told():
    provider = ScriptedProvider({}, fail_times=2, failure=RateLimitedError("slow down"))
    for _ in range(2):
        with pytest.raises(RateLimitedError):
            run(provider.classify(QUESTION))
    assert run(provider.classify(QUESTION)).outcome is Outcome.ABSTAINED
    assert provider.calls == 3
    with pytest.raises(ProviderUnavailableError):
        run(ScriptedProvider({}, fail_times=1).classify(QUESTION))


def test_a_training_runs_to_its_end_and_is_found_by_its_key():
    async def main(provider: Provider):
        file_id = await provider.upload(b"{}", "t.jsonl")
        state = await provider.create_fine_tune(file_id, "base", metadata={FINE_TUNE_KEY: "k"})
        assert await provider.find_fine_tune("other") is None
        assert await provider.find_fine_tune("k") == state
        first = await provider.fine_tune_events(state.remote_id)
        while not state.status.is_final:
            state = await provider.fine_tune(state.remote_id)
        later = await provider.fine_tune_events(state.remote_id, first[-1].id)
        assert [event.message for event in later] == ["Training.", "Done."]
        assert await provider.result_files(state.remote_id)
        assert state.model in await provider.models()
        return state.status

    assert run(main(ScriptedProvider({}))) is FineTuneStatus.SUCCEEDED


async def answered(provider: Provider, questions):
    """Walk a batch to its end; return its state and its answers."""
    state = await provider.create_batch(questions, key="k")
    assert await provider.find_batch("other") is None
    assert await provider.find_batch("k") == state
    looks = 0
    while not state.status.is_final:
        assert await provider.batch_answers(state, QUESTION.label_names) == {}
        state, looks = await provider.batch(state.remote_id), looks + 1
    assert looks == 2
    return state, await provider.batch_answers(state, QUESTION.label_names)


def test_a_batch_ends_at_the_second_look_and_lines_fail_or_are_lost_as_told():
    provider = ScriptedProvider(
        {'{"text": "hi"}': "ham"},
        failing_lines={"b"},
        lost_lines={"c"},
        batches_end_as=BatchStatus.EXPIRED,
    )
    state, answers = run(answered(provider, dict.fromkeys("abc", QUESTION)))
    assert state.status is BatchStatus.EXPIRED
    assert (state.total, state.done, state.failed) == (3, 1, 1)
    assert {key: answer.outcome for key, answer in answers.items()} == {
        "a": Outcome.OK,
        "b": Outcome.ERROR,
    }
    assert provider.calls == 0
    assert list(provider.batches[state.remote_id]) == ["a", "b", "c"]


def test_a_batch_can_be_cancelled_or_fail_with_nothing_answered():
    async def cancelled(provider: Provider):
        state = await provider.create_batch({"a": QUESTION}, key="k")
        state = await provider.cancel_batch(state.remote_id)
        return state.status, await provider.batch_answers(state, QUESTION.label_names)

    assert run(cancelled(ScriptedProvider({}))) == (BatchStatus.CANCELLED, {})
    failing = ScriptedProvider({}, batches_end_as=BatchStatus.FAILED)
    state, answers = run(answered(failing, {"a": QUESTION}))
    assert (bool(state.error), answers) == (True, {})
