"""100,000 trivial predictions through `studio run start --rules --wait`: what the engine itself costs.

One keyword rule labels every example, so that next to all the work is reading examples and storing
predictions. The floor is the same rows put by one `executemany` into a table of the same columns.

    python benchmarks/trivial_run.py [--examples 100000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from _processes import Cost, Group  # noqa: E402

STUDIO = (sys.executable, "-m", "studio.cli.main")
RULES = 'rules: [{name: meat, label: keto, any: [{keywords: [salmon]}]}]\nfallback: "not keto"\n'


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show(
            asked.examples,
            measure(Path(folder), asked.examples, asked.repeats),
            floor(asked.examples),
        )


def measure(home: Path, n: int, repeats: int) -> list[Cost]:
    """Return what each run cost, the worker's part included; the first one starts the worker."""
    group = Group()
    environ = {"STUDIO_WORKSPACE": str(home / "studio.db"), "PYTHONPATH": str(ROOT)}
    with (home / "dishes.csv").open("w", encoding="utf-8") as file:
        file.write("id,text\n")
        file.writelines(
            f"{i},dish {i} of {'salmon' if i % 2 else 'rice'} and dill\n" for i in range(n)
        )
    (home / "rules.yaml").write_text(RULES, encoding="utf-8")

    def studio(*words: str) -> Cost:
        cost = group.measure([*STUDIO, *words], home, environ, limit_s=600)
        if cost.code:
            raise SystemExit(f"studio {' '.join(words[:2])} ended with {cost.code}: {cost.said}")
        return cost

    runs = []
    try:
        studio("task", "create", "dishes", "--labels", "keto,not keto")
        studio("import", "dishes", "dishes.csv", "--split", "train")
        studio("rule", "import", "dishes", "rules.yaml")
        for _ in range(repeats + 1):
            cost = studio("run", "start", "dishes", "--rules", "--wait", "--json")
            told = json.loads(cost.said[cost.said.index("{") :])
            if told["outcomes"] != {"ok": n}:
                raise SystemExit(f"Not every example has a label: {told['outcomes']}")
            runs.append(cost)
            sys.stderr.write(f"run {told['run']}: {cost.wall:.1f} s\n")
    finally:
        group.kill()
    return runs


def floor(n: int) -> float:
    """Return the CPU seconds of storing as many rows by one statement."""
    with tempfile.TemporaryDirectory() as folder:
        conn = sqlite3.connect(str(Path(folder) / "bare.db"), isolation_level=None)
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute(
            "CREATE TABLE prediction (run_id INTEGER, example_id INTEGER, label_id INTEGER,"
            " confidence REAL, outcome TEXT, response_id INTEGER, split TEXT,"
            " PRIMARY KEY (run_id, example_id)) STRICT, WITHOUT ROWID"
        )
        started = time.process_time()
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany(
            "INSERT INTO prediction VALUES (1,?,1,1.0,'ok',NULL,'train')", ((i,) for i in range(n))
        )
        conn.execute("COMMIT")
        used = time.process_time() - started
        conn.close()
    return used


def show(n: int, runs: list[Cost], bare: float) -> None:
    """Print the table."""
    print(f"{n:,} examples of five words, one rule. Load average {os.getloadavg()[0]:.1f}.\n")
    print("| run | wall s | examples/s | CPU s, command and worker | ms CPU an example | peak MB |")
    print("|---|---|---|---|---|---|")
    rows = [
        ("from cold, worker and server starting", runs[:1]),
        (f"worker at work, median of {len(runs) - 1}", runs[1:]),
    ]
    for title, costs in rows:
        wall = statistics.median(cost.wall for cost in costs)
        cpu = statistics.median(cost.cpu for cost in costs)
        peak = max(cost.peak for cost in costs)
        print(
            f"| {title} | {wall:.1f} | {n / wall:,.0f} | {cpu:.2f} | {cpu / n * 1000:.4f} | {peak / 1e6:.0f} |"
        )
    print(
        f"| floor: one `executemany` into a bare table | | | {bare:.2f} | {bare / n * 1000:.4f} | |"
    )


if __name__ == "__main__":
    main()
