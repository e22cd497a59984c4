"""What the store takes at a million examples: to fill, to page, to search, to count, to copy.

The examples go in through `Examples.add`, 5,000 a transaction, a run over all of them through
`Runs.commit` and a tenth of them as gold of one person through `Labels.append`: the code the app
uses. A page is timed by the CPU of its whole call, SQL and rows, beside what `SELECT 1` costs.

    python benchmarks/store_scale.py [--examples 1000000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.analysis.agreement import agree  # noqa: E402
from studio.domain.correction import Origin  # noqa: E402
from studio.domain.example import Split  # noqa: E402
from studio.domain.label_change import Merge  # noqa: E402
from studio.domain.label_plan import plan_change  # noqa: E402
from studio.domain.mark import Mark, MarkKind  # noqa: E402
from studio.domain.run import Answer, ClassifierKind, Outcome, Run  # noqa: E402
from studio.domain.task import Task  # noqa: E402
from studio.store import migrations  # noqa: E402
from studio.store.connection import connect  # noqa: E402
from studio.store.copies import copy_database  # noqa: E402
from studio.store.grid_filter import ANYBODY, GridFilter, IdSet, Order  # noqa: E402
from studio.store.labels import NewLabel  # noqa: E402
from studio.store.recount import recount  # noqa: E402
from studio.store.runs import Result  # noqa: E402
from studio.store.store import Store  # noqa: E402

NAMES = ("a", "b", "c", "d")
WEIGHTS = (50, 30, 18, 2)
SPLITS = [Split.TRAIN] * 7 + [Split.VALIDATION] * 2 + [Split.TEST]
AT = "2026-01-01T00:00:00+00:00"
CHANGE = {
    "text": "d was split", "names": [], "affected": [],
    "before": dict.fromkeys(("runs", "prompts", "models", "reports"), 0),
}  # fmt: skip
ORDERS = {
    Order.IMPORTED: "as imported", Order.LEAST_SURE: "least sure", Order.MOST_SURE: "most sure",
    Order.LATEST: "latest decision",
}  # fmt: skip
WRITER = """
import sys, time
from pathlib import Path
from studio.store.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
waits = []
while not Path(sys.argv[2]).exists():
    start = time.perf_counter()
    store.tasks.set_setting("n", str(len(waits)))
    waits.append(time.perf_counter() - start)
    time.sleep(0.002)
waits.sort()
print(len(waits), 1000 * waits[int(0.99 * len(waits))], 1000 * waits[-1])
"""


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    n = parser.parse_args().examples
    print(f"{n:,} examples of 16 words; load average when this began {os.getloadavg()[0]:.1f}.\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studio.db"
        words = Words()
        store = Store(path)
        task, run, other = fill(store, words, n)
        pages(store, task, run, other, words, n)
        whole(store, task, run, other, words, n)
        counts(store, task)
        label_set(store, task)
        sizes(path)
        store.checkpoint()
        copy(path)
        store.close()
        for leftover in Path(folder).iterdir():
            leftover.unlink()
        migrate(Path(folder) / "old.db", words, n)


class Words:
    """Texts whose words are as common and as rare as words are."""

    def __init__(self) -> None:
        chance = random.Random(1)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.known = [
            "".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(60_000)
        ]
        weights = list(itertools.accumulate(1 / (i + 8) for i in range(len(self.known))))
        self._stream = chance.choices(self.known, cum_weights=weights, k=2_000_000)

    def text(self, i: int) -> str:
        start = i * 13 % (len(self._stream) - 16)
        return " ".join(self._stream[start : start + 16])


@dataclass(slots=True)
class Cost:
    """CPU and wall clock of a piece of work, in seconds."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    cost, cpu, wall = Cost(), time.process_time(), time.perf_counter()
    yield cost
    cost.cpu, cost.wall = time.process_time() - cpu, time.perf_counter() - wall


