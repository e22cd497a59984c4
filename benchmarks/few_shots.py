"""Do few-shots help the embedded reader, and which: none, by chance, diverse, or alike to each text?

Each seed draws train and other rows of a set apart; the prompt has its lines, and 8 few-shots from
the train rows where there are any. Majority is the floor in the same rows. Test files are not read.
Needs STUDIO_SHARED (default ../shared).

    python -m benchmarks.few_shots [--train 300] [--rows 300] [--count 8] [--seeds 3]
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from benchmarks.embedded_prompt_reading import PROMPTS, SETS, read_set
from studio.analysis.few_shots import ShotChooser
from studio.domain.prompt import FewShot
from studio.domain.prompt_parts import ShotPolicy, ShotWay
from studio.embedded.encoder import Encoder, load_encoder
from studio.embedded.reading import read_prompt
from studio.embedded.scoring import PromptScorer, best, texts

Pairs = list[tuple[str, str]]
WAYS = ("none", "chance", "diverse", "nearest")


def main() -> None:
    """Print a table of accuracies: the mean over seeds, and their range."""
    parser = argparse.ArgumentParser()
    for name, usual in (("train", 300), ("rows", 300), ("count", 8), ("seeds", 3)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    encoder = load_encoder()
    print(f"Encoder {encoder.engine}, {given.count} few-shots of {given.train} train rows, "
          f"{given.rows} other rows, {given.seeds} seeds: accuracy\n")  # fmt: skip
    print("| set | majority | " + " | ".join(WAYS) + " | ms a text, nearest |")
    print("|" + "---|" * (len(WAYS) + 3))
    for name in SETS:
        said, gold = read_set(name, 100_000)
        found, floors, spent = {way: [] for way in WAYS}, [], []
        for seed in range(given.seeds):
            rows = list(zip(said, gold, strict=True))
            random.Random(seed).shuffle(rows)
            train, rest = rows[: given.train], rows[given.train :][: given.rows]
            floors.append(Counter(label for _, label in rest).most_common(1)[0][1] / len(rest))
            for way in WAYS:
                begun = time.perf_counter()
                found[way].append(accuracy(name, way, train, rest, given.count, seed, encoder))
                if way == "nearest":
                    spent.append(1000 * (time.perf_counter() - begun) / len(rest))
        cells = [f"{np.mean(x):.3f} [{min(x):.3f}, {max(x):.3f}]" for x in found.values()]
        row = [name, f"{np.mean(floors):.3f}", *cells, f"{np.mean(spent):.1f}"]
        print(f"| {' | '.join(row)} |", flush=True)


def accuracy(
    name: str, way: str, train: Pairs, rest: Pairs, count: int, seed: int, encoder: Encoder
) -> float:
    """Return the share of other rows that the reader labels right."""
    labels = sorted({label for _, label in [*train, *rest]})
    pool = [FewShot(text=t, label=label, example_id=i) for i, (t, label) in enumerate(train)]
    shown: Sequence[Sequence[FewShot]]
    if way in ("none", "chance"):
        some = random.Random(seed).sample(pool, count if way == "chance" else 0)
        shown = [some] * len(rest)
    else:
        chooser = ShotChooser(pool, ShotPolicy(way=ShotWay(way), count=count))
        shown = chooser.choose([text for text, _ in rest])
    wanted = dict.fromkeys(text for text, _ in [*train, *rest])
    wanted |= dict.fromkeys(texts(read_prompt(PROMPTS[name], labels)))
    vectors = _vectors(tuple(wanted), encoder)
    known: dict[tuple[FewShot, ...], PromptScorer] = {}
    right = 0
    for (text, label), shots in zip(rest, shown, strict=True):
        key = tuple(shots)
        if key not in known:
            reading = read_prompt(PROMPTS[name], labels, [(s.text, s.label) for s in shots])
            known[key] = PromptScorer(reading, {t: vectors[t] for t in texts(reading)}, encoder)
        right += best(known[key].score(vectors[text]).probabilities) == label
    return right / len(rest)


_cache: dict[str, np.ndarray] = {}


def _vectors(wanted: tuple[str, ...], encoder: Encoder) -> dict[str, np.ndarray]:
    fresh = [text for text in wanted if text not in _cache]
    if fresh:
        made = encoder.encode(fresh).vectors.astype(np.float32)
        _cache.update(zip(fresh, made, strict=True))
    return _cache


if __name__ == "__main__":
    main()
