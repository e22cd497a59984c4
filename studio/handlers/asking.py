"""The questions of a run: how an example is asked about, and what its answer is worth."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.domain.example import Example
from studio.domain.label_names import read_answer
from studio.domain.price import Price
from studio.domain.prompt import (
    FewShot,
    PromptText,
    answer_schema,
    render_decision,
    render_messages,
    shot_turns,
    user_turn,
)
from studio.domain.run import Answer, Outcome, Question, Run
from studio.domain.task import Task
from studio.domain.tokens import (
    MOST_OUTPUT,
    PER_MESSAGE,
    likely_tokens,
    most_input_tokens,
    most_tokens,
)
from studio.errors import ProviderError
from studio.handlers.asked import asked_task, body_of
from studio.handlers.prompt_checks import check_shots
from studio.handlers.rules_and_text import JoinedAnswers
from studio.handlers.shots import Shots, freeze_shots, shots_of, told_values
from studio.providers.base import Provider
from studio.store.runs import Attempt, Result
from studio.workspace import Workspace

MALFORMED = frozenset({Outcome.NOT_JSON, Outcome.OFF_LABEL, Outcome.EMPTY, Outcome.ERROR})
"""Outcomes worth asking again; they are never kept as the answer to the question."""


@dataclass(slots=True)
class Open:
    """An example that is still to be asked about.

    Attributes:
        example_id: The example.
        question: What is asked.
        key: Content key of its answer.
        bound_usd: The most one call can cost; None while the price is unknown.
        likely_tokens: About how many tokens one call has, its reply included, for the service's
            limits.
        calls: How often it was asked.
        malformed: How often the answer could not be used.
        failures: How often it failed.
    """

    example_id: int
    question: Question
    key: str
    bound_usd: float | None
    likely_tokens: int
    calls: int = 0
    malformed: int = 0
    failures: int = 0

    def attempt(self) -> Attempt:
        """Return the next call as the ledger has it."""
        self.calls += 1
        return Attempt(example_id=self.example_id, number=self.calls, bound_usd=self.bound_usd)


class Twins:
    """Keeps back the examples whose very question is being asked: each call is paid."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Open]] = {}

    def first(self, opened: Sequence[Open]) -> list[Open]:
        """Return those to ask about; the others wait for the answer of theirs."""
        asked = []
        for one in opened:
            if one.key in self._waiting:
                self._waiting[one.key].append(one)
            else:
                self._waiting[one.key] = []
                asked.append(one)
        return asked

    def of(self, asked: Open) -> list[Open]:
        """Return those that wait for this one, and keep them no longer."""
        return self._waiting.pop(asked.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is told before the text, with the labels in one order."""

    label_names: tuple[str, ...]
    before: tuple[dict[str, str], ...]
    instructions: str


def label_orders(label_names: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Return the labels in so many orders, each begun by the next of them.

    A model that prefers what stands first shows it by changing its answer.

    >>> label_orders(["a", "b", "c"], 2)
    [('a', 'b', 'c'), ('b', 'c', 'a')]
    """
    starts = [sample % len(label_names) for sample in range(count)]
    return [(*label_names[start:], *label_names[:start]) for start in starts]


class Asking:
    """Turns the examples of one run into questions, and answers into results.

    Attributes:
        price: Of the model; None while unknown.
        label_names: The allowed answers.
        joined: Gives the rules their say in each answer; None where the model decides alone.
        samples: How often each example is asked about, the labels in another order each time.
    """

    def __init__(
        self, ws: Workspace, run: Run, task: Task, body: PromptText, service: Provider, engine: str,
        samples: int = 1,
    ) -> None:  # fmt: skip
        self._ws, self._run = ws, run
        self._now = ws.store.tasks.get(run.task_id)
        self._ids = {label.name: label.id for label in task.labels}
        self.label_names = task.label_names
        self._service, self._engine = service, engine
        self.samples = samples
        body = told_values(ws, task, body)
        self._body, self._columns = body, body.variables
        self._shots: Shots = shots_of(ws, run, task, body)
        self._orders = [  # rendered once
            _Order(
                label_names=names,
                before=tuple(render_messages(body, names, "")[:-1]),
                instructions=render_decision(body, names),
            )
            for names in label_orders(task.label_names, samples)
        ]
        self._definitions = body.spelled().definitions
        schema = answer_schema(task.label_names)
        self._most_before = most_input_tokens(self._orders[0].before, schema)
        self._again = bool(ws.store.runs.params(run.id).get("again"))
        self.price: Price | None = ws.price(service, run.model)
        lately = ws.read.prices.lately(run.kind.value, run.provider, run.model).output_tokens
        longest = max(likely_tokens(json.dumps({"label": name})) for name in task.label_names)
        self._likely_output = round(lately or longest)
        self.joined: JoinedAnswers | None = None

    @classmethod
    async def open(cls, ws: Workspace, run: Run) -> tuple[Provider, Asking]:
        """Open the service of a run, ask for its engine's version, and prepare the asking.

        Returns:
            The service, for the caller to close, and the asking.
        """
        now = ws.store.tasks.get(run.task_id)
        task, body = asked_task(ws.store, run, now), body_of(ws, run, now)
        samples = ws.store.runs.params(run.id).get("samples", 1)
        service = ws.provider(run.provider)
        try:
            engine = await service.engine()
            check_shots(ws, task, body)
            freeze_shots(ws, run, task, body)
            return service, cls(ws, run, task, body, service, engine, samples)
        except BaseException:
            await service.close()
            raise

    def split(self, examples: Sequence[Example]) -> tuple[list[Result], list[Open]]:
        """Return the results that are known already, and what is to be asked."""
        opened = [
            self._open(example, sample, shots)
            for example, shots in zip(examples, self._shots.of(examples), strict=True)
            for sample in range(self.samples)
        ]
        known = self._ws.store.runs.cached([one.key for one in opened])
        results = [
            self.result(one, known[one.key], cached=True) for one in opened if one.key in known
        ]
        return results, [one for one in opened if one.key not in known]

    def result(self, asked: Open, answer: Answer, *, cached: bool = False) -> Result:
        """Return an answer as it is stored.

        An answer that could not be used gets a key of its own, so that it is asked again.
        """
        return self.result_of(asked.example_id, asked.key, answer, cached=cached)

    def failed(self, asked: Open, error: ProviderError) -> Result:
        """Return a lasting failure as it is stored: it is the outcome of its question."""
        return self.result(asked, Answer(outcome=Outcome.ERROR, detail={"error": str(error)}))

    def result_of(
        self, example_id: int, key: str, answer: Answer, *, cached: bool = False
    ) -> Result:
        """Return an answer as it is stored, of an example and the content key of its question."""
        if answer.outcome in MALFORMED and not cached:
            key = f"{self._run.id}:{secrets.token_hex(4)}:{key}"
        if answer.label is None:
            return Result(
                example_id=example_id, label_id=None, answer=answer, key=key, cached=cached
            )
        # Labels that were asked apart may be one now: its probability is the sum of theirs.
        read = read_answer(answer, self._now, self._ids)
        label_id = self._ids[answer.label]  # stored as what it is now, so that an undo knows it
        if read.label not in (None, self._now.name_of(label_id)):
            label_id = self._now.label(read.label).id
        joined = None if read is answer else read.confidence
        return Result(
            example_id=example_id, label_id=label_id, answer=answer, key=key, cached=cached,
            joined=joined,
        )  # fmt: skip

    def join(self, results: list[Result]) -> list[Result]:
        """Return results with the rules' say in them, where they have one."""
        return self.joined.join(results) if self.joined else results

    def priced(self, answer: Answer, *, in_batch: bool = False) -> Answer:
        """Return the answer with what it cost; None where the price or its tokens are unknown."""
        cost = self.price.of(answer.usage, in_batch=in_batch) if self.price else None
        return replace(answer, usage=replace(answer.usage, cost_usd=cost))

    def bound(self, asked: Open, *, in_batch: bool = False) -> float | None:
        """Return the most one call can cost; None while the price is unknown."""
        if self.price is None:
            return None
        most = self._most_before + self._most_of(asked.question)
        return self.price.cost(most, MOST_OUTPUT, in_batch=in_batch)

    def _most_of(self, question: Question) -> int:
        """Return the most tokens of what is not the same in every question."""
        own = question.messages[len(self._orders[0].before) :]
        return sum(PER_MESSAGE + most_tokens(message["content"]) for message in own)

    def size(self, asked: Open) -> int:
        """Return about how many bytes a question has on the wire."""
        return 2 * (self._most_before + self._most_of(asked.question)) + 500

    def _open(self, example: Example, sample: int, shots: tuple[FewShot, ...]) -> Open:
        turn = user_turn(example.text, example.metadata, self._columns)
        order = self._orders[sample]
        shown = [turn for shot in shots for turn in shot_turns(shot, self._columns)]
        question = Question(
            model=self._run.model,
            messages=(*order.before, *shown, {"role": "user", "content": turn}),
            label_names=order.label_names,
            instructions=self._told(order, shots),
            definitions=self._definitions,
            sample=sample,
        )
        key = question.key(self._service.identity, self._engine)
        if self._again:
            key = f"{self._run.id}:{key}"
        opened = Open(
            example_id=example.id, question=question, key=key, bound_usd=None,
            likely_tokens=(self._most_before + self._most_of(question)) // 4 + self._likely_output,
        )  # fmt: skip
        opened.bound_usd = self.bound(opened)
        return opened

    def _told(self, order: _Order, shots: tuple[FewShot, ...]) -> str:
        """Return what decides where there are no turns: few-shots of this text are lines of it."""
        if not shots:
            return order.instructions
        body = replace(self._body, few_shots=(*self._body.few_shots, *shots))
        return render_decision(body, order.label_names)


def out_of_budget(budget: float, spent: float, bound: float | None) -> str:
    """Return why a run with this budget stops, and what to do about it."""
    if bound is None:
        return "The price of the model is unknown, so its budget cannot be kept. Set the price."
    return (
        f"The budget of ${budget:,.4g} is used up: ${spent:,.4g} is spent and the next question"
        f" may cost ${bound:,.2g}. Raise the budget to go on."
    )