def fill(store: Store, words: Words, n: int) -> tuple[Task, Run, Run]:
    """Make the workspace with two runs over all of it, and print what that took."""
    chance = random.Random(2)
    task = store.tasks.create(name="t", question="", labels=[(name, "") for name in NAMES],
                              criterion=None, by="Ada", at=AT)  # fmt: skip
    print(
        "| into the workspace | rows | rows a CPU second | CPU s | wall s |\n|---|---|---|---|---|"
    )
    with measured() as cost:
        ids: list[int] = []
        for chunk in _chunks(n):
            added = store.examples.add(
                task.id, [(f"x{i}", words.text(i), chance.choice(SPLITS), {}) for i in chunk], AT
            )
            ids += [i for i in added if i is not None]
            store.checkpoint()
    said("examples, searchable", n, cost)
    run, other = (
        store.file_run(
            Run(id=0, task_id=task.id, kind=ClassifierKind.RULES, title="rules", splits=("train",)),
            example_ids=ids, now=0.0,
        )
        for _ in range(2)
    )  # fmt: skip
    for each in (run, other):
        with measured() as cost:
            for chunk in _chunks(n, 2_000):
                results = [_result(task, ids[i], chance) for i in chunk]
                store.runs.commit(each, results, at=AT)
                store.checkpoint()
        said(f"predictions of run {each.id}", n, cost)
    gold = sorted(chance.sample(ids, n // 10))
    with measured() as cost:
        _decide(store, task, gold, "Ada", 1, chance)
    said("decisions of one person", len(gold), cost)
    _decide(store, task, sorted(chance.sample(ids, n // 50)), "Bo", 2, chance)
    for example_id in chance.sample(ids, 2_000 * n // 1_000_000):
        store.marks.set(
            task.id, Mark(example_id=example_id, person="Ada", kind=MarkKind.FLAG, text="", at=AT),
            present=True,
        )  # fmt: skip
    with store.transaction() as conn:
        conn.execute("INSERT INTO assignment_round (task_id, name, people, overlap, created_by, created_at)"
                     " VALUES (?, 'r', '[]', 0, 'Ada', ?)", (task.id, AT))  # fmt: skip
        conn.executemany("INSERT INTO assignment (task_id, person, example_id, round_id) VALUES (?,'Ada',?,1)",
                         [(task.id, i) for i in chance.sample(ids, n // 100)])  # fmt: skip
        conn.execute("INSERT INTO label_change (task_id, kind, body, after_event, person, at)"
                     " VALUES (?, 'split', ?, 1000000000, 'Ada', ?)", (task.id, json.dumps(CHANGE), AT))  # fmt: skip
        conn.executemany("INSERT INTO relook (task_id, change_id, example_id) VALUES (?,1,?)",
                         [(task.id, i) for i in gold[::5]])  # fmt: skip
    store.checkpoint()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"\nPeak memory of all that, this script's own lists included: {peak:.0f} MB.\n")
    return task, run, other


def _decide(
    store: Store, task: Task, ids: list[int], person: str, month: int, chance: random.Random
) -> None:
    """Let a person decide on examples, a tenth of them a day, as time goes on."""
    chance.shuffle(ids)
    for start in range(0, len(ids), 2_000):
        day = 1 + 10 * start // len(ids)
        decisions = [
            NewLabel(example_id=i, person=person, origin=Origin.BLIND,
                     label_id=task.labels[chance.choices(range(4), WEIGHTS)[0]].id)
            for i in ids[start : start + 2_000]
        ]  # fmt: skip
        store.labels.append(task.id, decisions, f"2026-{month:02d}-{day:02d}T00:00:00+00:00")
        store.checkpoint()
    ids.sort()


def _chunks(n: int, size: int = 5_000) -> Iterator[range]:
    for start in range(0, n, size):
        yield range(start, min(n, start + size))


def _result(task: Task, example_id: int, chance: random.Random) -> Result:
    place = chance.choices(range(4), WEIGHTS)[0]
    odd = chance.random()
    if odd < 0.03:
        outcome = Outcome.REFUSED if odd < 0.0003 else Outcome.ABSTAINED
        return Result(example_id=example_id, label_id=None, answer=Answer(outcome=outcome))
    sure = {NAMES[place]: round(0.3 + 0.7 * chance.random(), 4)}
    answer = Answer(outcome=Outcome.OK, label=NAMES[place], probabilities=sure)
    return Result(example_id=example_id, label_id=task.labels[place].id, answer=answer)


def said(what: str, rows: int, cost: Cost) -> None:
    print(
        f"| {what} | {rows:,} | {rows / cost.cpu:,.0f} | {cost.cpu:.1f} | {cost.wall:.1f} |",
        flush=True,
    )


def pages(store: Store, task: Task, run: Run, other: Run, words: Words, n: int) -> None:
    """Time pages of 200 for every filter and order, as the person with the decisions."""
    floor = 1000 * _cpu(lambda: store.db.value("SELECT 1"), 200)
    orders = " | ".join(f"{name}: first | p50 | p95" for name in ORDERS.values())
    print(
        f"A page of 200, ms of CPU: the first, and 12 places from there to the end. `SELECT 1` takes "
        f"{floor:.3f} ms. The person made most of the decisions; a page of who made none is quicker.\n\n"
        f"| filter | {orders} |\n|---{'|---' * 3 * len(ORDERS)}|"
    )  # fmt: skip
    every: dict[str, list[float]] = {}
    for name, filter in filters(task, other, words, n).items():
        cells = []
        for order in ORDERS:
            wanted = {**filter, "order": order}
            times = _page_times(store, task, run, GridFilter(**wanted), n)  # type: ignore[arg-type]
            kind = "a search" if "search" in filter else "no search"
            every.setdefault(f"{kind}, {ORDERS[order]}", []).extend(times)
            cells += [
                f"{1000 * times[0]:.1f}",
                *(f"{1000 * np.percentile(times, q):.1f}" for q in (50, 95)),
            ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print()
    for kind, times in every.items():
        p50, p95 = (1000 * np.percentile(times, q) for q in (50, 95))
        print(f"- All pages with {kind}: p50 {p50:.1f} ms, p95 {p95:.1f} ms.")
    print()


def whole(store: Store, task: Task, run: Run, other: Run, words: Words, n: int) -> None:
    """Time counting up to 5,000 examples of a filter, and reading all their ids, as bulk deeds do."""
    print(
        "| filter | counted up to 5,000, ms of CPU | all ids, ms of CPU | ids |\n|---|---|---|---|"
    )
    for name, filter in filters(task, other, words, n).items():
        asked = {"run_id": run.id, "person": "Ada", "filter": GridFilter(**filter)}  # type: ignore[arg-type]
        with measured() as counted:
            store.examples.grid_count(task.id, **asked, limit=5_000)  # type: ignore[arg-type]
        with measured() as cost:
            ids = store.examples.grid_ids(task.id, **asked)  # type: ignore[arg-type]
        print(
            f"| {name} | {1000 * counted.cpu:.1f} | {1000 * cost.cpu:.0f} | {len(ids):,} |",
            flush=True,
        )
    print()


def filters(task: Task, other: Run, words: Words, n: int) -> dict[str, dict[str, object]]:
    """Return what is looked for, by name."""
    a, b, _, d = (label.id for label in task.labels)
    common, usual, rare = words.known[0], words.known[60], words.known[50_000]
    return {
        "none": {}, "validation": {"splits": ("validation",)}, "test": {"splits": ("test",)},
        "the model says: common": {"label_id": a}, "the model says: rare": {"label_id": d},
        "gold": {"gold_label_id": a}, "gold, rare": {"gold_label_id": d},
        "to do": {"show": "todo"}, "mine": {"show": "mine"}, "errors": {"show": "errors"},
        "errors, one label": {"show": "errors", "label_id": b},
        "to do, one label, validation": {"show": "todo", "label_id": b, "splits": ("validation",)},
        "mine, one label": {"show": "mine", "label_id": b},
        "sure: .5 to .6": {"confidence": (0.5, 0.6)}, "sure: .5 to .501": {"confidence": (0.5, 0.501)},
        "abstained": {"outcome": "abstained"}, "refused (1 in 3,000)": {"outcome": "refused"},
        "another run differs": {"differs_from": other.id},
        "another run differs, errors": {"differs_from": other.id, "show": "errors"},
        "my own label, rare": {"own_label_id": d}, "gold by origin": {"gold_origin": "blind"},
        "gold by origin: none such": {"gold_origin": "adjudicated"},
        "people differ (1 in 800)": {"people_differ": True}, "decided on by Bo": {"by": "Bo"},
        "decided on by anybody": {"by": ANYBODY},
        "on one day": {"since": "2026-01-05", "until": "2026-01-06"},
        "by Bo on one day": {"by": "Bo", "since": "2026-02-05", "until": "2026-02-06"},
        "flagged": {"mark": "flag"}, "assigned": {"assigned": True},
        "assigned, to do": {"assigned": True, "show": "todo"}, "another look": {"relook": True},
        "a rule fires: 300,000 ids": {"among": IdSet.of(range(1, n + 1, 3))},
        "a rule fires, errors": {"among": IdSet.of(range(1, n + 1, 3)), "show": "errors"},
        "a slice: 2,000 ids": {"among": IdSet.of(range(1, n + 1, 500))},
        "1,000 ids": {"ids": tuple(range(1, n + 1, max(1, n // 1_000)))},
        "search: common word": {"search": common}, "search: usual word": {"search": usual},
        "search: rare word": {"search": rare}, "search: two words": {"search": f"{common} {usual}"},
        "search: a letter": {"search": "q"},
        "search, to do, validation": {"search": usual, "show": "todo", "splits": ("validation",)},
        "search without a word (LIKE)": {"search": "?!"},
    }  # fmt: skip


def _page_times(store: Store, task: Task, run: Run, filter: GridFilter, n: int) -> list[float]:
    at: dict[Order, Callable[[int], tuple[float, int]]] = {
        Order.IMPORTED: lambda k: (0.0, n * k // 12),
        Order.LEAST_SURE: lambda k: (0.3 + 0.7 * k / 12, n // 2),
        Order.MOST_SURE: lambda k: (0.7 * k / 12 - 1, -n // 2),
        Order.LATEST: lambda k: (-0.12 * n * (12 - k) / 12, 0),
    }
    places = [None, *map(at[filter.order], range(12))]
    if filter.search == "?!":
        places = places[:3]
    times = []
    for after in places:

        def page(after: tuple[float, int] | None = after) -> object:
            return store.examples.grid(task.id, run_id=run.id, person="Ada", filter=filter,
                                       after=after, limit=200)  # fmt: skip

        page()
        times.append(_cpu(page, 3))
    return times


def _cpu(work: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def counts(store: Store, task: Task) -> None:
    looks = {
        "examples by split": lambda: store.examples.counts(task.id),
        "gold by split, label and origin": lambda: store.labels.counts(task.id),
        "the task": lambda: store.tasks.get(task.id),
        "how far people agree": lambda: agree(store.labels.said(task.id).votes(task)),
        "ids of train (a list)": lambda: store.examples.ids(task.id, ["train"]),
    }
    print("| read | ms of CPU |\n|---|---|")
    for name, look in looks.items():
        print(f"| {name} | {1000 * _cpu(look, 3):.2f} |")
    with measured() as cost:
        wrong = recount(store.db)
    print(
        f"\nRecounting all that triggers keep: {cost.cpu:.1f} s of CPU; wrong: {wrong or 'nothing'}.\n"
    )


def label_set(store: Store, task: Task) -> None:
    """Merge a label that three in ten predictions say, and take that back: one transaction each."""
    plan = plan_change(task, Merge(label="b", into="a"))
    with measured() as foreseen:
        found = store.label_sets.foresee(task.id, plan)
    with measured() as merged:
        change = store.label_sets.apply(task.id, plan, by="Ada", at=AT)
    store.checkpoint()
    with measured() as undone:
        store.label_sets.undo(task.id, change, by="Ada", at=AT)
    store.checkpoint()
    print(
        f"A label said by {found.predictions:,} predictions and {found.gold:,} gold labels, s of CPU: "
        f"{foreseen.cpu:.1f} to foresee, {merged.cpu:.1f} to merge, {undone.cpu:.1f} to take back; "
        f"nobody else can write for {merged.wall:.1f} and {undone.wall:.1f} s.\n"
    )


def sizes(path: Path) -> None:
    plain = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        rows = plain.execute(
            "SELECT name, sum(pgsize) / 1e6 FROM dbstat GROUP BY 1 HAVING sum(pgsize) > 1e6 ORDER BY 2 DESC"
        ).fetchall()
    except sqlite3.OperationalError:  # this Python's own SQLite cannot tell
        print(f"On disk: {path.stat().st_size / 1e6:.0f} MB.\n")
        return
    finally:
        plain.close()
    print(f"On disk {path.stat().st_size / 1e6:.0f} MB: "
          + ", ".join(f"{name} {size:.0f}" for name, size in rows) + ".\n")  # fmt: skip


def copy(path: Path) -> None:
    """Copy the workspace while another process writes."""
    stop = path.with_name("stop")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(stop)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        writer.stdout.readline()
        with measured() as cost:
            copy_database(path, path.with_name("copy.db"))
        stop.touch()
        number, p99, most = writer.stdout.read().split()
    print(f"A verified copy (VACUUM INTO) while another process wrote {number} times: {cost.cpu:.1f} s of CPU, "
          f"{cost.wall:.1f} s; its writes took {float(p99):.1f} ms at p99, {float(most):.0f} ms at most.\n")  # fmt: skip


def migrate(path: Path, words: Words, n: int) -> None:
    """Bring a file of the first version up to date."""
    steps = migrations.STEPS
    migrations.STEPS = steps[:1]  # type: ignore[assignment]
    try:
        migrations.prepare(path)
    finally:
        migrations.STEPS = steps
    chance = random.Random(3)
    conn = connect(path)
    conn.execute("BEGIN")
    conn.execute("INSERT INTO task (name, created_at, created_by) VALUES ('t', ?, 'Ada')", (AT,))
    conn.executemany(
        "INSERT INTO label (task_id, name, position) VALUES (1, ?, ?)",
        [(x, i) for i, x in enumerate(NAMES)],
    )
    conn.executemany(
        "INSERT INTO example (task_id, external_id, text, split, created_at) VALUES (1, ?, ?, ?, ?)",
        ((f"x{i}", words.text(i), chance.choice(SPLITS).value, AT) for i in range(n)),
    )
    conn.execute("INSERT INTO run (task_id, kind, title, splits, total, created_at, created_by)"
                 " VALUES (1, 'rules', 'rules', '[]', ?, ?, 'Ada')", (n, AT))  # fmt: skip
    conn.execute("INSERT INTO prediction (run_id, example_id, label_id, confidence, outcome)"
                 " SELECT 1, id, 1 + id % 4, (id % 1000) / 1000.0, 'ok' FROM example")  # fmt: skip
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    before = path.stat().st_size / 1e6
    with measured() as cost:
        Store(path).close()
    spare = shutil.disk_usage(path.parent).free / 1e6
    print(f"Bringing a file of the first version with {n:,} examples and predictions ({before:.0f} MB) up to date, "
          f"its copy included: {cost.cpu:.1f} s of CPU, {cost.wall:.1f} s; {path.stat().st_size / 1e6:.0f} MB after"
          f"{'' if spare > 2 * before else ' (no room for the copy)'}.")  # fmt: skip


if __name__ == "__main__":
    main()
