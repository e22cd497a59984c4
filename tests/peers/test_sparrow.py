"""Runs and questions against a decision model that speaks System One, written by others."""

import asyncio

import pytest

from studio.actions.runs import Choice, export_run, run_status, start_run
from studio.domain.run import Outcome, Question, Wire
from studio.errors import BadReplyError
from studio.providers.openai_compatible import OpenAICompatible

pytestmark = pytest.mark.peer
MODEL = "sparrow-nano-general-v1.1"


@pytest.fixture
def sparrow(start):
    return start("sparrow")


@pytest.mark.parametrize("wire", [Wire.SYSTEMONE, Wire.AUTO])
def test_a_run_gives_a_label_and_probabilities_for_every_example(
    sparrow, connect, fill, work, ledger, wire
):
    """Without being told the wire, too: its chat path says 404, and so does /v1/decisions."""
    ws = connect(sparrow, MODEL, wire=wire)
    task = fill(ws, train=24, validation=0, test=0, gold=False)
    run = start_run(ws, task.id, choice=Choice(), provider="peer", by="Ada")
    work(ws)
    told = run_status(ws, run.id)
    assert (told["status"], told["outcomes"]) == ("done", {"ok": 24})
    assert told["model"] == MODEL
    assert ledger(ws, run) == {"ok": 24}
    assert all(row["confidence"] >= 0.49 for row in export_run(ws, run.id))


def asking(peer, do):
    """Return what a provider's methods give, in an event loop of their own."""

    async def main():
        provider = OpenAICompatible("sparrow", peer.url, "", MODEL, wire=Wire.SYSTEMONE)
        try:
            return await do(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


def question(names):
    messages = ({"role": "system", "content": "Which?"}, {"role": "user", "content": "salmon"})
    return Question(model=MODEL, messages=messages, label_names=names)


@pytest.mark.parametrize("count", [2, 255])
def test_as_many_labels_as_the_wire_takes(sparrow, count):
    names = tuple(f"label {i} ü" for i in range(count))
    answer = asking(sparrow, lambda provider: provider.classify(question(names)))
    assert answer.outcome is Outcome.OK
    assert set(answer.probabilities) == set(names)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.label == max(answer.probabilities, key=answer.probabilities.get)


def test_its_list_of_models_is_none_and_told_as_such(sparrow):
    with pytest.raises(BadReplyError, match="does not hold to the OpenAI protocol"):
        asking(sparrow, lambda provider: provider.models())
