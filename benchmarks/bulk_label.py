"""How long one deed of many labels takes: to count, to store, to undo and to redo.

100,000 examples with predictions of four runs and an imported label each, so that every gold label
changes and with it what counts as an error of each run. A floor is what inserting as many rows
into one table takes, in the same file.

    python benchmarks/bulk_label.py [--examples 100000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.actions import bulk  # noqa: E402
from studio.actions.corrections import redo_correction, undo_correction  # noqa: E402
from studio.bootstrap import open_workspace  # noqa: E402
from studio.domain.correction import Origin  # noqa: E402
from studio.domain.example import Split  # noqa: E402
from studio.domain.run import Answer, ClassifierKind, Outcome, Run  # noqa: E402
from studio.domain.task import Task  # noqa: E402
from studio.store.labels import NewLabel  # noqa: E402
from studio.store.runs import Result  # noqa: E402
from studio.workspace import Workspace  # noqa: E402

AT = "2026-01-01T00:00:00+00:00"
RUNS = 4
SIZES = (1_000, 5_000, 20_000, 50_000)


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    n = parser.parse_args().examples
    with tempfile.TemporaryDirectory() as folder:
        ws = open_workspace(Path(folder) / "studio.db", wake=lambda: None)
        task, ids, run = fill(ws, n)
        bulk.MOST, most = n, bulk.MOST
        print(
            f"{n:,} examples, predictions of {RUNS} runs and imported gold on each; seconds of wall "
            f"time. The app labels at most {most:,} at once.\n\n"
            "| labels in one deed | count | store | undo | redo | bare insert of as many rows |\n"
            "|---|---|---|---|---|---|"
        )
        for size in (size for size in SIZES if size <= n):
            some = ids[:size]
            times = [timed(step) for step in steps(ws, task, some, run)]
            print(f"| {size:,} | {' | '.join(f'{t:.2f}' for t in times)} |", flush=True)
            undo_correction(ws, task.id, by="Ada")
            ws.store.checkpoint()
        ws.read.close()
        ws.store.close()


def fill(ws: Workspace, n: int) -> tuple[Task, list[int], Run]:
    """Make the workspace: every other example is called a by files, and by all runs."""
    store = ws.store
    task = store.tasks.create(name="t", question="", labels=[("a", ""), ("b", "")], criterion=None,
                              by="Ada", at=AT)  # fmt: skip
    added = store.examples.add(
        task.id, [(f"x{i}", f"text number {i}", Split.TRAIN, {}) for i in range(n)], AT
    )
    ids = [i for i in added if i is not None]
    gold = [
        NewLabel(
            example_id=i, person="file", origin=Origin.IMPORTED, label_id=task.labels[i % 2].id
        )
        for i in ids
    ]
    store.labels.append(task.id, gold, AT)
    for number in range(RUNS):
        run = store.file_run(
            Run(id=0, task_id=task.id, kind=ClassifierKind.RULES, title=f"{number}", splits=("train",)),
            example_ids=ids, now=0.0,
        )  # fmt: skip
        for start in range(0, n, 2_000):
            results = [
                Result(example_id=i, label_id=task.labels[i % 2].id,
                       answer=Answer(outcome=Outcome.OK, label="ab"[i % 2], probabilities={"ab"[i % 2]: 0.9}))
                for i in ids[start : start + 2_000]
            ]  # fmt: skip
            store.runs.commit(run, results, at=AT)
            store.checkpoint()
    return task, ids, run


def steps(ws: Workspace, task: Task, ids: list[int], run: Run) -> list[Callable[[], object]]:
    """Return what is timed, in its order; half of the labels contradict gold."""
    how = {"label": "a", "run_id": run.id, "by": "Ada"}
    return [
        lambda: bulk.bulk_count(ws, task.id, ids, **how),  # type: ignore[arg-type]
        lambda: bulk.bulk_label(ws, task.id, ids, expect=len(ids), **how),  # type: ignore[arg-type]
        lambda: undo_correction(ws, task.id, by="Ada"),
        lambda: redo_correction(ws, task.id, by="Ada"),
        lambda: bare(ws, ids),
    ]


def bare(ws: Workspace, ids: list[int]) -> None:
    with ws.store.transaction() as conn:
        conn.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT) STRICT")
        conn.executemany("INSERT INTO bare VALUES (?, 'Ada', 1, ?)", [(i, AT) for i in ids])
    with ws.store.transaction() as conn:
        conn.execute("DROP TABLE bare")


def timed(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
