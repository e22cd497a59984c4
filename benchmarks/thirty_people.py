"""Thirty people label at once, one deed each two seconds, against the app as people start it.

Each person is a websocket that speaks Streamlit's protocol, as a browser's page does: half of them
label in the grid, which also turns its page, half one by one in the queue. A deed takes from the
moment it was due until the script has run and everything it draws has arrived, so whoever still
waits for the one before waits longer. Afterwards SQLite is compared with what was keyed.

    python benchmarks/thirty_people.py [--people 30] [--seconds 90]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import random
import secrets
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks._app import Serving, serving  # noqa: E402
from benchmarks._visitor import Visitor  # noqa: E402
from benchmarks.store_scale import Words, fill  # noqa: E402
from studio.domain.task import Task  # noqa: E402
from studio.store.store import Store  # noqa: E402

EXAMPLES = 5_000
EVERY_S = 2.0
ALONE_S = 30.0
TURN_EVERY = 15
BARS = {"p95": 500.0, "payload": 100_000}
GRID, QUEUE = "label in the grid", "label one by one"
TURN = "next page of the grid"


@dataclass(slots=True)
class Desk:
    """One person at work.

    Attributes:
        visitor: The open page.
        is_grid: Whether it is the grid.
        chance: What it draws from.
        place: Its number; people turn pages at different times.
        labels: What it may give.
        opened: Seconds until the page was drawn.
        times: Seconds of each deed, by what it was.
        sent: Bytes of the answer to each deed.
        keyed: Each example with the label given, in order.
    """

    visitor: Visitor
    is_grid: bool
    chance: random.Random
    place: int
    labels: Sequence[int]
    opened: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    keyed: list[tuple[int, int]] = field(default_factory=list)
    _log: list[dict[str, Any]] = field(default_factory=list)
    _instance: str = ""
    _who: str = ""
    _drawn: str = ""
    _rows: list[int] = field(default_factory=list)

    async def work(self, begin: float, end: float) -> None:
        """Do one deed every two seconds, as a person who keeps the pace does."""
        due = begin + self.chance.random() * EVERY_S
        number = 0
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            number += 1
            turn = self.is_grid and not (number + self.place) % TURN_EVERY
            what = await self.label(turn=turn)
            self.times[what].append(time.perf_counter() - due)
            self.sent[what].append(self.visitor.bytes)
            due += EVERY_S

    async def label(self, *, turn: bool = False) -> str:
        """Label the next example, or turn the grid's page; return what was done."""
        return await self._grid(turn=turn) if self.is_grid else await self._queue()

    async def _grid(self, *, turn: bool) -> str:
        grid = self.visitor.component("agGrid")
        if grid is None:
            raise SystemExit(f"no grid is drawn: {self.visitor.errors}")
        if grid.element.component_instance.id != self._drawn:
            self._drawn = grid.element.component_instance.id
            self._rows, self._who = rows_of(grid.element)
            self._instance, self._log = secrets.token_hex(12), []
        entry: dict[str, Any] = {"seq": len(self._log) + 1, "do": "next"}
        if not turn:
            entry |= {"do": "label", **self._decide(self._rows.pop(0))}
        self._log.append(entry)
        await self.visitor.send(
            grid,
            {
                "instance": self._instance,
                "who": self._who,
                "seq": len(self._log),
                "log": self._log,
                "focus": entry.get("id"),
                "at": None,
                "before": [],
            },
        )
        return TURN if turn else GRID

    async def _queue(self) -> str:
        given = self.visitor.data("queue_card")
        if given["version"] != self._drawn:
            self._drawn, self._instance, self._log = given["version"], secrets.token_hex(12), []
        done = {example_id for example_id, _ in self.keyed}
        example_id = next(item["id"] for item in given["items"] if item["id"] not in done)
        self._log.append(
            {"seq": len(self._log) + 1, "do": "label", **self._decide(example_id), "more": 1}
        )
        acked = given["ack"].get(self._instance, 0)
        block = {
            "version": given["version"],
            "who": given["who"],
            "instance": self._instance,
            "seq": len(self._log),
            "acked": acked,
            "log": self._log[acked:],
        }
        card = self.visitor.component("queue_card")
        assert card is not None
        await self.visitor.send(card, {"log": {"times": len(self._log), "blocks": [block]}})
        return QUEUE

    def _decide(self, example_id: int) -> dict[str, Any]:
        label = self.chance.choice(self.labels)
        self.keyed.append((example_id, label))
        return {"id": example_id, "label": str(label), "ms": self.chance.randrange(900, 2600)}


def rows_of(element: Any) -> tuple[list[int], str]:
    """Return the ids of the rows that a grid was given, and what it calls its person."""
    import pyarrow as pa

    who = json.loads(element.component_instance.json_args)["gridOptions"]["context"]["who"]
    for one in element.component_instance.special_args:
        if one.WhichOneof("value") == "arrow_dataframe":
            table = pa.ipc.open_stream(one.arrow_dataframe.data.data).read_all()
            return [int(value) for value in table["id"].to_pylist()], who
    raise SystemExit("the grid was given no rows")


