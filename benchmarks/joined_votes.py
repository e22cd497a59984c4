"""Votes of rules joined in three ways, on two public sets, and what joining a million examples costs.

youtube_spam brings the votes of 10 labeling functions as a file; the 73 rules of sms_spam are read
as coded rationales through `parse_rule` and applied to the texts. Gold is drawn at random from all
rows; figures are of rows that some rule votes on and whose label was not drawn, as in the figures
they stand beside. Needs STUDIO_SHARED (default ../shared).

    python benchmarks/joined_votes.py [--seeds 20]
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.analysis.calibration import calibrate  # noqa: E402
from studio.analysis.joining import (  # noqa: E402
    EXPERT,
    Joining,
    compare_joinings,
    fit_joining,
    join_votes,
    joined_predictions,
)
from studio.analysis.metrics import evaluate  # noqa: E402
from studio.analysis.vote_matrix import VoteMatrix, matrix_of  # noqa: E402
from studio.analysis.votes import apply_rules, check_rule  # noqa: E402
from studio.domain.coded_rationale import CodedRationale, RuleBody, parse_rule  # noqa: E402
from studio.domain.example import Example, Split  # noqa: E402
from studio.domain.task import Label  # noqa: E402
from studio.domain.vote import Vote  # noqa: E402
from studio.errors import InputError  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
LABELS = (
    Label(id=1, name="ham", definition="", position=0),
    Label(id=2, name="spam", definition="", position=1),
)
IDS = [label.id for label in LABELS]
OF = {label.name: label.id for label in LABELS}
KNOWN = {
    "youtube_spam": [
        ("majority", ".851 / .851"),
        ("Snorkel LabelModel", ".783 / .779"),
        ("gold-calibrated vote, 50 gold", ".916 / .915"),
        ("gold-calibrated vote, 100 gold", ".928 / .927"),
    ],
    "sms_spam": [
        ("majority", ".967 / .932"),
        ("Snorkel LabelModel", ".873 / .801"),
        ("gold-calibrated vote, 50 gold", ".967 / .932"),
        ("gold-calibrated vote, 100 gold", ".967 / .932"),
    ],
}
"""Accuracy / macro-F1 measured before this was written, by other code on the same votes."""


@dataclass(frozen=True)
class Scores:
    """What one way of joining reaches on rows with a vote."""

    accuracy: float
    macro_f1: float
    calibration: float

    @property
    def cells(self) -> str:
        return f"{self.accuracy:.3f} / {self.macro_f1:.3f} | {self.calibration:.3f}"


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    if not (SHARED / "sms_spam" / "lf_rules.csv").exists():
        sys.stderr.write("youtube_spam and sms_spam are not in STUDIO_SHARED.\n")
        raise SystemExit(3)
    for name, read in (("youtube_spam", youtube), ("sms_spam", sms)):
        sys.stderr.write(f"{name}\n")
        show(name, *read(), seeds)
    print(
        "Each draw puts the rules into a random order, on which majority's ties hang. How strongly accuracies are "
        "pulled together, when rules share a voice and when gold tells the labels' shares was settled with these two "
        "sets and simulated ones in view.\n"
    )
    speed()


def youtube() -> tuple[str, VoteMatrix, list[CodedRationale], dict[int, int]]:
    """Read votes made elsewhere."""
    rows = list(texts("youtube_spam"))
    number = {row["id"]: i + 1 for i, row in enumerate(rows)}
    cast = list(read_csv(SHARED / "youtube_spam" / "lf_votes.csv"))
    kinds = sorted({(row["lf"], row["vote"]) for row in cast})
    rules = [rule(i, RuleBody(name=lf.lower(), label=vote)) for i, (lf, vote) in enumerate(kinds)]
    place = {kind: r.id for kind, r in zip(kinds, rules, strict=True)}
    votes: dict[int, list[Vote]] = {}
    for row in cast:
        vote = Vote(rule_id=place[row["lf"], row["vote"]], label_id=OF[row["vote"]])
        votes.setdefault(number[row["id"]], []).append(vote)
    gold = {number[row["id"]]: OF[row["label"]] for row in rows}
    said = f"{len(rules)} labeling functions, {len(cast):,} votes read from a file."
    return said, matrix_of(rules, list(gold), votes), rules, gold


def sms() -> tuple[str, VoteMatrix, list[CodedRationale], dict[int, int]]:
    """Read rules, and apply them."""
    rows = list(texts("sms_spam"))
    rules, refused = [], []
    for i, row in enumerate(read_csv(SHARED / "sms_spam" / "lf_rules.csv")):
        written = {"name": row["lf"], "label": row["label"], "all": [{"regex": row["regex"]}]}
        try:
            body = parse_rule(written)
            check_rule(body)
            rules.append(rule(i, body))
        except InputError as error:
            refused.append(error.message)
    examples = [
        Example(id=i + 1, external_id=row["id"], text=row["text"], split=Split.TRAIN, metadata={})
        for i, row in enumerate(rows)
    ]
    matrix = apply_rules(rules, examples)
    ours = {
        (examples[i].external_id, rules[j].body.name) for i, j in np.argwhere(matrix.fires).tolist()
    }
    theirs = {(r["id"], r["lf"]) for r in read_csv(SHARED / "sms_spam" / "lf_votes.csv")}
    said = (
        f"{len(rules)} of {len(rules) + len(refused)} rules read as coded rationales"
        f"{': ' + '; '.join(refused) if refused else ''}; they cast {len(ours):,} votes, the file of "
        f"their votes has {len(theirs):,}, and {len(ours & theirs):,} are in both."
    )
    return said, matrix, rules, {i + 1: OF[row["label"]] for i, row in enumerate(rows)}


def show(
    name: str,
    said: str,
    matrix: VoteMatrix,
    rules: list[CodedRationale],
    gold: dict[int, int],
    seeds: int,
) -> None:
    """Print one set's figures."""
    heard = {i for i, any_vote in zip(gold, matrix.fires.any(axis=1), strict=True) if any_vote}
    print(f"### {name}\n\n{said} Some rule votes on {len(heard):,} of {len(gold):,} examples.\n")
    print("| joined by | accuracy / macro-F1 | calibration error |\n|---|---|---|")
    silent = {i: label for i, label in gold.items() if i in heard}
    print(
        f"| majority, rules in the order of their names | {score(matrix, rules, silent, EXPERT).cells} |"
    )
    model = fit_joining("label_model", matrix, rules, {}, IDS)
    print(f"| label model, no gold | {score(matrix, rules, silent, model).cells} |")
    notes = [weighed(matrix, rules, gold, heard, n, seeds) for n in (50, 100)]
    for what, figures in KNOWN[name]:
        print(f"| *known before: {what}* | {figures} |  |")
    print("", *notes, "", sep="\n")


