"""studio demo: the whole loop on the keto example, without a screen."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.actions.corrections import Decision, correct_labels
from studio.actions.evaluations import compare_runs, evaluate_run, find_slices
from studio.actions.finetunes import create_training_set, launch_finetune
from studio.actions.reports import build_report, report_to_dict
from studio.actions.rules import report_rules
from studio.actions.runs import Choice, run_status, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import choose_champion
from studio.analysis.queueing import disagreements
from studio.analysis.report_html import render_report
from studio.bootstrap import is_worker_alive
from studio.cli.common import AsJson, emit, open_ws, wait_for, write_file
from studio.cli.evaluations import comparison_text
from studio.domain.evaluation import Comparison, Figure
from studio.domain.example import Split
from studio.domain.run import Run
from studio.domain.task import Task
from studio.errors import StudioError
from studio.jobs.process import stop_worker
from studio.workspace import Workspace

EXPERT = "demo expert (simulated)"
DEMO = Path("studio-demo.db")
COMPARED = "train+validation"
CORRECTIONS, FAST_CORRECTIONS = 160, 80
FAST_LIMIT = 240


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("demo")(demo)


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="On part of the examples.")] = False,
    workspace: Annotated[
        Path,
        typer.Option(
            "--workspace", "-w", help="A workspace of its own; made anew tasks each time."
        ),
    ] = DEMO,
    as_json: AsJson = False,
) -> None:
    """Run the whole loop on data/keto and end with a report."""
    ws = open_ws(workspace)
    found_alive = is_worker_alive(ws)
    ws.wake()
    show = _Show(quiet=as_json)
    try:
        figures = _Loop(ws, show, fast=fast).go()
    finally:
        if not found_alive:
            _stop_workers(ws)
    emit(figures, as_json, f"\nThe report is {figures['report']['html']}")


def _stop_workers(ws: Workspace) -> None:
    """Stop what the demo started; nobody else works on its workspace."""
    for info in ws.read.jobs.workers():
        if info.host == socket.gethostname():
            stop_worker(info)


@dataclass
class _Show:
    """Prints each step as it ends, unless only JSON is wanted."""

    quiet: bool
    started: float = field(default_factory=time.monotonic)

    steps: int = 0

    def step(self, title: str, *lines: str, numbered: bool = True) -> None:
        self.steps += numbered
        if not self.quiet:
            number = f"{self.steps}. " if numbered else "   "
            typer.echo(f"\n{number}{title}  ({time.monotonic() - self.started:.1f} s)")
            for line in lines:
                typer.echo(f"  {line}")


class _Loop:
    """The steps of the demo, each through the same actions as the app."""

    def __init__(self, ws: Workspace, show: _Show, *, fast: bool) -> None:
        self.ws, self.show, self.fast = ws, show, fast
        self.limit = FAST_LIMIT if fast else None
        self.task = self._task()
        self.figures: dict[str, Any] = {"task": self.task.name, "fast": fast}

    def go(self) -> dict[str, Any]:
        """Walk the loop and return its figures."""
        rules = self._rules()
        first = self._prompt("first")
        better = self._prompt("better")
        self._compare("prompt 2 against prompt 1", first, better)
        if not self.fast:
            self._compare("rules against prompt 2", better, rules)
        before = self._finetune("labels of prompt 2, nobody looked", run_id=better.id)
        self._correct(better, rules)
        after = self._finetune("labels of prompt 2 with corrections", run_id=better.id)
        self._compare("with corrections against without", before, after, split="validation")
        gold = self._finetune("all gold of train", run_id=None)
        self._compare("fine-tune on gold against prompt 2", better, gold, split="validation")
        both = self._together(gold)
        self._slices(both)
        self._report({"rules": rules, "better": better, "gold": gold, "both": both})
        return self.figures

    def _task(self) -> Task:
        taken = {task.name for task in self.ws.read.tasks.all()}
        name = next(
            n for i in range(1, 10_000) if (n := "keto" if i == 1 else f"keto {i}") not in taken
        )
        task = load_sample(self.ws, name, by=EXPERT)
        counts = self.ws.read.examples.counts(task.id)
        self.show.step(
            f"The task {name!r}: {task.question}",
            ", ".join(f"{n} {split}" for split, n in counts.items())
            + f"; criterion {task.criterion}",
            f"{len(self.ws.read.rationales.all(task.id))} rationales, "
            f"{len(self.ws.read.rules.all(task.id))} rules, "
            f"{len(self.ws.read.prompts.all(task.id))} prompts",
        )
        return task

    def _rules(self) -> Run:
        run = self._run(Choice(rules=True), all_examples=True)
        scores = report_rules(self.ws, self.task.id)
        firing = sum(1 for s in scores if s.fires)
        figure = self._figure(run, COMPARED)
        self.figures["rules"] = figure.to_dict()
        self.show.step(
            "Rules: what the expert's rationales say when they are coded",
            f"{firing} of {len(scores)} rules fire; macro-F1 on {COMPARED} {figure}",
        )
        return run

    def _prompt(self, name: str) -> Run:
        run = self._run(Choice(prompt=name))
        figure = self._figure(run, COMPARED)
        self.figures[f"prompt {name}"] = figure.to_dict()
        self.show.step(f"Prompt {name!r}", f"macro-F1 on {COMPARED} {figure}")
        return run

    def _compare(self, title: str, a: Run, b: Run, *, split: str = COMPARED) -> Comparison:
        found = compare_runs(self.ws, a.id, b.id, split=split, by=EXPERT)
        self.figures[title] = {
            "difference": found.difference.to_dict(), "p": found.p, "tells": found.tells,
            "fixed": len(found.fixed), "broke": len(found.broke), "needed": found.needed,
        }  # fmt: skip
        self.show.step(title, comparison_text(found), numbered=False)
        return found

    def _correct(self, run: Run, rules: Run) -> None:
        """Correct, as the expert would, where prompt and rules differ; the answers are the gold."""
        train = (Split.TRAIN.value,)
        predictions = self.ws.read.runs.predictions(run.id, splits=train)
        others = self.ws.read.runs.predictions(rules.id, splits=train)
        gold = self.ws.read.labels.gold(self.task.id, train)
        wanted = [i for i in disagreements(predictions, others) if i in gold]
        wanted = wanted[: FAST_CORRECTIONS if self.fast else CORRECTIONS]
        said = {p.example_id: p.label_id for p in predictions}
        decisions = [
            Decision(example_id=i, label=self.task.name_of(gold[i].label_id)) for i in wanted
        ]
        stored = correct_labels(self.ws, self.task.id, decisions, run_id=run.id, by=EXPERT)
        changed = sum(said[i] != gold[i].label_id for i in wanted)
        self.figures["corrections"] = {"decisions": stored, "changed": changed}
        self.show.step(
            "Corrections where rules and prompt differ",
            f"{stored} decisions, {changed} changed a label "
            "(the expert is simulated: the answers are the computed labels, and take no time)",
        )

    def _finetune(self, title: str, *, run_id: int | None) -> Run:
        training_set = create_training_set(self.ws, self.task.id, run_id=run_id, by=EXPERT)
        finetune = launch_finetune(
            self.ws, self.task.id, training_set_id=training_set.id, prompt="better", by=EXPERT
        )
        wait_for(self.ws, finetune.job_id or 0, "fine-tune")
        done = self.ws.read.finetunes.get(finetune.id)
        splits = [Split.VALIDATION.value]
        run = self._run(Choice(model=str(done.id)), splits=splits)
        figure = self._figure(run, Split.VALIDATION.value)
        self.figures[f"fine-tune: {title}"] = figure.to_dict() | {"seconds": done.seconds}
        self.show.step(
            f"Fine-tune on {title}",
            f"{training_set.size} examples, {done.seconds or 0:.1f} s; macro-F1 on validation {figure}",
        )
        return run

    def _together(self, gold: Run) -> Run:
        """Join the rules with the model of all gold, as far as gold speaks for it."""
        choice = Choice(rules=True, model=gold.model)
        run = self._run(choice, splits=[Split.VALIDATION.value])
        figure = self._figure(run, Split.VALIDATION.value)
        self.figures["rules and model"] = figure.to_dict()
        why = run_status(self.ws, run.id)["choice"]["why"]
        self.show.step("Rules and that model together", why, f"macro-F1 on validation {figure}")
        return run

    def _slices(self, run: Run) -> None:
        worse = [s for s in find_slices(self.ws, run.id, split="validation") if s.is_worse]
        lines = [f"{s.slice.name}: error {s.error}, lift {s.lift:.1f}" for s in worse[:5]]
        self.figures["worst slices"] = [s.slice.name for s in worse]
        self.show.step("Slices that err more than chance tells", *(lines or ["none on validation"]))

    def _report(self, runs: dict[str, Run]) -> None:
        """Choose on validation, measure the choice once on test, and write the report."""
        on_validation = {
            name: self._figure(run, Split.VALIDATION.value).value for name, run in runs.items()
        }
        best = max(on_validation, key=lambda name: on_validation[name])
        choose_champion(self.ws, self.task.id, runs[best].id)
        self._run(Choice(), splits=[Split.TEST.value])
        report = build_report(self.ws, self.task.id, by=EXPERT)
        html = self.ws.path.with_name(f"{self.ws.path.stem}-{self.task.id}.html")
        write_file(html, render_report(report, title=f"{self.task.name}: report"))
        self.figures["champion"] = best
        self.figures["report"] = report_to_dict(report) | {"html": str(html)}
        self.show.step(
            f"The report: the champion of validation is {report.classifier!r}",
            f"{report.decision.verdict.value.upper()}: {report.decision.reason}",
            f"{report.criterion} on test: {report.figure}",
        )

    def _run(
        self, choice: Choice, *, splits: list[str] | None = None, all_examples: bool = False
    ) -> Run:
        run = start_run(
            self.ws, self.task.id, choice=choice, splits=splits or [],
            limit=None if splits or all_examples else self.limit, by=EXPERT,
        )  # fmt: skip
        wait_for(self.ws, run.job_id or 0, "run")
        return self.ws.read.runs.get(run.id)

    def _figure(self, run: Run, split: str) -> Figure:
        try:
            return evaluate_run(self.ws, run.id, split=split, by=EXPERT).macro_f1
        except StudioError:
            if split == COMPARED:
                raise
            return evaluate_run(self.ws, run.id, split=COMPARED, by=EXPERT).macro_f1
