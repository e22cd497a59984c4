"""What a prompt must hold to before it is saved, previewed or sent."""

from __future__ import annotations

import json
from threading import Lock

from studio.domain.example import Example, Split, normalise
from studio.domain.prompt import PromptText
from studio.domain.task import Task
from studio.domain.variables import usable, variable
from studio.errors import InputError
from studio.workspace import Workspace

MOST_CHARACTERS = 200_000
"""Of a prompt in all: more than any model here reads."""
_MOST_KEPT = 4
_KEPT: dict[tuple[str, int, int], tuple[str, dict[int, int]]] = {}
_LOCK = Lock()


def check_prompt(ws: Workspace, task: Task, body: PromptText) -> None:
    """Refuse a prompt of unknown labels or columns, or that shows examples of the test split.

    Raises:
        InputError: With what to mend.
    """
    check_size(body)
    for label in [*body.definitions, *(label for label, _ in body.reasons)]:
        task.label(label)
    for shot in body.few_shots:
        task.label(shot.label)
    _check_columns(ws, task, body)
    check_shots(ws, task, body)


def check_size(body: PromptText) -> None:
    """Refuse a prompt that is too long for any model here.

    Raises:
        InputError: With how long it is.
    """
    size = len(json.dumps(body.to_dict(), ensure_ascii=False))
    if size > MOST_CHARACTERS:
        raise InputError(
            f"The prompt has {size:,} characters, more than {MOST_CHARACTERS:,}.",
            next_step="Keep the rules in it, and import texts as examples.",
        )


def check_shots(ws: Workspace, task: Task, body: PromptText) -> None:
    """Refuse few-shots that stand in the test split, also since the examples were split anew.

    A draft is checked at each change of it, so the texts of test are read once and kept by hash.

    Raises:
        InputError: With what to mend.
    """
    named = {shot.example_id for shot in body.few_shots if shot.example_id is not None}
    found = ws.store.examples.some(task.id, sorted(named))
    if unknown := named - {example.id for example in found}:
        raise InputError(
            f"There is no example {min(unknown)} in this task.",
            next_step="Choose a few-shot of train.",
        )
    locked = [example for example in found if example.split is Split.TEST]
    # Known by its number or by its words: a few-shot may have been typed or come from a file.
    locked += _of_test(ws, task, {normalise(shot.text) for shot in body.few_shots})
    if locked:
        first = min(locked, key=lambda example: example.id)
        raise InputError(
            f"Example {first.external_id} is of the locked test split.",
            next_step="Choose a few-shot of train.",
        )


def _of_test(ws: Workspace, task: Task, texts: set[str]) -> list[Example]:
    """Return the examples of test whose words are among these."""
    if not texts:
        return []
    known = _test_texts(ws, task)
    ids = [known[hash(text)] for text in texts if hash(text) in known]
    return [e for e in ws.store.examples.some(task.id, ids) if normalise(e.text) in texts]


def _test_texts(ws: Workspace, task: Task) -> dict[int, int]:
    """Return hash of words to the first example of test, read again when one comes or goes."""
    test = [Split.TEST.value]
    key = (str(ws.path), ws.path.stat().st_ino, task.id)  # another file may take its place
    now = ws.store.examples.fingerprint(task.id, test)
    with _LOCK:
        before, found = _KEPT.pop(key, ("", {}))
    if before != now:
        found = {}
        for example in ws.store.examples.all(task.id, test):
            found.setdefault(hash(normalise(example.text)), example.id)
    with _LOCK:  # the app's sessions share it
        while len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[key] = (now, found)
    return found


def _check_columns(ws: Workspace, task: Task, body: PromptText) -> None:
    """Refuse a variable that no example has; before the first import nobody can tell."""
    if not body.variables:
        return
    columns = ws.store.examples.columns(task.id)
    strangers, known = [n for n in body.variables if n not in columns], usable(columns)
    if strangers and ws.store.examples.ids(task.id):
        raise InputError(
            f"There is no column {strangers[0]!r} in the examples of {task.name!r}.",
            next_step=f"Use one of {', '.join(known)}, or {variable('text')}."
            if known
            else f"They have no further columns; take {variable(strangers[0])} out.",
        )
