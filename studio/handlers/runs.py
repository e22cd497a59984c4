"""The work behind a run: label every example that has no prediction yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.domain.coded_rationale import CodedRationale
from studio.domain.job import Job
from studio.domain.run import Answer, ClassifierKind, Outcome, Run, Usage
from studio.domain.task import Task
from studio.errors import RunFailedError
from studio.handlers.asking import Asking
from studio.handlers.batches import Batching
from studio.handlers.calling import Calling
from studio.handlers.injections import FIGURE, attack, read_injections
from studio.handlers.joined import frozen_joining
from studio.handlers.pacing import Pacers
from studio.handlers.repeating import Repeating
from studio.handlers.rules_and_text import JoinedAnswers
from studio.handlers.votes import BLOCK, Voting
from studio.jobs.control import Control
from studio.store.runs import Result
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.joining import Joining
    from studio.analysis.vote_matrix import VoteMatrix

AT_ONCE = 1_000
"""Predictions stored at once: others write in between."""


async def run_handler(ws: Workspace, pacers: Pacers, job: Job, control: Control) -> None:
    """Label what remains of a run; what is stored stays stored, whatever happens."""
    run = ws.store.runs.get(job.subject_id)
    in_batches = bool(ws.store.runs.params(run.id).get("batch"))
    if not in_batches:  # the calls of a batch outlive the worker
        with ws.store.transaction():  # also of a run that people want ended by now
            control.record(done=run.done, total=run.total, message="starting")
            ws.store.runs.settle_lost(run.id)
        await control.checkpoint()
    if run.kind is ClassifierKind.RULES:
        await _apply_rules(ws, run, control)
    else:
        await _ask(ws, pacers, run, control)
    outcomes = ws.store.runs.outcomes(run.id)
    if outcomes and set(outcomes) == {Outcome.ERROR.value}:
        answer = _any_error(ws, run)
        raise RunFailedError(f"All {run.total} questions failed: {answer}")
    await control.checkpoint(done=sum(outcomes.values()), message="")
    if FIGURE in ws.store.runs.params(run.id):
        await attack(ws, pacers, run, control, read_injections())


async def _ask(ws: Workspace, pacers: Pacers, run: Run, control: Control) -> None:
    """Ask a service, and join its answers with the rules where the run says so."""
    service, asking = await Asking.open(ws, run)
    if run.kind is ClassifierKind.JOINED:
        try:
            asking.joined = await JoinedAnswers.open(ws, run, service, control)
        except BaseException:
            await service.close()
            raise
        if asking.joined.are_rules_alone:
            await service.close()
            await _apply_rules(ws, run, control, asking.joined.joining)
            return
    if ws.store.runs.params(run.id).get("batch"):
        await Batching(ws, run, control, service, asking).go()
    else:
        way = Repeating if asking.samples > 1 else Calling
        await way(ws, run.id, control, service, pacers.of(service), asking).go()


async def _apply_rules(
    ws: Workspace, run: Run, control: Control, joining: Joining | None = None
) -> None:
    task = ws.store.tasks.get(run.task_id)
    frozen = ws.store.runs.params(run.id).get("rules")
    rules = (
        ws.store.rules.frozen(task.id, frozen)  # as they were when the run was started
        if frozen
        else ws.store.rules.all(task.id, enabled_only=True)
    )
    voting = Voting(ws, task.id, rules, control, before_run=run.id)
    done = run.done
    after = 0
    try:
        joining = joining or await frozen_joining(ws, run, task, rules, voting)
        while examples := ws.store.runs.remaining(run.id, after=after, limit=BLOCK):
            found = await voting.of(examples)
            results = await asyncio.to_thread(_join, task, rules, found.matrix, joining)
            for start in range(0, len(results), AT_ONCE):
                some = results[start : start + AT_ONCE]
                done += len(some)
                with ws.store.transaction():
                    control.record(done=done, message="applying rules")
                    if not start:
                        voting.keep(found)
                    ws.store.runs.commit(run, some, at=ws.now())
                control.raise_if_unwanted()
                await asyncio.sleep(0)
            after = examples[-1].id
    finally:
        await voting.close()
    voting.forget_old()


def _join(
    task: Task, rules: Sequence[CodedRationale], matrix: VoteMatrix, joining: Joining
) -> list[Result]:
    """Return what the rules say together; in a thread, for others wait for the event loop."""
    from studio.analysis.joining import join_votes  # numpy: other runs do without

    label_ids = [label.id for label in task.labels]
    joined = join_votes(matrix, rules, task.fallback_label_id, label_ids, joining)
    results = []
    for example_id, said in zip(matrix.example_ids, joined, strict=True):
        name = task.name_of(said.label_id)
        answer = Answer(
            outcome=Outcome.OK if name else Outcome.ABSTAINED,
            label=name,
            probabilities={name: said.confidence} if name and said.confidence else {},
            usage=Usage(cost_usd=0.0),
        )
        results.append(Result(example_id=example_id, label_id=said.label_id, answer=answer))
    return results


def _any_error(ws: Workspace, run: Run) -> str:
    first = ws.store.runs.predictions(run.id)[0]
    answer = ws.store.runs.answer(run.id, first.example_id)
    return str(answer.detail.get("error", "no reason was given")) if answer else ""
