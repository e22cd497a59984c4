"""Runs by a service's Batch API; the provider is a script, the worker and the store are real."""

import asyncio

import pytest

from studio.actions.runs import Choice, run_status, set_budget, start_run, steer_run
from studio.domain.example import Split
from studio.domain.job import JobStatus, Want
from studio.domain.price import Price
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import AuthenticationError, InputError, NoAnswerError, ProviderUnavailableError
from studio.providers.base import BatchStatus
from studio.providers.failures import UnknownThingError
from studio.providers.scripted import ScriptedProvider
from studio.store.runs import Runs

pytestmark = pytest.mark.usefixtures("quick")
PRICE = Price(provider="embedded", model="scripted", input_usd=2e6, output_usd=2e6,
              batch_input_usd=1e6, batch_output_usd=1e6)  # fmt: skip
COST = 10.0


def ham(question):
    return Answer(outcome=Outcome.OK, label="ham", probabilities={"ham": 0.9, "spam": 0.1},
                  model="m", usage=Usage(input_tokens=7, output_tokens=3))  # fmt: skip


@pytest.fixture
def scene(open_studio, fill, work, monkeypatch):
    """Return a function that opens a workspace around a script and runs batches in it."""
    monkeypatch.setattr("studio.handlers.batches.POLL_LOCAL_S", 0.01)

    class Scene:
        def __init__(self, answer=ham, *, train=12, price=PRICE, **more):
            self.provider = ScriptedProvider(answer, name="embedded", **more)
            self.ws = open_studio(provider=self.provider)
            if price:
                self.ws.store.prices.set(price, by="Ada", at="2026")
            self.task = fill(self.ws, train=train, validation=0, test=0, gold=False)

        def start(self, **more):
            return start_run(self.ws, self.task.id, choice=Choice(), batch=True, by="Ada", **more)

        def finish(self, run, **more):
            work(self.ws, **more)
            return self.ws.read.runs.get(run.id)

        def run(self, **more):
            return self.finish(self.start(**more))

        @property
        def sizes(self):
            return [len(questions) for questions in self.provider.batches.values()]

        def ledger(self):
            rows = self.ws.read.db.read("SELECT outcome, attempt, cost_usd FROM ledger ORDER BY id")
            return [tuple(row) for row in rows]

    return Scene


def test_a_batch_labels_all_at_the_price_of_batches(scene):
    stage = scene()
    run = stage.run()
    assert (run.status, run.done, run.calls, run.spent_usd) == ("done", 12, 12, 12 * COST)
    assert stage.sizes == [12]
    assert stage.provider.calls == 0  # none was asked alone
    assert run_status(stage.ws, run.id)["outcomes"] == {"ok": 12}
    assert stage.ledger() == [("ok", 1, COST)] * 12


def test_what_is_known_is_not_sent(scene):
    stage = scene()
    stage.run()
    again = stage.run()
    assert (again.status, again.done, again.calls) == ("done", 12, 0)
    assert stage.sizes == [12]


def test_examples_of_one_text_are_sent_once(scene, monkeypatch):
    monkeypatch.setattr("studio.handlers.batches.CHUNK", 5)
    stage = scene(train=2)
    rows = [(f"same {i}", "the same text", Split.TRAIN, {}) for i in range(30)]
    stage.ws.store.examples.add(stage.task.id, rows, "2026")
    run = stage.run()
    assert (run.status, run.done, run.calls, stage.sizes) == ("done", 32, 3, [3])


def test_many_questions_are_several_batches_at_once(scene, monkeypatch):
    monkeypatch.setattr("studio.handlers.batches.MOST_IN_BATCH", 5)
    stage = scene()
    run = stage.run()
    assert (run.status, run.done) == ("done", 12)
    assert stage.sizes == [5, 5, 2]


