"""Prompts while they are being edited: one draft for each version, kept until it is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from studio.actions.drafts import keep_draft, kept_draft
from studio.domain.prompt import PromptText, PromptVersion, prompt_of
from studio.domain.task import Task
from studio.workspace import Workspace

NEW = 0
_STATE = "prompts_drafts"
_PARTS = ("texts", "names", "notes")


@dataclass(slots=True)
class PromptDrafts:
    """What one person has in the editor of a task.

    Attributes:
        base: The version in front of them; 0 is a new prompt.
        texts: Version to unsaved text; a version without one stands as it was saved.
        names: Version to the name typed for the next save.
        notes: Version to the note typed.
        round: Grows when the fields must be drawn anew with other content.
        kept: What this session kept last, or found.
    """

    base: int = NEW
    texts: dict[int, dict[str, Any]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    round: int = 0
    kept: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; empty when nothing is unsaved."""
        if not self.texts and not any(self.notes.values()):
            return {}
        return {
            "base": self.base,
            "texts": {str(k): v for k, v in self.texts.items()},
            "names": {str(k): v for k, v in self.names.items()},
            "notes": {str(k): v for k, v in self.notes.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PromptDrafts:
        """Return the drafts that `to_dict` described."""
        return cls(
            base=int(data.get("base", NEW)),
            texts={int(k): v for k, v in data.get("texts", {}).items()},
            names={int(k): v for k, v in data.get("names", {}).items()},
            notes={int(k): v for k, v in data.get("notes", {}).items()},
            kept=data,
        )


def drafts_of(
    ws: Workspace, task: Task, versions: list[PromptVersion], person: str
) -> PromptDrafts:
    """Return this person's drafts, also those left behind in another session.

    Args:
        ws: The workspace.
        task: The task.
        versions: Its prompt versions, newest first; the newest is in front of a newcomer.
        person: Who edits.
    """
    held: dict[int, PromptDrafts] = st.session_state.setdefault(_STATE, {})
    if task.id not in held:
        kept = kept_draft(ws, task.id, "prompts", by=person)
        drafts = PromptDrafts.from_dict(kept)
        if not kept and versions:
            drafts.base = versions[0].id
        held[task.id] = drafts
    drafts = held[task.id]
    known = {version.id for version in versions}
    if drafts.base not in known and drafts.base != NEW:
        drafts.base = NEW
    return drafts


def keep_drafts(ws: Workspace, task: Task, drafts: PromptDrafts, person: str) -> None:
    """Keep what was typed here in the workspace: neither a refresh nor another tab loses it.

    What another tab kept meanwhile of other versions stays as it is.
    """
    now, before = drafts.to_dict(), drafts.kept
    if now == before:
        return
    with ws.store.transaction():
        stored = kept_draft(ws, task.id, "prompts", by=person)
        parts = {part: _merged(stored, before, now, part) for part in _PARTS}
        merged = {"base": now.get("base", stored.get("base", NEW)), **parts}
        is_unsaved = parts["texts"] or any(parts["notes"].values())
        keep_draft(ws, task.id, "prompts", merged if is_unsaved else {}, by=person)
    drafts.kept = now


def _merged(
    stored: dict[str, Any], before: dict[str, Any], now: dict[str, Any], part: str
) -> dict[str, Any]:
    """Return a part as stored, with what was changed here since it was kept last."""
    then, here = before.get(part, {}), now.get(part, {})
    changed = {k for k in then.keys() | here.keys() if then.get(k) != here.get(k)}
    others = {k: v for k, v in stored.get(part, {}).items() if k not in changed}
    return others | {k: v for k, v in here.items() if k in changed}


def saved_body(task: Task, versions: list[PromptVersion], base: int) -> PromptText:
    """Return the text a draft began with: the version's, or the task's question and definitions."""
    for version in versions:
        if version.id == base:
            return version.body
    return prompt_of(task)


def body_of(task: Task, versions: list[PromptVersion], drafts: PromptDrafts) -> PromptText:
    """Return what the editor holds: the unsaved text of the version in front, or the version."""
    unsaved = drafts.texts.get(drafts.base)
    if unsaved is not None:
        return PromptText.from_dict(unsaved)
    return saved_body(task, versions, drafts.base)


def put_body(
    task: Task, versions: list[PromptVersion], drafts: PromptDrafts, body: PromptText
) -> None:
    """Hold what was typed; a text equal to the saved one is no draft."""
    if body == saved_body(task, versions, drafts.base):
        drafts.texts.pop(drafts.base, None)
    else:
        drafts.texts[drafts.base] = body.to_dict()


def turn_to(drafts: PromptDrafts, base: int) -> None:
    """Put another version in front; the drafts of all versions stay."""
    drafts.base = base
    drafts.round += 1


def discard(drafts: PromptDrafts) -> None:
    """Forget what was typed over the version in front."""
    drafts.texts.pop(drafts.base, None)
    drafts.names.pop(drafts.base, None)
    drafts.notes.pop(drafts.base, None)
    drafts.round += 1


def version_before(versions: list[PromptVersion], drafts: PromptDrafts) -> PromptVersion | None:
    """Return what a draft is compared with: the version it changes, else the one before it.

    Args:
        versions: Newest first.
        drafts: What is in the editor.
    """
    by_id = {version.id: version for version in versions}
    here = by_id.get(drafts.base)
    if here is None:
        return versions[0] if versions else None
    if drafts.base in drafts.texts:
        return here
    older = [v for v in versions if v.id < here.id]
    same = [v for v in older if v.name == here.name]
    return next(iter([*same, *older]), None)
