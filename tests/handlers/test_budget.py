"""What a run spends, keeps and never asks twice; the provider is a script with a price."""

import itertools

import pytest

from studio.actions.runs import Choice, run_status, set_budget, start_run, steer_run
from studio.domain.example import Split
from studio.domain.job import Want
from studio.domain.price import Price
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import (
    BadReplyError,
    InputError,
    NoAnswerError,
    ProviderUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
)
from studio.handlers.asking import Asking
from studio.handlers.calling import ASKS
from tests.handlers.test_runs import Scene, text_of

pytestmark = pytest.mark.usefixtures("quick")
# One dollar a token: a question bounds to some hundred dollars and more, an answer costs 10.
PRICE = Price(provider="embedded", model="scripted", input_usd=1e6, output_usd=1e6)
COST = 10.0


def paid(question):
    return Answer(outcome=Outcome.OK, label="ham", model="m",
                  usage=Usage(input_tokens=7, output_tokens=3))  # fmt: skip


@pytest.fixture
def stage(open_studio, fill, work):
    """A workspace around a script whose model has a price."""

    class Stage(Scene):
        def open(self, *, train=12, price=PRICE):
            self.ws = open_studio(provider=self.provider)
            if price:
                self.ws.store.prices.set(price, by="Ada", at="2026")
            self.task = fill(self.ws, train=train, validation=0, test=0, gold=False)
            return self

        def run(self, **more):
            run = start_run(self.ws, self.task.id, choice=Choice(), by="Ada", **more)
            work(self.ws)
            return self.ws.read.runs.get(run.id)

        def resume(self, run):
            steer_run(self.ws, run.id, Want.RUN)
            work(self.ws)
            return self.ws.read.runs.get(run.id)

        def ledger(self):
            return [
                tuple(row)
                for row in self.ws.read.db.read(
                    "SELECT outcome, attempt, cost_usd FROM ledger ORDER BY id"
                )
            ]

    return Stage


def bound_of(stage, monkeypatch):
    """Return the most one question of the stage can cost, as the engine says."""
    found = []
    inner = Asking.bound
    monkeypatch.setattr(
        Asking, "bound", lambda self, *a, **k: found.append(inner(self, *a, **k)) or found[-1]
    )
    return found


def test_a_run_stops_before_its_budget_and_goes_on_when_it_is_raised(stage, monkeypatch):
    scene = stage(paid).open(train=300)
    found = bound_of(scene, monkeypatch)
    run = scene.run(budget_usd=2_500.0)
    most = max(found)
    job = scene.ws.read.jobs.get(run.job_id)
    assert (run.status, job.want) == ("paused", Want.PAUSE)
    assert job.message.startswith("The budget of $2,500 is used up: $")
    assert "Raise the budget to go on." in job.message
    assert run.spent_usd == COST * run.calls == COST * run.done
    assert 2_500.0 - most < run.spent_usd <= 2_500.0
    assert scene.resume(run).done == run.done  # nothing was raised: it stops at once again
    set_budget(scene.ws, run.id, 6_000.0)
    ended = scene.resume(run)
    assert (ended.status, ended.done, ended.spent_usd) == ("done", 300, 300 * COST)
    assert len(scene.texts) == len(set(scene.texts)) == 300


def test_the_rest_that_sums_of_fractions_leave_is_not_waited_for(stage, monkeypatch):
    bounds = itertools.cycle((0.1, 0.2, 0.3))
    monkeypatch.setattr(Asking, "bound", lambda *_, **__: next(bounds))
    price = Price(provider="embedded", model="scripted", input_usd=1e4, output_usd=1e4)
    assert stage(paid).open(train=30, price=price).run(budget_usd=0.65).status == "paused"


def test_what_is_in_flight_is_reserved(stage):
    """Sixteen at once, each of which may cost its most: never more than the cap in sum."""

    def dear(question):
        return Answer(outcome=Outcome.OK, label="ham", model="m",
                      usage=Usage(input_tokens=20, output_tokens=1024))  # fmt: skip

    scene = stage(dear, delay=0.002).open(train=40)
    run = scene.run(budget_usd=20_000.0)
    assert run.status == "paused"
    assert 0 < run.spent_usd <= 20_000.0


