"""A preview of 20 never waits for long runs."""

import pytest

from studio.actions.previews import preview_prompt
from studio.actions.runs import Choice, start_run
from studio.domain.prompt import prompt_of

pytestmark = pytest.mark.fault
LONG, IN_FLIGHT, DELAY = 4, 8, 0.2


def test_a_preview_goes_before_what_long_runs_still_have_to_ask(
    ws, fill, service, start_worker, eventually
):
    service.delay = DELAY
    long = fill(ws, "long", train=600, validation=0, test=0, gold=False)
    small = fill(ws, "small", train=20, validation=0, test=0, gold=False, labels=("good", "bad"))
    *runs, waiting = [
        start_run(ws, long.id, choice=Choice(), provider="mock", again=True, by="Ada")
        for _ in range(LONG + 1)
    ]
    start_worker(IN_FLIGHT)
    eventually(lambda: all(ws.read.runs.get(run.id).done for run in runs))
    before = service.total
    preview = preview_prompt(ws, small.id, body=prompt_of(small), provider="mock", n=20, by="Ada")
    eventually(lambda: ws.read.runs.get(preview.run_id).status == "done")
    assert {ws.read.runs.get(run.id).status for run in runs} == {"running"}
    assert ws.read.runs.get(waiting.id).status == "queued"
    asked = [text.split()[0] in ("good", "bad") for _, text in service.log[before:]]
    assert sum(asked) == 20
    # The calls that four long runs make in a second.
    assert asked.index(True) < LONG * IN_FLIGHT / DELAY
