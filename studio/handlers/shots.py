"""The few-shots of a run: which gold they are chosen from, frozen when the run starts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from studio.domain.example import Example, Split, normalise
from studio.domain.prompt import FewShot, PromptText
from studio.domain.run import Run
from studio.domain.task import Task
from studio.store.store import Store
from studio.workspace import Workspace

if TYPE_CHECKING:
    from studio.analysis.few_shots import ShotChooser

PARAM = "few_shots"
"""Under which name a run keeps the gold that its few-shots are chosen from."""
MOST_CANDIDATES = 5_000
"""Of more gold evenly chosen examples are looked through."""
_TRAIN, _TEST = (Split.TRAIN.value,), (Split.TEST.value,)
_MOST_KNOWN = 4
Pairs = Sequence[tuple[int, int]]


class Shots:
    """Chooses the few-shots of each text where the prompt says how; else there are none.

    Args:
        chooser: Chooses among the candidates; None where the prompt has no policy.
        ids: External id to example id of the candidates: an example is never shown to itself.
    """

    def __init__(
        self, chooser: ShotChooser | None = None, ids: dict[str, int] | None = None
    ) -> None:
        self._chooser, self._ids = chooser, ids or {}

    def of(self, examples: Sequence[Example]) -> list[tuple[FewShot, ...]]:
        """Return the few-shots of each example, also of one whose text was changed."""
        if self._chooser is None:
            return [()] * len(examples)
        own = [self._ids.get(example.external_id) for example in examples]
        return self._chooser.choose([example.text for example in examples], own)


_known: WeakKeyDictionary[Store, dict[tuple[int, int, str], Shots]] = WeakKeyDictionary()


def shots_now(ws: Workspace, task: Task, body: PromptText, text: str) -> tuple[FewShot, ...]:
    """Return the few-shots that would be chosen for a text, by the gold of now."""
    if body.policy is None:
        return ()
    (found,) = _of_now(ws, task, body).of(
        [Example(id=0, external_id="", text=text, split=Split.TRAIN)]
    )
    return found


def freeze_shots(ws: Workspace, run: Run, task: Task, body: PromptText) -> None:
    """Keep with a filed run which gold of train its few-shots are chosen from, once.

    It asks the same after a rest, whatever was labeled since.
    """
    if body.policy is not None and PARAM not in ws.store.runs.params(run.id):
        pairs = [list(pair) for pair in _candidates(ws, task)]
        ws.store.runs.set_param(run.id, PARAM, pairs)


def shots_of(ws: Workspace, run: Run, task: Task, body: PromptText) -> Shots:
    """Return the few-shots of a run; of one that is not filed yet, by the gold of now."""
    if body.policy is None:
        return Shots()
    kept = ws.store.runs.params(run.id).get(PARAM) if run.id else None
    if kept is None:
        return _of_now(ws, task, body)
    return _chooser(ws, task, body, [(int(i), int(label)) for i, label in kept])


def told_values(ws: Workspace, task: Task, body: PromptText) -> PromptText:
    """Return a prompt whose few-shots chosen by hand have the values of the columns it names."""
    if not body.variables:
        return body
    known = values_of(ws, task.id, body, [s.example_id for s in body.few_shots if s.example_id])
    shots = [replace(s, values=known.get(s.example_id or 0, s.values)) for s in body.few_shots]
    return replace(body, few_shots=tuple(shots))


def values_of(
    ws: Workspace, task_id: int, body: PromptText, ids: Iterable[int]
) -> dict[int, dict[str, str]]:
    """Return the columns of examples where a prompt names any; else nothing is read."""
    if not body.variables:
        return {}
    return {e.id: e.metadata for e in ws.store.examples.some(task_id, sorted(set(ids)))}


def _of_now(ws: Workspace, task: Task, body: PromptText) -> Shots:
    """Return the few-shots by the gold of now; pages ask for them again and again."""
    known = _known.setdefault(ws.store, {})
    key = (task.id, task.revision, body.hash)
    found = known.get(key)
    if found is None:
        found = _chooser(ws, task, body, _candidates(ws, task))
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[key] = found
    return found


def _candidates(ws: Workspace, task: Task) -> list[tuple[int, int]]:
    """Return (example id, label id) of gold of train, of what is measured on nothing."""
    gold = ws.store.labels.gold(task.id, _TRAIN)
    ids = sorted(gold)
    chosen = ids[:: max(1, math.ceil(len(ids) / MOST_CANDIDATES))]
    locked = {normalise(e.text) for e in ws.store.examples.all(task.id, _TEST)}
    examples = ws.store.examples.some(task.id, chosen)
    return [(e.id, gold[e.id].label_id) for e in examples if normalise(e.text) not in locked]


def _chooser(ws: Workspace, task: Task, body: PromptText, pairs: Pairs) -> Shots:
    from studio.analysis.few_shots import ShotChooser

    assert body.policy is not None
    by_hand = {shot.example_id for shot in body.few_shots}
    names = {i: name for i, label in pairs if i not in by_hand and (name := task.name_of(label))}
    # Who splits anew while a run rests may move what it was to show into test.
    examples = [e for e in ws.store.examples.some(task.id, sorted(names)) if e.split is Split.TRAIN]
    values = body.variables
    shots = [
        FewShot(
            text=e.text, label=names[e.id], example_id=e.id, values=e.metadata if values else {}
        )
        for e in examples
    ]
    return Shots(ShotChooser(shots, body.policy), {e.external_id: e.id for e in examples})