def test_a_budget_needs_a_price(stage):
    scene = stage(paid)
    scene.provider.is_local = False
    scene.open(price=None)
    with pytest.raises(InputError, match=r"The price of scripted at embedded is unknown"):
        start_run(scene.ws, scene.task.id, choice=Choice(), by="Ada", budget_usd=5, consent=True)
    for usd in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="A budget is an amount"):
            start_run(
                scene.ws, scene.task.id, choice=Choice(), by="Ada", budget_usd=usd, consent=True
            )
    assert scene.ws.read.runs.all(scene.task.id) == []


def test_an_unknown_price_is_unknown_and_never_nothing(stage):
    scene = stage(paid)
    scene.provider.is_local = False
    scene.open(price=None)
    run = scene.run(consent=True)
    assert (run.done, run.calls, run.unpriced, run.cost_usd) == (12, 12, 12, None)


def test_every_attempt_is_in_the_ledger_with_its_cost(stage):
    kinds = itertools.cycle(
        [
            RateLimitedError("slow"), ProviderUnavailableError("down"), NoAnswerError("silence"),
            Answer(outcome=Outcome.NOT_JSON, usage=Usage(input_tokens=7, output_tokens=3)), None,
            BadReplyError("what?"), None,
        ]
    )  # fmt: skip

    def answer(question):
        said = next(kinds)
        if isinstance(said, Exception):
            raise said
        return said or paid(question)

    scene = stage(answer).open(train=20)
    run = scene.run()
    assert run.status == "done"
    ledger = scene.ledger()
    assert len(ledger) == len(scene.texts) == run.calls
    costs = {}
    for outcome, _, cost in ledger:
        costs.setdefault(outcome, set()).add(cost)
    assert costs["rate_limited"] == costs["provider_unavailable"] == {0.0}
    assert costs["ok"] == costs["not_json"] == {COST}
    assert (
        min(costs["no_answer"] | costs["bad_reply"]) > COST
    )  # it may have worked: the most it can have cost
    assert run.spent_usd == pytest.approx(sum(cost for _, _, cost in ledger))
    assert max(attempt for _, attempt, _ in ledger) > 1


def test_no_money_left_stops_at_once(stage):
    def answer(question):
        if text_of(question).endswith(" 7"):
            raise QuotaExhaustedError("No money is left.", next_step="Add credit.")
        return paid(question)

    scene = stage(answer, delay=0.002).open(train=300)
    run = scene.run()
    assert (run.status, run.error) == ("failed", "No money is left. Add credit.")
    assert len(scene.texts) < 60
    assert run.done == len(scene.texts) - 1  # what was under way landed and is kept
    scene.answer = paid
    assert scene.resume(run).done == 300


def test_a_call_whose_worker_died_is_counted_as_lost(stage):
    from studio.store.runs import Attempt

    scene = stage(paid).open()
    run = start_run(scene.ws, scene.task.id, choice=Choice(), by="Ada")
    first = scene.ws.store.runs.remaining(run.id, limit=1)[0]
    scene.ws.store.runs.commit(
        run, [], opened=[Attempt(example_id=first.id, number=1, bound_usd=99.0)], at="2026"
    )
    ended = scene.resume(run)
    assert (ended.done, ended.calls) == (12, 13)
    assert ended.spent_usd == 12 * COST + 99.0
    assert scene.ledger()[0] == ("lost", 1, 99.0)


def test_the_same_question_costs_nothing_in_another_task(stage, fill):
    scene = stage(paid).open()
    scene.run()
    other = fill(scene.ws, "mail 2", train=12, validation=0, test=0, gold=False)
    scene.task = other
    again = scene.run()
    assert (again.done, again.calls, again.spent_usd) == (12, 0, 0.0)
    assert len(scene.texts) == 12


def same(scene, n):
    """Let the scene's task have n examples of one text."""
    rows = [(str(i), "the same text", Split.TRAIN, {}) for i in range(n)]
    scene.ws.store.examples.add(scene.task.id, rows, "2026")


