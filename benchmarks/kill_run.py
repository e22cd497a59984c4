"""What a killed worker costs: examples lost, calls made again, and the wait until work goes on.

Real worker processes against a service in this process that counts every call (50 ms an answer).
Take-over is timed from kill -9 to the first call that the next worker makes: with a second worker
up, and with none, when it starts with the time at which the process is started.

    python benchmarks/kill_run.py [--examples 4000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.actions.examples import Columns, import_examples  # noqa: E402
from studio.actions.providers import add_provider  # noqa: E402
from studio.actions.runs import Choice, start_run  # noqa: E402
from studio.actions.tasks import create_task  # noqa: E402
from studio.bootstrap import open_workspace, workers_alive  # noqa: E402
from studio.domain.run import Run  # noqa: E402
from studio.workspace import Workspace  # noqa: E402
from tests.faults.service import Service  # noqa: E402

IN_FLIGHT, DELAY_S = 16, 0.05


@dataclass
class Scene:
    """A workspace with one run, the service it asks, and the workers started on it."""

    ws: Workspace
    run: Run
    service: Service
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def start(self) -> subprocess.Popen[bytes]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("STUDIO_")}
        own = {"STUDIO_CONCURRENCY": str(IN_FLIGHT)}
        command = [sys.executable, "-m", "studio.cli.main", "worker", "-w", str(self.ws.path)]
        self.workers.append(
            subprocess.Popen(command, cwd=ROOT, env=environ | own, stderr=subprocess.DEVNULL)
        )
        return self.workers[-1]

    def owner(self) -> subprocess.Popen[bytes]:
        """Return the worker that has the job."""
        name = self.ws.read.db.value("SELECT owner FROM job WHERE id = ?", (self.run.job_id,))
        return next(w for w in self.workers if name and name.split(":")[1] == str(w.pid))

    def done(self) -> int:
        return self.ws.read.runs.get(self.run.id).done

    def kill(self, worker: subprocess.Popen[bytes]) -> float:
        """Kill it at any moment of its calls; return when that was."""
        time.sleep(self.chance.uniform(0, 2 * DELAY_S))  # what was just stored is no fair moment
        worker.send_signal(signal.SIGKILL)
        at = time.monotonic()
        worker.wait()
        return at

    def first_call_after(self, at: float) -> float:
        """Return the seconds from a moment to the next call; what was on its way is not one."""
        settled = at + 0.02
        wait(lambda: any(t > settled for t, _ in self.service.log[-50:]))
        return next(t for t, _ in self.service.log if t > settled) - at

    def end(self) -> None:
        wait(lambda: self.ws.read.runs.get(self.run.id).status == "done", 300)


@contextmanager
def scene(n: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as folder, Service(DELAY_S) as service:
        ws = open_workspace(Path(folder) / "studio.db", wake=lambda: None)
        add_provider(ws, name="mock", base_url=service.url, model="mock-1", by="Ada")
        task = create_task(
            ws, name="mail", labels=("ham", "spam"), definitions={}, question="", by="Ada"
        )
        lines = [
            "id,text,split",
            *(f"{i},{('ham', 'spam')[i % 2]} number {i},train" for i in range(n)),
        ]
        columns = Columns(split="split", id="id")
        data = "\n".join(lines).encode()
        import_examples(ws, task.id, data=data, filename="mail.csv", columns=columns, by="Ada")
        run = start_run(ws, task.id, choice=Choice(), provider="mock", by="Ada")
        found = Scene(ws, run, service)
        try:
            yield found
        finally:
            for worker in found.workers:
                worker.kill()
                worker.wait()
            ws.read.close()
            ws.store.close()


def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit("It did not happen in time.")
        time.sleep(0.002)


def books(found: Scene) -> tuple[int, int, int, int]:
    """Return lost examples, calls made again, calls counted, and settled calls of the ledger."""
    rows = found.ws.read.db.read(
        "SELECT outcome, count(*) FROM ledger WHERE run_id = ? GROUP BY 1", (found.run.id,)
    )
    ledger = Counter({row[0]: row[1] for row in rows})
    calls = found.service.total
    return (
        found.run.total - found.done(),
        calls - found.run.total,
        calls,
        ledger.total() - ledger["lost"],
    )


def three_kills(n: int) -> str:
    with scene(n) as found:
        for share in (0.15, 0.4, 0.7):
            worker = found.start()
            wait(lambda share=share: found.done() >= share * n, 300)
            found.kill(worker)
        found.start()
        found.end()
        return _row(f"one worker, kill -9 three times, {n:,} examples", found, 3 * IN_FLIGHT)


def one_of_two(n: int) -> str:
    with scene(n) as found:
        found.start()
        found.start()
        for share in (0.3, 0.6):
            wait(
                lambda share=share: found.done() >= share * n and len(workers_alive(found.ws)) == 2
            )
            found.kill(found.owner())
            found.start()
        found.end()
        return _row(f"two workers, the owner killed twice, {n:,} examples", found, 2 * IN_FLIGHT)


def suspended(n: int) -> str:
    """Suspend the owner until its lease has run out by itself, then let it go on."""
    with scene(n) as found:
        found.start()
        found.start()
        wait(lambda: found.done() >= 0.2 * n and len(workers_alive(found.ws)) == 2)
        first = found.owner()
        first.send_signal(signal.SIGSTOP)
        found.first_call_after(time.monotonic() + 0.1)
        wait(lambda: found.done() >= 0.5 * n)
        first.send_signal(signal.SIGCONT)
        found.end()
        return _row(f"SIGSTOP past the lease, then CONT, {n:,} examples", found, IN_FLIGHT)


def _row(title: str, found: Scene, floor: int) -> str:
    sys.stderr.write(f"{title}\n")
    lost, again, calls, settled = books(found)
    return f"| {title} | {lost} | {again} (at most {floor} in flight) | {calls:,} | {settled:,} |"


def take_over(repeats: int) -> Iterator[str]:
    beside: list[float] = []
    with scene(100_000) as found:
        found.start()
        found.start()
        for _ in range(repeats):
            wait(lambda: len(workers_alive(found.ws)) == 2)
            before = found.done()
            wait(lambda before=before: found.done() > before + 50)
            beside.append(found.first_call_after(found.kill(found.owner())))
            found.start()
    yield _times("a second worker was up", beside)
    alone: list[float] = []
    with scene(100_000) as found:
        found.start()
        for _ in range(repeats):
            before = found.done()
            wait(lambda before=before: found.done() > before + 50)
            found.kill(found.workers[-1])
            time.sleep(0.1)
            started = time.monotonic()
            found.start()
            alone.append(found.first_call_after(started))
    yield _times("none was; from the start of the next process", alone)


def _times(title: str, seconds: list[float]) -> str:
    sys.stderr.write(f"{title}\n")
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    return f"| {title} | {middle:.2f} | {low:.2f} to {high:.2f} | {len(seconds)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=4_000)
    parser.add_argument("--repeats", type=int, default=5)
    wish = parser.parse_args()
    print(f"{IN_FLIGHT} calls in flight, {DELAY_S * 1000:.0f} ms an answer.\n")
    print(
        "| what happened | examples lost | calls made again | calls counted | settled in the ledger |"
    )
    print("|---|---|---|---|---|")
    for kills in (three_kills, one_of_two, suspended):
        print(kills(wish.examples), flush=True)
    print("\n| take-over when | s, median | range | n |")
    print("|---|---|---|---|")
    for line in take_over(wish.repeats):
        print(line, flush=True)
    load = os.getloadavg()[0]
    print(f"\nLoad average of the machine at the end: {load:.1f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
