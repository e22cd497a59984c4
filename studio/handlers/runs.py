"""The work behind a run: ask the classifier about every example that has no prediction yet."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from studio.analysis.joining import join_votes
from studio.analysis.votes import apply_rules
from studio.domain.example import Example
from studio.domain.job import Job
from studio.domain.prompt import PromptText, prompt_of, render_messages, user_turn
from studio.domain.run import Answer, ClassifierKind, Outcome, Question, Run, Usage
from studio.domain.task import Task
from studio.errors import (
    BadReplyError,
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
    RunFailedError,
)
from studio.jobs.control import Control
from studio.jobs.queue import LostJobError
from studio.providers.base import Provider
from studio.store.runs import Result
from studio.workspace import Workspace

AT_ONCE = 64
TELL_S = 0.25
DRAIN_S = 3.0
TRIES = 4
BACKOFF_S = 0.5
CHUNK = 2_000
MOST_MISSES = 8
_WORTH_ANOTHER_TRY = (ProviderUnavailableError, RateLimitedError, BadReplyError)
_CONCERNS_ONE = (*_WORTH_ANOTHER_TRY, RefusedRequestError)


async def run_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Label what remains of a run; what is stored stays stored, whatever happens."""
    run = ws.store.runs.get(job.subject_id)
    await control.checkpoint(done=run.done, total=run.total, message="starting")
    if run.kind is ClassifierKind.RULES:
        await _apply_rules(ws, run, control)
    else:
        await _ask_provider(ws, run, control)
    outcomes = ws.store.runs.outcomes(run.id)
    if outcomes and set(outcomes) == {Outcome.ERROR.value}:
        answer = _any_error(ws, run)
        raise RunFailedError(f"All {run.total} questions failed: {answer}")
    await control.checkpoint(done=sum(outcomes.values()), message="")


async def _apply_rules(ws: Workspace, run: Run, control: Control) -> None:
    task = ws.store.tasks.get(run.task_id)
    rules = ws.store.rules.all(task.id, enabled_only=True)
    label_ids = [label.id for label in task.labels]
    done = run.done
    while examples := ws.store.runs.remaining(run.id, limit=CHUNK):
        matrix = await asyncio.to_thread(apply_rules, rules, examples)
        joined = join_votes(matrix, rules, task.fallback_label_id, label_ids)
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
        _store(ws, run, control, results)
        done += len(results)
        await control.checkpoint(done=done, message="applying rules")


async def _ask_provider(ws: Workspace, run: Run, control: Control) -> None:
    """Keep the configured number of questions in flight; store answers as they come."""
    task = ws.store.tasks.get(run.task_id)
    service = ws.provider(run.provider)
    try:
        asker = await _Asker.of(ws, run, task, service)
        examples = _remaining(ws, run)
        outcomes = ws.store.runs.outcomes(run.id)
        done, failed = run.done, run.done - outcomes.get(Outcome.OK, 0)
        waiting: deque[tuple[Example, str]] = deque()
        flying: set[asyncio.Task[Result]] = set()
        landed: list[Result] = []
        told = time.monotonic()
        try:
            while True:
                while len(flying) < ws.settings.concurrency and len(landed) < AT_ONCE:
                    if waiting:
                        flying.add(asyncio.create_task(asker.ask(*waiting.popleft())))
                    elif batch := next(examples, None):
                        known, open_ = asker.split(batch)
                        landed += known
                        waiting += open_
                    else:
                        break
                if flying:
                    await asyncio.wait(flying, timeout=TELL_S, return_when=asyncio.FIRST_COMPLETED)
                    _land(flying, landed)
                if not landed and not flying:
                    break
                if landed:  # at once: what is not written when the worker is killed is paid twice
                    _store(ws, run, control, landed)
                    done += len(landed)
                    failed += sum(r.answer.outcome is not Outcome.OK for r in landed)
                    landed = []
                if not flying or time.monotonic() - told > TELL_S:
                    told = time.monotonic()
                    await control.checkpoint(done=done, failed=failed, message="labeling")
        finally:
            await _drain(flying, landed)
            if landed:
                _store(ws, run, control, landed)
    finally:
        await service.close()


def _land(flying: set[asyncio.Task[Result]], landed: list[Result]) -> None:
    """Move what was answered from one to the other; a failure waits until all of it is moved."""
    failure: BaseException | None = None
    for task in [task for task in flying if task.done()]:
        flying.discard(task)
        if task.cancelled():
            continue
        if error := task.exception():
            failure = failure or error
        else:
            landed.append(task.result())
    if failure is not None:
        raise failure


async def _drain(flying: set[asyncio.Task[Result]], landed: list[Result]) -> None:
    """Wait a moment for the answers under way, for they are paid; then give up the rest."""
    if flying:
        await asyncio.wait(flying, timeout=DRAIN_S)
    for task in flying:
        task.cancel()
    await asyncio.gather(*flying, return_exceptions=True)
    # The first failure is on its way up already; whatever else failed, what landed is paid for.
    with contextlib.suppress(Exception):
        _land(flying, landed)


