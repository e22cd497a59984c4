"""What people do with prompts of other tools: look what a file holds, and take it over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from studio.analysis.prompt_files import PromptFile, Unread, read_prompt_file
from studio.domain.example import Split, normalise
from studio.domain.prompt import FewShot, PromptText, PromptVersion
from studio.domain.task import Task
from studio.handlers.prompt_checks import check_prompt, check_size
from studio.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file of prompts.

    Attributes:
        found: What was read of it, and what was not.
        versions: The prompts as they were saved.
    """

    found: PromptFile
    versions: tuple[PromptVersion, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as `--json` shows them."""
        return {
            "kind": self.found.kind,
            "prompts": [
                {
                    "prompt": one.name,
                    "version": one.number,
                    "id": one.id,
                    "few_shots": len(one.body.few_shots),
                }
                for one in self.versions
            ],
            "examples": len(self.found.examples),
            "unread": [{"where": one.where, "reason": one.reason} for one in self.found.unread],
        }


def look_into(ws: Workspace, task_id: int, *, data: bytes, filename: str) -> PromptFile:
    """Return what a file holds for a task; nothing is stored.

    A labeled text that stands in the locked test split is never shown in a prompt; that is said.

    Raises:
        InputError: If no prompt can be read of it.
    """
    task = ws.read.tasks.get(task_id)
    text = data.decode("utf-8-sig", errors="replace")
    columns = ws.read.examples.columns(task_id)
    found = read_prompt_file(text, PurePath(filename).name, task.label_names, columns)
    for body in _bodies(found):
        check_size(body)
    return _without_locked(ws, task, found)


def import_prompts(
    ws: Workspace, task_id: int, *, data: bytes, filename: str, name: str = "", by: str
) -> Imported:
    """Save each prompt of a file as a version: all of them, or none.

    Args:
        ws: The workspace.
        task_id: The task.
        data: The file's bytes.
        filename: Its name.
        name: What to call them; by their own names, else by the file's, when empty.
        by: Who imports.

    Raises:
        InputError: If no prompt can be read of it, or one cannot be used.
    """
    found = look_into(ws, task_id, data=data, filename=filename)
    task = ws.store.tasks.get(task_id)
    note = f"imported from {PurePath(filename).name}, {found.kind}"
    versions = []
    with ws.store.transaction():
        for called, body in zip(_names(found, name, filename), _bodies(found), strict=True):
            check_prompt(ws, task, body)
            version = ws.store.prompts.save(
                task_id, name=called, body=body, author=by, note=note, at=ws.now()
            )
            versions.append(version)
    return Imported(found=found, versions=tuple(versions))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesFile:
    """The labeled texts of a file, ready for an import into train.

    Attributes:
        rows: JSONL; empty where all were left out.
        known: How many were left out, for the task has their text already.
        repeated: How many were left out, for an earlier one of the file has their text.
    """

    rows: bytes
    known: int = 0
    repeated: int = 0

    def left_out(self, rejected: Sequence[str] = ()) -> str:
        """Return how many were not imported and why; empty where all were.

        Args:
            rejected: Why the import itself took some not.

        >>> ExamplesFile(rows=b"", known=2, repeated=1).left_out(["a row has no text"])
        '2 are in the task already, 1 twice in the file, 1 rejected: a row has no text'
        """
        are = "is" if self.known == 1 else "are"
        parts = [f"{self.known:,} {are} in the task already"] if self.known else []
        parts += [f"{self.repeated:,} twice in the file"] if self.repeated else []
        parts += [f"{len(rejected):,} rejected: {rejected[0]}"] if rejected else []
        return ", ".join(parts)


def examples_file(ws: Workspace, task_id: int, found: PromptFile) -> ExamplesFile:
    """Return the labeled texts of a file as JSONL for an import into train; known texts left out.

    Each has an id of its content, so that a second import of the same file adds nothing.
    """
    there = {normalise(row["text"]) for rows in ws.read.examples.scan(task_id) for row in rows}
    fresh: dict[str, FewShot] = {}
    known = 0
    for shot in found.examples:
        said = normalise(shot.text)
        known += said in there
        if said not in there:
            fresh.setdefault(said, shot)
    rows = [
        {
            **shot.values,
            "id": f"prompt-{hashlib.sha256(said.encode()).hexdigest()[:12]}",
            "text": shot.text,
            "label": shot.label,
            "split": Split.TRAIN.value,
        }
        for said, shot in fresh.items()
    ]
    return ExamplesFile(
        rows="".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(),
        known=known,
        repeated=len(found.examples) - known - len(fresh),
    )


def _bodies(found: PromptFile) -> list[PromptText]:
    return [body for _, body in found.prompts]


def _names(found: PromptFile, name: str, filename: str) -> list[str]:
    """Return what each prompt is called: no two of a file the same, lest one hides the other.

    >>> file = PromptFile(kind="", prompts=(("", PromptText(instructions="a")),) * 2)
    >>> _names(file, "", "spam.yaml")
    ['spam', 'spam 2']
    """
    names: list[str] = []
    for own, _ in found.prompts:
        base = name or " ".join(own.split())[:60] or PurePath(filename).stem
        called, number = base, 1
        while called in names:
            number += 1
            called = f"{base} {number}"
        names.append(called)
    return names


def _without_locked(ws: Workspace, task: Task, found: PromptFile) -> PromptFile:
    """Return what was read without few-shots that stand in the test split."""
    shown = {normalise(shot.text) for body in _bodies(found) for shot in body.few_shots}
    if not shown:
        return found
    tests = ws.read.examples.all(task.id, [Split.TEST.value])
    locked = {said for example in tests if (said := normalise(example.text)) in shown}
    if not locked:
        return found

    def open_only(body: PromptText) -> PromptText:
        kept = [shot for shot in body.few_shots if normalise(shot.text) not in locked]
        return replace(body, few_shots=tuple(kept))

    told = Unread(
        where="few-shots",
        reason=f"{len(locked)} of them stand in the locked test split, which no prompt may show",
    )
    return replace(
        found,
        prompts=tuple((name, open_only(body)) for name, body in found.prompts),
        unread=(*found.unread, told),
    )
