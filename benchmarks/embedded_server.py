"""What a request and a batch cost the embedded server, and how long a fine-tune takes.

The server runs in a process of its own; CPU is read from the kernel, so a busy machine does not
change it much. The first prompt version embeds every text, the later ones find them all in memory.
Needs STUDIO_SHARED (default ../shared).

    python benchmarks/embedded_server.py [--rows 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.embedded import Address, find  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
DISHES = SHARED / "usda_fndds_dishes" / "train.csv"
VERSIONS = 7
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
                server = psutil.Process(process.pid)
                asyncio.run(requests(address, server, texts))
                batch(address, server, texts)
                fine_tune(address, dishes)
            finally:
                process.terminate()


async def requests(address: Address, server: psutil.Process, texts: list[str]) -> None:
    """Send every text under one prompt version after the other, 32 at a time."""
    await version(address, server, texts, 0, "first prompt")
    found = [await version(address, server, texts, number) for number in range(1, VERSIONS + 1)]
    cpu, wall = (statistics.median(figures) for figures in zip(*found, strict=True))
    print(
        f"later prompts: {1000 * cpu / len(texts):.2f} ms of server CPU a request, "
        f"{len(texts)} in {wall:.1f} s: medians of {VERSIONS} (CPU "
        f"{1000 * min(found)[0] / len(texts):.2f} to {1000 * max(found)[0] / len(texts):.2f})"
    )


async def version(
    address: Address, server: psutil.Process, texts: list[str], number: int, name: str = ""
) -> tuple[float, float]:
    """Ask every text once; return the server's CPU and the time it took, in seconds."""
    head = {"authorization": f"Bearer {address.token}"}
    connections = aiohttp.TCPConnector(limit=32)
    async with aiohttp.ClientSession(headers=head, connector=connections) as client:

        async def ask(text: str) -> None:
            url = f"{address.url}/chat/completions"
            async with client.post(url, json=question(text, number)) as reply:
                reply.raise_for_status()
                await reply.read()

        before, start = server.cpu_times(), time.perf_counter()
        await asyncio.gather(*(ask(text) for text in texts))
        wall, after = time.perf_counter() - start, server.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    if name:
        print(
            f"{name}: {1000 * cpu / len(texts):.2f} ms of server CPU a request, "
            f"{len(texts)} in {wall:.1f} s, {server.memory_info().rss / 2**20:.0f} MB"
        )
    return cpu, wall


def question(text: str, number: int) -> dict[str, Any]:
    """Return the body of a chat request under a version of the prompt."""
    said = [
        {"role": "system", "content": f"{PROMPT}\n- keto: bacon and {number} eggs"},
        {"role": "user", "content": json.dumps({"text": text})},
    ]
    return {"model": "studio-encoder", "messages": said, "response_format": FORMAT}


def batch(address: Address, server: psutil.Process, texts: list[str]) -> None:
    """Ask every text in one batch, and meanwhile one question after the other."""
    rows = [
        {
            "custom_id": str(place),
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": question(text, VERSIONS + 1),
        }
        for place, text in enumerate(texts)
    ]
    head, waits = {"authorization": f"Bearer {address.token}"}, []
    with httpx2.Client(base_url=address.url, headers=head, timeout=120) as client:
        sent = {"file": ("asked.jsonl", "\n".join(map(json.dumps, rows)).encode())}
        file = client.post("/files", files=sent, data={"purpose": "batch"}).json()["id"]
        before, start = server.cpu_times(), time.perf_counter()
        body = {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        made = client.post("/batches", json=body).json()
        while made["status"] not in ("completed", "failed"):
            asked = time.perf_counter()
            client.post("/chat/completions", json=question(texts[0], 0)).raise_for_status()
            waits.append(time.perf_counter() - asked)
            made = client.get(f"/batches/{made['id']}").json()
        wall, after = time.perf_counter() - start, server.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    print(
        f"batch: {made['request_counts']['completed']} of {len(texts)} answered in {wall:.1f} s and "
        f"{cpu:.1f} s of server CPU, {len(waits)} single questions meanwhile waited "
        f"{1000 * statistics.median(waits):.1f} ms in the median, {1000 * max(waits):.0f} ms at most"
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
