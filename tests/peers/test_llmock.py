"""A real run against llmock's chaos: it counts what it was asked and judges the client."""

from collections import Counter

import pytest

from studio.actions.runs import Choice, run_status, start_run
from studio.errors import ProviderUnavailableError, RateLimitedError
from studio.providers.connection import NO_KEY

pytestmark = pytest.mark.peer


@pytest.fixture
def labeling(start, connect, fill):
    """Return a function that starts llmock and files a run of so many examples."""

    def begin(size, *options):
        peer = start("llmock", "--log-level", "warning", *options)
        ws = connect(peer)
        task = fill(ws, train=size, validation=0, test=0, gold=False)
        return peer, ws, start_run(ws, task.id, choice=Choice(), provider="peer", by="Ada")

    return begin


def calls(peer):
    """Return how many questions ended with each status, by llmock's own count."""
    told = peer.ask("/_llmock/requests")["requests"]
    return Counter(one["status"] for one in told if one["path"].endswith("/chat/completions"))


def check(peer, ws, run, ledger):
    """Check that nothing was lost and that the books agree with llmock's; return its count."""
    counted = calls(peer)
    told = run_status(ws, run.id)
    assert told["status"] == "done"
    assert sum(told["outcomes"].values()) == told["done"] == run.total
    booked = ledger(ws, run)
    assert booked.total() == counted.total() == told["calls"]
    assert booked[RateLimitedError.code] == counted[429]
    assert booked[ProviderUnavailableError.code] == counted[500] + counted[503]
    # A first wait may be the longest, where a refusal of another call made all of them wait; to
    # the judge that looks like no backoff.
    findings = peer.ask("/_llmock/verdict")["findings"]
    assert [one for one in findings if one["code"] != "no_backoff"] == []
    return counted


def test_every_example_of_a_chaotic_run_ends_in_an_outcome(labeling, work, ledger):
    peer, ws, run = labeling(
        300, "--error-rate", "429=0.02", "--error-rate", "500=0.06", "--error-rate", "503=0.01"
    )
    work(ws, seconds=60)
    counted = check(peer, ws, run, ledger)
    assert counted[500] > 0
    assert run_status(ws, run.id)["outcomes"]["ok"] > 290


def test_an_empty_bucket_is_waited_for(labeling, work, ledger):
    peer, ws, run = labeling(24, "--rpm", "1200", "--tpm", "600000")
    last = {"model": "gpt-4o", "messages": [], "max_tokens": 599_000}
    peer.ask("/v1/chat/completions", last, key=NO_KEY)  # nearly all tokens of the minute
    peer.ask("/_llmock/requests", method="DELETE")
    work(ws, seconds=60)
    assert check(peer, ws, run, ledger)[429] > 0
