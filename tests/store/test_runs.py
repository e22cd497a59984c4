"""Predictions, the responses behind them, and what they cost."""

import itertools
import time

import hypothesis
from hypothesis import strategies as st

from studio.actions.examples import Columns, import_examples
from studio.actions.tasks import create_task
from studio.domain.run import Answer, ClassifierKind, Outcome, Run, Usage
from studio.store.runs import Attempt, Ending, Result

_NAMES = itertools.count()


def file_run(ws, task, n=4):
    ids = [e.id for e in ws.store.examples.all(task.id)][:n]
    run = Run(id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title="p", splits=("train",))
    return ws.store.file_run(run, example_ids=ids, now=0.0), ids


def result(task, example_id, label="ham", key="k", cost=0.5, **more):
    answer = Answer(
        outcome=Outcome.OK, label=label, probabilities={label: 0.75}, model="m-1",
        usage=Usage(cost_usd=cost, input_tokens=7), detail={"why": "ünï"}, raw='{"label": "ham"}',
    )  # fmt: skip
    return Result(
        example_id=example_id, label_id=task.label(label).id, answer=answer, key=key, **more
    )


def call(
    ws, task, run, example_id, label="ham", key="k", cost=0.5, outcome="ok", bound=1.0, **more
):
    """Open a call, and settle it with its answer, as the engine does."""
    runs = ws.store.runs
    (number,) = runs.commit(
        run, [], opened=[Attempt(example_id=example_id, number=1, bound_usd=bound)], at="2026"
    )
    ending = Ending(ledger_id=number, outcome=outcome, cost_usd=cost, input_tokens=7)
    said = result(task, example_id, label, key, cost, **more) if outcome == "ok" else Result(
        example_id=example_id, label_id=None, answer=Answer(outcome=Outcome(outcome)), key=key
    )  # fmt: skip
    runs.commit(run, [said], [ending], at="2026")
    return said