def weighed(
    matrix: VoteMatrix,
    rules: list[CodedRationale],
    gold: dict[int, int],
    heard: set[int],
    n: int,
    seeds: int,
) -> str:
    """Print what weighing on n gold labels reaches; return how the advice did."""
    found, plainly, gains, followed, advised = [], [], [], [], []
    ids = np.array(list(gold))
    for seed in range(seeds):
        drawn = np.random.default_rng(seed).permutation(ids)[:n].tolist()
        told = {i: gold[i] for i in drawn}
        rest = {i: gold[i] for i in heard - told.keys()}
        order = moved(rules, seed)  # nobody ordered them, and majority's ties hang on the order
        by = {
            way: score(matrix, order, rest, fit_joining(way, matrix, order, told, IDS))
            for way in ("expert", "weighted", "label_model")
        }
        plain = by["expert"].macro_f1
        found.append(by["weighted"])
        plainly.append(by["expert"])
        gains.append(by["weighted"].macro_f1 - plain)
        advised.append(compare_joinings(matrix, order, told, IDS).advised)
        followed.append(by[advised[-1]].macro_f1 - plain)
    print(f"| majority on the rows of {n} gold labels, mean of {seeds} | {mean(plainly).cells} |")
    print(f"| weighed on {n} gold labels, mean of {seeds} | {mean(found).cells} |")
    lost = [way for way, gain in zip(advised, gains, strict=True) if gain < 0]
    return (
        f"- {n} gold labels: weighing gains {statistics.mean(gains):+.3f} macro-F1 on majority in the mean "
        f"({min(gains):+.3f} to {max(gains):+.3f}). It is below majority in {len(lost)} of {seeds} draws, and "
        f"advised in {lost.count('weighted')} of these. Advised: "
        f"{', '.join(f'{m} {advised.count(m)}' for m in sorted(set(advised)))} times. Following the advice "
        f"gains {statistics.mean(followed):+.3f}, {min(followed):+.3f} at worst."
    )


