"""Which examples a prompt is tried on: some at random, and some that are known to be hard."""

from __future__ import annotations

import random
from collections.abc import Sequence

from studio.analysis.sampling import Sample, draw_sample, kinds_of
from studio.domain.prompt import PromptText
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.handlers.tried_texts import OPEN
from studio.workspace import Workspace

POOL = 5_000
"""Most examples looked at; of more, a part is drawn first."""
_UNSURE = 0.1
"""The share of a run's answers that count as its least sure ones."""


def preview_sample(
    ws: Workspace,
    task: Task,
    n: int,
    *,
    seed: int = 0,
    before: PromptText | None = None,
    earlier: Sample | None = None,
) -> Sample:
    """Return a sample of n examples of train and validation.

    Hard is what the version before, else the champion or the latest run, got wrong or was least
    sure of, and where it and the rules differ.

    Args:
        ws: The workspace.
        task: The task.
        n: Examples wished for.
        seed: Same seed and same workspace, same sample.
        before: The version before.
        earlier: A sample to add to.
    """
    gold = {i: g.label_id for i, g in ws.read.labels.gold(task.id, OPEN).items()}
    ids = _pool(ws.read.examples.ids(task.id, OPEN), gold, seed)
    if earlier is not None:
        ids = sorted({*ids, *earlier.ids})
    gold = {i: gold[i] for i in ids if i in gold}
    kinds = kinds_of(ws.read.examples.some(task.id, ids))
    hard = _hard(ws, task, ids, gold, before)
    return draw_sample(ids, gold, kinds, hard, n, seed=seed, earlier=earlier)


def _pool(ids: Sequence[int], gold: dict[int, int], seed: int) -> list[int]:
    """Return all, or of many a random half with gold and a random half without."""
    if len(ids) <= POOL:
        return list(ids)
    rng = random.Random(seed)  # noqa: S311 (a sample, not a secret)
    known, unknown = [i for i in ids if i in gold], [i for i in ids if i not in gold]
    drawn = rng.sample(known, min(len(known), POOL // 2))
    return sorted(drawn + rng.sample(unknown, min(len(unknown), POOL - len(drawn))))


def _hard(
    ws: Workspace,
    task: Task,
    ids: Sequence[int],
    gold: dict[int, int],
    before: PromptText | None,
) -> dict[int, str]:
    """Return example to why it is hard, for those that are known to be."""
    done = [run for run in ws.read.runs.all(task.id) if run.status == "done"]
    run = _latest(ws, task, done, before)
    if run is None:
        return {}
    answers = ws.read.runs.predictions(run.id, example_ids=ids)
    said = {p.example_id: p.label_id for p in answers}
    sure = sorted((p.confidence, p.example_id) for p in answers if p.confidence is not None)
    found = {i: f"{run.title} was unsure" for _, i in sure[: round(_UNSURE * len(sure))]}
    rules = next((r for r in done if r.kind is ClassifierKind.RULES), None)
    if rules is not None and rules.id != run.id:
        for vote in ws.read.runs.predictions(rules.id, example_ids=ids):
            label = said.get(vote.example_id)
            if None not in (label, vote.label_id) and label != vote.label_id:
                found[vote.example_id] = f"{run.title} and the rules differ"
    wrong = (i for i, label in said.items() if i in gold and label != gold[i])
    return found | dict.fromkeys(wrong, f"{run.title} got it wrong")


def _latest(
    ws: Workspace, task: Task, done: Sequence[Run], before: PromptText | None
) -> Run | None:
    """Return the run that tells what is hard: of the version before, the champion, any."""
    texts = {v.id: v.body.hash for v in ws.read.prompts.all(task.id)}
    prompts = [r for r in done if r.kind is ClassifierKind.PROMPT]
    same = (r for r in prompts if before and texts.get(r.prompt_version_id or 0) == before.hash)
    champion = (r for r in done if ws.read.runs.classifier(r.id) == task.champion)
    return next((r for source in (same, champion, prompts, done) for r in source), None)
