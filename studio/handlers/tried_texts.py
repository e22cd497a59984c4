"""Which texts of prompts were tried on a task's gold: saved versions and previewed drafts."""

from __future__ import annotations

from collections.abc import Sequence

from studio.analysis.tried_versions import TriedVersions, tried_versions
from studio.domain.example import Split
from studio.domain.label_names import read_prompt
from studio.domain.prompt import PromptText, PromptVersion
from studio.domain.run import ClassifierKind, Prediction, Run
from studio.domain.task import Task
from studio.handlers.shown import without_shown
from studio.workspace import Workspace

PARAM = "preview"
"""Name of what the run of a draft keeps of its preview: sample, seed, looks, the run before."""
OPEN = (Split.TRAIN.value, Split.VALIDATION.value)
"""Where prompts are tried; never test."""


def previewed(ws: Workspace, task: Task, run_id: int) -> PromptText:
    """Return the text that a preview's run tries, with the label names of now."""
    return read_prompt(PromptText.from_dict(ws.read.runs.params(run_id).get("body", {})), task)


def measured_versions(
    ws: Workspace, task: Task
) -> list[tuple[PromptVersion, Run, list[Prediction]]]:
    """Return the versions with what their newest finished run said of gold, the first one first.

    Only train and validation count, and only versions that were asked about gold there which they
    do not show themselves.
    """
    runs = {
        r.prompt_version_id: r
        for r in reversed(ws.read.runs.all(task.id))
        if r.kind is ClassifierKind.PROMPT and r.status == "done"
    }
    found = []
    for version in ws.read.prompts.all(task.id):
        run = runs.get(version.id)
        if run is not None:
            said = ws.read.runs.predictions(run.id, splits=OPEN, with_gold=True)
            said = without_shown(ws, task, run, said)
            found += [(version, run, said)] if said else []
    return found


def find_tried(ws: Workspace, task: Task, version_id: int | None = None) -> TriedVersions | None:
    """Return how many texts were tried on this gold, and what that makes of a version's figure.

    Args:
        ws: The workspace.
        task: The task.
        version_id: The version; the one with the best accuracy when None.

    Returns:
        None where no version, or not this one, was measured.
    """
    gold = {i: g.label_id for i, g in ws.read.labels.gold(task.id, OPEN).items()}
    measured = measured_versions(ws, task) if gold else []
    right = {
        version.title: {p.example_id: p.label_id == gold[p.example_id] for p in said}
        for version, _, said in measured
    }
    titles = {version.id: version.title for version, _, _ in measured}
    if version_id is None and right:
        picked = max(right, key=lambda title: sum(right[title].values()) / len(right[title]))
    elif version_id in titles:
        picked = titles[version_id]
    else:
        return None
    return tried_versions(right, picked, tried=_texts(ws, task, measured))


def _texts(ws: Workspace, task: Task, measured: Sequence[tuple[PromptVersion, Run, object]]) -> int:
    """Return how many different texts were asked about gold, previewed drafts among them.

    Runs that were broken off count: what they said could be seen.
    """
    tried = {version.body.hash for version, _, _ in measured}
    versions = {v.id: v.body.hash for v in ws.read.prompts.all(task.id)}
    for run in ws.read.runs.all(task.id, previews=True):
        if not run.done:
            continue
        if run.preview:
            told = ws.read.runs.params(run.id).get(PARAM)
            if told and told["sample"]["weights"]:
                both = (run.id, told["before"]) if told["before"] is not None else (run.id,)
                tried |= {previewed(ws, task, run_id).hash for run_id in both}
        elif (text := versions.get(run.prompt_version_id or 0)) and text not in tried:
            asked = ws.read.runs.predictions(run.id, splits=OPEN, with_gold=True)
            tried |= {text} if asked else set()
    return len(tried)
