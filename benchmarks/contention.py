"""Two workers write, ten people correct labels and page the grid, all in one workspace of 100,000.

Three processes through the studio's own code: two flush 100 predictions each 50 ms as a run does
(progress, lease and predictions in one transaction), one has ten threads that each store a
correction and read the next page of the grid, with 20 ms of rest. The floor is one writer alone.

    python benchmarks/contention.py [--examples 100000] [--seconds 12]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.actions.corrections import Decision, correct_labels  # noqa: E402
from studio.actions.examples import Columns, import_examples  # noqa: E402
from studio.actions.runs import Choice, start_run  # noqa: E402
from studio.actions.tasks import create_task  # noqa: E402
from studio.bootstrap import open_workspace  # noqa: E402
from studio.domain.run import Answer, Outcome  # noqa: E402
from studio.providers.scripted import ScriptedProvider  # noqa: E402
from studio.store import examples as stored  # noqa: E402
from studio.store.runs import Result  # noqa: E402
from studio.workspace import Workspace  # noqa: E402

FLUSH, EVERY_S, LEASE_S, CHECKPOINT_S = 100, 0.05, 15.0, 5.0
PEOPLE, REST_S, PAGE = 10, 0.02, 50


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--role", nargs=2, metavar=("ROLE", "WORKSPACE"))
    wish = parser.parse_args()
    if wish.role:
        role, path = wish.role
        print(json.dumps(ROLES[role](_open(Path(path)), wish.seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studio.db"
        _fill(path, wish.examples)
        scenes = {
            "one writer alone": ["writer"],
            "two writers": ["writer", "writer"],
            f"two writers, {PEOPLE} people": ["writer", "writer", "people"],
        }
        print(f"{wish.examples:,} examples; {wish.seconds:g} s each; milliseconds of wall time.\n")
        print("| scene | what | done | errors | p50 | p99 | max |")
        print("|---|---|---|---|---|---|---|")
        for title, roles in scenes.items():
            for line in _scene(path, roles, wish.seconds):
                print(f"| {title} | {line} |", flush=True)
        print(f"\n{_verdict(path)}")


def _open(path: Path) -> Workspace:
    nobody = ScriptedProvider(lambda question: Answer(outcome=Outcome.EMPTY), name="embedded")
    return open_workspace(path, provider=lambda name: nobody, wake=lambda: None)


def _fill(path: Path, n: int) -> None:
    ws = _open(path)
    task = create_task(
        ws, name="mail", labels=("ham", "spam"), definitions={}, question="", by="Ada"
    )
    text = "please look at the offer of this week and tell us by Friday what you think of number"
    lines = ["id,text,split", *(f"{i},{text} {i},train" for i in range(n))]
    columns = Columns(split="split", id="id")
    import_examples(
        ws, task.id, data="\n".join(lines).encode(), filename="mail.csv", columns=columns, by="Ada"
    )
    ws.store.checkpoint()
    ws.store.close()


def _scene(path: Path, roles: Sequence[str], seconds: float) -> list[str]:
    """Run the processes of a scene side by side; return the lines of its measured kinds."""
    sys.stderr.write(f"{' + '.join(roles)}\n")
    ws = _open(path)
    (task,) = ws.store.tasks.all()
    for _ in range(roles.count("writer")):
        start_run(ws, task.id, choice=Choice(), again=True, by="Ada")
    ws.store.close()
    ws.read.close()
    command = [sys.executable, __file__, "--seconds", str(seconds), "--role"]
    processes = [
        subprocess.Popen([*command, role, str(path)], stdout=subprocess.PIPE, text=True)
        for role in roles
    ]
    told: dict[str, list[dict[str, Any]]] = {}
    for process in processes:
        for kind, figures in json.loads(process.communicate()[0]).items():
            told.setdefault(kind, []).append(figures)
    return [_line(kind, figures) for kind, figures in told.items()]


def _line(kind: str, figures: list[dict[str, Any]]) -> str:
    took = sorted(ms for one in figures for ms in one["ms"])
    errors = sum(one["errors"] for one in figures)
    p99 = took[min(len(took) - 1, int(0.99 * len(took)))]
    p50 = statistics.median(took)
    return f"{kind} | {len(took):,} | {errors} | {p50:.1f} | {p99:.1f} | {took[-1]:.1f}"


def _verdict(path: Path) -> str:
    """Return what the file says of itself after all this."""
    ws = _open(path)
    whole = ws.read.db.value("PRAGMA integrity_check")
    events = ws.read.db.value("SELECT count(*) FROM label_event")
    predictions = ws.read.db.value("SELECT count(*) FROM prediction")
    counted = ws.read.db.value("SELECT sum(done) FROM run")
    return (
        f"Afterwards: integrity {whole}, {events:,} corrections, {predictions:,} predictions of which "
        f"the runs count {counted:,}."
    )


class _Watch:
    """Times what is done and counts what fails."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.errors = 0

    def time(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return work(*given, **named)
        except Exception:
            self.errors += 1
            traceback.print_exc()
            return None
        finally:
            self.ms.append((time.perf_counter() - start) * 1000)

    def told(self) -> dict[str, Any]:
        return {"ms": self.ms, "errors": self.errors}


def write(ws: Workspace, seconds: float) -> dict[str, Any]:
    """Claim a run and flush predictions to it, over and over its examples if need be."""
    job = ws.store.jobs.claim(f"writer {time.monotonic_ns()}", ws.clock(), LEASE_S)
    assert job is not None
    run = ws.store.runs.get(job.subject_id)
    flushes, until, tidied, after = _Watch(), time.monotonic() + seconds, time.monotonic(), 0
    labels = ws.store.tasks.get(run.task_id).labels
    while time.monotonic() < until:
        batch = ws.store.runs.remaining(run.id, after=after, limit=FLUSH)
        after = batch[-1].id
        results = [
            Result(
                example_id=e.id,
                label_id=labels[e.id % 2].id,
                answer=Answer(outcome=Outcome.OK, probabilities={"ham": 0.9, "spam": 0.1}),
                key=f"{run.id}:{e.id}",
            )
            for e in batch
        ]
        now = time.monotonic()

        def flush(results: list[Result] = results, done: int = len(flushes.ms) + 1) -> None:
            with ws.store.transaction():
                ws.store.jobs.beat(
                    job.id, job.fence, ws.clock(), LEASE_S,
                    done=done * FLUSH, failed=0, total=run.total, message="labeling", rate=None,
                )  # fmt: skip
                ws.store.runs.commit(run, results, at=ws.now())

        flushes.time(flush)
        if now - tidied > CHECKPOINT_S:
            ws.store.checkpoint()
            tidied = now
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - now)))
    ws.store.jobs.finish(job.id, job.fence, type(job.status).DONE, "", ws.clock())
    return {f"flush of {FLUSH} predictions": flushes.told()}


def label(ws: Workspace, seconds: float) -> dict[str, Any]:
    """Ten people, each in a thread: correct an example of the page, read the next page."""
    (task,) = ws.store.tasks.all()
    run = ws.read.runs.all(task.id)[0]
    edits, pages = _Watch(), _Watch()
    until = time.monotonic() + seconds
    chosen = stored.GridFilter(splits=("train",), show="todo")

    def work(number: int) -> None:
        after = None
        person = f"person {number}"
        while time.monotonic() < until:
            page = pages.time(
                ws.read.examples.grid,
                task.id, run_id=run.id, person=person, filter=chosen, after=after, limit=PAGE,
            )  # fmt: skip
            if page:
                after = page[-1]["cursor"]
                decision = Decision(example_id=page[number]["id"], label="spam")
                edits.time(correct_labels, ws, task.id, [decision], run_id=run.id, by=person)
            time.sleep(REST_S)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"correction": edits.told(), f"page of {PAGE}": pages.told()}


ROLES = {"writer": write, "people": label}


if __name__ == "__main__":
    main()
