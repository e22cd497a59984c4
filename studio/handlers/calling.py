"""Asking a service about many examples: calls in flight, what lands, what is tried again.

Every call is one row of the ledger: written before the call is made, settled in the transaction
that stores its answer. A call holds its place until then, so what a crash can repeat or leave
unsettled is what was in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studio.domain.example import Example
from studio.domain.run import Answer, Outcome, Run
from studio.errors import (
    BadReplyError,
    NoAnswerError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitedError,
    RefusedRequestError,
)
from studio.handlers import pacing
from studio.handlers.asking import MALFORMED, Asking, Open, Twins, out_of_budget
from studio.handlers.pacing import MOST_MISSES, Pacer
from studio.jobs.control import Control, PausedError
from studio.jobs.queue import LostJobError
from studio.providers.base import Provider
from studio.providers.failures import RefusedTextError
from studio.store.runs import Attempt, Ending, Result
from studio.workspace import Workspace

TELL_S = 0.5
GATHER_S = 0.002
DRAIN_S = 8.0
ASKS = 3
TRIES = 5
CHUNK = 2_000
AT_ONCE = 64
MOST_KNOWN = 500


@dataclass(slots=True)
class _Call:
    """A call in flight, and how it ended once it has."""

    asked: Open
    ledger_id: int
    answer: Answer | None = None
    error: BaseException | None = None


class Calling:
    """One pass over what remains of a run.

    Args:
        ws: The workspace.
        run_id: The run.
        control: The line to the queue.
        service: Who is asked.
        pacer: The pace of that service.
        asking: The questions.
    """

    def __init__(
        self, ws: Workspace, run_id: int, control: Control, service: Provider, pacer: Pacer,
        asking: Asking,
    ) -> None:  # fmt: skip
        self._ws, self._control, self._service = ws, control, service
        self._pacer, self._asking = pacer, asking
        self._run: Run = ws.store.runs.get(run_id)
        self._done = self._run.done
        outcomes = ws.store.runs.outcomes(run_id)
        self._failed = self._done - outcomes.get(Outcome.OK.value, 0)
        self._spent = self._run.spent_usd + ws.store.runs.reserved(run_id)
        self._reserved = 0.0
        self._source = self._remaining()
        self._known: list[Result] = []
        self._twins = Twins()
        self._waiting: deque[Open] = deque()
        self._later: list[tuple[float, int, Open]] = []
        self._order = itertools.count()
        self._flying: dict[asyncio.Task[None], _Call] = {}
        self._landed: deque[_Call] = deque()
        self._news = asyncio.Event()
        self._refusals, self._is_untried = 0, not self._run.calls
        self._told, self._reopened_at = 0.0, 0
        self._is_read = self._is_lost = False
        self._wait_s = 0.0
        self._message = "labeling"

    async def go(self) -> None:
        """Ask until nothing remains.

        Raises:
            PausedError: People want a pause, or the budget is used up.
            CancelledJobError: People want the end.
            LostJobError: Another worker has the job.
            ProviderError: The service is of no use now; what is labeled stays.
        """
        try:
            while True:
                await self._reopen_if_silent()
                self._control.raise_if_unwanted()
                self._wait_s = TELL_S
                self._commit(self._choose())
                if self._is_over():
                    return
                await self._listen()
        except LostJobError:
            self._is_lost = True
            raise
        finally:
            await self._drain()
            await self._service.close()

    def _is_over(self) -> bool:
        under_way = self._flying or self._landed or self._waiting or self._later or self._known
        return self._is_read and not under_way

    def _choose(self) -> list[Open]:
        """Return what is asked now: as much as places, pace and budget allow."""
        chosen: list[Open] = []
        self._message = "labeling"
        if not (self._flying or self._landed):
            self._reserved = 0.0  # sums of fractions leave a rest, which would be waited for
        try:
            while len(chosen) < self._ws.settings.concurrency - len(self._flying):
                asked = self._next()
                if asked is None:
                    break
                wait = self._hold(asked)
                if wait:
                    self._wait_s = min(self._wait_s, wait)
                    self._waiting.appendleft(asked)
                    break
                self._reserved += asked.bound_usd or 0.0
                chosen.append(asked)
        except BaseException:
            self._give_back(chosen)
            raise
        return chosen

    def _next(self) -> Open | None:
        """Return what is due: what is tried again first, then the next example."""
        if self._later:
            due = self._later[0][0] - time.monotonic()
            if due <= 0:
                return heapq.heappop(self._later)[2]
            self._wait_s = min(self._wait_s, due)
        while not self._waiting:
            if len(self._known) >= MOST_KNOWN:
                self._wait_s = 0.0  # these are stored before more is read
                return None
            batch = next(self._source, None)
            if batch is None:
                self._is_read = True
                return None
            known, opened = self._asking.split(batch)
            self._known += known
            self._waiting += self._twins.first(opened)
        return self._waiting.popleft()

    def _hold(self, asked: Open) -> float:
        """Return 0 if the question may go now, else the seconds after which to look again."""
        if not self._can_bear(asked):
            if self._reserved > 0:
                # What is under way may cost less than the most it can; what landed has.
                return GATHER_S if self._landed else TELL_S
            self._look_at_budget()
            if not self._can_bear(asked):
                budget = self._run.budget_usd or 0.0
                raise PausedError(out_of_budget(budget, self._spent, asked.bound_usd))
        wait = self._pacer.admit(asked.likely_tokens, urgent=self._run.preview)
        if wait > 1.0:
            what = "does not answer" if self._pacer.is_broken else "wants to be asked more slowly"
            self._message = f"{self._service.host} {what}; it is asked again in {wait:.0f} s"
        return wait

    def _can_bear(self, asked: Open) -> bool:
        budget, bound = self._run.budget_usd, asked.bound_usd
        if budget is None:
            return True
        return bound is not None and self._spent + self._reserved + bound <= budget

    def _look_at_budget(self) -> None:
        """Take note of what the run may spend: people change it while it is under way."""
        budget = self._ws.store.runs.get(self._run.id).budget_usd
        self._run = replace(self._run, budget_usd=budget)

    def _commit(self, chosen: list[Open], *, is_last: bool = False) -> None:
        """Store what landed together with the calls that follow, then make these."""
        now = time.monotonic()
        tell = is_last or now - self._told > TELL_S
        if not (self._landed or self._known or chosen or tell):
            return
        try:
            endings, landed, failure = self._judge_all()
            results = self._asking.join(self._whole(landed))
            if failure is not None:
                self._give_back(chosen)
                chosen = []
            self._done += len(results)
            self._failed += sum(r.answer.outcome is not Outcome.OK for r in results)
            with self._ws.store.transaction():
                self._control.record(done=self._done, failed=self._failed, message=self._message)
                numbers = self._keep(results, endings, [a.attempt() for a in chosen], tell=tell)
                if tell:
                    self._told = now
                    self._look_at_budget()
        except BaseException:
            self._give_back(chosen)
            raise
        for asked, number in zip(chosen, numbers, strict=True):
            call = _Call(asked, number)
            self._flying[asyncio.create_task(self._call(call))] = call
        if failure is not None:
            raise failure

    def _whole(self, landed: list[Result]) -> list[Result]:
        """Return the predictions that follow from answers; here each answer is one."""
        return landed

    def _keep(
        self, results: list[Result], endings: list[Ending], opened: list[Attempt], *, tell: bool
    ) -> list[int]:
        """Store what was learned and which calls follow; return the ledger numbers of these."""
        return self._ws.store.runs.commit(
            self._run, results, endings, opened, at=self._ws.now(), tell=tell
        )

    def _give_back(self, chosen: list[Open]) -> None:
        for asked in chosen:
            self._pacer.dropped()
            self._reserved -= asked.bound_usd or 0.0
            self._waiting.appendleft(asked)

    async def _call(self, call: _Call) -> None:
        """Ask once; whatever comes of it is noted, never raised."""
        started = time.perf_counter()
        try:
            answer = await self._service.classify(call.asked.question)
        except BaseException as error:  # a cancelled call has landed too: its fate is unknown
            call.error = error
        else:
            elapsed = (time.perf_counter() - started) * 1000
            call.answer = replace(answer, usage=replace(answer.usage, latency_ms=elapsed))
        task = asyncio.current_task()
        assert task is not None
        self._landed.append(self._flying.pop(task))
        self._news.set()

    def _judge_all(self) -> tuple[list[Ending], list[Result], BaseException | None]:
        """Return how the calls that landed ended, the new results, and the first thing to raise."""
        endings: list[Ending] = []
        results, self._known = self._known, []
        failure: BaseException | None = None
        while self._landed:
            call = self._landed.popleft()
            self._reserved -= call.asked.bound_usd or 0.0
            if call.answer is not None:
                ending, result = self._answered(call, call.answer)
            else:
                ending, result, raised = self._failed_call(call)
                failure = failure or raised
            self._spent += ending.cost_usd or 0.0
            endings.append(ending)
            if result is not None:
                results += [result, *self._share(call.asked, result)]
        return endings, results, failure

    def _share(self, asked: Open, result: Result) -> list[Result]:
        """Return what an answer says of the same question; without one the next of them asks it."""
        twins = self._twins.of(asked)
        if result.key == asked.key:
            return [self._asking.result(twin, result.answer, cached=True) for twin in twins]
        self._waiting += self._twins.first(twins)
        return []

    def _answered(self, call: _Call, answer: Answer) -> tuple[Ending, Result | None]:
        asked = call.asked
        self._pacer.answered(self._service.limits)
        self._refusals, self._is_untried = 0, False
        answer = self._asking.priced(answer)
        usage = answer.usage
        ending = Ending(
            ledger_id=call.ledger_id, outcome=answer.outcome.value, cost_usd=usage.cost_usd,
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
        )  # fmt: skip
        if usage.cost_usd is None:
            self._spent += asked.bound_usd or 0.0  # its reply told no tokens: assume the most
        if answer.outcome in MALFORMED:
            asked.malformed += 1
            if asked.malformed < ASKS:
                self._ask_later(asked, 0.0)
                return ending, None
        return ending, self._asking.result(asked, answer)

    def _failed_call(self, call: _Call) -> tuple[Ending, Result | None, BaseException | None]:
        """Return how a call without an answer ended: tried again, given up, or the end of all."""
        asked, error, cost = call.asked, call.error, 0.0 if self._asking.price else None
        result: Result | None = None
        raised: BaseException | None = None
        if isinstance(error, RateLimitedError):
            self._pacer.throttled(error.retry_after_s, self._service.limits)
            self._ask_later(asked, 0.0)
            raised = error if self._pacer.is_hopeless(error) else None
        elif isinstance(error, ProviderUnavailableError | BadReplyError):
            if isinstance(error, NoAnswerError | BadReplyError):
                cost = asked.bound_usd  # it may have worked: unknown, and this much at most
            raised, result = self._missed(asked, error)
        elif isinstance(error, RefusedRequestError):
            self._pacer.answered(self._service.limits)
            if self._concerns_all(error):
                raised = error  # what is labeled stays, the rest waits
            else:
                result = self._asking.failed(asked, error)
        else:
            self._pacer.dropped()
            cost = asked.bound_usd
            is_wish = isinstance(error, asyncio.CancelledError)
            raised = None if is_wish else error  # a bad key, no money left, or a bug
            if isinstance(error, ProviderError):
                cost = 0.0 if self._asking.price else None
        outcome = error.code if isinstance(error, ProviderError) else "lost"
        return Ending(ledger_id=call.ledger_id, outcome=outcome, cost_usd=cost), result, raised

    def _concerns_all(self, error: RefusedRequestError) -> bool:
        """Return whether not only this text is refused, but whatever the run would ask.

        Refusals of texts end a run only where nothing was answered ever, and only once: who lets
        it go on after that wants the other texts to be asked about.
        """
        if isinstance(error, RefusedTextError) and not self._is_untried:
            return False
        self._refusals += 1
        return self._refusals >= MOST_MISSES

    def _missed(
        self, asked: Open, error: ProviderError
    ) -> tuple[ProviderError | None, Result | None]:
        """Try a question again that nobody answered; a lasting failure is its outcome."""
        self._pacer.missed(getattr(error, "retry_after_s", None))
        if self._pacer.is_hopeless(error):
            return error, None
        asked.failures += not self._pacer.is_broken  # then it is the service, not the question
        if asked.failures >= (ASKS if isinstance(error, BadReplyError) else TRIES):
            return None, self._asking.failed(asked, error)
        wait = min(pacing.BACKOFF_S * 2**asked.failures, pacing.LONGEST_S)
        self._ask_later(asked, wait * (0.5 + random.random() / 2))  # noqa: S311 - no secret
        return None, None

    def _ask_later(self, asked: Open, seconds: float) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), asked))

    async def _listen(self) -> None:
        """Wait for news, but not past the next thing to do; let what lands together gather."""
        if not self._landed:
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which loses a wish to stop that comes together with news.
                async with asyncio.timeout(self._wait_s):
                    await self._news.wait()
        if self._landed:
            await asyncio.sleep(GATHER_S)
        self._news.clear()

    async def _reopen_if_silent(self) -> None:
        """Open the service anew before it is tried again: it may have moved to another port."""
        misses = self._pacer.misses
        if self._pacer.is_broken and not self._flying and misses != self._reopened_at:
            self._reopened_at = misses
            await self._service.close()
            self._service = self._ws.provider(self._run.provider)

    async def _drain(self) -> None:
        """Wait a moment for the answers under way, for they are paid; then give up the rest."""
        if self._flying and not self._is_lost:
            await asyncio.wait(list(self._flying), timeout=DRAIN_S)
        flying = list(self._flying)
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        # What stopped us is on its way up already; what landed is paid for and is stored.
        with contextlib.suppress(Exception):
            self._commit([], is_last=True)

    def _remaining(self) -> Iterator[list[Example]]:
        """Yield the examples without a prediction, a few at a time, each once."""
        after = 0
        while batch := self._ws.store.runs.remaining(self._run.id, after=after, limit=CHUNK):
            after = batch[-1].id
            for i in range(0, len(batch), AT_ONCE):
                yield batch[i : i + AT_ONCE]
