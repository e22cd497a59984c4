"""What came of trying a draft: which labels changed, fixed and broke, and what that tells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from studio.analysis.comparison import Looks, compare
from studio.analysis.sampling import Sample, weighted_share
from studio.domain.evaluation import Comparison, Figure
from studio.domain.job import JobStatus
from studio.domain.run import Prediction, Run
from studio.domain.task import Task
from studio.handlers.shown import shown_of
from studio.handlers.tried_texts import OPEN, PARAM, previewed
from studio.workspace import Workspace

KINDS = ("changed", "fixed", "broke", "wrong", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One example of a preview.

    Attributes:
        example_id: The example.
        external_id: The id its file gave it.
        text: Untrusted.
        before, now, gold: Label names; None where there is none. An example that the prompt
            itself shows has no gold here: nothing can be told from it.
        kinds: Which of `KINDS` it is.
        hard: Why it is known to be hard; empty for others.
    """

    example_id: int
    external_id: str
    text: str
    before: str | None
    now: str | None
    gold: str | None
    kinds: tuple[str, ...] = ()
    hard: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "id": self.external_id, "text": self.text, "before": self.before, "now": self.now,
            "gold": self.gold, "hard": self.hard,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """What is known of a preview by now.

    Attributes:
        run_id: The run of the draft.
        before_id: The run of the version before; None without one.
        before: What that version is called.
        text: Hash of the draft that was tried.
        asked: Examples of the sample.
        by_chance: Of these, drawn at random from gold; the figures are of them, by their weights.
        looks: How often these two were compared by now, on more or other examples each time.
        samples: On how many samples.
        is_open: Whether it still works.
        rows: The examples with an answer by now, those that changed first.
        now, then: Accuracy of the draft and of the version before; None while it is not through,
            or without gold.
        majority: The most common gold label and the accuracy of always saying it; ("", 0) without.
        comparison: The two compared; its lists hold the hard ones too.
        calls: Calls made by both.
        cost_usd: What they cost; None while unknown.
        seconds: What they took; None while they work.
        expected: What was expected of it: questions, cost_usd, seconds; None where unknown.
        notes: What the model's reader says of the prompt.
        unused: Lines it could not use.
    """

    run_id: int
    before_id: int | None
    before: str
    text: str
    asked: int
    by_chance: int
    looks: int
    samples: int
    is_open: bool
    rows: tuple[Tried, ...]
    now: Figure | None = None
    then: Figure | None = None
    majority: tuple[str, float] = ("", 0.0)
    comparison: Comparison | None = None
    calls: int = 0
    cost_usd: float | None = 0.0
    seconds: float | None = None
    expected: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def of(self, kind: str) -> list[Tried]:
        """Return the examples of one of `KINDS`."""
        return [row for row in self.rows if kind in row.kinds]

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        found = self.comparison
        listed = {kind: [row.to_dict() for row in self.of(kind)] for kind in ("fixed", "broke")}
        return {
            "run": self.run_id, "before": self.before or None, "before_run": self.before_id,
            "n": self.asked, "by_chance": self.by_chance, "hard": len(self.of("hard")),
            "looks": self.looks, "samples": self.samples,
            "accuracy": self.now.to_dict() if self.now else None,
            "accuracy_before": self.then.to_dict() if self.then else None,
            "majority": self.majority[1] if self.majority[0] else None,
            "changed": len(self.of("changed")), **listed,
            "difference": found.difference.to_dict() if found else None,
            "p": found.p if found else None,
            "tells": bool(found and found.tells),
            "needed": found.needed if found else None,
            "what_would_tell": found.what_would_tell if found else "",
            "calls": self.calls, "cost_usd": self.cost_usd, "seconds": self.seconds,
            "expected": self.expected,
        }  # fmt: skip


def preview_result(ws: Workspace, run_id: int) -> Previewed:
    """Return what is known of a preview by now; figures only once all was answered.

    Args:
        ws: The workspace.
        run_id: The run of the draft.
    """
    draft = ws.read.runs.get(run_id)
    params = ws.read.runs.params(run_id).get(PARAM, {})
    before = ws.read.runs.get(params["before"]) if params.get("before") else None
    task = ws.read.tasks.get(draft.task_id)
    sample = Sample.from_dict(params.get("sample", {}))
    runs = [run for run in (draft, before) if run is not None]
    told = Previewed(
        run_id=run_id,
        before_id=before.id if before else None,
        before=_title(ws, task, before) if before else "",
        text=previewed(ws, task, run_id).hash,
        asked=draft.total,
        by_chance=len(sample.weights),
        looks=params.get("looks", 1),
        samples=params.get("samples", 1),
        is_open=any(not JobStatus(run.status).is_final for run in runs),
        rows=(),
        **_spent(ws, runs),
    )
    return _with_answers(ws, task, told, sample, runs)


