"""A service that limits, breaks, stalls and stammers: every example ends in an outcome."""

from collections import Counter

import pytest

from studio.actions.runs import Choice, run_status, start_run
from tests.faults.books import check, ledger
from tests.faults.service import Chaos

pytestmark = pytest.mark.fault
N = 600


def test_chaos_ends_with_an_outcome_for_every_example(ws, fill, service, start_worker, eventually):
    service.delay, service.chaos = 0.01, Chaos()
    task = fill(ws, train=N, validation=0, test=0, gold=False)
    run = start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")
    start_worker(16, timeout=0.5)
    eventually(lambda: ws.read.runs.get(run.id).status not in ("queued", "running"), 90)
    told = run_status(ws, run.id)
    assert told["status"] == "done"
    assert sum(told["outcomes"].values()) == N
    assert told["outcomes"]["ok"] >= N - 3  # asked again three times, hardly one stays malformed
    outcomes = Counter(outcome for _, outcome in ledger(ws, run))
    fates = service.fates
    assert min(fates.values()) > 0
    assert outcomes["ok"] == fates["ok"]
    assert outcomes["rate_limited"] == fates["too_many"]
    assert sum(outcomes.values()) == sum(fates.values()) == service.total  # nobody was killed
    check(ws, run, service, most_again=service.total)
    print(f"{service.total} calls for {N} examples: {dict(outcomes)}")
