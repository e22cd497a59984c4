"""The run handler with a scripted provider, the real store and the real worker."""

import asyncio
import dataclasses
import itertools
import json

import pytest

from studio.actions.rules import import_rules
from studio.actions.runs import Choice, run_status, start_run, steer_run
from studio.domain.job import JobStatus, Want
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import (
    AuthenticationError,
    BadReplyError,
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
)
from studio.handlers.calling import ASKS
from studio.handlers.pacing import Pacer
from studio.providers.failures import RefusedTextError
from studio.providers.scripted import ScriptedProvider

pytestmark = pytest.mark.usefixtures("quick")
GONE = ProviderUnavailableError("Nobody answers.", next_step="Start it.")


def text_of(question):
    return json.loads(question.messages[-1]["content"])["text"]


def ham(question):
    return Answer(outcome=Outcome.OK, label="ham", probabilities={"ham": 0.9, "spam": 0.1},
                  model="m-2026", usage=Usage(cost_usd=0.25, input_tokens=3))  # fmt: skip


class Scene:
    """A provider that follows a function; it counts how many questions fly at once."""

    def __init__(self, answer=ham, delay=0.0):
        self.provider = ScriptedProvider(self._answer, name="embedded")
        self.answer, self.delay = answer, delay
        self.flying = self.most = self.closed = 0
        inner = self.provider.classify

        async def classify(question):
            self.flying += 1
            self.most = max(self.most, self.flying)
            try:
                await asyncio.sleep(self.delay)
                return await inner(question)
            finally:
                self.flying -= 1

        async def close():
            self.closed += 1

        self.provider.classify, self.provider.close = classify, close

    def _answer(self, question):
        return self.answer(question)

    @property
    def texts(self):
        return [text_of(q) for q in self.provider.questions]


@pytest.fixture
def scene(open_studio, fill, work):
    """Return a function that makes a workspace around a scene, and runs it."""

    class Stage(Scene):
        def open(self, *, train=12, **more):
            self.ws = open_studio(provider=self.provider)
            self.task = fill(self.ws, train=train, validation=0, test=0, **more)
            return self

        def run(self, **more):
            started = start_run(self.ws, self.task.id, choice=Choice(), by="Ada", **more)
            return self.finish(started)

        def finish(self, run):
            work(self.ws)
            return self.ws.read.runs.get(run.id)

    return Stage


def test_every_outcome_is_stored_and_counted(scene):
    kinds = itertools.cycle(Outcome)
    usual = {}

    def answer(question):
        outcome = usual.setdefault(text_of(question), next(kinds))
        label = "ham" if outcome is Outcome.OK else None
        return Answer(outcome=outcome, label=label, model="m", detail={"n": 1}, raw="…")

    stage = scene(answer).open(train=18)
    run = stage.run()
    assert (run.status, run.done) == ("done", 18)
    status = run_status(stage.ws, run.id)
    assert status["outcomes"] == dict.fromkeys(sorted(Outcome), 2)
    # Four kinds of answer cannot be used and are asked for again, but not for ever.
    assert status["calls"] == 18 + 2 * 4 * (ASKS - 1)
    said = stage.ws.read.runs.predictions(run.id)
    assert {p.outcome for p in said if p.label_id is not None} == {Outcome.OK}
    job = stage.ws.read.jobs.get(run.job_id)
    assert (job.done, job.failed, job.total) == (18, 16, 18)
    assert stage.closed == 1


@pytest.mark.parametrize("error", [GONE, RateLimitedError("slow down"), BadReplyError("what?")])
def test_what_may_pass_is_tried_again(scene, error):
    failed = set()

    def answer(question):
        if text_of(question) not in failed:
            failed.add(text_of(question))
            raise error
        return ham(question)

    stage = scene(answer).open()
    run = stage.run()
    assert run_status(stage.ws, run.id)["outcomes"] == {"ok": 12}
    assert len(stage.texts) == 24


def test_one_question_that_cannot_be_asked_does_not_stop_the_others(scene):
    def answer(question):
        if text_of(question).endswith(" 3"):
            raise RefusedRequestError("The text is too long.")
        return ham(question)

    stage = scene(answer).open()
    run = stage.run()
    assert run.status == "done"
    assert run_status(stage.ws, run.id)["outcomes"] == {"error": 1, "ok": 11}
    assert len(stage.texts) == 12  # a refused request is not tried again
    bad = next(p for p in stage.ws.read.runs.predictions(run.id) if p.outcome is Outcome.ERROR)
    told = stage.ws.read.runs.answer(run.id, bad.example_id)
    assert told.detail["error"] == "The text is too long."
    assert run_status(stage.ws, run.id)["cost_usd"] == 0.0  # it is our own machine
    assert run_status(stage.ws, run.id)["model"] == "m-2026"


def test_texts_that_are_refused_one_after_another_stop_no_run(scene):
    def answer(question):
        if 3 <= int(text_of(question).split()[-1]) < 27:
            raise RefusedTextError("The text is too long.")
        return ham(question)

    stage = scene(answer).open(train=30)
    run = stage.run()
    assert run.status == "done"
    assert run_status(stage.ws, run.id)["outcomes"] == {"error": 24, "ok": 6}
    assert len(stage.texts) == 30


