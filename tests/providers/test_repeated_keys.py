"""A service that repeats the key it was sent: nothing that is stored holds it."""

import json
from dataclasses import asdict

import httpx2
import pytest

from studio.domain.run import Wire
from studio.providers.base import BatchState, BatchStatus
from tests.providers.helpers import KEY, QUESTION, ask, completion, decision, response

JOB = {"id": "ft-1", "object": "fine_tuning.job", "status": "failed", "created_at": 1,
       "fine_tuned_model": f"ft:{KEY}",
       "error": {"code": "c", "message": KEY, "param": None}}  # fmt: skip
EVENT = {"id": "e-1", "object": "fine_tuning.job.event", "created_at": 1, "level": "info",
         "message": f"by {KEY}", "data": {KEY: [KEY]}, "type": "message"}  # fmt: skip
LINE = {"custom_id": "1", "response": {"status_code": 200, "body": completion(KEY, model=KEY)}}
DONE = BatchState(remote_id="b-1", status=BatchStatus.COMPLETED, output_file="f-1")


def answer(request):
    path = request.url.path.removeprefix("/v1/")
    if path == "files/f-1/content":
        return httpx2.Response(200, text=json.dumps(LINE))
    if path.endswith("/events"):
        return httpx2.Response(200, json={"object": "list", "data": [EVENT], "has_more": False})
    label = "weather" if b"It rains." in request.content else KEY
    told = {
        "chat/completions": completion(f'{{"label": "{KEY}"}}', model=KEY),
        "responses": response(KEY, model=KEY),
        "decisions": decision(None, label) | {"model": KEY},
        "systemone": decision(None, label, shape="systemone") | {"model": KEY},
        "models": {"object": "list", "data": [{"id": KEY}]},
        "fine_tuning/jobs/ft-1": JOB,
    }
    return httpx2.Response(200, json=told.get(path, {"data": [{"id": KEY}], "error": KEY}))


async def _classify(provider):
    return asdict(await provider.classify(QUESTION))


async def _capabilities(provider):
    return (await provider.capabilities()).to_dict()


@pytest.mark.parametrize(
    ("do", "wire"),
    [
        (_classify, Wire.CHAT),
        (_classify, Wire.RESPONSES),
        (_classify, Wire.DECISIONS),
        (_classify, Wire.SYSTEMONE),
        (_capabilities, Wire.AUTO),
        (lambda p: p.models(), Wire.AUTO),
        (lambda p: p.fine_tune("ft-1"), Wire.AUTO),
        (lambda p: p.fine_tune_events("ft-1"), Wire.AUTO),
        (lambda p: p.batch_answers(DONE, ("ham", "spam")), Wire.AUTO),
    ],
)
def test_a_repeated_key_is_cut_out_of_what_is_kept(do, wire):
    told = str(ask(answer, do, wire=wire, model="m"))
    assert KEY not in told
    assert "[key]" in told


def test_what_servers_without_keys_are_told_is_no_key():
    told = ask(lambda _: httpx2.Response(200, json=completion()), _classify, key="ham")
    assert told["label"] == "ham"
