"""CPU of one call: our client beside the bare openai package, litellm and instructor.

Each asks one loopback service (50 ms an answer) the same questions, 32 at a time, from a process
and an environment of its own, and must return the right labels. What is measured is that process
alone, from inside, once it is warm; `run_engine.py` measures whole commands. Peers are installed
into a cache folder at the first run; one that cannot be had stands below the table with the reason.

    python benchmarks/client_cpu.py [--examples 1000] [--repeats 5] [--peers FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from _mock_service import LABELS, label_of  # noqa: E402
from _peers import HERE, PEERS, install  # noqa: E402
from run_engine import AT_ONCE, LATENCY, SYSTEM, Mock  # noqa: E402

from scripts.environments import CACHE, NotInstalledError  # noqa: E402


@dataclass(frozen=True)
class Client:
    """One client: its name in the driver, in the table, and the Python it runs in."""

    way: str
    title: str
    python: str
    packages: tuple[str, ...]

    def versions(self) -> str:
        """Return the versions of what it consists of, in its environment."""
        code = (
            "import sys; from importlib.metadata import version as v;"
            "print(', '.join(f'{name} {v(name)}' for name in sys.argv[1:]))"
        )
        command = [self.python, "-c", code, *self.packages]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


OURS = (
    ("studio", "**studio**, plain transport", ("rationale-studio", "aiohttp")),
    ("studio-package", "**studio**, by the openai package", ("rationale-studio", "openai")),
    ("openai", "openai package", ("openai", "httpx2")),
    ("openai-aiohttp", "openai package on aiohttp", ("openai", "aiohttp")),
)
THEIRS = {"litellm": "litellm `acompletion`", "instructor": "instructor"}


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peers", type=Path, default=CACHE / "bench-peers")
    asked = parser.parse_args()
    clients, missing = gather(asked.peers)
    texts = [
        f"Complaint, case #{i}: parcel {7 * i} came late and the box was open."
        for i in range(asked.examples)
    ]
    load, mock = os.getloadavg()[0], Mock()
    ask = {"system": SYSTEM, "labels": LABELS, "texts": texts, "url": mock.url}
    try:
        found = race(clients, mock, {**ask, "concurrency": AT_ONCE}, asked.repeats)
    finally:
        mock.end()
    show(clients, found, asked.examples)
    print(f"\nLoad average {load:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end.")
    for title, reason in missing.items():
        print(f"\nNot measured: {title}, {reason}.")


def gather(folder: Path) -> tuple[list[Client], dict[str, str]]:
    """Return the clients that take part, and who cannot with the reason."""
    found = [Client(way, title, sys.executable, packages) for way, title, packages in OURS]
    missing = {}
    for name, title in THEIRS.items():
        peer = next(peer for peer in PEERS if peer.pins == name)
        try:
            python = str(install(peer, folder) / "bin" / "python")
            found.append(Client(name, title, python, (name, "openai")))
        except NotInstalledError as error:
            missing[title] = str(error)
    return found, missing


def race(
    clients: Sequence[Client], mock: Mock, ask: Mapping[str, Any], repeats: int
) -> dict[str, list[dict[str, Any]]]:
    """Let each ask, each repeat beginning with another one; return what was measured."""
    found: dict[str, list[dict[str, Any]]] = {client.way: [] for client in clients}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "ask.json").write_text(json.dumps(ask), encoding="utf-8")
        for turn in range(repeats):
            shift = turn % len(clients)
            for client in [*clients[shift:], *clients[:shift]]:
                mock.reset()
                measured = measure(client, home)
                right = [label_of(i) for i in range(len(ask["texts"]))]
                if measured.pop("labels") != right:
                    raise SystemExit(f"{client.title} gave wrong labels.")
                measured["at_once"] = mock.told()["most_at_once"]
                found[client.way].append(measured)
                sys.stderr.write(f"turn {turn + 1}: {client.title}, {measured}\n")
    return found


def measure(client: Client, home: Path) -> dict[str, Any]:
    """Return what one client cost in a process of its own."""
    files = [str(home / "ask.json"), str(home / "measured.json")]
    subprocess.run(
        [client.python, str(HERE / "ask_steadily.py"), client.way, *files],
        cwd=home,
        env={**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=sys.stderr,
        check=True,
        timeout=300,
    )
    told: dict[str, Any] = json.loads((home / "measured.json").read_text(encoding="utf-8"))
    return told


def show(clients: Sequence[Client], found: Mapping[str, list[dict[str, Any]]], n: int) -> None:
    """Print the table and its conditions."""
    base = found["openai"]
    print(
        f"{n} questions after 201 to get warm, {AT_ONCE} at once, {1000 * LATENCY:.0f} ms an answer, "
        f"one service; medians of {len(base)} runs in turning order, each client in a process and "
        "an environment of its own. No client can be faster than "
        f"{AT_ONCE / LATENCY:.0f} calls a second.\n"
    )
    print(
        "| client | versions | CPU ms a call | least to most | beside the bare package, same turn "
        "| calls/s | CPU s until the first answer | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for client in clients:
        runs = found[client.way]
        costs = [1000 * run["cpu_s"] / n for run in runs]
        ratio = statistics.median(a["cpu_s"] / b["cpu_s"] for a, b in zip(runs, base, strict=True))
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(
            f"| {client.title} | {client.versions()} | {statistics.median(costs):.2f} "
            f"| {min(costs):.2f} to {max(costs):.2f} | {ratio:.2g} | {n / middle['wall_s']:.0f} "
            f"| {middle['first_s']:.2f} | {middle['peak_kb'] / 1024:.0f} |"
        )
    print(
        "\nCPU is user and system time of the asking process with all its threads, not of the "
        "service. Every client returned the right label for every question. The openai package, "
        "litellm and instructor are asked as their own pages show it, with a strict schema and the "
        "label read from the JSON; ours also wishes for temperature, seed and likelihoods (the "
        "service tells none, so reading them is not in these figures), checks that the label is "
        "one of the allowed, and reads usage and outcome. A run asks by the plain transport; the "
        "package carries files, trainings and batches, and here questions, too."
    )


if __name__ == "__main__":
    main()
