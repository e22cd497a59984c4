"""Rules over many texts: 50 of them over 100,000 and 1,000,000, and one that is edited live.

Beside them the same rules as Python functions with `re`, in a loop and in Snorkel's applier, whose
environment (without torch, 270 MB) is made where it is missing. Texts are one or two texts of the
shared sets, drawn by seed; the words of the rules are theirs. Needs STUDIO_SHARED (default
../shared).

    python benchmarks/rules_scale.py [--most 1000000] [--no-snorkel]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from scripts.environments import CACHE, NotInstalledError, make_environment  # noqa: E402
from studio.analysis.corpus import Corpus  # noqa: E402
from studio.analysis.votes import apply_rules, fires  # noqa: E402
from studio.domain.coded_rationale import CodedRationale, parse_rule  # noqa: E402
from studio.domain.example import Example, Split, normalise  # noqa: E402

PEERS = ROOT / "benchmarks" / "peers"
SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
SETS = ("sms_spam", "youtube_spam", "banking77", "usda_fndds_dishes")
LIVE = 100_000
KEYWORDS = ("rice", "bread", "noodle*", "card", "call", "free", "win", "check")
PATTERNS = (
    r"\b(no|without|hold the)( \w+){0,2} (bread|bun|rice)\b", r"https?://\S+", r"\b0?8\d{8,}\b",
    r"£ ?\d+", r"\bfree\b.*\bcall\b", r"[.,]{4,}", r"\bcall (now|0\d+)\b", r"^\s*ok\b", r"\?\s*$",
    r"\b(check|sub\w*) (out|my|to)\b", r"\b(win|won|winner)\b.{0,40}\b(prize|cash)\b", r"!{3,}",
    r"\bmy (card|account|money)\b", r"\b(low|reduced)[ -](fat|sodium)\b",
)  # fmt: skip


def base_texts() -> list[str]:
    """Return the texts of the shared sets."""
    found = []
    for path in sorted(p for name in SETS for p in (SHARED / name).rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += [row["text"] for row in csv.DictReader(file) if row.get("text")]
    return found


def make_texts(base: list[str], n: int) -> list[str]:
    chance = random.Random(5)
    return [" ".join(chance.choices(base, k=chance.choice((1, 1, 2)))) for _ in range(n)]


def make_rules(base: list[str]) -> list[dict[str, Any]]:
    """Return 26 keyword lists, 14 patterns, 6 lengths and 4 of several conditions."""
    chance = random.Random(7)
    counts = Counter(w for text in base for w in set(normalise(text).split()) if w.isascii())
    common = [word for word, count in counts.most_common(3000) if count > 4 and len(word) > 2]
    lists = [chance.sample(common, 15) for _ in range(30)]
    lists = [[w + "*" if i % 5 == 4 else w for i, w in enumerate(words)] for words in lists]
    some: list[list[dict[str, Any]]] = [[{"keywords": words}] for words in lists[:22]]
    some += [
        [{"keywords": {"words": words, "except": [f"the {w}" for w in words[:5]]}}]
        for words in lists[22:26]
    ]
    some += [[{"regex": pattern}] for pattern in PATTERNS]
    some += [[{"length": {"unit": "words", "min": 3 * i}}] for i in range(1, 7)]
    rules = [{"name": f"r{i}", "label": "x", "any": any_of} for i, any_of in enumerate(some)]
    several = [{"all": rules[i]["any"], "none": [{"keywords": lists[26 + i]}]} for i in range(4)]
    return [*rules, *({"name": f"s{i}", "label": "x", **s} for i, s in enumerate(several))]


def coded(rules: list[dict[str, Any]]) -> list[CodedRationale]:
    return [
        CodedRationale(id=i + 1, label_id=1, position=i, body=parse_rule(rule))
        for i, rule in enumerate(rules)
    ]


def measure_studio(rules: list[dict[str, Any]], texts: list[str]) -> dict[str, Any]:
    """Apply the rules to examples, and return CPU, peak memory, and how often each fired."""
    some = [
        Example(id=i, external_id=str(i), text=text, split=Split.TRAIN)
        for i, text in enumerate(texts)
    ]
    ready = coded(rules)
    before = _peak()
    start = time.process_time()
    matrix = apply_rules(ready, some)
    cpu = time.process_time() - start
    return {
        "cpu": cpu,
        "peak": _peak(),
        "before": before,
        "fired": matrix.fires.sum(axis=0).tolist(),
    }


def _peak() -> float:
    # ru_maxrss would count what the parent had when it forked.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure_live(texts: list[str]) -> list[tuple[str, float, float, float]]:
    """Return of each kind the CPU of the first rule on new texts, of the second, and of later ones."""

    def rule(condition: dict[str, Any]) -> Any:
        return parse_rule({"name": "a", "label": "x", "any": [condition]})

    kinds: dict[str, Callable[[int], dict[str, Any]]] = {
        "keywords, 9 with one `*`": lambda i: {"keywords": [*KEYWORDS, f"word{i}"]},
        "phrase": lambda i: {"phrase": ("check out", "my card", "with rice", "call now")[i % 4]},
        "pattern": lambda i: {"regex": rf"\b(win|won|winner)\b.{{0,{40 + i}}}\b(prize|cash)\b"},
        "fuzzy, one word": lambda i: {"fuzzy": [("chiken", "acount", "mesage", "subscrib")[i % 4]]},
        "fuzzy, two words": lambda i: {"fuzzy": [("check uot", "credit crad", "fried rise")[i % 3]]},
        "number": lambda i: {"number": {"min": 30 + i}},
        "length": lambda i: {"length": {"min": 3 + i}},
    }  # fmt: skip
    rows = []
    for name, condition in kinds.items():
        corpus = Corpus(np.arange(len(texts)), texts, lambda _: [None] * len(texts))
        times = []
        for i in range(9):
            body = rule(condition(i))
            start = time.process_time()
            fires(body, corpus)
            times.append(time.process_time() - start)
        rows.append((name, times[0], times[1], statistics.median(times[2:])))
    return rows


def in_process(*command: str) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--no-snorkel", action="store_true")
    parser.add_argument("--environments", type=Path, default=CACHE / "bench-peers")
    parser.add_argument("--measure", nargs=2)
    asked = parser.parse_args()
    if asked.measure:
        rules, texts = (json.loads(Path(path).read_text()) for path in asked.measure)
        print(json.dumps(measure_studio(rules, texts)))
        return
    base = base_texts() if SHARED.is_dir() else []
    if not base:
        sys.stderr.write("The shared data sets are not there; set STUDIO_SHARED.\n")
        sys.exit(3)
    with tempfile.TemporaryDirectory() as folder:
        compare(base, Path(folder), asked)
    print_live(base)


def compare(base: list[str], folder: Path, asked: argparse.Namespace) -> None:
    rules = make_rules(base)
    many = [{"name": f"k{i}", "label": "x", "any": [{"keywords": words}]} for i, words in enumerate(word_lists(base, 1000))]  # fmt: skip
    files = {"rules": rules, "many": many}
    texts = make_texts(base, asked.most)
    files |= {str(n): texts[:n] for n in {20_000, LIVE, asked.most}}
    paths = {name: folder / f"{name}.json" for name in files}
    for name, data in files.items():
        paths[name].write_text(json.dumps(data))
    mean = statistics.mean(map(len, texts[:LIVE]))
    print(f"50 rules (26 keyword lists of 15, 14 patterns, 6 lengths, 4 of several conditions) over texts of {mean:.0f} characters in the mean. CPU of applying alone, all threads; memory is the process's peak, its texts included.\n")  # fmt: skip
    print("| how | texts | rules | CPU s | texts a second | MB at peak | of it before applying |")
    print("|---|---|---|---|---|---|---|")
    here = str(Path(__file__).resolve())
    told: dict[str, dict[str, Any]] = {}
    for name, n in (("rules", LIVE), ("rules", asked.most), ("many", LIVE)):
        cost = in_process(sys.executable, here, "--measure", str(paths[name]), str(paths[str(n)]))
        row("the studio", n, len(files[name]), cost)
        told[f"{name} {n}"] = cost
    driver = str(PEERS / "apply_snorkel.py")
    loop = in_process(sys.executable, driver, "loop", str(paths["rules"]), str(paths[str(LIVE)]))
    row("Python functions with `re`, in a loop", LIVE, len(rules), loop)
    snorkel = None if asked.no_snorkel else ask_snorkel(asked.environments, driver, paths)
    ours = told[f"rules {LIVE}"]
    same = sum(min(a, b) for a, b in zip(ours["fired"], loop["fired"], strict=True))
    either = sum(max(a, b) for a, b in zip(ours["fired"], loop["fired"], strict=True))
    print(f"\n{loop['cpu'] / ours['cpu']:.0f} times faster than the loop; counts of votes agree to {same / either:.4f}.", end=" ")  # fmt: skip
    if snorkel:
        print(f"{snorkel['cpu'] / 20_000 / (ours['cpu'] / LIVE):.0f} times faster than Snorkel's applier, text by text.", end=" ")  # fmt: skip
    print()


def word_lists(base: list[str], n: int) -> list[list[str]]:
    chance = random.Random(9)
    known = sorted({word for text in base for word in normalise(text).split()})
    return [chance.sample(known, 15) for _ in range(n)]


def ask_snorkel(folder: Path, driver: str, paths: dict[str, Path]) -> dict[str, Any] | None:
    os.environ["UV_OVERRIDE"] = str(PEERS / "snorkel_without.txt")
    try:
        environment = make_environment(PEERS / "snorkel.txt", folder / "snorkel")
    except NotInstalledError as error:
        print(f"| Snorkel's PandasLFApplier: {error} | | | | | | |")
        return None
    finally:
        del os.environ["UV_OVERRIDE"]
    python = str(environment / "bin" / "python")
    cost = in_process(python, driver, "snorkel", str(paths["rules"]), str(paths["20000"]))
    row("the same functions in Snorkel 0.10.0's PandasLFApplier", 20_000, 50, cost)
    return cost


def row(how: str, n: int, rules: int, cost: dict[str, Any]) -> None:
    before = f"{cost['before']:.0f}" if "before" in cost else ""
    print(f"| {how} | {n:,} | {rules:,} | {cost['cpu']:.2f} | {n / cost['cpu']:,.0f} | {cost['peak']:.0f} | {before} |")  # fmt: skip


def print_live(base: list[str]) -> None:
    print(f"\nOne rule that is edited, over {LIVE:,} texts, CPU seconds: on texts just read (what is kept of them, such as where each word stands, is computed then), the next edit, later edits (median of 7)\n")  # fmt: skip
    print("| condition | first | second | later |")
    print("|---|---|---|---|")
    texts = make_texts(base, LIVE)
    for name, first, second, later in measure_live(texts):
        print(f"| {name} | {first:.3f} | {second:.3f} | {later:.3f} |")


if __name__ == "__main__":
    main()
