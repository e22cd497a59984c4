"""What an expert may know beside the queue: what comes of the next minutes, what stood behind."""

from __future__ import annotations

from studio.analysis.corpus import Corpus
from studio.analysis.queue_forecast import MINUTES, Forecast, forecast, labels_in
from studio.analysis.ten_minutes import Outlook, goal_of
from studio.domain.amounts import percent
from studio.domain.correction import Mode
from studio.domain.evaluation import Figure
from studio.domain.example import Split
from studio.handlers.candidates import latest_run
from studio.handlers.votes import find_votes
from studio.workspace import Workspace


def labels_ahead(ws: Workspace, task_id: int, *, by: str, minutes: float) -> Figure:
    """Return how many labels this person's own pace in the queue gives in some minutes.

    Undefined until ten decisions were measured there.
    """
    return labels_in(ws.read.labels.seconds(task_id, by, mode=Mode.QUEUE), minutes)


def look_ahead(
    ws: Workspace, task_id: int, *, is_list: bool, split: Split, by: str, left: int | None
) -> Outlook:
    """Return how many labels this person's next ten minutes should have.

    What comes of them is not in it: `gain_ahead` costs seconds.

    Args:
        ws: The workspace.
        task_id: The task.
        is_list: Whether a list is gone through, of whatever split.
        split: The split, where none is.
        by: Who labels.
        left: How many examples this person may still be asked; None where that is not known.
    """
    pace = labels_ahead(ws, task_id, by=by, minutes=MINUTES)
    goal = goal_of(pace, left)
    return Outlook(split=split, is_list=is_list, goal=goal, pace=pace, left=left)


def gain_ahead(ws: Workspace, task_id: int) -> Forecast:
    """Return what more labels of train should bring a quick classifier of them."""
    known = {label.id for label in ws.read.tasks.get(task_id).labels}
    gold = [
        g for g in ws.read.labels.gold(task_id, [Split.TRAIN.value]).values() if g.label_id in known
    ]
    ids = sorted(g.example_id for g in gold)
    texts = dict(zip(ids, ws.read.examples.texts(task_id, ids), strict=True))
    gold.sort(key=lambda g: g.event_id)
    return forecast([(texts[g.example_id], g.label_id) for g in gold])


def what_stood_behind(ws: Workspace, task_id: int, example_id: int) -> list[str]:
    """Return what the latest run and the rules say of an example, a sentence each.

    It may sway who reads it, so it is for after the decision; of a test example nothing is told,
    for a second thought must be as blind as the first.
    """
    example = ws.read.examples.get(task_id, example_id)
    if example.split is Split.TEST:
        return []
    task = ws.read.tasks.get(task_id)
    found = []
    run = latest_run(ws, task)
    if run is not None:
        for said in ws.read.runs.predictions(run.id, example_ids=[example_id]):
            name = task.name_of(said.label_id) or f"nothing ({said.outcome.value})"
            sure = "" if said.confidence is None else f", {percent(said.confidence, digits=0)} sure"
            found.append(f"{run.title} says {name}{sure}.")
    rules = ws.read.rules.all(task_id, enabled_only=True)
    if rules:
        names = {rule.id: rule.body.name for rule in rules}
        matrix = find_votes(ws.read, task_id, rules, Corpus.of([example])).matrix
        for vote in matrix.votes(example_id):
            says = f"{'not ' if vote.against else ''}{task.name_of(vote.label_id)}"
            found.append(f"The rule {names[vote.rule_id]} votes {says}.")
    return found
