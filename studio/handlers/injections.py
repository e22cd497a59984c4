"""Attacking a classifier: its texts are asked about again, with injections and neutral words."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import yaml

from studio.config import data_folder
from studio.domain.example import Example
from studio.domain.injection import Attempted, Injection, target_of
from studio.domain.run import Run
from studio.handlers.asking import Asking
from studio.handlers.calling import AT_ONCE, Calling
from studio.handlers.pacing import Pacers
from studio.jobs.control import Control
from studio.store.runs import Attempt, Ending, Result
from studio.workspace import Workspace

FIGURE = "injections"
"""Under which name a run keeps how its attacks went."""
FORM = "1"
"""Which form that has."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """An injection, the text it is put into, and what was said of that text itself."""

    injection: Injection
    example: Example
    clean: str | None
    target: str


@functools.cache
def read_injections() -> tuple[Injection, ...]:
    """Return the injections that come with the studio."""
    told = yaml.safe_load((data_folder() / "injections.yaml").read_text(encoding="utf-8"))
    return tuple(Injection.from_dict(one) for one in told)


async def attack(
    ws: Workspace, pacers: Pacers, run: Run, control: Control, injections: Sequence[Injection]
) -> None:
    """Attack a run whose own texts are labeled, and keep how each pair went with it.

    The run has predictions of its own texts only; what is said of changed ones is found again by
    the content of the question, so that after a rest nothing is asked twice.
    """
    pairs = _pairs(ws, run, injections)
    texts = [text for pair in pairs for text in _changed(pair)]
    await control.checkpoint(total=run.total + len(texts), message="attacking")
    service, asking = await Asking.open(ws, run)
    asked = _AskingChanged(ws, run.id, control, service, pacers.of(service), asking)
    asked.texts = texts
    await asked.go()
    told = [
        Attempted(
            injection=pair.injection.id, family=pair.injection.family,
            example_id=pair.example.id, target=pair.target, clean=pair.clean,
            control=asked.said.get(2 * i), attacked=asked.said.get(2 * i + 1),
        )
        for i, pair in enumerate(pairs)
    ]  # fmt: skip
    names = "\n".join(repr(one) for one in injections)
    suite = hashlib.sha256(names.encode()).hexdigest()[:16]
    body = json.dumps({"suite": suite, "pairs": [asdict(one) for one in told]}, ensure_ascii=False)
    with ws.store.transaction():
        control.record(done=run.total + len(texts), message="")
        ws.store.runs.keep_figure(run.id, FIGURE, FORM, body)
        ws.store.runs.commit(run, [], at=ws.now())  # screens look anew


def read_attack(ws: Workspace, run_id: int) -> list[Attempted] | None:
    """Return how each pair of an attacked run went; None while it is not through."""
    body = ws.read.runs.figure(run_id, FIGURE, FORM)
    return None if body is None else [Attempted(**one) for one in json.loads(body)["pairs"]]


def changed_texts(example: Example, injection: Injection, target: str) -> tuple[Example, Example]:
    """Return an example with neutral words in it, and with the attack."""
    return (
        replace(example, text=injection.controlled(example.text)),
        replace(example, text=injection.attacked(example.text, target)),
    )


def _pairs(ws: Workspace, run: Run, injections: Sequence[Injection]) -> list[_Pair]:
    """Return each injection with the texts it is put into, each text in turn."""
    task = ws.store.tasks.get(run.task_id)
    said = {p.example_id: task.name_of(p.label_id) for p in ws.store.runs.predictions(run.id)}
    examples = ws.store.examples.some(task.id, sorted(said))
    times = int(ws.store.runs.params(run.id)[FIGURE])
    pairs = []
    for number in range(times * len(injections)):
        example = examples[number % len(examples)]
        clean = said[example.id]
        target = target_of(task.label_names, clean or "", number)
        pairs.append(_Pair(injections[number % len(injections)], example, clean, target))
    return pairs


def _changed(pair: _Pair) -> tuple[Example, Example]:
    return changed_texts(pair.example, pair.injection, pair.target)


class _AskingChanged(Calling):
    """Asks about changed texts: what is said of them is no prediction of any example."""

    texts: Sequence[Example] = ()

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.said: dict[int, str | None] = {}

    def _remaining(self) -> Iterator[list[Example]]:
        numbered = [replace(text, id=number) for number, text in enumerate(self.texts)]
        for i in range(0, len(numbered), AT_ONCE):
            yield numbered[i : i + AT_ONCE]

    def _keep(
        self, results: list[Result], endings: list[Ending], opened: list[Attempt], *, tell: bool
    ) -> list[int]:
        self._ws.store.runs.remember(results, at=self._ws.now())
        task = self._ws.store.tasks.get(self._run.task_id)
        self.said |= {result.example_id: task.name_of(result.label_id) for result in results}
        meant = [replace(one, example_id=self.texts[one.example_id].id) for one in opened]
        return super()._keep([], endings, meant, tell=tell)