def test_what_is_stored_comes_back(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    said = call(ws, task, run, ids[0])
    assert ws.store.runs.answer(run.id, ids[0]) == said.answer
    (prediction,) = ws.store.runs.predictions(run.id)
    assert (prediction.confidence, prediction.label_id) == (0.75, said.label_id)
    assert ws.store.runs.outcomes(run.id) == {"ok": 1}
    assert [e.id for e in ws.store.runs.remaining(run.id)] == ids[1:]
    kept = ws.store.runs.get(run.id)
    assert (kept.done, kept.calls, kept.cost_usd) == (1, 1, 0.5)
    assert ws.store.runs.answered_by(run.id) == "m-1"


def test_a_second_answer_to_the_same_question_changes_nothing(ws, fill):
    """A worker that was thought dead may still write: the first prediction stays."""
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    call(ws, task, run, ids[0])
    call(ws, task, run, ids[0], "spam", key="k2")
    (prediction,) = ws.store.runs.predictions(run.id)
    assert task.name_of(prediction.label_id) == "ham"
    kept = ws.store.runs.get(run.id)
    assert (kept.done, kept.calls, kept.cost_usd) == (1, 2, 1.0)  # but both were paid
    assert ws.store.runs.outcomes(run.id) == {"ok": 1}


def test_a_known_response_costs_nothing_and_an_unknown_price_is_unknown(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    call(ws, task, run, ids[0])
    ws.store.runs.commit(run, [result(task, ids[1], cached=True)], at="2026")
    first, second = ws.store.runs.predictions(run.id)
    assert first.response_id == second.response_id
    assert ws.store.runs.get(run.id).calls == 1
    assert ws.store.runs.spent(task.id) == 0.5
    call(ws, task, run, ids[2], key="k3", cost=None)
    assert ws.store.runs.get(run.id).cost_usd is None
    assert ws.store.runs.spent(task.id) is None


def test_errors_are_forgotten_and_what_they_cost_is_not(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    call(ws, task, run, ids[0])
    call(ws, task, run, ids[1], key="e", outcome="error", cost=0.0)
    assert ws.store.runs.outcomes(run.id) == {"error": 1, "ok": 1}
    ws.store.runs.forget_errors(run.id)
    assert ws.store.runs.outcomes(run.id) == {"ok": 1}
    assert [e.id for e in ws.store.runs.remaining(run.id)] == ids[1:]
    kept = ws.store.runs.get(run.id)
    assert (kept.done, kept.calls) == (1, 2)


def test_calls_whose_fate_is_unknown_are_counted_at_the_most_they_can_have_cost(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    call(ws, task, run, ids[0])
    attempts = [
        Attempt(example_id=i, number=1, bound_usd=usd) for i, usd in ((ids[1], 2.0), (ids[2], None))
    ]
    ws.store.runs.commit(run, [], opened=attempts, at="2026")
    kept = ws.store.runs.get(run.id)
    assert (kept.calls, kept.spent_usd, kept.unpriced) == (3, 0.5, 0)
    assert ws.store.runs.settle_lost(run.id) == 2
    assert ws.store.runs.settle_lost(run.id) == 0
    kept = ws.store.runs.get(run.id)
    assert (kept.calls, kept.spent_usd, kept.unpriced, kept.done) == (3, 2.5, 1, 1)


@hypothesis.given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["ok", "off_label", "error"]), st.integers(0, 5),
            st.sampled_from([None, 0.0, 0.25]), st.booleans(),
        ),
        max_size=25,
    )
)  # fmt: skip
@hypothesis.settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_the_counters_say_what_a_recount_says(ws, fill, steps):
    task = fill(ws, f"t{next(_NAMES)}", train=6, validation=0, test=0, gold=False)
    run, ids = file_run(ws, task, 6)
    for number, (outcome, place, cost, lost) in enumerate(steps):
        if lost:
            ws.store.runs.commit(
                run,
                [],
                opened=[Attempt(example_id=ids[place], number=1, bound_usd=cost)],
                at="2026",
            )
            ws.store.runs.settle_lost(run.id)
        else:
            call(ws, task, run, ids[place], key=f"{run.id}-{number}", cost=cost, outcome=outcome)
    counted = ws.store.runs.get(run.id), ws.store.runs.outcomes(run.id)
    ws.store.runs.recount(run.id)
    assert counted == (ws.store.runs.get(run.id), ws.store.runs.outcomes(run.id))


def test_ten_thousand_examples(ws, record_property):
    """Printed, not asserted: a busy machine says nothing about the code."""
    task = create_task(ws, name="big", labels=["a", "b"], by="Ada")
    lines = [
        f"{i},text number {i} of many words about nothing,{'ab'[i % 2]}" for i in range(10_000)
    ]
    data = ("id,text,label\n" + "\n".join(lines)).encode()
    wall, cpu = time.perf_counter(), time.process_time()
    done = import_examples(ws, task.id, data=data, filename="big.csv",
                           columns=Columns(label="label"), by="Ada")  # fmt: skip
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"10,000 examples imported in {wall:.2f} s ({cpu:.2f} s CPU)")
    record_property("import_10000_s", round(wall, 3))
    assert (done.added, done.labeled, done.rejected) == (10_000, 10_000, [])


def test_a_service_that_lies_about_its_tokens_breaks_no_sum(ws, fill):
    task = fill(ws)
    run, ids = file_run(ws, task)
    opened = [Attempt(example_id=ids[0], number=n, bound_usd=1.0) for n in range(1_100)]
    numbers = ws.store.runs.commit(run, [], opened=opened, at="2026")
    ends = [
        Ending(ledger_id=n, outcome="ok", cost_usd=1.0, input_tokens=2**53 - 1) for n in numbers
    ]
    ws.store.runs.commit(run, [], ends, at="2026")
    assert ws.store.prices.tokens(run) == (2**63 - 1, 0)