def _remaining(ws: Workspace, run: Run) -> Iterator[list[Example]]:
    """Yield the examples without a prediction, a few at a time, each once."""
    after = 0
    while batch := ws.store.runs.remaining(run.id, after=after, limit=CHUNK):
        after = batch[-1].id
        for i in range(0, len(batch), 8):
            yield batch[i : i + 8]


class _Asker:
    """Turns examples of one run into questions, and answers into results."""

    def __init__(
        self, ws: Workspace, run: Run, task: Task, body: PromptText, service: Provider, engine: str
    ) -> None:
        self._ws, self._run, self._task = ws, run, task
        self._service, self._engine = service, engine
        self._before = tuple(render_messages(body, task.label_names, "")[:-1])  # rendered once
        self._misses = 0
        self._again = bool(ws.store.runs.params(run.id).get("again"))

    @classmethod
    async def of(cls, ws: Workspace, run: Run, task: Task, service: Provider) -> _Asker:
        params = ws.store.runs.params(run.id)
        if "body" in params:
            body = PromptText.from_dict(params["body"])
        elif run.prompt_version_id is not None:
            body = ws.store.prompts.get(task.id, run.prompt_version_id).body
        else:
            body = prompt_of(task)
        if run.kind is ClassifierKind.MODEL:
            body = replace(body, few_shots=())  # asked exactly as it was trained
        return cls(ws, run, task, body, service, await service.engine())

    def split(self, examples: list[Example]) -> tuple[list[Result], list[tuple[Example, str]]]:
        """Return the results that are known already, and (example, key) of what is to be asked."""
        keys = {e.id: self._question(e).key(self._service.name, self._engine) for e in examples}
        if self._again:
            marker = f"{self._run.id}:"
            keys = {i: marker + key for i, key in keys.items()}
        known = self._ws.store.runs.cached(list(keys.values()))
        results = [
            self._result(e, keys[e.id], known[keys[e.id]], cached=True)
            for e in examples
            if keys[e.id] in known
        ]
        return results, [(e, keys[e.id]) for e in examples if keys[e.id] not in known]

    async def ask(self, example: Example, key: str) -> Result:
        """Ask one question, a few times where that may help; a lasting failure is its outcome."""
        for attempt in range(1, TRIES + 1):
            started = time.monotonic()
            try:
                answer = await self._service.classify(self._question(example))
            except _CONCERNS_ONE as error:
                if attempt == TRIES or not isinstance(error, _WORTH_ANOTHER_TRY):
                    self._misses += 1
                    if self._misses >= MOST_MISSES:
                        raise  # it concerns them all: what is labeled stays, the rest waits
                    # An error is not an answer: its key is its own, so that it is asked again.
                    answer = Answer(outcome=Outcome.ERROR, detail={"error": str(error)})
                    elapsed = (time.monotonic() - started) * 1000
                    own_key = f"{self._run.id}:{secrets.token_hex(4)}:{key}"
                    return self._result(example, own_key, self._priced(answer, elapsed))
                wait = getattr(error, "retry_after_s", None) or BACKOFF_S * 2**attempt
                await asyncio.sleep(min(wait, 30.0))
            else:
                self._misses = 0
                elapsed = (time.monotonic() - started) * 1000
                return self._result(example, key, self._priced(answer, elapsed))
        raise AssertionError("unreachable")

    def _question(self, example: Example) -> Question:
        names = self._task.label_names
        return Question(
            model=self._run.model,
            messages=(*self._before, {"role": "user", "content": user_turn(example.text)}),
            label_names=names,
        )

    def _priced(self, answer: Answer, latency_ms: float) -> Answer:
        cost = 0.0 if self._service.is_local else answer.usage.cost_usd
        return replace(answer, usage=replace(answer.usage, cost_usd=cost, latency_ms=latency_ms))

    def _result(
        self, example: Example, key: str, answer: Answer, *, cached: bool = False
    ) -> Result:
        label_id = self._task.label(answer.label).id if answer.label is not None else None
        return Result(
            example_id=example.id, label_id=label_id, answer=answer, key=key, cached=cached
        )


def _store(ws: Workspace, run: Run, control: Control, results: list[Result]) -> None:
    """Store results in one transaction, but only while this worker still has the job."""
    assert run.job_id is not None
    with ws.store.transaction():
        if not ws.store.jobs.holds(run.job_id, control.fence):
            raise LostJobError
        ws.store.runs.store(run, results, ws.now())


def _any_error(ws: Workspace, run: Run) -> str:
    first = ws.store.runs.predictions(run.id)[0]
    answer = ws.store.runs.answer(run.id, first.example_id)
    return str(answer.detail.get("error", "no reason was given")) if answer else ""
