"""What stakeholders get: the report with its verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from studio.analysis.economics import PeopleTime, Rates, Spent, arms, people_time
from studio.analysis.intervals import needed_for
from studio.analysis.metrics import evaluate, wrong_examples
from studio.analysis.slices import metadata_slices, score_slices
from studio.domain.correction import FROM_FILES
from studio.domain.evaluation import Evaluation, Figure
from studio.domain.example import Split
from studio.domain.report import Arm, Decision, Report, decide
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Criterion, Task
from studio.handlers.tried_texts import find_tried
from studio.workspace import Workspace

TEST = (Split.TEST.value,)
LEAST_TEST_GOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    run: Run
    evaluation: Evaluation


def build_report(ws: Workspace, task_id: int, *, by: str) -> Report:
    """Return the report of a task, keep its verdict, and count the look at test.

    The verdict is about the champion's newest run on test, or without a champion about the newest
    run there; on test only blind gold counts.
    """
    task = ws.store.tasks.get(task_id)
    measured = _measured(ws, task)
    if measured is not None:
        ws.store.labels.record_look(task_id, measured.run.id, by, ws.now())
    metric = task.criterion.metric if task.criterion else "macro_f1"
    figure = measured.evaluation.metric(metric) if measured else None
    decision = _decision(task.criterion, figure)
    time = people_time(ws.read.labels.history(task_id))
    report = Report(
        task=task.name,
        question=task.question,
        criterion=task.criterion,
        decision=decision,
        classifier=measured.run.title if measured else "",
        figure=figure,
        evaluation=measured.evaluation if measured else None,
        cost_usd=ws.read.runs.spent(task_id),
        minutes=time.minutes,
        untimed=time.untimed,
        arms=_arms(ws, task, decision, time),
        missing=_missing(ws, task, measured, time),
        test_looks=ws.read.labels.looks(task_id),
        worst=_worst(ws, task, measured),
        created_at=ws.now(),
        versions_tried=_tried(ws, task),
        facts=_facts(ws, task),
    )
    ws.store.tasks.record_verdict(
        task_id,
        verdict=decision.verdict.value,
        body=json.dumps(report_to_dict(report)),
        by=by,
        at=report.created_at,
    )
    return report


def report_to_dict(report: Report) -> dict[str, Any]:
    """Return a report as `--json` shows it."""
    return {
        "task": report.task,
        "verdict": report.decision.verdict.value,
        "reason": report.decision.reason,
        "needed": report.decision.needed,
        "criterion": str(report.criterion) if report.criterion else None,
        "classifier": report.classifier,
        "figure": report.figure.to_dict() if report.figure else None,
        "cost_usd": report.cost_usd,
        "minutes": round(report.minutes, 2),
        "untimed": report.untimed,
        "arms": [
            {
                "name": a.name,
                "minutes": round(a.minutes, 1),
                "total_usd": a.total_usd,
                "basis": a.basis,
            }
            for a in report.arms
        ],
        "missing": list(report.missing),
        "test_looks": report.test_looks,
        "versions_tried": report.versions_tried,
    }


def _tried(ws: Workspace, task: Task) -> dict[str, Any] | None:
    """Return what trying so many prompts makes of the champion's figure, else of the best one's."""
    kind, _, number = task.champion.partition(":")
    is_prompt = kind == ClassifierKind.PROMPT and number.isdigit()
    told = find_tried(ws, task, int(number) if is_prompt else None)
    return told.to_dict() if told else None


def _decision(criterion: Criterion | None, figure: Figure | None) -> Decision:
    needed = None
    if criterion is not None and figure is not None and figure.n:
        needed = needed_for(figure, criterion.threshold)
    return decide(criterion, figure, needed)


def _measured(ws: Workspace, task: Task) -> _Measured | None:
    """Return the run the verdict is about with its figures on blind test gold."""
    gold = {i: g.label_id for i, g in ws.read.labels.gold(task.id, TEST, blind_only=True).items()}
    runs = [r for r in ws.read.runs.all(task.id) if Split.TEST.value in r.splits and r.done]
    finished = [r for r in runs if r.status == "done"]
    if task.champion:
        finished = [r for r in finished if ws.read.runs.classifier(r.id) == task.champion]
    for run in finished:
        predictions = ws.read.runs.predictions(run.id, splits=TEST)
        if any(p.example_id in gold for p in predictions):
            evaluation = evaluate(run.id, Split.TEST.value, task.labels, gold, predictions)
            return _Measured(run=run, evaluation=evaluation)
    return None


def _arms(ws: Workspace, task: Task, decision: Decision, time: PeopleTime) -> tuple[Arm, ...]:
    reached = {"go": True, "no-go": False}.get(decision.verdict.value)
    spent = ws.read.runs.spent(task.id)
    prompts = [r for r in ws.read.runs.all(task.id) if r.kind is ClassifierKind.PROMPT]
    prompt_usd = None if any(r.unpriced for r in prompts) else sum(r.spent_usd for r in prompts)
    settings = ws.settings
    return arms(
        Spent(
            minutes=time.minutes,
            timed=time.timed,
            untimed=time.untimed,
            service_usd=spent,
            reached=reached,
            rationales=len(ws.read.rationales.all(task.id)),
            rules=len(ws.read.rules.all(task.id, enabled_only=True)),
        ),
        Spent(minutes=0.0, service_usd=prompt_usd, prompts=len(ws.read.prompts.all(task.id)))
        if prompts
        else None,
        sum(c["n"] for c in ws.read.labels.counts(task.id)) or None,
        Rates(
            expert_usd_hour=settings.expert_usd_hour,
            annotator_usd_hour=settings.annotator_usd_hour,
            ml_expert_usd_hour=settings.analyst_usd_hour,
        ),
    )


def _missing(
    ws: Workspace, task: Task, measured: _Measured | None, time: PeopleTime
) -> tuple[str, ...]:
    counts = ws.read.labels.counts(task.id)
    test_gold = sum(c["n"] for c in counts if c["split"] == Split.TEST.value)
    notes = []
    if task.criterion is None:
        notes.append("A criterion: the figure at which the answer is go.")
    if test_gold < LEAST_TEST_GOLD:
        notes.append(
            f"Blind gold on test: {test_gold} labels, at least {LEAST_TEST_GOLD} are wanted."
        )
    if measured is None:
        which = "the champion" if task.champion else "a classifier"
        notes.append(f"A finished run of {which} on the test split.")
    elif mark := ws.read.label_sets.marks(task.id).runs.get(measured.run.id):
        notes.append(f"A newer run than {measured.run.id}. {mark}")
    if not any(c["origin"] not in {o.value for o in FROM_FILES} for c in counts):
        notes.append("Decisions of people in the studio: without them no minutes can be measured.")
    if time.lacks:
        notes.append(time.lacks)
    if ws.read.runs.spent(task.id) is None:
        notes.append("The price of a service that was used; its cost is unknown.")
    notes.append("The cost of more labels: no learning curve is drawn towards the criterion yet.")
    return tuple(notes)


def _worst(ws: Workspace, task: Task, measured: _Measured | None) -> tuple[tuple[str, Figure], ...]:
    """Return the slices on which the classifier errs more than chance tells; at most five."""
    if measured is None:
        return ()
    gold = {i: g.label_id for i, g in ws.read.labels.gold(task.id, TEST, blind_only=True).items()}
    predictions = ws.read.runs.predictions(measured.run.id, splits=TEST)
    known = {p.example_id for p in predictions if p.example_id in gold}
    examples = ws.read.examples.some(task.id, sorted(known))
    scores = score_slices(metadata_slices(examples), wrong_examples(gold, predictions), known)
    return tuple((s.slice.name, s.error) for s in scores if s.is_worse)[:5]


def _facts(ws: Workspace, task: Task) -> dict[str, Any]:
    counts = ws.read.labels.counts(task.id)
    return {
        "examples": sum(ws.read.examples.counts(task.id).values()),
        "gold labels": sum(c["n"] for c in counts),
        "rationales": len(ws.read.rationales.all(task.id)),
        "rules": len(ws.read.rules.all(task.id, enabled_only=True)),
        "prompt versions": len(ws.read.prompts.all(task.id)),
        "runs": len(ws.read.runs.all(task.id)),
        "fine-tunes": len(ws.read.finetunes.all(task.id)),
    }
