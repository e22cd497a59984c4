"""Labels that each order of the queue needs, against a random order.

The queue of the studio asks 20 at a time, as `studio queue` does, audit included; after each 20 (from
100 labels on, after a quarter more) a fine-tune's classifier, MiniLM and words, is taught with all
labels so far and measured on test rows. Each seed draws nine tenths of the training rows to choose
from. The rare label is whether a message of banking77 is about something pending: 4 of its 77
intents, named before anything was measured. F1 is that of the rarer label, of AG News macro-F1.
Needs STUDIO_SHARED (default ../shared).

    python benchmarks/queue_order.py [--seeds 5] [--sets sms ...]
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.analysis.order_evidence import weigh_order  # noqa: E402
from studio.analysis.queue_streams import Pick, Strategy, Stream  # noqa: E402
from studio.analysis.queueing import (  # noqa: E402
    Pool,
    draw,
    learn,
    make_queue,
)
from studio.embedded.encoder import load_encoder  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
ORDERS = (Strategy.RANDOM, Strategy.UNCERTAIN, Strategy.TYPICAL, Strategy.HALF)
AT_ONCE = 20
TOLD_AT = (300, 600)


@dataclass(frozen=True)
class Case:
    """A set: its files, what is asked of a row, how many rows teach, most labels to give, bar."""

    title: str
    folder: str
    files: tuple[str, ...]
    answer: Callable[[dict[str, str]], Any]
    train: int
    most: int
    bar: str


CASES = {
    "rare": Case("banking77, is it pending?", "banking77", ("train", "test"),
                 lambda row: "pending" in row["label"], 10_003, 1_000, "5"),
    "sms": Case("sms_spam", "sms_spam", ("train", "valid", "test"),
                lambda row: row["label"] == "spam", 4_502, 700, "2"),
    "dishes": Case("usda_fndds_dishes", "usda_fndds_dishes", ("train", "test"),
                   lambda row: row["label"] == "keto", 3_645, 1_200, "-"),
    "agnews": Case("AG News (gepa_predictions)", "gepa_predictions", ("ag_news",),
                   lambda row: row["expected"], 1_500, 400, "-"),
}  # fmt: skip


@dataclass(frozen=True)
class Data:
    """A set read: what the queue sees, what the classifier sees, the right labels."""

    case: Case
    texts: list[str]
    pool: Pool
    features: Any
    truth: Any
    full: float

    def measure(self, rows: Sequence[int]) -> float:
        """Return F1 on test after learning from rows; 0 before there are two labels."""
        rows = np.array(sorted(rows))
        return f1(self, rows) if len(np.unique(self.truth[rows])) > 1 else 0.0


def f1(data: Data, rows: Any) -> float:
    """Return F1 on the test rows after learning from some."""
    return score(data.features, data.truth, rows, data.case.train)


def score(features: Any, truth: Any, rows: Any, train: int) -> float:
    """Return F1 of the rarer label, or macro-F1 of more than two."""
    said = learn(features, rows, truth[rows]).predict(features[train:])
    kind = "binary" if truth.max() == 1 else "macro"
    return float(f1_score(truth[train:], said, average=kind))


def read(case: Case, *, by_words: bool) -> Data:
    """Read a set and embed its texts, unless words alone are to measure."""
    rows: list[dict[str, str]] = []
    for name in case.files:
        with (SHARED / case.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    if len(case.files) == 1:  # one file, sorted by nothing we know of: mixed before it is cut
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    texts = [row["text"] for row in rows]
    truth = np.unique([case.answer(row) for row in rows], return_inverse=True)[1].astype(np.int64)
    pool = Pool.of(range(len(texts)), texts)
    features = pool.features
    if not by_words:
        vectors = np.asarray(load_encoder().encode(texts).vectors, dtype=np.float32)
        features = sparse.hstack([pool.words, sparse.csr_array(vectors)], format="csr")
    full = score(features, truth, np.arange(case.train), case.train)
    return Data(case, texts, pool, features, truth, full)


def label(data: Data, order: Strategy, seed: int) -> tuple[list[tuple[int, float]], list[str]]:
    """Return (labels, F1) while the queue is worked through, and what its evidence said."""
    rng = np.random.default_rng(seed)
    alive = np.sort(rng.permutation(data.case.train)[: data.case.train * 9 // 10])
    is_audit = rng.random(len(alive)) < 0.1
    main, audit = alive[~is_audit], alive[is_audit]
    pool = Pool(data.pool.ids[main], data.pool.words[main], data.pool.topics[main])
    drawn = {Stream.AUDIT: draw(audit, seed).tolist(), Stream.RANDOM: draw(main, seed + 1).tolist()}
    labels: dict[int, int] = {}
    asked: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
    curve, told = [], []
    while len(labels) < data.case.most:
        ready = {
            stream: [Pick(example_id=i, stream=stream, why="") for i in ids if i not in labels]
            for stream, ids in drawn.items()
        }
        n = max(AT_ONCE, len(labels) // 4)
        n = min(n, min((t - len(labels) for t in TOLD_AT if t > len(labels)), default=n))
        for pick in make_queue(pool, labels, order.streams, n, start=len(labels), ready=ready,
                               seed=seed):  # fmt: skip
            right = int(data.truth[pick.example_id])
            labels[pick.example_id] = right
            asked[pick.stream is Stream.AUDIT].append((data.texts[pick.example_id], right))
        curve.append((len(labels), data.measure(list(labels))))
        if len(labels) in TOLD_AT:
            probes = [
                (data.texts[i], int(data.truth[i])) for i in range(data.case.train, len(data.texts))
            ]
            pays = weigh_order(asked[False], asked[True], probes[:200], seed=seed).pays
            told.append({True: "pays", False: "does not pay", None: "not settled"}[pays])
    return curve, told


def reached(curve: Sequence[tuple[int, float]], goal: float) -> float:
    """Return at how many labels a curve first comes up to a goal; infinite if it never does."""
    before, low = 0, 0.0
    for size, value in curve:
        if value >= goal:
            return before + (size - before) * (goal - low) / max(value - low, 1e-9)
        before, low = size, value
    return math.inf


def main() -> None:
    """Print a table of labels needed, and what the evidence told."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--seeds", type=int, default=5)
    wanted.add_argument("--sets", nargs="*", default=list(CASES))
    wanted.add_argument("--words", nargs="*", default=["rare", "sms"])
    asked = wanted.parse_args()
    if not SHARED.is_dir():
        sys.stderr.write(f"No data at {SHARED}: set STUDIO_SHARED to measure with it.\n")
        raise SystemExit(3)
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(
        f"Labels to 80 % and 90 % of the F1 that all labels give, medians of {asked.seeds} seeds, the "
        "queue 20 at a time, its audit of a tenth counted. x is random divided by this order, of the "
        "medians; in brackets the labels of each seed. `half` is what the queue does by itself "
        "where there is no rule. What a fine-tune learns from (MiniLM and words) measures, or "
        "where it says so words only, which is all that the queue itself sees.\n"
    )
    print("| set | F1 of all labels | order | to 80 % | x | to 90 % | x | bar at 80 % |")
    print("|---|---|---|---|---|---|---|---|")
    said: list[str] = []
    for name in asked.sets:
        report(read(CASES[name], by_words=False), asked.seeds, said)
    for name in asked.words:
        report(read(CASES[name], by_words=True), asked.seeds, said, "words only: ")
    print(
        "\nWhat the studio itself said of the order after 300 and 600 labels, from the audit and "
        "200 random labels that measure (of `random`, which cannot pay, all but `not settled` "
        "would be wrong):\n"
    )
    print("\n".join(said))
    print(f"\nCPU {time.process_time():.0f} s in all, embedding included.")