def test_texts_refused_from_the_first_on_stop_a_run_once(scene):
    """Whether it is the texts or all that is asked, only people can tell: they go on, or not."""

    def answer(question):
        if int(text_of(question).split()[-1]) < 20:
            raise RefusedTextError("No.")
        return ham(question)

    stage = scene(answer).open(train=30)
    run = stage.run()
    assert (run.status, run.error) == ("failed", "No.")
    assert len(stage.texts) < 30
    steer_run(stage.ws, run.id, Want.RUN)
    assert stage.finish(run).status == "done"
    assert run_status(stage.ws, run.id)["outcomes"] == {"error": 20, "ok": 10}


def test_an_error_is_no_answer_and_is_asked_again_in_the_next_run(scene):
    down = [True]

    def answer(question):
        if down[0] and text_of(question).endswith(" 3"):
            raise RefusedRequestError("no")
        return ham(question)

    stage = scene(answer).open()
    stage.run()
    down[0] = False
    assert run_status(stage.ws, stage.run().id)["outcomes"] == {"ok": 12}
    assert len(stage.texts) == 13


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (GONE, "Nobody answers. Start it."),
        (AuthenticationError("The key is refused."), "The key is refused."),
        (RefusedRequestError("There is no model m."), "There is no model m."),
    ],
)
def test_a_dead_provider_fails_the_run_in_a_sentence_and_it_goes_on_later(scene, error, says):
    down = [False]
    seen = []

    def answer(question):
        if down[0]:
            raise error
        seen.append(text_of(question))
        down[0] = len(seen) >= 20
        return ham(question)

    stage = scene(answer).open(train=60)
    run = stage.run()
    assert (run.status, run.error) == ("failed", says)
    kept = run_status(stage.ws, run.id)["outcomes"]
    assert kept["ok"] == len(seen)  # none that was answered is lost beside the failure
    down[0] = None  # back for good

    def back(question):
        return ham(question)

    stage.answer = back
    before = len(stage.texts)
    steer_run(stage.ws, run.id, Want.RUN)
    again = stage.finish(run)
    assert (again.status, again.done) == ("done", 60)
    assert run_status(stage.ws, run.id)["outcomes"] == {"ok": 60}
    asked = stage.texts[before:]
    assert not set(asked) & set(seen)
    assert len(asked) == len(set(asked)) == 60 - len(seen)


def test_a_run_of_errors_only_has_failed(scene):
    def answer(question):
        raise RefusedRequestError("The service says no.")

    stage = scene(answer).open(train=4)
    run = stage.run()
    assert run.status == "failed"
    assert run.error == "All 4 questions failed: The service says no."


def test_no_more_questions_fly_than_wished(scene, monkeypatch):
    monkeypatch.setenv("STUDIO_CONCURRENCY", "3")
    stage = scene(delay=0.002).open(train=30)
    assert stage.run().done == 30
    assert stage.most == 3


def test_the_pace_counts_the_tokens_of_replies_too(scene, monkeypatch):
    """Services do; what replies had lately says how many to expect."""
    admitted, inner = [], Pacer.admit

    def admit(self, tokens, **more):
        admitted.append(tokens)
        return inner(self, tokens, **more)

    monkeypatch.setattr(Pacer, "admit", admit)
    long = Usage(input_tokens=3, output_tokens=500)
    stage = scene(lambda q: dataclasses.replace(ham(q), usage=long)).open()
    stage.run()
    first = max(admitted)
    admitted.clear()
    stage.run(again=True)
    assert 490 < max(admitted) - first < 500


def test_what_was_answered_before_costs_nothing(scene):
    stage = scene().open(train=100)
    first, second = stage.run(), stage.run()
    assert len(stage.texts) == 100
    status = run_status(stage.ws, second.id)
    assert (status["done"], status["calls"], status["outcomes"]) == (100, 0, {"ok": 100})
    said = [stage.ws.read.runs.predictions(run.id) for run in (first, second)]
    assert [p.response_id for p in said[0]] == [p.response_id for p in said[1]]


def test_again_asks_anew(scene):
    stage = scene().open()
    stage.run()
    again = stage.run(again=True)
    assert len(stage.texts) == 24
    assert run_status(stage.ws, again.id)["calls"] == 12


def test_rules_need_no_provider(open_studio, fill, work):
    ws = open_studio(provider={})
    task = fill(ws, test=0)
    import_rules(ws, task.id, "rules: [{name: s, label: spam, any: [{phrase: spam}]}]", by="Ada")
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    status = run_status(ws, run.id)
    assert (status["status"], status["calls"], status["cost_usd"]) == ("done", 0, 0.0)
    assert status["outcomes"] == {"abstained": 9, "ok": 9}


