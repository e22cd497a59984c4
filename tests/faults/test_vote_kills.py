"""After kill -9 in the middle of a vote job, what was stored is right, and the rest is found."""

import random
import signal

import numpy as np
import pytest

from studio.actions.rules import import_rules
from studio.actions.runs import Choice, start_run
from studio.analysis.votes import apply_rules
from studio.domain.example import Split
from studio.handlers.votes import rule_key

pytestmark = pytest.mark.fault
N = 30_000
WORDS = [f"w{i}" for i in range(300)]


@pytest.fixture
def task(ws, fill):
    """A task with enough to do that a worker can be killed at it."""
    task = fill(ws, train=0, validation=0, test=0)
    chance = random.Random(5)
    rows = [(f"x{i}", " ".join(chance.choices(WORDS, k=25)), Split.TRAIN, {}) for i in range(N)]
    ws.store.examples.add(task.id, rows, ws.now())
    rules = [
        f"- {{name: r{i}, label: {label}, any: [{{regex: 'w{i}.*w{i + 9}\\b'}}]}}"
        for i, label in enumerate(("ham", "spam") * 10)
    ]
    import_rules(ws, task.id, "rules:\n" + "\n".join(rules), by="Ada")
    return task


def known(ws, task):
    """How many votes of each rule are stored, and those that are."""
    ids = np.array(ws.read.examples.ids(task.id))
    rules = ws.read.rules.all(task.id)
    return [ws.read.firings.load(task.id, rule_key(rule.body), ids) for rule in rules]


def test_a_vote_job_killed_twice_ends_with_the_same_votes(ws, task, start_worker, eventually):
    rules = ws.read.rules.all(task.id)
    wanted = apply_rules(rules, ws.read.examples.all(task.id)).fires.T
    job = ws.store.jobs.file(kind="votes", subject_id=task.id, total=N, now=ws.clock())
    for least in (1, 16_000):
        worker = start_worker()
        eventually(lambda least=least: ws.read.jobs.get(job).done >= least)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        for (truths, there), right in zip(known(ws, task), wanted, strict=True):
            assert (truths == (right & there)).all()
        assert 0 < there.sum() < N, "the worker was killed too late to tell anything"
    start_worker()
    eventually(lambda: ws.read.jobs.get(job).status == "done")
    for (truths, there), right in zip(known(ws, task), wanted, strict=True):
        assert there.all()
        assert (truths == right).all()


def test_a_run_of_rules_killed_twice_labels_all_once(ws, task, start_worker, eventually):
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    for least in (1, 10_000):
        worker = start_worker()
        eventually(lambda least=least: ws.read.runs.get(run.id).done >= least)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert 10_000 <= ws.read.runs.get(run.id).done < N
    start_worker()
    eventually(lambda: ws.read.runs.get(run.id).status == "done")
    said = {p.example_id: p.label_id for p in ws.read.runs.predictions(run.id)}
    again = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    eventually(lambda: ws.read.runs.get(again.id).status == "done")
    assert len(said) == N
    assert said == {p.example_id: p.label_id for p in ws.read.runs.predictions(again.id)}
    assert sum(ws.read.runs.outcomes(run.id).values()) == N
