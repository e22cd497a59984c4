"""Every request we send is one that OpenAI's own description allows, as Steady reads it."""

import asyncio
import contextlib
import json
import os
import re
import time
import urllib.error
from pathlib import Path

import pytest

from studio.domain.prompt import PromptText, render_messages
from studio.domain.run import Question
from studio.providers.base import BatchState, BatchStatus
from studio.providers.batch_files import write_questions
from studio.providers.openai_compatible import OpenAICompatible
from studio.providers.sampling import Sampling

pytestmark = pytest.mark.peer
HEALTH = "/health"  # asked of every server on this machine: is it ours?
LABELS = ("keto", "nicht keto — „nein“", "ケト")
BODY = PromptText(instructions="Is it keto?", definitions={"keto": "meat, fish, eggs"})
ASKED = re.compile(r"\] (GET|POST|DELETE) (\S+) → (\d{3}) ")
OURS = re.compile(r"(?<=/)(batch_1|ftjob-1|file-2)(?=/|$)")


@pytest.fixture
def steady(start):
    """A Steady that refuses what is not allowed; skips where its description is not to be had."""
    shared = Path(os.environ.get("STUDIO_SHARED", "../shared")).resolve()
    described = shared / "openapi" / "openai-22-operations.json"
    if not described.is_file():
        pytest.skip(f"no description of the OpenAI API at {described}: set STUDIO_SHARED")
    return start("steady", "--reject-on-sdk-error", "--no-color", str(described))


def question(text, **more):
    messages = tuple(render_messages(BODY, LABELS, text))
    return Question(model="gpt-5-mini", messages=messages, label_names=LABELS, **more)


QUESTIONS = {
    "plain": question("grilled salmon"),
    "long": question("rice " * 5000),
    "other": question('"}], "x": 😀\n\0', sample=3),
}


async def every_call(provider):
    """Use each method of a provider once or more."""
    await provider.models()
    for one in QUESTIONS.values():
        await provider.classify(one)
    await provider.upload(b'{"messages": []}\n', "train.jsonl")
    await provider.create_fine_tune("file-1", "gpt-5-mini")
    await provider.create_fine_tune(
        "file-1", "gpt-5-mini", suffix="mail-1", seed=0, metadata={"studio_key": "w-1"}
    )
    await provider.find_fine_tune("w-1")
    await provider.fine_tune("ftjob-1")
    await provider.fine_tune_events("ftjob-1", "ftevent-1")
    await provider.cancel_fine_tune("ftjob-1")
    await provider.result_files("ftjob-1")
    await provider.create_batch(QUESTIONS, key="w-run1-1")
    await provider.find_batch("w-run1-1")
    await provider.batch("batch_1")
    await provider.cancel_batch("batch_1")
    ended = BatchState(remote_id="batch_1", status=BatchStatus.COMPLETED, output_file="file-2")
    await provider.batch_answers(ended, LABELS)


def written(peer, rest_s=0.5, most_s=15.0):
    """Return its log once it has rested: it writes down a request after it has answered it."""
    said, end = None, time.monotonic() + most_s
    while said != (said := peer.log.read_text(encoding="utf-8")) and time.monotonic() < end:
        time.sleep(rest_s)
    return said


def seen(peer):
    """Return the operations that were asked, and what Steady finds fault with.

    It refuses the worst only; the rest stands below the request in its log.
    """
    asked, faults = set(), []
    for line in written(peer).splitlines():
        if request := ASKED.search(line):
            method, path, status = request.groups()
            asked.add(f"{method} {OURS.sub('*', path.partition('?')[0])}")
            if int(status) >= 400 and path != HEALTH:
                faults.append(line)
        elif "✗" in line and path != HEALTH:
            faults.append(f"{method} {path}: {line.strip()}")
    return asked, faults


def test_no_request_is_refused(steady):
    async def call():
        provider = OpenAICompatible("steady", steady.url, "sk-none", "gpt-5-mini")
        try:
            await every_call(provider)
        finally:
            await provider.close()

    asyncio.run(call())
    asked, faults = seen(steady)
    assert faults == []
    assert asked >= {
        "GET /models", "POST /chat/completions", "POST /files", "GET /files/*/content",
        "POST /fine_tuning/jobs", "GET /fine_tuning/jobs", "GET /fine_tuning/jobs/*",
        "GET /fine_tuning/jobs/*/events", "POST /fine_tuning/jobs/*/cancel",
        "POST /batches", "GET /batches", "GET /batches/*", "POST /batches/*/cancel",
    }  # fmt: skip


def test_no_line_of_a_batch_would_be_refused(steady):
    lines = [json.loads(line) for line in write_questions(QUESTIONS, Sampling()).splitlines()]
    assert {line["url"] for line in lines} == {"/v1/chat/completions"}
    for line in lines:
        assert steady.ask("/chat/completions", line["body"])["object"] == "chat.completion"
    assert seen(steady)[1] == []


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": 9}, {"messages": None}, {"top_logprobs": "20"}, {"response_format": 1}],
)
def test_what_is_not_allowed_is_found(steady, wrong):
    """Without this the tests above could not fail."""
    body = json.loads(write_questions(QUESTIONS, Sampling()).splitlines()[0])["body"]
    with contextlib.suppress(urllib.error.HTTPError):
        steady.ask("/chat/completions", body | wrong)
    assert seen(steady)[1]
