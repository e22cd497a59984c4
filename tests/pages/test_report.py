from __future__ import annotations

from studio.actions.corrections import import_corrections
from studio.actions.runs import Choice, start_run
from studio.domain.job import JobStatus
from studio.domain.run import Answer, Outcome
from studio.store.runs import Result


def test_without_a_run_on_test_it_is_not_yet_and_says_why(open_app, fill, ws):
    task = fill("keto loaded")
    at = open_app("report")
    assert not at.exception
    assert "Not yet" in next(iter(at.get("html"))).proto.body
    assert any("No classifier was measured" in m.value for m in at.markdown)
    assert ws.read.labels.looks(task.id) == 0


def test_a_measured_classifier_gets_a_verdict_and_one_look_is_counted(open_app, fill, ws):
    task = fill("keto loaded")
    measure(ws, task)
    at = open_app("report")
    assert not at.exception
    assert any("n=160" in s.value for s in at.subheader)
    assert ws.read.labels.looks(task.id) == 1
    at.run()
    assert ws.read.labels.looks(task.id) == 1, "drawing the same page again is no further look"


def test_the_report_can_be_downloaded(open_app, fill, ws):
    measure(ws, fill("keto loaded"))
    at = open_app("report")
    button = next(iter(at.get("download_button")))
    assert button.proto.label == "Download the report"


def test_decisions_that_nobody_timed_are_no_minutes(open_app, fill, ws):
    task = fill("keto loaded")
    (one, *_) = ws.read.examples.all(task.id, ["train"])
    data = f"id,label\n{one.external_id},keto\n".encode()
    import_corrections(ws, task.id, data=data, filename="votes.csv", by="Bo")
    at = open_app("report")
    minutes = next(m for m in at.metric if m.label == "Minutes of people")
    assert (minutes.value, "1 more decision" in minutes.help) == ("not timed", True)
    assert any("The time of 1 decision" in m.value for m in at.markdown)
    assert any("1 more decision" in c.value for c in at.caption)


def measure(ws, task) -> None:
    """Store a perfect run of the rules on test, as the worker would."""
    run = start_run(ws, task.id, choice=Choice(rules=True), splits=["test"], by="Ada")
    results = [
        Result(example_id=i, label_id=g.label_id,
               answer=Answer(outcome=Outcome.OK, label=task.name_of(g.label_id)))
        for i, g in ws.read.labels.gold(task.id, ["test"]).items()
    ]  # fmt: skip
    ws.store.runs.commit(run, results, at=ws.now())
    job = ws.store.jobs.claim("test", ws.clock(), 30.0)
    ws.store.jobs.finish(job.id, job.fence, JobStatus.DONE, "", ws.clock())
