"""What a run costs, from a terminal: estimated before, capped while, told after; and the bar."""

import dataclasses
import io
import os

import pytest

from studio.cli import common
from studio.domain.job import Job, JobStatus
from studio.domain.run import Answer, Outcome, Usage
from studio.providers.scripted import ScriptedProvider


@pytest.fixture
def far():
    """A service elsewhere that tells 1,000 tokens sent and 100 back for each question."""
    usage = Usage(input_tokens=1_000, output_tokens=100)
    service = ScriptedProvider(
        lambda q: Answer(outcome=Outcome.OK, label="ham", model=q.model, usage=usage), name="far"
    )
    service.host, service.is_local, service.identity = "far.example", False, "far@far.example"
    return service


@pytest.fixture
def start(studio, mail, far):
    assert studio("provider", "add", "far", "--base-url", "https://far.example/v1").code == 0

    def run(*words, command=("run", "start"), **more):
        named = [mail, "--provider", "far"] if command == ("run", "start") else []
        return studio(*command, *named, *words, provider={"far": far}, **more)

    return run


@pytest.fixture
def price(studio):
    def put(usd):
        said = studio("provider", "prices", "--provider", "far", "--set", "scripted", "--input",
                      usd, "--output", usd, "--source", "contract")  # fmt: skip
        assert said.code == 0

    return put


def test_an_estimate_is_printed_and_nothing_started(start, price, studio, mail, far):
    said = start("--estimate")
    assert (said.code, said.err) == (0, "")
    assert "36 questions to far.example" in said.out
    assert "at an unknown price" in said.out
    price(1)
    told = start("--estimate", "--json").json
    assert told["questions"] == 36
    assert 0 < told["cost_usd"] < told["most_usd"]
    assert told["price_source"] == "contract"
    assert studio("run", "list", mail, "--json").json == []
    assert far.calls == 0


def test_consent_says_what_it_costs(start, price):
    assert "at an unknown price" in start("--json").error["message"]
    price(1)
    assert "for about $0." in start("--json").error["message"]


def test_a_budget_with_an_unknown_price_is_refused_with_the_way_out(start):
    error = start("--yes", "--budget", "1", "--json").error
    assert "price of scripted at far is unknown" in error["message"]
    assert "studio provider prices --set" in error["next"]


def test_a_run_stops_at_its_budget_and_goes_on_when_it_is_raised(start, price, studio, mail):
    price(10)  # each call costs $0.011
    stopped = start("--yes", "--budget", "0.1", "--wait", "--json")
    assert stopped.code == 1
    assert "The run rests: The budget of $0.1 is used up" in stopped.error["message"]
    assert "Go on with `studio run resume 1 --budget USD`." in stopped.error["next"]
    said = studio("run", "show", "1", "--json").json
    assert said["status"] == "paused"
    assert 0 < said["done"] < 36
    assert 0 < said["cost_usd"] <= 0.1
    assert said["budget_usd"] == 0.1
    assert "budget of $0.1 is used up" in said["message"]
    (row,) = studio("run", "list", mail, "--json").json
    assert (row["cost_usd"], row["budget_usd"]) == (said["cost_usd"], 0.1)
    assert f"{said['done']} of 36" in studio("run", "list", mail).out
    done = start("1", "--budget", "5", "--json", command=("run", "resume")).json
    assert (done["status"], done["done"], done["message"]) == ("done", 36, "")
    assert done["cost_usd"] == pytest.approx(36 * 0.011)
    text = studio("run", "show", "1").out
    assert "tokens: 39,600; cost: $0.40 of $5.00" in text
    assert "expected at the start: 36 calls" in text


def test_raising_to_less_than_nothing_is_refused(start, price):
    price(10)
    start("--yes", "--budget", "0.1", "--wait")
    said = start("1", "--budget", "0", "--json", command=("run", "resume"))
    assert "above $0" in said.error["message"]


def test_votes_are_counted_before_and_told_after(start, price, far):
    price(10)
    told = start("--samples", "3", "--estimate", "--json").json
    assert (told["questions"], told["samples"]) == (108, 3)
    done = start("--samples", "3", "--yes", "--wait", "--json").json
    assert (done["status"], done["done"], done["calls"], far.calls) == ("done", 36, 108, 108)
    assert done["cost_usd"] == pytest.approx(108 * 0.011)
    assert [one["kind"] for one in done["confidence"]] == [
        "share of 3 votes of the model, not a probability"
    ]
    refused = start("--samples", "3", "--batch", "--yes", "--json")
    assert refused.error["next"] == "Leave out the samples."


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def states(ws, monkeypatch):
    """Let a job pass through states, one a look, with this as standard error."""
    job = Job(id=1, kind="other", subject_id=1, status=JobStatus.RUNNING, total=10, done=5)

    def pass_through(shown, *changes):
        left = [dataclasses.replace(job, **change) for change in changes]
        monkeypatch.setattr(ws.read.jobs, "get", lambda _: left.pop(0))
        monkeypatch.setattr(common, "is_worker_alive", lambda _: True)
        monkeypatch.setattr(common.shutil, "get_terminal_size", lambda: os.terminal_size((60, 20)))
        monkeypatch.setattr(common.time, "sleep", lambda _: None)
        monkeypatch.setattr(common.sys, "stderr", shown)
        return common.wait_for(ws, 1, "run")

    return pass_through


def test_the_bar_is_one_line_that_ends_clean(states):
    terminal, slow = Terminal(), "a service\nthat is slow " * 9
    states(terminal, {}, {"done": 9, "message": slow}, {"status": JobStatus.DONE})
    lines = terminal.getvalue().split("\r")[1:]
    assert lines[0] == "run: At work · 5 of 10\x1b[K"
    assert lines[-1] == "\x1b[K"
    assert "\n" not in terminal.getvalue()
    assert max(len(line.removesuffix("\x1b[K")) for line in lines) == 59


def test_the_bar_is_gone_when_the_work_failed(states):
    terminal = Terminal()
    with pytest.raises(common.RunFailedError, match="The run failed: no"):
        states(terminal, {}, {"status": JobStatus.FAILED, "message": "no"})
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_somebody_paused_is_no_success(states):
    with pytest.raises(common.RunFailedError, match=r"The run rests: somebody paused it\."):
        states(io.StringIO(), {}, {"status": JobStatus.PAUSED})


def test_nothing_is_drawn_off_a_terminal(states):
    plain = io.StringIO()
    states(plain, {"status": JobStatus.DONE})
    assert plain.getvalue() == ""
