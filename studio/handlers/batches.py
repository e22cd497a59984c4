"""A run by the service's own Batch API: sent as files, answered within a day, at half the price.

Every batch is stored with its questions and their ledger rows before it is sent, under a key the
service keeps, so a worker that dies at any point finds what was sent and pays for nothing twice.
Answers come back by example and are stored once, however often they are looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studio.domain.example import Example
from studio.domain.run import Answer, Outcome, Run
from studio.errors import (
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
    RunFailedError,
)
from studio.handlers.asking import MALFORMED, Asking, Open, out_of_budget
from studio.handlers.calling import CHUNK
from studio.jobs.control import CancelledJobError, Control, LaterError, PausedError
from studio.providers.base import MOST_IN_BATCH, BatchState, BatchStatus, Provider
from studio.providers.failures import UnknownThingError, WrongPathError
from studio.store.batches import Batch
from studio.store.runs import Attempt, Ending, Result
from studio.workspace import Workspace

POLL_LOCAL_S = 1.0
POLL_REMOTE_S = 30.0
TIMES = 3
MOST_BYTES = 150_000_000
AT_ONCE = 1_000
_FORGOTTEN = "forgotten"
_NO_LINE = {
    BatchStatus.COMPLETED: "The service ended the batch without a word on this question.",
    _FORGOTTEN: "The service does not know the batch any more, nor its answers.",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A question that is in a batch, as an answer to it is stored."""

    example_id: int
    key: str
    ledger_id: int
    bound_usd: float | None