def score(
    matrix: VoteMatrix, rules: Sequence[CodedRationale], gold: dict[int, int], joining: Joining
) -> Scores:
    """Score one way of joining on these examples."""
    joined = join_votes(matrix, rules, None, IDS, joining)
    told = joined_predictions(matrix, joined, joining)
    figures = evaluate(1, "all", LABELS, gold, told)
    return Scores(
        figures.accuracy.value, figures.macro_f1.value, calibrate(1, "all", gold, told, bins=10).ece
    )


def mean(scores: Sequence[Scores]) -> Scores:
    """Return the mean of each figure."""
    return Scores(
        *(
            statistics.mean(getattr(s, key) for s in scores)
            for key in ("accuracy", "macro_f1", "calibration")
        )
    )


def moved(rules: Sequence[CodedRationale], seed: int) -> list[CodedRationale]:
    """Return the rules in another order."""
    order = np.random.default_rng(seed).permutation(len(rules)).tolist()
    return [replace(rule, position=place) for rule, place in zip(rules, order, strict=True)]


def speed(n: int = 1_000_000) -> None:
    """Print what 10 rules on a million examples cost."""
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 3, n)
    label = np.arange(10) % 3
    fires = np.stack([chance.random(n) < np.where(truth == i, 0.4, 0.1) for i in label], axis=1)
    names = ["a", "b", "c"]
    rules = [
        CodedRationale(
            id=i + 1,
            label_id=place + 1,
            position=i,
            body=RuleBody(name=f"r{i}", label=names[place]),
        )
        for i, place in enumerate(label.tolist())
    ]
    matrix = VoteMatrix(
        rule_ids=tuple(r.id for r in rules),
        example_ids=tuple(range(1, n + 1)),
        labels=np.where(fires, label + 1, 0).astype(np.int32),
        against=np.zeros(10, dtype=np.bool_),
    )
    gold = {i + 1: int(truth[i]) + 1 for i in range(1000)}
    print(f"### 10 rules, {n:,} examples\n\nMedian of 5, 1,000 gold labels.\n")
    print(
        "| joined by | CPU s, fitting | CPU s, joining | memory above the votes' own, MB |\n|---|---|---|---|"
    )
    for method in ("expert", "weighted", "label_model"):
        costs = []
        for _ in range(5):
            started = time.process_time()
            joining = fit_joining(method, matrix, rules, gold, [1, 2, 3])
            fitted = time.process_time()
            join_votes(matrix, rules, None, [1, 2, 3], joining)
            costs.append((fitted - started, time.process_time() - fitted))
        fit, join = (statistics.median(c[i] for c in costs) for i in (0, 1))
        tracemalloc.start()
        join_votes(
            matrix, rules, None, [1, 2, 3], fit_joining(method, matrix, rules, gold, [1, 2, 3])
        )
        most = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"| {method} | {fit:.2f} | {join:.2f} | {most:.0f} |")
    started = time.process_time()
    compare_joinings(matrix, rules, gold, [1, 2, 3])
    print(
        f"\nComparing the three on gold held back: {time.process_time() - started:.2f} s of CPU. Bar: 1 s a method."
    )


def rule(i: int, body: RuleBody) -> CodedRationale:
    """Return a rule in its place."""
    return CodedRationale(id=i + 1, label_id=OF[body.label], body=body, position=i)


def texts(name: str) -> Iterator[dict[str, str]]:
    """Read all rows of a set."""
    for split in ("train", "valid", "test"):
        yield from read_csv(SHARED / name / f"{split}.csv")


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """Read rows."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


if __name__ == "__main__":
    main()