def test_lines_that_fail_are_sent_again_a_bounded_number_of_times(scene):
    stage = scene(failing_lines={"3"})
    run = stage.run()
    assert run.status == "done"
    assert run_status(stage.ws, run.id)["outcomes"] == {"error": 1, "ok": 11}
    assert stage.sizes == [12, 1, 1]
    assert stage.ledger()[-2:] == [("error", 2, 0.0), ("error", 3, 0.0)]
    assert run.spent_usd == 11 * COST
    told = stage.ws.read.runs.answer(run.id, 3)
    assert told.detail["error"] == "The script fails on this line."


def test_an_expired_batch_gives_what_it_has_and_the_rest_is_sent_again(scene):
    lost = {"2", "5", "7"}
    stage = scene(lost_lines=lost, batches_end_as=BatchStatus.EXPIRED)
    run = stage.start()

    def second_sent():
        if len(stage.sizes) == 2:
            lost.clear()
        return stage.ws.read.runs.get(run.id).status == "done"

    done = stage.finish(run, until=second_sent)
    assert (done.done, done.calls, stage.sizes) == (12, 15, [12, 3])
    assert sorted(outcome for outcome, *_ in stage.ledger()) == ["expired"] * 3 + ["ok"] * 12
    assert done.spent_usd == 12 * COST


def test_malformed_answers_are_asked_again_and_then_kept_as_what_they_are(scene):
    stage = scene(lambda q: Answer(outcome=Outcome.OFF_LABEL, usage=Usage(input_tokens=1)), train=2)
    run = stage.run()
    assert run_status(stage.ws, run.id)["outcomes"] == {"off_label": 2}
    assert stage.sizes == [2, 2, 2]


def test_a_line_that_a_service_never_answers_is_not_sent_for_ever(scene):
    stage = scene(lost_lines={"3"})
    run = stage.start()
    known = stage.ws.read.runs.get
    ended = stage.finish(run, until=lambda: len(stage.sizes) > 4 or known(run.id).status == "done")
    assert (ended.status, stage.sizes) == ("done", [12, 1, 1])
    assert run_status(stage.ws, run.id)["outcomes"] == {"error": 1, "ok": 11}
    assert "without a word" in stage.ws.read.runs.answer(run.id, 3).detail["error"]


def test_a_batch_of_many_known_answers_lets_others_work_and_hears_a_wish(scene, monkeypatch):
    monkeypatch.setattr("studio.handlers.batches.CHUNK", 10)
    stage = scene(train=200)
    stage.run()
    run = stage.start()
    inner, done = Runs.commit, []

    def commit(self, *args, **more):
        done.append(len(args[1]))
        if len(done) == 3:
            asyncio.get_running_loop().call_soon(steer_run, stage.ws, run.id, Want.PAUSE)
        return inner(self, *args, **more)

    monkeypatch.setattr(Runs, "commit", commit)
    rested = stage.finish(run)
    assert (rested.status, len(done)) == ("paused", 4)


def test_a_batch_refused_as_a_whole_fails_the_run_with_the_reason(scene):
    stage = scene(batches_end_as=BatchStatus.FAILED)
    run = stage.run()
    assert run.status == "failed"
    assert "refused the batch" in run.error
    assert (run.done, run.spent_usd) == (0, 0.0)
    stage.provider._batches_end_as = BatchStatus.COMPLETED
    steer_run(stage.ws, run.id, Want.RUN)
    assert stage.finish(run).done == 12


def forget(provider):
    provider._batches.clear()


def lose_the_file(provider):
    async def answers(state, label_names):
        raise UnknownThingError("There is no such file.")

    provider.batch_answers = answers


@pytest.mark.parametrize("loses", [forget, lose_the_file])
def test_what_a_service_forgot_is_asked_again_and_counts_as_paid(scene, loses):
    stage = scene()
    run = stage.start()
    stage.finish(run, until=lambda: stage.provider.batches)
    answers = stage.provider.batch_answers
    loses(stage.provider)
    stage.finish(run, until=lambda: "forgotten" in [outcome for outcome, *_ in stage.ledger()])
    stage.provider.batch_answers = answers
    done = stage.finish(run)
    assert (done.status, done.done, done.calls) == ("done", 12, 24)
    costs = {outcome: cost for outcome, _, cost in stage.ledger()}
    assert costs["ok"] == COST < costs["forgotten"]  # nobody knows: the most it can have cost


