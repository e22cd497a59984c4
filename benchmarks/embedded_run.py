"""An edited prompt over 5,000 short texts, through `studio run start --wait` and the embedded model.

The first prompt version embeds every text; the versions after it find them in the cache. CPU is
read from the kernel: of the command, and of the worker by its threads, for the embedded server
lives in the worker's process. Needs STUDIO_SHARED (default ../shared).

    python benchmarks/embedded_run.py [--examples 5000] [--edits 3]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from _processes import Cost, Group  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets" / "sms_spam"
STUDIO = (sys.executable, "-m", "studio.cli.main")
PROMPT = """Decide whether a text message is spam.

Labels:
- spam: advertising, prizes, paid services, anything that wants a call or a reply to a short number
- ham: a message between people who know each other

Reasons:
- spam: it says that a prize was won and must be claimed
- ham: it makes an appointment"""
EDITS = (
    "- spam: it names a price per minute or per message",
    "- ham: it asks how somebody is",
    "- spam: it offers ringtones, games or chats",
    "- ham: it says sorry for being late",
    "- spam: it asks to call a number now",
)


@dataclass(frozen=True)
class Run:
    """One run: its cost, and the CPU of the worker's main thread and of its other threads."""

    cost: Cost
    loop: float
    others: float
    changed: int


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--edits", type=int, default=3, choices=range(1, len(EDITS) + 1))
    asked = parser.parse_args()
    if not SHARED.is_dir():
        sys.stderr.write(f"No data at {SHARED}: set STUDIO_SHARED.\n")
        raise SystemExit(3)
    texts = []
    for name in ("train", "valid", "test"):
        with (SHARED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            texts += [row["text"] for row in csv.DictReader(file)]
    texts = texts[: asked.examples]
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(Path(folder), texts, asked.edits)
    show(runs, texts)


def measure(home: Path, texts: list[str], edits: int) -> list[Run]:
    """Return the first run, which starts the worker too, then the run of each edit."""
    group, runs = Group(), []
    environ = {"STUDIO_WORKSPACE": str(home / "studio.db"), "PYTHONPATH": str(ROOT)}
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    (home / "sms.jsonl").write_text(lines, encoding="utf-8")

    def studio(*words: str) -> Cost:
        cost = group.measure([*STUDIO, *words], home, environ, limit_s=600)
        if cost.code:
            raise SystemExit(f"studio {' '.join(words[:2])} ended with {cost.code}: {cost.said}")
        return cost

    try:
        studio("task", "create", "sms", "--labels", "spam,ham")
        studio("import", "sms", "sms.jsonl", "--text", "text", "--split", "train")
        before: dict[str, str] = {}
        for version in range(edits + 1):
            text = "\n".join([PROMPT, *EDITS[:version]])
            studio("prompt", "save", "sms", "first", "--instructions", text)
            used = threads(group)
            cost = studio("run", "start", "sms", "--prompt", "first", "--wait", "--json")
            loop, others = (b - a for a, b in zip(used, threads(group), strict=True))
            told = json.loads(cost.said[cost.said.index("{") :])
            if told["outcomes"] != {"ok": len(texts)}:
                raise SystemExit(f"Not every text has a label: {told['outcomes']}")
            labels = export(studio("run", "export", str(told["run"]), "--json"))
            changed = sum(before.get(id_, label) != label for id_, label in labels.items())
            before = labels
            runs.append(Run(cost, loop, others, changed))
            sys.stderr.write(f"version {version + 1}: {cost.wall:.1f} s\n")
    finally:
        group.kill()
    return runs


def export(cost: Cost) -> dict[str, str]:
    """Return the labels by example."""
    rows = json.loads(cost.said[cost.said.index("[") :])
    return {str(row["id"]): row["label"] for row in rows}


def threads(group: Group) -> tuple[float, float]:
    """Return the CPU seconds of the main threads alive, and of all other threads."""
    loop = others = 0.0
    for process in group.alive():
        try:
            for thread in process.threads():
                used = thread.user_time + thread.system_time
                loop, others = (
                    (loop + used, others) if thread.id == process.pid else (loop, others + used)
                )
        except psutil.Error:
            continue
    return loop, others


def show(runs: list[Run], texts: list[str]) -> None:
    """Print the table."""
    n, first, edited = len(texts), runs[0], runs[1:]
    words = statistics.mean(len(text.split()) for text in texts)
    print(
        f"{n} text messages of {words:.0f} words on average; the bar of an edited prompt is 5 s of "
        f"wall time. Load average {os.getloadavg()[0]:.1f}.\n"
    )
    print(
        "| run | wall s | examples/s | CPU s in all | the command | worker's main thread "
        "| its other threads, the server's among them | peak MB | labels changed |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    middle = sorted(edited, key=lambda run: run.cost.wall)[len(edited) // 2]
    for title, run in (
        ("first version, worker and server starting", first),
        (f"edited version, median of {len(edited)} by wall time", middle),
    ):
        command = run.cost.cpu - run.loop - run.others
        print(
            f"| {title} | {run.cost.wall:.1f} | {n / run.cost.wall:.0f} | {run.cost.cpu:.2f} "
            f"| {command:.2f} | {run.loop:.2f} | {run.others:.2f} | {run.cost.peak / 1e6:.0f} "
            f"| {run.changed or chr(45)} |"
        )
    print(
        f"\nWall times of the edited versions: {', '.join(f'{r.cost.wall:.1f} s' for r in edited)}."
    )


if __name__ == "__main__":
    main()