class Batching:
    """One look after the batches of a run: import what ended, send what is open, come back later.

    Args:
        ws: The workspace.
        run: The run.
        control: The line to the queue.
        service: Who is asked.
        asking: The questions.
    """

    def __init__(
        self, ws: Workspace, run: Run, control: Control, service: Provider, asking: Asking
    ) -> None:
        self._ws, self._run, self._control = ws, run, control
        self._service, self._asking = service, asking

    async def go(self) -> None:
        """Do what can be done now.

        Raises:
            LaterError: The service is still at work.
            PausedError: People want a pause, or the budget does not suffice for what remains.
            CancelledJobError: People want the end; the service was told.
            RunFailedError: The service refused a batch as a whole.
        """
        seconds = POLL_LOCAL_S if self._service.is_local else POLL_REMOTE_S
        try:
            await self._do_what_can_be_done()
        except (ProviderUnavailableError, RateLimitedError) as error:
            raise LaterError(f"{error.message} It is tried again.", seconds) from None
        finally:
            await self._service.close()
        if waiting := self._open_batches():
            raise LaterError(self._message(waiting), seconds)

    async def _do_what_can_be_done(self) -> None:
        try:
            self._control.raise_if_unwanted()
            for batch in self._open_batches():
                await self._look_after(batch)
            await self._send_what_remains()
            self._control.beat()  # a wish that came meanwhile must not wait for the next look
            self._control.raise_if_unwanted()
        except CancelledJobError:
            await self._cancel()
            raise

    def _open_batches(self) -> list[Batch]:
        return [b for b in self._ws.store.batches.all(self._run.id) if not b.is_imported]

    def _message(self, waiting: list[Batch]) -> str:
        questions = sum(batch.questions for batch in waiting)
        states = ", ".join(sorted({batch.status.replace("_", " ") for batch in waiting}))
        return f"{questions:,} questions are with {self._service.host} as a batch ({states})"

    async def _look_after(self, batch: Batch) -> None:
        """Send a batch that was not sent, or see how it stands; import one that has ended."""
        if not batch.remote_id:
            state = await self._service.find_batch(batch.key)
            if state is None:  # the worker died before it was sent: its questions are asked anew
                await self._close(batch, {}, "not_sent")
                return
        else:
            try:
                state = await self._service.batch(batch.remote_id)
            except (UnknownThingError, WrongPathError):
                await self._close(batch, {}, _FORGOTTEN)
                return
        self._ws.store.batches.tell(batch.id, remote_id=state.remote_id, status=state.status.value)
        if state.status.is_final:
            await self._import(batch, state)

    async def _import(self, batch: Batch, state: BatchState) -> None:
        try:
            answers = await self._service.batch_answers(state, self._asking.label_names)
        except UnknownThingError:  # services keep a file of answers for some weeks only
            await self._close(batch, {}, _FORGOTTEN)
            return
        lines = self._unsettled(batch)
        await self._close(
            batch, {i: answers[str(i)] for i in lines if str(i) in answers}, state.status.value
        )
        if state.status is BatchStatus.FAILED:
            raise RunFailedError(
                f"{self._service.host} refused the batch: {state.error or 'it gave no reason'}",
                next_step="Run without a batch, or mend what it names and go on.",
            )

    def _unsettled(self, batch: Batch) -> dict[int, _Line]:
        found = self._ws.store.batches.unsettled(batch.id)
        return {i: _Line(i, *told) for i, told in found.items()}

    async def _close(self, batch: Batch, answers: dict[int, Answer], otherwise: str) -> None:
        """Store what came of a batch, a thousand lines at a time, and note that it is all here.

        Args:
            batch: The batch.
            answers: Example id to its answer; a line that got none is missing.
            otherwise: The outcome of such a line in the ledger. It costs nothing, unless the
                service forgot the batch, which it may have answered: then it counts at its most.
        """
        lines = self._unsettled(batch)
        pairs = [(line, answers.get(i)) for i, line in lines.items()]
        for start in range(0, len(pairs), AT_ONCE):
            endings, results = [], []
            for line, answer in pairs[start : start + AT_ONCE]:
                ending, result = self._judge(line, answer, otherwise)
                endings.append(ending)
                results += [result] if result else []
            self._commit(results, endings)
            await asyncio.sleep(0)  # others work here too
        self._ws.store.batches.close(batch.id)

    def _judge(
        self, line: _Line, answer: Answer | None, otherwise: str
    ) -> tuple[Ending, Result | None]:
        if answer is None:
            cost = line.bound_usd if otherwise == _FORGOTTEN else 0.0
            ending = Ending(ledger_id=line.ledger_id, outcome=otherwise, cost_usd=cost)
            if otherwise not in _NO_LINE or not self._was_last(line):
                return ending, None
            answer = Answer(outcome=Outcome.ERROR, detail={"error": _NO_LINE[otherwise]})
            return ending, self._asking.result_of(line.example_id, line.key, answer)
        answer = self._asking.priced(answer, in_batch=True)
        usage = answer.usage
        if answer.outcome is Outcome.ERROR and not usage.input_tokens and self._asking.price:
            answer = replace(answer, usage=replace(usage, cost_usd=0.0))  # failed lines are free
        ending = Ending(
            ledger_id=line.ledger_id, outcome=answer.outcome.value, cost_usd=answer.usage.cost_usd,
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
        )  # fmt: skip
        if answer.outcome in MALFORMED and not self._was_last(line):
            return ending, None
        return ending, self._asking.result_of(line.example_id, line.key, answer)

    def _was_last(self, line: _Line) -> bool:
        return self._ws.store.batches.times_asked(self._run.id, line.example_id) >= TIMES

    async def _send_what_remains(self) -> None:
        """Send all that is in no batch, or as much as the budget bears; the rest comes after."""
        under_way = self._ws.store.batches.under_way(self._run.id)
        asked = set(under_way.values())
        waiting: list[Open] = []
        size = 0
        for examples in self._remaining():
            fresh = [example for example in examples if example.id not in under_way]
            known, opened = self._asking.split(fresh)
            if known:
                self._commit(known, [])
            await asyncio.sleep(0)  # others work here too
            self._control.raise_if_unwanted()
            for one in opened:
                if one.key in asked:
                    continue  # the same question: its answer is this one's too, once it is here
                asked.add(one.key)
                waiting.append(one)
                size += self._asking.size(one)
                if len(waiting) >= MOST_IN_BATCH or size >= MOST_BYTES:
                    if not await self._send(waiting):
                        return
                    waiting, size = [], 0
        if waiting:
            await self._send(waiting)

    async def _send(self, opened: list[Open]) -> bool:
        """Store a batch, then send it; return whether the budget bore all of it."""
        self._control.raise_if_unwanted()
        chosen = self._affordable(opened)
        if not chosen:
            return False
        earlier = self._ws.store.batches.all(self._run.id)
        key = f"{self._ws.store.tasks.setting('workspace_id')}-run{self._run.id}-{len(earlier) + 1}"
        asked = self._ws.store.batches.times_asked
        attempts = [
            Attempt(
                example_id=one.example_id, bound_usd=bound,
                number=asked(self._run.id, one.example_id) + 1 if earlier else 1,
            )
            for one, bound in chosen
        ]  # fmt: skip
        with self._ws.store.transaction():
            self._control.record(message="sending a batch")
            numbers = self._ws.store.runs.commit(self._run, [], [], attempts, at=self._ws.now())
            lines = [(o.example_id, o.key, n) for (o, _), n in zip(chosen, numbers, strict=True)]
            batch_id = self._ws.store.batches.add(self._run.id, key, lines, self._ws.now())
        questions = {str(one.example_id): one.question for one, _ in chosen}
        state = await self._service.create_batch(questions, key=key)
        self._ws.store.batches.tell(batch_id, remote_id=state.remote_id, status=state.status.value)
        return len(chosen) == len(opened)

    def _affordable(self, opened: list[Open]) -> list[tuple[Open, float | None]]:
        """Return the questions whose most the budget can bear, with that most.

        Raises:
            PausedError: It bears none, and nothing is under way that may cost less than its most.
        """
        run = self._ws.store.runs.get(self._run.id)
        bounds = [(one, self._asking.bound(one, in_batch=True)) for one in opened]
        if run.budget_usd is None:
            return bounds
        spent = run.spent_usd + self._ws.store.runs.reserved(run.id)
        chosen: list[tuple[Open, float | None]] = []
        for one, bound in bounds:
            if bound is None or spent + bound > run.budget_usd:
                break
            spent += bound
            chosen.append((one, bound))
        if not chosen and not self._open_batches():
            raise PausedError(out_of_budget(run.budget_usd, spent, bounds[0][1]))
        return chosen

    async def _cancel(self) -> None:
        """Tell the service; what it has answered by then is imported when the run goes on."""
        for batch in self._open_batches():
            if batch.remote_id:
                try:
                    state = await self._service.cancel_batch(batch.remote_id)
                except RefusedRequestError:
                    continue  # it has ended by itself
                self._ws.store.batches.tell(
                    batch.id, remote_id=state.remote_id, status=state.status.value
                )

    def _commit(self, results: list[Result], endings: list[Ending]) -> None:
        results = self._asking.join(results)
        with self._ws.store.transaction():
            run = self._ws.store.runs.get(self._run.id)
            outcomes = self._ws.store.runs.outcomes(run.id)
            self._control.record(
                done=run.done + len(results),
                failed=run.done - outcomes.get(Outcome.OK.value, 0)
                + sum(r.answer.outcome is not Outcome.OK for r in results),
            )  # fmt: skip
            self._ws.store.runs.commit(self._run, results, endings, at=self._ws.now())

    def _remaining(self) -> Iterator[list[Example]]:
        after = 0
        while batch := self._ws.store.runs.remaining(self._run.id, after=after, limit=CHUNK):
            after = batch[-1].id
            yield batch
