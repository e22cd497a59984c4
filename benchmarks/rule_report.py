"""What the rule desk costs with 50 rules: report, drafts, gaps, records, and runs of the rules.

Texts are drawn from the words of data/keto, labels at random: only the time means anything. Of
more than 100,000 examples a sample is looked at, and a run covers them all.

    python benchmarks/rule_report.py [--examples 100000 1000000] [--rules 50] [--gold 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.actions.rationales import rationale_records, record_rationale  # noqa: E402
from studio.actions.rule_drafts import draft_rules, measure_draft  # noqa: E402
from studio.actions.rule_reports import review_task, uncovered_groups  # noqa: E402
from studio.actions.rules import open_board, open_corpus, save_rule  # noqa: E402
from studio.actions.runs import Choice, start_run  # noqa: E402
from studio.actions.tasks import create_task  # noqa: E402
from studio.bootstrap import make_worker, open_workspace  # noqa: E402
from studio.domain.coded_rationale import RuleBody  # noqa: E402
from studio.domain.conditions import Keywords  # noqa: E402
from studio.domain.correction import Origin  # noqa: E402
from studio.domain.example import Split  # noqa: E402
from studio.store.labels import NewLabel  # noqa: E402
from studio.workspace import Workspace  # noqa: E402

REASON = "Rice, noodles and bread decide it, without sugar, unless it is cauliflower rice"


def fill(ws: Workspace, examples: int, rules: int, gold: int) -> tuple[int, int]:
    """Return a task and a rationale in it."""
    rng = random.Random(0)
    task = create_task(ws, name="dishes", labels=("keto", "not_keto"), question="Keto?", by="b")
    with (ROOT / "data/keto/examples.csv").open(encoding="utf-8") as file:
        words = " ".join(row["text"] for row in csv.DictReader(file)).lower().split()
    vocabulary = sorted({w for w in words if w.isalpha() and len(w) > 3})
    rows = [
        (f"e{i}", " ".join(rng.choices(words, k=20)),
         Split.TRAIN if i % 5 else Split.VALIDATION, {"course": rng.choice("xyz")})
        for i in range(examples)
    ]  # fmt: skip
    ids = [i for i in ws.store.examples.add(task.id, rows, ws.now()) if i is not None]
    labels = [
        NewLabel(example_id=i, label_id=rng.choice(task.labels).id, person="b", origin=Origin.BLIND)
        for i in ids[:gold]
    ]
    ws.store.labels.append(task.id, labels, ws.now())
    for number in range(rules):
        words_of = Keywords(tuple(rng.choices(vocabulary, k=5)))
        name = task.label_names[number % 2]
        body = RuleBody(name=f"r{number}", label=name, decisive=number % 5 == 0, any=(words_of,))
        save_rule(ws, task.id, body, by="b")
    return task.id, record_rationale(ws, task.id, label="not_keto", text=REASON, by="b")


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Run something and print what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    took = time.process_time() - cpu, time.perf_counter() - wall
    sys.stdout.write(f"| {what} | {took[0]:.2f} | {took[1]:.2f} |\n")
    return result


def run_rules(ws: Workspace, task_id: int) -> None:
    """Label all examples with the rules, by the worker of the studio in this process."""
    run = start_run(ws, task_id, choice=Choice(rules=True), by="b")

    async def work() -> None:
        worker = make_worker(ws)
        running = asyncio.create_task(worker.run())
        while not ws.store.jobs.get(run.job_id or 0).status.is_final:
            await asyncio.sleep(0.05)
        worker.stop()
        await running

    asyncio.run(work())
    if (status := ws.store.runs.get(run.id).status) != "done":
        raise SystemExit(f"The run {status}.")


def main() -> None:
    """Print the figures as tables, one for each number of examples."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--gold", type=int, default=2_000)
    told = parser.parse_args()
    for examples in told.examples:
        with tempfile.TemporaryDirectory() as folder:
            ws = open_workspace(Path(folder) / "studio.db", wake=lambda: None)
            measure(ws, examples, told.rules, told.gold)
            ws.read.close()
            ws.store.close()


def measure(ws: Workspace, examples: int, rules: int, gold: int) -> None:
    """Print the figures for so many examples."""
    task_id, rationale = fill(ws, examples, rules, gold)
    sys.stdout.write(f"{examples:,} examples:\n\n| step | CPU s | wall s |\n|---|---|---|\n")
    corpus = timed("reading the examples", lambda: open_corpus(ws, task_id))
    board = timed("votes of all rules", lambda: open_board(ws, task_id, corpus))
    timed("report on all rules", lambda: review_task(ws, task_id, board))
    timed("groups no rule covers", lambda: uncovered_groups(ws, task_id, board))
    drafts = timed("drafts of a rationale", lambda: draft_rules(ws, task_id, rationale, board))
    timed("the same again", lambda: draft_rules(ws, task_id, rationale, board))
    timed("figures of one draft", lambda: measure_draft(ws, board, drafts[0].body))
    timed("records of all rationales", lambda: rationale_records(ws, task_id, board))
    timed("a run of the rules over all examples", lambda: run_rules(ws, task_id))
    timed("a second run: all votes are stored", lambda: run_rules(ws, task_id))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"\n{rules} rules, {gold:,} gold labels, {board.matrix.coverage:.2f} of "
        f"{len(board.corpus.ids):,} examples looked at covered; {memory:.0f} MB at most so far, "
        f"filling the workspace included; load {os.getloadavg()[0]:.1f}. First uses bring their "
        "imports along.\n\n"
    )


if __name__ == "__main__":
    main()
