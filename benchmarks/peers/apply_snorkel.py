"""Rules as Python functions over texts: in a plain loop, or by Snorkel's PandasLFApplier.

    python apply_snorkel.py loop|snorkel RULES.json TEXTS.json

Prints CPU seconds of applying alone, the process's peak in MB, and how often each rule fired.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Fires = Callable[[str], bool]


def words(items: Sequence[str]) -> re.Pattern[str]:
    found = []
    for word in items:
        body = r"\W+".join(map(re.escape, re.findall(r"\w+", word)))
        found.append(body + (r"\w*" if word.endswith("*") else ""))
    return re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", re.IGNORECASE)


def condition(plain: dict[str, Any]) -> Fires:
    ((kind, value),) = plain.items()
    if kind == "keywords" and isinstance(value, dict):
        wanted, excepted = words(value["words"]), words(value["except"])
        return lambda text: wanted.search(excepted.sub(" | ", text)) is not None
    if kind == "keywords":
        wanted = words(value)
        return lambda text: wanted.search(text) is not None
    if kind == "regex":
        pattern = re.compile(value, re.IGNORECASE)
        return lambda text: pattern.search(text) is not None
    low, high = value.get("min", 0), value.get("max", 10**9)
    return lambda text: low <= len(text.split()) <= high


def function(rule: dict[str, Any]) -> Fires:
    every, some, never = ([condition(c) for c in rule.get(g, [])] for g in ("all", "any", "none"))

    def fires(text: str) -> bool:
        return (
            all(c(text) for c in every)
            and (not some or any(c(text) for c in some))
            and not any(c(text) for c in never)
        )

    return fires


def by_loop(functions: list[Fires], texts: list[str]) -> Any:
    return [[f(text) for f in functions] for text in texts]


def by_snorkel(functions: list[Fires], texts: list[str]) -> Any:
    import pandas as pd
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    def labels(f: Fires) -> Callable[[Any], int]:
        return lambda row: 1 if f(row.text) else -1

    named = [LabelingFunction(f"r{i}", labels(f)) for i, f in enumerate(functions)]
    return PandasLFApplier(named).apply(pd.DataFrame({"text": texts}), progress_bar=False) == 1


def main() -> None:
    how, rules, texts = sys.argv[1], *(json.loads(Path(p).read_text()) for p in sys.argv[2:4])
    functions = [function(rule) for rule in rules]
    apply = by_snorkel if how == "snorkel" else by_loop
    if how == "snorkel":
        apply(functions, texts[:10])
    start = time.process_time()
    fired = apply(functions, texts)
    cpu = time.process_time() - start
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    counts = [int(sum(row[i] for row in fired)) for i in range(len(functions))]
    print(json.dumps({"cpu": cpu, "peak": peak, "fired": counts}))


if __name__ == "__main__":
    main()
