"""What an edit of a prompt does to the labels, with the embedded encoder, as the studio runs it.

Each set is imported into a workspace of its own; four versions of one prompt are saved and run on the
same rows by `start_run`, the worker and the embedded server: the label names alone, with definitions,
with reasons too, and with few-shots too. The prompts are those of embedded_prompt_reading.py, written
once from general knowledge (for keto, the definitions and rationales of data/keto); few-shots are
drawn, two a label, from rows that are not measured. Each seed draws rows and few-shots anew. The
floor, always saying the most common label, is measured on the same rows. No test row is read.
Needs STUDIO_SHARED (default ../shared).

    python benchmarks/prompt_effect.py [--rows 600] [--seeds 3] [--sets sms ...]
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from embedded_prompt_reading import PROMPTS, SETS, SHARED  # noqa: E402

from studio.actions.evaluations import evaluate_run  # noqa: E402
from studio.actions.examples import Columns, import_examples  # noqa: E402
from studio.actions.prompts import save_prompt  # noqa: E402
from studio.actions.runs import Choice, start_run  # noqa: E402
from studio.actions.samples import load_sample  # noqa: E402
from studio.actions.tasks import create_task  # noqa: E402
from studio.bootstrap import open_workspace, workers_alive  # noqa: E402
from studio.cli.common import wait_for  # noqa: E402
from studio.domain.prompt import FewShot, PromptText  # noqa: E402
from studio.jobs.process import stop_worker  # noqa: E402
from studio.workspace import Workspace  # noqa: E402

STEPS = ("names only", "+ definitions", "+ reasons", "+ few-shots")
SHOTS = 2
ME = "benchmark"
Rows = list[tuple[str, str]]


def main() -> None:
    """Print the Markdown of this part."""
    names = [*SETS, "keto"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=names, default=names)
    asked = parser.parse_args()
    if not SHARED.is_dir():
        sys.stderr.write(f"No data at {SHARED}: set STUDIO_SHARED.\n")
        raise SystemExit(3)
    os.environ.pop("STUDIO_WORKSPACE", None)
    found = {}
    for name in asked.sets:
        with tempfile.TemporaryDirectory() as folder:
            ws = open_workspace(Path(folder) / "studio.db")
            try:
                found[name] = measure(ws, name, asked.rows, asked.seeds)
            finally:
                for info in workers_alive(ws):
                    stop_worker(info)
    show(found, asked.rows, asked.seeds)


def measure(ws: Workspace, name: str, rows: int, seeds: int) -> dict[str, list[float]]:
    """Return macro-F1 of each step, and of the floor, by seed; and seconds of each run."""
    given, body = keto(ws) if name == "keto" else of_set(name)
    told: dict[str, list[float]] = {step: [] for step in (*STEPS, "always the most common", "s")}
    for seed in range(seeds):
        drawn = random.Random(seed).sample(given, len(given))
        shots = few_shots(drawn)
        left = [row for row in drawn if row[0] not in {shot.text for shot in shots}][:rows]
        labels = sorted(body.definitions)
        task = create_task(ws, name=f"{name} {seed}", labels=labels, by=ME)
        file = io.StringIO()
        csv.writer(file).writerows(
            [("text", "label", "split"), *((*r, "validation") for r in left)]
        )
        columns = Columns(label="label", split="split")
        data = file.getvalue().encode()
        import_examples(ws, task.id, data=data, filename="rows.csv", columns=columns, by=ME)
        bare = PromptText(instructions="")
        defined = replace(bare, definitions=body.definitions)
        reasoned = replace(defined, reasons=body.reasons)
        for step, text in zip(
            STEPS, (bare, defined, reasoned, replace(reasoned, few_shots=shots)), strict=True
        ):
            save_prompt(ws, task.id, name=step, body=text, by=ME)
            begun = time.monotonic()
            run = start_run(ws, task.id, choice=Choice(prompt=step), by=ME)
            wait_for(ws, run.job_id or 0, "run")
            told["s"].append(time.monotonic() - begun)
            figures = evaluate_run(ws, run.id, split="validation", by=ME)
            told[step].append(figures.macro_f1.value)
        most = Counter(label for _, label in left).most_common(1)[0][1] / len(left)
        told["always the most common"].append(2 * most / (1 + most) / len(labels))
        sys.stderr.write(f"{name} {seed}: {[round(told[s][-1], 3) for s in STEPS]}\n")
    return told


def of_set(name: str) -> tuple[Rows, PromptText]:
    """Return rows and prompt of a shared set."""
    path, column = SETS[name]
    with (SHARED / path).open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row[column]) for row in csv.DictReader(file)]
    above, _, below = PROMPTS[name].partition("Reasons:\n")
    pairs = [
        [tuple(line[2:].split(": ", 1)) for line in part.splitlines() if line.startswith("- ")]
        for part in (above, below)
    ]
    return rows, PromptText(
        instructions="", definitions=dict(pairs[0]), reasons=tuple((a, b) for a, b in pairs[1])
    )


def keto(ws: Workspace) -> tuple[Rows, PromptText]:
    """Return rows of train and validation of data/keto, and what its expert said."""
    task = load_sample(ws, by=ME)
    gold = ws.read.labels.gold(task.id, ("train", "validation"))
    examples = ws.read.examples.some(task.id, list(gold))
    rows = [(e.text, task.name_of(gold[e.id].label_id) or "") for e in examples]
    reasons = [(task.name_of(r.label_id) or "", r.text) for r in ws.read.rationales.all(task.id)]
    return rows, PromptText(
        instructions="",
        definitions={label.name: label.definition for label in task.labels},
        reasons=tuple(reasons),
    )


def few_shots(rows: Rows) -> tuple[FewShot, ...]:
    """Return the first rows of each label."""
    taken: Counter[str] = Counter()
    shots = []
    for text, label in rows:
        if taken[label] < SHOTS:
            taken[label] += 1
            shots.append(FewShot(text=text, label=label))
    return tuple(shots)


def show(found: dict[str, dict[str, list[float]]], rows: int, seeds: int) -> None:
    """Print the table: mean over the seeds, and the least and the most."""
    print(
        f"Macro-F1 through `start_run`, worker and embedded server, at most {rows} rows a run, "
        f"{seeds} seeds: mean [least, most].\n"
    )
    print("| prompt | " + " | ".join(found) + " |")
    print("|" + "---|" * (len(found) + 1))
    for step in ("always the most common", *STEPS):
        cells = [
            f"{sum(v) / len(v):.3f} [{min(v):.2f}, {max(v):.2f}]"
            for v in (told[step] for told in found.values())
        ]
        print(f"| {step} | " + " | ".join(cells) + " |")
    seconds = sorted(s for told in found.values() for s in told["s"])
    print(
        f"\nA run took {seconds[len(seconds) // 2]:.1f} s in the median, {seconds[-1]:.1f} s at "
        "most (wall; the first of each seed embeds the rows)."
    )


if __name__ == "__main__":
    main()
