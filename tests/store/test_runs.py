"""Predictions, the responses behind them, and what they cost."""

import time

from studio.actions.examples import Columns, import_examples
from studio.actions.tasks import create_task
from studio.domain.run import Answer, ClassifierKind, Outcome, Run, Usage
from studio.store.runs import Result


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


def test_what_is_stored_comes_back(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    said = result(task, ids[0])
    ws.store.runs.store(run, [said], "2026")
    assert ws.store.runs.answer(run.id, ids[0]) == said.answer
    (prediction,) = ws.store.runs.predictions(run.id)
    assert (prediction.confidence, prediction.label_id) == (0.75, said.label_id)
    assert ws.store.runs.outcomes(run.id) == {"ok": 1}
    assert [e.id for e in ws.store.runs.remaining(run.id)] == ids[1:]
    assert ws.store.runs.calls(run.id) == {"calls": 1, "cost_usd": 0.5, "model": "m-1"}


def test_a_second_answer_to_the_same_question_changes_nothing(ws, fill):
    """A worker that was thought dead may still write: the first prediction stays."""
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    ws.store.runs.store(run, [result(task, ids[0])], "2026")
    ws.store.runs.store(run, [result(task, ids[0], "spam", key="k2")], "2026")
    (prediction,) = ws.store.runs.predictions(run.id)
    assert task.name_of(prediction.label_id) == "ham"
    assert ws.store.runs.calls(run.id)["calls"] == 2  # but both were paid


def test_a_known_response_costs_nothing_and_an_unknown_price_is_unknown(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    ws.store.runs.store(run, [result(task, ids[0])], "2026")
    ws.store.runs.store(run, [result(task, ids[1], cached=True)], "2026")
    assert ws.store.runs.calls(run.id)["calls"] == 1
    assert ws.store.runs.spent(task.id) == 0.5
    ws.store.runs.store(run, [result(task, ids[2], key="k3", cost=None)], "2026")
    assert ws.store.runs.calls(run.id)["cost_usd"] is None
    assert ws.store.runs.spent(task.id) is None


def test_errors_are_forgotten_and_what_they_cost_is_not(ws, fill):
    task = fill(ws, test=0)
    run, ids = file_run(ws, task)
    failed = Result(example_id=ids[1], label_id=None, answer=Answer(outcome=Outcome.ERROR), key="e")
    ws.store.runs.store(run, [result(task, ids[0]), failed], "2026")
    ws.store.runs.forget_errors(run.id)
    assert ws.store.runs.outcomes(run.id) == {"ok": 1}
    assert [e.id for e in ws.store.runs.remaining(run.id)] == ids[1:]
    assert ws.store.runs.calls(run.id)["calls"] == 2


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
