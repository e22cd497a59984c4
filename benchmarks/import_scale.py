"""What importing a million examples costs: rate, memory, size, and how long others wait to write.

A file of short texts, a tenth of them duplicates of others (in other letters) and a tenth labeled,
is imported by `studio import` in a process of its own. The floor, in the same run, is Python's csv
module reading the same file into one `executemany` on a table without index, key or check.
CPU is of the process from start to end; its peak memory is what the kernel says at its end. Beside
it, another process opens a write transaction every 20 ms: its longest wait is what a person feels.

    python benchmarks/import_scale.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite3

ROOT = Path(__file__).resolve().parent.parent
STUDIO = [sys.executable, "-m", "studio.cli.main"]
WORDS = 20_000
MB = 2**20


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds, seconds of CPU, bytes at its peak, of its log, longest wait."""

    wall: float
    cpu: float
    peak: int
    log: int
    wait: float


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--floor", nargs=2, metavar=("CSV", "DB"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.floor:
        read_plainly(*asked.floor)
        return
    print(f"Other work on the machine when this began: load average {os.getloadavg()[0]:.1f}.\n")
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), asked.rows)


def measure(folder: Path, rows: int) -> None:
    """Write the file, import it, import it again, split anew, and import it plainly."""
    file, db, plain = folder / "many.csv", folder / "studio.db", folder / "plain.db"
    say(f"writing {rows:,} rows")
    characters = write_rows(file, rows)
    print(
        f"{rows:,} rows of {characters / rows:.0f} characters, {file.stat().st_size / MB:.0f} MB of CSV; "
        "10 % duplicates, 10 % with a label.\n"
    )
    print(
        "| what | wall s | rows/s | CPU s | µs CPU a row | peak memory MB | on disk MB | most of the log MB | longest wait of another writer ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    floor = run(
        [sys.executable, str(Path(__file__).resolve()), "--floor", str(file), str(plain)], plain
    )
    line("floor: csv module, one `executemany`", rows, floor, plain, one=True)
    at = ["--workspace", str(db)]
    run([*STUDIO, "task", "create", "big", "--labels", "ham,spam", *at], db)
    command = [*STUDIO, "import", "big", str(file), "--label", "label", *at]
    first = run(command, db)
    line("`studio import`", rows, first, db)
    line("the same file again: all known", rows, run(command, db), db)
    line(
        "`studio split`: all anew", rows, run([*STUDIO, "split", "big", "--seed", "1", *at], db), db
    )
    print(
        f"\nThe import takes {first.cpu / floor.cpu:.1f} times the CPU of the floor; bar: at most 30 s "
        "and 500 MB for 1,000,000 rows. " + contents(db)
    )


def write_rows(file: Path, rows: int) -> int:
    """Write the examples; return how many characters their texts have."""
    draw = random.Random(0)
    words = [
        "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 11)))
        for _ in range(WORDS)
    ]
    weights = list(itertools.accumulate(1 / (i + 10) for i in range(WORDS)))
    kept: list[str] = []
    characters = 0
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "text", "label"])
        for i in range(rows):
            if kept and draw.random() < 0.1:
                text = draw.choice(kept).upper() + "!"
            else:
                text = " ".join(draw.choices(words, cum_weights=weights, k=16))
                if len(kept) < 50_000:
                    kept.append(text)
            characters += len(text)
            label = draw.choice(["ham", "spam"]) if draw.random() < 0.1 else ""
            writer.writerow([f"e{i}", text, label])
    return characters


def run(command: list[str], db: Path) -> Cost:
    """Run a command to its end beside another writer of the same database."""
    say(" ".join(command[2:5]))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("STUDIO_")}
    environ["PYTHONPATH"] = str(ROOT)
    done = threading.Event()
    waits, log = [0.0], [0]
    watch = threading.Thread(target=write_beside, args=(db, done, waits, log))
    started = time.perf_counter()
    null = os.open(os.devnull, os.O_RDWR)
    pid = os.posix_spawn(
        command[0], command, environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)],
    )  # fmt: skip
    os.close(null)
    watch.start()
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    done.set()
    watch.join()
    if status:
        raise SystemExit(f"{' '.join(command)} failed.")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, log[0], max(waits))


def write_beside(db: Path, done: threading.Event, waits: list[float], log: list[int]) -> None:
    """Begin to write every 20 ms once the database has a task, and look at the size of its log."""
    wal = db.with_name(db.name + "-wal")
    conn = None
    while not done.wait(0.02):
        log[0] = max(log[0], wal.stat().st_size if wal.exists() else 0)
        if conn is None and db.exists() and "plain" not in db.name:
            conn = sqlite3.connect(db, timeout=60, isolation_level=None)
            conn.execute("PRAGMA wal_autocheckpoint=0")
        if conn is not None:
            started = time.perf_counter()
            conn.execute("BEGIN IMMEDIATE")
            waits.append(time.perf_counter() - started)
            conn.execute("COMMIT")
    if conn is not None:
        conn.close()


def read_plainly(file: str, db: str) -> None:
    """Read the rows of the file into a bare table, in one transaction."""
    conn = sqlite3.connect(db, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("CREATE TABLE example (id TEXT, text TEXT, label TEXT)")
    with Path(file).open(encoding="utf-8", newline="") as handle:
        reader = csv.reader(handle)
        next(reader)
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO example VALUES (?,?,?)", reader)
        conn.execute("COMMIT")
    conn.close()


def line(what: str, rows: int, cost: Cost, db: Path, *, one: bool = False) -> None:
    """Print a line of the table; the floor is one transaction, nobody could write beside it."""
    disk = sum(path.stat().st_size for path in db.parent.glob(f"{db.name}*"))
    wait = "all of it" if one else f"{1000 * cost.wait:.0f}"
    print(
        f"| {what} | {cost.wall:.1f} | {rows / cost.wall:,.0f} | {cost.cpu:.1f} | {1e6 * cost.cpu / rows:.1f} "
        f"| {cost.peak / MB:.0f} | {disk / MB:.0f} | {cost.log / MB:.0f} | {wait} |",
        flush=True,
    )


def contents(db: Path) -> str:
    """Say what the splits hold, and that no text stands in two of them."""
    conn = sqlite3.connect(db)
    n = dict(conn.execute("SELECT split, count(*) FROM example GROUP BY 1"))
    torn = conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM example GROUP BY lower(rtrim(text, '!'))"
        " HAVING count(DISTINCT split) > 1)"
    ).fetchone()[0]
    total = sum(n.values())
    conn.close()
    shares = ", ".join(f"{name} {n[name] / total:.4f}" for name in ("train", "validation", "test"))
    return f"Splits after it: {shares}; texts that stand in two splits: {torn}."


def say(what: str) -> None:
    """Tell what is measured now."""
    sys.stderr.write(f"{what} …\n")


if __name__ == "__main__":
    main()