def report(data: Data, seeds: int, said: list[str], measured: str = "") -> None:
    """Print the rows of one set, and gather what the evidence told."""
    base: dict[float, float] = {}
    for order in ORDERS:
        runs = [label(data, order, seed) for seed in range(seeds)]
        cells = []
        for share in (0.8, 0.9):
            needed = [reached(curve, share * data.full) for curve, _ in runs]
            middle = float(np.median(needed))
            base.setdefault(share, middle)
            each = " ".join("-" if math.isinf(one) else f"{one:.0f}" for one in needed)
            cells += [f"{shown(middle, data)} ({each})", times(base[share], middle, data)]
        bar = judged(cells[1], data.case.bar) if order is Strategy.HALF else ""
        title = f"{measured}{data.case.title}"
        row = (title, f"{data.full:.3f}", f"`{order.value}`", *cells, bar)
        print(f"| {' | '.join(row)} |")
        sys.stdout.flush()
        if order in (Strategy.RANDOM, Strategy.HALF):
            for place, size in enumerate(TOLD_AT):
                words = [told[place] for _, told in runs if len(told) > place]
                counted = ", ".join(f"{words.count(w)} {w}" for w in dict.fromkeys(words))
                if counted:
                    said.append(f"- {title}, `{order.value}`, {size} labels: {counted}")


def judged(factor: str, bar: str) -> str:
    """Return the bar, and whether a factor holds it as far as it is printed; empty without one."""
    if bar == "-":
        return ""
    bound, number = factor[:1], factor.lstrip("<> ")
    held = number != "?" and float(number) >= float(bar)
    if bound == "?" or (bound == ">" and not held) or (bound == "<" and held):
        return f"x{bar}, not known"
    return f"x{bar}, {'held' if held else '**missed**'}"


def shown(needed: float, data: Data) -> str:
    """Return a number of labels, or that it was not reached."""
    return f"> {data.case.most}" if math.isinf(needed) else f"{needed:.0f}"


def times(random: float, needed: float, data: Data) -> str:
    """Return the factor against random; a bound where one of them was not reached."""
    if math.isinf(needed):
        return "?" if math.isinf(random) else f"< {random / data.case.most:.1f}"
    return f"> {data.case.most / needed:.1f}" if math.isinf(random) else f"{random / needed:.1f}"


if __name__ == "__main__":
    main()