def test_a_rules_run_goes_on_with_the_rules_it_was_started_with(open_studio, fill, work):
    ws = open_studio(provider={})
    task = fill(ws, test=0)
    rule = "rules: [{{name: s, label: {}, any: [{{phrase: {}}}]}}]"
    import_rules(ws, task.id, rule.format("spam", "spam"), by="Ada")
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    import_rules(ws, task.id, rule.format("ham", "number"), by="Ada")
    work(ws)
    said = {task.name_of(p.label_id) for p in ws.read.runs.predictions(run.id)}
    assert said == {"spam", None}
    assert run_status(ws, run.id)["outcomes"] == {"abstained": 9, "ok": 9}


def test_pause_resume_and_cancel(scene, work):
    stage = scene(delay=0.003).open(train=200)
    run = start_run(stage.ws, stage.task.id, choice=Choice(), by="Ada")

    def pause_once():
        if stage.ws.read.runs.get(run.id).done > 20:
            steer_run(stage.ws, run.id, Want.PAUSE)
        return stage.ws.read.runs.get(run.id).status == "paused"

    work(stage.ws, until=pause_once)
    rested = stage.ws.read.runs.get(run.id)
    assert 20 < rested.done < 200
    # What was under way when the wish came was paid: it was waited for and kept.
    assert rested.done == len(stage.texts)
    steer_run(stage.ws, run.id, Want.RUN)

    def cancel_later():
        if stage.ws.read.runs.get(run.id).done > 100:
            steer_run(stage.ws, run.id, Want.CANCEL)
        return stage.ws.read.runs.get(run.id).status == "cancelled"

    work(stage.ws, until=cancel_later)
    ended = stage.ws.read.runs.get(run.id)
    assert 100 < ended.done < 200
    steer_run(stage.ws, run.id, Want.RUN)
    work(stage.ws)
    assert stage.ws.read.runs.get(run.id).done == 200
    assert len(stage.texts) == len(set(stage.texts)) == 200


def test_a_worker_that_stops_puts_the_run_back(scene, work):
    stage = scene(delay=0.003).open(train=120)
    run = start_run(stage.ws, stage.task.id, choice=Choice(), by="Ada")
    work(stage.ws, until=lambda: stage.ws.read.runs.get(run.id).done > 20)
    assert stage.ws.read.runs.get(run.id).status == "queued"
    work(stage.ws)
    assert stage.ws.read.runs.get(run.id).done == 120
    assert len(stage.texts) == len(set(stage.texts))


def test_a_run_without_a_worker_obeys_at_once(scene):
    stage = scene().open()
    run = start_run(stage.ws, stage.task.id, choice=Choice(), by="Ada")
    assert steer_run(stage.ws, run.id, Want.PAUSE).status == "paused"
    assert steer_run(stage.ws, run.id, Want.CANCEL).status == "cancelled"
    assert steer_run(stage.ws, run.id, Want.RUN).status == "queued"


def test_nothing_is_written_for_a_job_that_another_has(scene, work):
    """A worker that was suspended past its lease must not write into its successor's run."""
    stage = scene().open(train=40)
    run = start_run(stage.ws, stage.task.id, choice=Choice(), by="Ada")
    taken = []

    def answer(question):
        if not taken:
            with stage.ws.store.transaction() as conn:
                conn.execute("UPDATE job SET fence = fence + 1")
            taken.append(True)
        return ham(question)

    stage.answer = answer
    work(stage.ws, until=lambda: bool(taken) and not stage.flying)
    job = stage.ws.read.jobs.get(run.job_id)
    assert stage.ws.read.runs.get(run.id).done == 0
    assert job.status is JobStatus.RUNNING


def test_a_bug_in_a_provider_is_told_as_one(scene):
    def answer(question):
        raise ZeroDivisionError

    stage = scene(answer).open()
    run = stage.run()
    assert run.status == "failed"
    assert "a bug in the studio" in run.error
    assert "ZeroDivisionError" not in run.error


def test_people_are_heard_while_a_service_hangs_and_the_clock_is_set_back(scene, work, monkeypatch):
    stage = scene(delay=30.0).open()
    run = start_run(stage.ws, stage.task.id, choice=Choice(), by="Ada")
    hours = itertools.count(100, -1)
    object.__setattr__(stage.ws, "clock", lambda: 3600.0 * next(hours))
    asked = []

    def cancelled():
        if stage.flying and not asked:
            asked.append(steer_run(stage.ws, run.id, Want.CANCEL))
        return stage.ws.read.runs.get(run.id).status == "cancelled"

    work(stage.ws, until=cancelled, seconds=10.0)
    assert stage.ws.read.runs.get(run.id).status == "cancelled"


def test_a_bug_met_while_the_last_answers_land_loses_none_of_them(scene):
    numbers, landed = itertools.count(1), []

    def answer(question):
        if next(numbers) % 3 == 0:
            raise ZeroDivisionError
        landed.append(text_of(question))
        return ham(question)

    stage = scene(answer, delay=0.02).open(train=30)
    run = stage.run()
    assert (run.status, run.done) == ("failed", len(landed))
