"""What a request to the embedded server costs, and how long a fine-tune takes.

The server runs in a process of its own; CPU is read from the kernel, so a busy machine does not
change it much. The first prompt version embeds every text, the second finds them all in the cache.
Needs STUDIO_SHARED (default ../shared).

    python benchmarks/embedded_server.py [--rows 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.embedded import Address, find  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
DISHES = SHARED / "usda_fndds_dishes" / "train.csv"
LABELS = ["keto", "not_keto"]
PROMPT = """Decide whether a dish is keto.

Labels:
- keto: a dish with very few carbohydrates: meat, fish, eggs, cheese, fats and green vegetables
- not_keto: a dish with starch, sugar or fruit, such as bread, pasta, rice, potatoes or sweets

Reasons:
- keto: grilled meat and fish carry no starch
- not_keto: rice, pasta and bread are starch

Answer with one label."""
SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": LABELS}},
    "required": ["label"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "l", "strict": True, "schema": SCHEMA}}


def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    rows = parser.parse_args().rows
    if not DISHES.is_file():
        raise SystemExit(f"No data at {SHARED}: set STUDIO_SHARED.")
    with DISHES.open(encoding="utf-8", newline="") as handle:
        dishes = [(row["text"], row["label"]) for row in csv.DictReader(handle)]
    texts = list(dict.fromkeys(text for text, _ in dishes))[:rows]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "studio.embedded", "--folder", folder]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            address = find(folder)
            assert address is not None
            try:
                asyncio.run(requests(address, psutil.Process(process.pid), texts))
                fine_tune(address, dishes)
            finally:
                process.terminate()


async def requests(address: Address, server: psutil.Process, texts: list[str]) -> None:
    """Send every text under two prompt versions, 32 at a time."""
    versions = {"first prompt": PROMPT, "second prompt": f"{PROMPT}\n- keto: bacon and eggs"}
    limits = httpx2.Limits(max_connections=32)
    head = {"authorization": f"Bearer {address.token}"}
    async with httpx2.AsyncClient(headers=head, limits=limits, timeout=120) as client:

        async def ask(text: str, prompt: str) -> None:
            said = [
                {"role": "system", "content": prompt},
                {"role": "user", "content": json.dumps({"text": text})},
            ]
            body = {"model": "studio-encoder", "messages": said, "response_format": FORMAT}
            reply = await client.post(f"{address.url}/chat/completions", json=body)
            reply.raise_for_status()

        for name, prompt in versions.items():
            before, start = server.cpu_times(), time.perf_counter()
            await asyncio.gather(*(ask(text, prompt) for text in texts))
            wall, after = time.perf_counter() - start, server.cpu_times()
            cpu = after.user + after.system - before.user - before.system
            print(
                f"{name}: {1000 * cpu / len(texts):.2f} ms of server CPU a request, "
                f"{len(texts)} in {wall:.1f} s, {server.memory_info().rss / 2**20:.0f} MB"
            )


def fine_tune(address: Address, dishes: list[tuple[str, str]]) -> None:
    """Train on all dishes and print the figures of the held-out folds."""
    lines = []
    for text, label in dishes:
        said: list[dict[str, Any]] = [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": json.dumps({"text": text})},
            {"role": "assistant", "content": json.dumps({"label": label})},
        ]
        lines.append(json.dumps({"messages": said}))
    head = {"authorization": f"Bearer {address.token}"}
    with httpx2.Client(base_url=address.url, headers=head, timeout=120) as client:
        sent = {"file": ("dishes.jsonl", "\n".join(lines).encode())}
        file = client.post("/files", files=sent, data={"purpose": "fine-tune"}).json()["id"]
        start = time.perf_counter()
        body = {"model": "studio-encoder", "training_file": file, "seed": 0}
        job = client.post("/fine_tuning/jobs", json=body).json()
        while job["status"] not in ("succeeded", "failed", "cancelled"):
            time.sleep(0.1)
            job = client.get(f"/fine_tuning/jobs/{job['id']}").json()
        wall = time.perf_counter() - start
        found = client.get(f"/models/{job['fine_tuned_model']}").json()["studio"]["metrics"]
    print(
        f"fine-tune on {len(dishes)} dishes: {wall:.1f} s wall, out of fold macro-F1 "
        f"{found['macro_f1']:.3f}, accuracy {found['accuracy']:.3f}, log-loss {found['log_loss']:.3f}"
    )


if __name__ == "__main__":
    main()