def last_preview(ws: Workspace, task_id: int, by: str) -> int | None:
    """Return the run of a person's latest preview; None without one."""
    runs = ws.read.runs.all(task_id, previews=True)
    mine = (r for r in runs if r.preview and r.created_by == by and r.title == "draft")
    return next((r.id for r in mine), None)


def _with_answers(
    ws: Workspace, task: Task, told: Previewed, sample: Sample, runs: list[Run]
) -> Previewed:
    now, *rest = [ws.read.runs.predictions(run.id) for run in runs]
    then = rest[0] if rest else []
    gold = {
        i: g.label_id
        for i, g in ws.read.labels.gold(task.id, OPEN, ids=[p.example_id for p in now]).items()
    }
    # What either text shows with its label is judged by neither.
    bodies = [previewed(ws, task, run.id) for run in runs]
    shown = shown_of(ws, task, bodies, list(gold))
    gold = {i: label_id for i, label_id in gold.items() if i not in shown}
    rows = _rows(ws, task, sample, gold, now, then if rest else None)
    told = replace(told, rows=rows, **_said_of_the_text(ws, told.run_id, now))
    weights = {i: w for i, w in sample.weights.items() if i in gold}
    if not weights or any(run.done < run.total for run in runs):
        return told
    common = max(task.labels, key=lambda x: sum(w for i, w in weights.items() if gold[i] == x.id))
    always = {i for i in weights if gold[i] == common.id}
    figures = [
        weighted_share(
            {p.example_id for p in said if gold.get(p.example_id) == p.label_id}, weights
        )
        for said in (now, then)
    ]
    return replace(
        told,
        now=figures[0],
        then=figures[1] if rest else None,
        by_chance=len(weights),
        majority=(common.name, weighted_share(always, weights).value),
        comparison=compare(
            told.before_id or 0, told.run_id, task.labels, gold, then, now,
            weights=weights, looks=Looks(n=told.looks, samples=told.samples),
        ) if rest else None,
    )  # fmt: skip


def _rows(
    ws: Workspace, task: Task, sample: Sample, gold: dict[int, int],
    now: list[Prediction], then: list[Prediction] | None,
) -> tuple[Tried, ...]:  # fmt: skip
    said = {p.example_id: p.label_id for p in now}
    was = {p.example_id: p.label_id for p in then or ()}
    rows = []
    for example in ws.read.examples.some(task.id, sorted(said)):
        i, right = example.id, gold.get(example.id)
        changed = i in was and was[i] != said[i]
        is_kind = {
            "changed": changed,
            "fixed": changed and right is not None and said[i] == right,
            "broke": changed and right is not None and was[i] == right,
            "wrong": right is not None and said[i] != right,
            "hard": i in sample.hard,
        }
        rows.append(
            Tried(
                example_id=i, external_id=example.external_id, text=example.text,
                before=task.name_of(was.get(i)), now=task.name_of(said[i]),
                gold=task.name_of(right), hard=sample.hard.get(i, ""),
                kinds=tuple(kind for kind in KINDS if is_kind[kind]),
            )
        )  # fmt: skip
    return tuple(rows)


def _title(ws: Workspace, task: Task, before: Run) -> str:
    tried = previewed(ws, task, before.id).hash
    versions = ws.read.prompts.all(task.id)
    return next((v.title for v in versions if v.body.hash == tried), before.title)


def _spent(ws: Workspace, runs: list[Run]) -> dict[str, Any]:
    """Return what the runs cost and took together, and what was expected."""
    jobs = [ws.read.jobs.get(run.job_id) for run in runs if run.job_id is not None]
    ends = [(job.started_at, job.finished_at) for job in jobs]
    spans = [(start, end) for start, end in ends if start is not None and end is not None]
    expected = [ws.read.runs.params(run.id).get("estimate") or {} for run in runs]
    return {
        "calls": sum(run.calls for run in runs),
        "cost_usd": _sum([run.cost_usd for run in runs]),
        # Both work at the same time.
        "seconds": max(e for _, e in spans) - min(s for s, _ in spans)
        if len(spans) == len(runs) else None,
        "expected": {
            name: _sum([told.get(name) for told in expected])
            for name in ("questions", "cost_usd", "seconds")
        },
    }  # fmt: skip


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _said_of_the_text(ws: Workspace, run_id: int, now: list[Prediction]) -> dict[str, Any]:
    """Return what the reader told of the prompt with one of its answers."""
    answer = ws.read.runs.answer(run_id, now[0].example_id) if now else None
    detail = answer.detail if answer else {}
    notes = map(str, detail.get("notes", ()))
    return {
        "notes": tuple(n for n in notes if not n.startswith("The text")),
        "unused": tuple(map(str, detail.get("unused_lines", ()))),
    }