def test_a_service_that_forgets_every_batch_is_not_asked_for_ever(scene):
    stage = scene()

    async def forgets(remote_id):
        raise UnknownThingError("No batch found.")

    stage.provider.batch = forgets
    run = stage.run()
    assert run.status == "failed"
    assert "does not know the batch any more" in run.error
    assert stage.sizes == [12, 12, 12]


def test_a_batch_sent_by_a_worker_that_died_is_found_and_not_sent_twice(scene, monkeypatch):
    """It dies after the service took the batch, before it could write down its number."""
    stage = scene()
    inner, told = stage.provider.create_batch, []

    async def dies(questions, *, key):
        await inner(questions, key=key)
        told.append(key)
        raise NoAnswerError("No answer came.")

    monkeypatch.setattr(stage.provider, "create_batch", dies)
    run = stage.run()
    assert (run.status, run.done, run.calls) == ("done", 12, 12)
    assert (len(told), stage.sizes) == (1, [12])


def test_a_batch_that_was_never_taken_is_sent_anew(scene, monkeypatch):
    stage = scene()
    inner, tries = stage.provider.create_batch, []

    async def once_gone(questions, *, key):
        tries.append(key)
        if len(tries) == 1:
            raise ProviderUnavailableError("Nobody answers.")
        return await inner(questions, key=key)

    monkeypatch.setattr(stage.provider, "create_batch", once_gone)
    run = stage.run()
    assert (run.status, run.done, run.calls) == ("done", 12, 24)
    assert len(set(tries)) == 2
    assert [line[0] for line in stage.ledger()] == ["not_sent"] * 12 + ["ok"] * 12
    assert run.spent_usd == 12 * COST


def test_a_bad_key_stops_the_run_and_costs_nothing(scene, monkeypatch):
    stage = scene()

    async def refused(questions, *, key):
        raise AuthenticationError("The key is refused.")

    monkeypatch.setattr(stage.provider, "create_batch", refused)
    run = stage.run()
    assert (run.status, run.error, run.spent_usd) == ("failed", "The key is refused.", 0.0)


def test_importing_twice_counts_once(scene, monkeypatch):
    """The worker dies between the answers it stored and the note that all are stored."""
    stage = scene()
    inner = stage.ws.store.batches.close
    closed = []

    def dies_once(batch_id):
        closed.append(batch_id)
        if len(closed) == 1:
            raise ProviderUnavailableError("The worker dies here.")
        inner(batch_id)

    monkeypatch.setattr(stage.ws.store.batches, "close", dies_once)
    run = stage.run()
    assert (run.status, run.done, run.calls, run.spent_usd) == ("done", 12, 12, 12 * COST)
    assert stage.sizes == [12]


def test_a_waiting_batch_leaves_its_place_to_others(scene, monkeypatch):
    monkeypatch.setattr("studio.handlers.batches.POLL_LOCAL_S", 0.05)
    stage = scene()
    runs = [stage.start(again=True) for _ in range(6)]  # more than the worker has places
    work_off = stage.finish(runs[-1])
    assert work_off.status == "done"
    assert {stage.ws.read.runs.get(run.id).status for run in runs} == {"done"}


def test_cancelling_tells_the_service_and_going_on_brings_what_it_did(scene):
    stage = scene(batches_end_as=BatchStatus.COMPLETED)
    run = stage.start()
    work_done = []

    def cancel_when_sent():
        if stage.sizes and not work_done:
            work_done.append(steer_run(stage.ws, run.id, Want.CANCEL))
        return stage.ws.read.runs.get(run.id).status == "cancelled"

    cancelled = stage.finish(run, until=cancel_when_sent)
    assert (cancelled.status, cancelled.done) == ("cancelled", 0)
    states = {batch.state.status for batch in stage.provider._batches.values()}
    assert states <= {BatchStatus.CANCELLED, BatchStatus.COMPLETED}
    steer_run(stage.ws, run.id, Want.RUN)
    assert stage.finish(run).done == 12