def main() -> None:
    """Print the figures as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--desk", choices=("grid", "queue", "both"), default="both")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studio.db"
        store = Store(path)
        with contextlib.redirect_stdout(io.StringIO()):
            task, _, _ = fill(store, Words(), EXAMPLES)
        with serving(path) as app:
            asyncio.run(measure(app, store, task, asked))
        store.close()


async def measure(app: Serving, store: Store, task: Task, asked: argparse.Namespace) -> None:
    """Let one person work alone, then all, and print both."""
    people, seconds = asked.people, asked.seconds
    desks_of = {"grid": [True], "queue": [False], "both": [True, False]}[asked.desk]
    print(f"{EXAMPLES:,} examples with a run over all of them; on loopback, people and app on the "
          f"same machine; load average when this began {os.getloadavg()[0]:.1f}.\n")  # fmt: skip
    async with Visitor(app.url, "First", page=""):
        pass  # the first visit of all loads the app's code
    alone = [await open_desk(app, task, f"Alone {n}", grid, n) for n, grid in enumerate(desks_of)]
    for desk in alone:
        await together(app, [desk], ALONE_S)
    await closed(alone)
    desks = [
        await open_desk(app, task, f"Person {n}", desks_of[n % len(desks_of)], n)
        for n in range(people)
    ]
    load = os.getloadavg()[0]
    beside = app.spent()[1]
    cpu = await together(app, desks, seconds)
    beside = app.spent()[1] - beside
    memory = app.megabytes()
    await closed(desks)
    table(alone, desks, people)
    deeds = sum(len(times) for desk in desks for times in desk.times.values())
    lost, twice, wrong, labels = compare(store, task, [*alone, *desks])
    errors = sum(len(desk.visitor.errors) for desk in desks)
    print(f"\nOf {labels:,} labels keyed {lost} lost, {twice} stored twice, {wrong} stored otherwise; "
          f"{errors} errors drawn. {deeds:,} deeds in {seconds:.0f} s took {1000 * (cpu - beside) / deeds:.0f} ms of "
          f"the app's CPU each and {1000 * beside / deeds:.0f} ms beside it "
          f"({100 * cpu / seconds:.0f} % of one core together); it held {memory:.0f} MB at the end. "
          f"Load average when all began {load:.1f}, at the end {os.getloadavg()[0]:.1f}.")  # fmt: skip


async def open_desk(app: Serving, task: Task, person: str, is_grid: bool, seed: int) -> Desk:
    """Open the page of one person."""
    visitor = Visitor(app.url, person, query={"view": "grid" if is_grid else "queue"})
    began = time.perf_counter()
    await visitor.__aenter__()
    opened = time.perf_counter() - began
    labels = [label.id for label in task.labels]
    return Desk(visitor, is_grid, random.Random(seed), seed, labels, opened)


async def together(app: Serving, desks: Sequence[Desk], seconds: float) -> float:
    """Let people work at once for so long; return the CPU seconds of the app."""
    before, begin = app.cpu(), time.perf_counter()
    await asyncio.gather(*(desk.work(begin, begin + seconds) for desk in desks))
    return app.cpu() - before


async def closed(desks: Sequence[Desk]) -> None:
    """Close their pages."""
    for desk in desks:
        await desk.visitor.__aexit__(None, None, None)


def table(alone: Sequence[Desk], desks: Sequence[Desk], people: int) -> None:
    """Print how long each kind of deed took, alone and together."""
    print("| deed | alone: p50 ms | p95 | n "
          f"| {people} people: p50 ms | p95 | most | n | bytes, median | p95 <= {BARS['p95']:g} ms |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for what in (GRID, QUEUE, TURN, "all of these"):
        one, many = (_times(some, what) for some in (alone, desks))
        if not one or not many:
            continue
        size = np.median([s for d in desks for w, b in d.sent.items() for s in b
                          if what in (w, "all of these")])  # fmt: skip
        p95 = float(np.percentile(many, 95))
        print(f"| {what} | {np.median(one):.0f} | {np.percentile(one, 95):.0f} | {len(one)} "
              f"| {np.median(many):.0f} | {p95:.0f} | {max(many):.0f} | {len(many)} "
              f"| {size:,.0f} | {'held' if p95 <= BARS['p95'] else '**missed**'} |")  # fmt: skip
    for name, is_grid in (("the grid", True), ("the queue", False)):
        opened = [d.opened for d in desks if d.is_grid is is_grid]
        if not opened:
            continue
        print(f"\nOpening {name} took {np.median(opened):.2f} s in the median, "
              f"{max(opened):.2f} s at most, one person after another.")  # fmt: skip


def _times(desks: Sequence[Desk], what: str) -> list[float]:
    return [
        1000 * t
        for desk in desks
        for name, times in desk.times.items()
        for t in times
        if what in (name, "all of these")
    ]


def compare(store: Store, task: Task, desks: Sequence[Desk]) -> tuple[int, int, int, int]:
    """Return labels lost, stored twice and stored otherwise, and how many were keyed."""
    lost = twice = wrong = labels = 0
    stored: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for event in store.labels.history(task.id):
        stored[event.person].append((event.example_id, event.label_id))
    for desk in desks:
        found = stored[desk.visitor.person]
        labels += len(desk.keyed)
        lost += len(set(desk.keyed) - set(found))
        twice += len(found) - len(set(found))
        wrong += found != desk.keyed
    return lost, twice, wrong, labels


if __name__ == "__main__":
    main()