def test_examples_of_one_text_are_asked_about_once(stage):
    scene = stage(paid, delay=0.002).open(train=0)
    same(scene, 150)
    run = scene.run()
    assert (run.status, run.done, run.calls, run.spent_usd) == ("done", 150, 1, COST)
    said = scene.ws.read.runs.predictions(run.id)
    assert len({(p.response_id, p.label_id) for p in said}) == 1
    again = scene.run(again=True)
    assert (again.done, again.calls) == (150, 1)


def test_examples_of_one_text_each_ask_where_the_others_got_no_answer(stage):
    odd = Answer(outcome=Outcome.OFF_LABEL, usage=Usage(input_tokens=7, output_tokens=3))
    said = itertools.chain([odd] * (ASKS + 1), itertools.repeat(None))
    scene = stage(lambda q: next(said) or paid(q), delay=0.002).open(train=0)
    same(scene, 20)
    run = scene.run()
    assert run_status(scene.ws, run.id)["outcomes"] == {"off_label": 1, "ok": 19}
    assert run.calls == ASKS + 2


def test_a_malformed_answer_is_no_answer_to_the_next_run(stage):
    scene = stage(lambda q: Answer(outcome=Outcome.OFF_LABEL, usage=Usage(input_tokens=1))).open(
        train=2
    )
    first = scene.run()
    assert run_status(scene.ws, first.id)["outcomes"] == {"off_label": 2}
    scene.answer = paid
    assert run_status(scene.ws, scene.run().id)["outcomes"] == {"ok": 2}


def test_a_lowered_budget_holds_for_a_run_under_way(stage, work):
    scene = stage(paid, delay=0.005).open(train=400)
    run = start_run(scene.ws, scene.task.id, choice=Choice(), by="Ada", budget_usd=1e6)
    seen = []

    def lowered():
        now = scene.ws.read.runs.get(run.id)
        if not seen and now.done > 20:
            set_budget(scene.ws, run.id, 2_000.0)
            seen.append(True)
        return now.status == "paused"

    work(scene.ws, until=lowered)
    assert scene.ws.read.runs.get(run.id).done < 400


def test_a_budget_raised_at_the_last_moment_counts_and_what_landed_is_not_waited_for(
    stage, monkeypatch
):
    monkeypatch.setattr("studio.handlers.calling.TELL_S", 1e3)  # between two looks at the budget
    scene = stage(paid).open(train=60)
    runs = []

    def answer(question):
        if len(scene.texts) == 20:
            runs.extend(scene.ws.read.runs.all(scene.task.id))
            set_budget(scene.ws, runs[0].id, 1e6)
        return paid(question)

    scene.answer = answer
    assert scene.run(budget_usd=2_500.0).status == "done"


def test_replies_that_tell_no_tokens_count_at_their_most_also_after_a_rest(stage):
    """Or each time it is resumed, or its worker started anew, it might spend its budget again."""
    scene = stage(lambda q: Answer(outcome=Outcome.OK, label="ham", model="m")).open(train=60)
    run = scene.run(budget_usd=30_000.0)
    assert run.status == "paused"
    assert run.cost_usd is None
    assert 0 < run.done < 60
    assert scene.resume(run).done == run.done


def test_the_lost_calls_of_a_run_that_is_cancelled_are_counted(stage, work):
    from studio.store.runs import Attempt

    scene = stage(paid).open()
    run = start_run(scene.ws, scene.task.id, choice=Choice(), by="Ada")
    store = scene.ws.store
    store.jobs.claim("a worker that dies", 0.0, 1.0)
    call = Attempt(example_id=1, number=1, bound_usd=99.0)
    store.runs.commit(run, [], opened=[call], at="2026")
    steer_run(scene.ws, run.id, Want.CANCEL)
    work(scene.ws, until=lambda: store.runs.get(run.id).status == "cancelled")
    assert store.runs.get(run.id).spent_usd == 99.0
    assert scene.ledger() == [("lost", 1, 99.0)]