def test_a_cancelled_batch_is_told_to_a_service_that_was_down(scene, monkeypatch):
    stage = scene(batches_end_as=BatchStatus.EXPIRED)
    run = stage.start()
    state = stage.ws.read.jobs.get
    stage.finish(run, until=lambda: stage.sizes and state(run.job_id).status is JobStatus.QUEUED)
    inner, tries, claims = stage.provider.cancel_batch, [], []

    async def down(remote_id):
        tries.append(remote_id)
        if len(tries) < 3:
            raise ProviderUnavailableError("Nobody answers.")
        return await inner(remote_id)

    monkeypatch.setattr(stage.provider, "cancel_batch", down)
    steer_run(stage.ws, run.id, Want.CANCEL)
    claims.append(state(run.job_id).fence)
    assert stage.finish(run).status == "cancelled"
    assert state(run.job_id).fence == claims[0] + 3
    assert {b.state.status for b in stage.provider._batches.values()} == {BatchStatus.CANCELLED}


@pytest.mark.parametrize("after", ["create_batch", "close"])
def test_a_wish_that_comes_while_a_batch_is_sent_is_heard_at_once(scene, monkeypatch, after):
    monkeypatch.setattr("studio.handlers.batches.POLL_LOCAL_S", 3600.0)
    stage = scene()
    run = stage.start()
    inner = getattr(stage.provider, after)

    async def slow(*args, **more):
        done = await inner(*args, **more)
        if stage.sizes:
            steer_run(stage.ws, run.id, Want.CANCEL)
        return done

    monkeypatch.setattr(stage.provider, after, slow)
    ended = stage.finish(run, until=lambda: stage.ws.read.runs.get(run.id).status == "cancelled")
    assert ended.status == "cancelled"
    (batch,) = stage.provider._batches.values()
    assert batch.state.status is BatchStatus.CANCELLED


def test_a_budget_bears_as_many_questions_as_it_can_and_then_rests(scene):
    dear = Usage(input_tokens=300, output_tokens=10)
    stage = scene(lambda q: Answer(outcome=Outcome.OK, label="ham", usage=dear))
    run = stage.run(budget_usd=3_500.0)
    assert run.status == "paused"
    assert 0 < run.spent_usd <= 3_500.0
    assert len(stage.sizes) > 1  # what a batch did not use up, the next one could
    job = stage.ws.read.jobs.get(run.job_id)
    assert job.message.startswith("The budget of $3,500 is used up")
    set_budget(stage.ws, run.id, 1e6)
    steer_run(stage.ws, run.id, Want.RUN)
    ended = stage.finish(run)
    assert (ended.done, ended.spent_usd) == (12, 12 * 310.0)


def test_answers_that_tell_no_tokens_count_at_their_most(scene):
    stage = scene(lambda q: Answer(outcome=Outcome.OK, label="ham", model="m"))
    run = stage.run(budget_usd=5_000.0)
    assert (run.status, run.cost_usd, len(stage.sizes)) == ("paused", None, 1)


def test_a_budget_needs_the_price_of_batches(scene):
    price = Price(provider="embedded", model="scripted", input_usd=1.0, output_usd=1.0)
    stage = scene(price=price)
    with pytest.raises(InputError, match="in a batch"):
        stage.start(budget_usd=1.0)
    assert stage.run().cost_usd is None


def test_rules_ask_no_service(scene):
    from studio.actions.rules import import_rules

    stage = scene()
    import_rules(
        stage.ws, stage.task.id, "rules: [{name: s, label: spam, any: [{phrase: spam}]}]", by="Ada"
    )
    with pytest.raises(InputError, match="Rules ask no service"):
        start_run(stage.ws, stage.task.id, choice=Choice(rules=True), batch=True, by="Ada")
