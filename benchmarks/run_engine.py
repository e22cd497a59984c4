"""The run engine beside litellm, instructor, bespokelabs-curator and promptfoo.

Each asks one loopback service (50 ms an answer) the same 1,000 questions, 32 at a time, and must
return the right 1,000 labels. Ours goes through `studio run start --wait` as people call it; its
worker is counted with it. The peers are installed into a cache folder at the first run (see
benchmarks/peers); one that cannot be had or started stands in the table with the reason.

    python benchmarks/run_engine.py [--examples 1000] [--repeats 3] [--peers FOLDER] [--only NAME]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from _mock_service import LABELS, label_of  # noqa: E402
from _peers import PEERS, Peer, install, size  # noqa: E402
from _processes import Cost, Group  # noqa: E402

from scripts.environments import CACHE, NotInstalledError  # noqa: E402

SYSTEM = 'Decide whether a complaint is urgent. Answer with JSON: {"label": "urgent"} or {"label": "calm"}.'
LATENCY, AT_ONCE = 0.05, 32
LIMIT_S = 300.0
STUDIO = (sys.executable, "-m", "studio.cli.main")
START = (*STUDIO, "run", "start", "cases", "--prompt", "first", "--provider", "mock", "--wait")


class BrokenError(Exception):
    """Something asked wrongly, with what it said."""


class Mock:
    """The service, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "benchmarks/_mock_service.py")]
        self._process = subprocess.Popen(
            [*command, "--latency", str(LATENCY)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._lines = self._process.stdout
        self._root = f"http://127.0.0.1:{int(self._lines.readline().split()[1])}"
        self.url = f"{self._root}/v1"
        self.on: dict[str, Callable[[], None]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def reset(self, at: int = 0, **on: Callable[[], None]) -> None:
        """Forget what was asked; call `first` at the first question, `mark` at an answer."""
        self.on = on
        with urllib.request.urlopen(f"{self._root}/reset?mark={at}", data=b"") as reply:
            reply.read()

    def told(self) -> dict[str, float]:
        """Return what was asked since."""
        with urllib.request.urlopen(f"{self._root}/told") as reply:
            told: dict[str, float] = json.load(reply)
        return told

    def end(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    def _listen(self) -> None:
        for line in self._lines:
            self.on.get(line.strip(), lambda: None)()


@dataclass(frozen=True)
class Contestant:
    """Something that asks: how its home is made, how it is run, and what it found."""

    title: str
    version: str
    installed: str
    prepare: Callable[[Path], None]
    environ: Callable[[Path], Mapping[str, str]]
    run: Callable[[Path], Sequence[str]]
    labels: Callable[[Path], list[str]]
    again: Callable[[Group, Path], None]
    worker: bool = False


@dataclass(frozen=True)
class Measured:
    """One run: of the whole command, and of the time from the first question to the last answer."""

    cost: Cost
    seconds: float
    cpu: float
    told: Mapping[str, float]


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=CACHE / "bench-peers")
    parser.add_argument("--only", action="append", help="Part of a name; may be repeated.")
    asked = parser.parse_args()
    texts = [
        f"Complaint, case #{i}: parcel {7 * i} came late and the box was open."
        for i in range(asked.examples)
    ]
    mock = Mock()
    ask = {"system": SYSTEM, "labels": LABELS, "texts": texts, "url": mock.url}
    ask["concurrency"] = AT_ONCE
    with tempfile.TemporaryDirectory() as folder:
        try:
            ours, once = studio(Path(folder) / "template", ask)
            peers, missing = gather(ask, asked.peers, asked.only or [""])
            missing |= race(ours + peers, mock, texts, Path(folder), asked.repeats)
        finally:
            mock.end()
    print(f"\n{once} Load average at the end: {os.getloadavg()[0]:.1f}.")
    for title, reason in missing.items():
        print(f"\nNot measured: {title}, {reason}.")


def gather(
    ask: Mapping[str, Any], peers: Path, only: Sequence[str]
) -> tuple[list[Contestant], dict[str, str]]:
    """Return the peers that take part, and who cannot with the reason."""
    found: list[Contestant] = []
    missing: dict[str, str] = {}
    for peer in PEERS:
        if not any(part in peer.title for part in only):
            continue
        try:
            found.append(contestant(peer, install(peer, peers), ask))
        except NotInstalledError as error:
            missing[f"{peer.title} {peer.version()}"] = str(error)
    return found, missing


def studio(template: Path, ask: Mapping[str, Any]) -> tuple[list[Contestant], str]:
    """Return ours, from cold and with a worker that waits, and what was done once before."""
    from studio import __version__

    def environ(home: Path) -> dict[str, str]:
        return {
            "STUDIO_WORKSPACE": str(home / "studio.db"),
            "STUDIO_CONCURRENCY": str(AT_ONCE),
            "PYTHONPATH": str(ROOT),
        }

    template.mkdir()
    (template / "cases.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in ask["texts"]), encoding="utf-8"
    )
    alone = {**environ(template), "STUDIO_WORKER": "external"}
    costs = {}
    for words in (
        ("task", "create", "cases", "--labels", ",".join(LABELS)),
        ("import", "cases", "cases.jsonl", "--text", "text", "--split", "train"),
        ("prompt", "save", "cases", "first", "--instructions", SYSTEM),
        ("provider", "add", "mock", "--base-url", ask["url"], "--model", "mock"),
    ):
        costs[words[0]] = check(Group().measure([*STUDIO, *words], template, alone))

    def labels(home: Path) -> list[str]:
        command = [*STUDIO, "run", "export", "1", "--json"]
        variables = {**os.environ, **environ(home), "STUDIO_WORKER": "external"}
        told = subprocess.run(
            command, cwd=home, env=variables, capture_output=True, check=True
        ).stdout
        rows = {row["text"]: row["label"] for row in json.loads(told)}
        return [rows.get(text, "") for text in ask["texts"]]

    def again(group: Group, home: Path) -> None:
        group.start([*STUDIO, "worker"], home, environ(home), home / "worker.log")
        variables = {**os.environ, **environ(home), "STUDIO_WORKER": "external"}
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            time.sleep(0.5)
            show = [*STUDIO, "run", "show", "1", "--json"]
            told = subprocess.run(
                show, cwd=home, env=variables, capture_output=True, check=True
            ).stdout
            if json.loads(told)["status"] in ("done", "failed", "cancelled"):
                return

    def prepare(home: Path) -> None:
        shutil.copytree(template, home, dirs_exist_ok=True)

    one = (__version__, "", prepare, environ, lambda _: START, labels, again)
    brought = costs["import"]
    once = (
        f"Ours reads the examples from its workspace; importing them there once took "
        f"{brought.wall:.1f} s and {brought.cpu:.1f} s of CPU."
    )
    return [
        Contestant("**studio run start --wait**, from cold", *one),
        Contestant("**studio run start --wait**, worker waiting", *one, worker=True),
    ], once


def contestant(peer: Peer, environment: Path, ask: Mapping[str, Any]) -> Contestant:
    """Return a peer in its environment."""

    def prepare(home: Path) -> None:
        (home / "ask.json").write_text(json.dumps(ask), encoding="utf-8")
        peer.prepare(home, ask)

    def environ(home: Path) -> dict[str, str]:
        return {"HOME": str(home), **peer.environ(environment, home, ask)}

    def again(group: Group, home: Path) -> None:
        check(group.measure(peer.command(environment, home, True), home, environ(home), LIMIT_S))

    return Contestant(
        title=peer.title,
        version=peer.version(),
        installed=f"{size(environment):.0f}",
        prepare=prepare,
        environ=environ,
        run=lambda home: peer.command(environment, home, False),
        labels=lambda home: peer.labels(home, ask["texts"]),
        again=again,
    )


def race(
    contestants: list[Contestant], mock: Mock, texts: Sequence[str], folder: Path, repeats: int
) -> dict[str, str]:
    """Run all, each repeat in another order; print the table; return who broke and why."""
    broken: dict[str, str] = {}
    found: dict[str, list[Measured]] = {c.title: [] for c in contestants}
    killed: dict[str, int] = {}
    for turn in range(repeats + 1):
        shift = turn % len(contestants)
        for one in contestants[shift:] + contestants[:shift]:
            if f"{one.title} {one.version}" in broken:
                continue
            home = folder / f"{turn}-{contestants.index(one)}"
            home.mkdir()
            try:
                if turn < repeats:
                    found[one.title].append(whole(one, mock, texts, home))
                elif not one.worker:
                    killed[one.title] = killed_halfway(one, mock, texts, home)
            except (BrokenError, OSError, KeyError, ValueError, subprocess.SubprocessError) as e:
                broken[f"{one.title} {one.version}"] = f"{type(e).__name__}: {e}"
            shutil.rmtree(home, ignore_errors=True)
            how = broken.get(f"{one.title} {one.version}", f"load {os.getloadavg()[0]:.1f}")
            sys.stderr.write(f"turn {turn + 1}: {one.title}, {how}\n")
    show([c for c in contestants if found[c.title]], found, killed, len(texts))
    return broken


def whole(one: Contestant, mock: Mock, texts: Sequence[str], home: Path) -> Measured:
    """Run one to its end, and see that its labels are right."""
    group, at_first = Group(), []
    one.prepare(home)
    try:
        if one.worker:
            group.start([*STUDIO, "worker"], home, one.environ(home), home / "worker.log")
            settle(group)
        before = group.cpu()
        mock.reset(first=lambda: at_first.append(group.cpu() - before))
        cost = check(group.measure(one.run(home), home, one.environ(home), LIMIT_S))
        told = mock.told()
    finally:
        group.kill()
    right(one, home, len(texts))
    return Measured(cost, told["seconds"], cost.cpu - at_first[0], told)


def killed_halfway(one: Contestant, mock: Mock, texts: Sequence[str], home: Path) -> int:
    """Kill one with half of the answers given, let it go on; return how often it asked again."""
    group, dead = Group(), threading.Event()
    one.prepare(home)

    def kill() -> None:
        group.kill()
        dead.set()

    mock.reset(len(texts) // 2, mark=kill)
    try:
        group.measure(one.run(home), home, one.environ(home), LIMIT_S)
        if not dead.wait(10):
            raise BrokenError("it ended before half of the answers were given")
        one.again(group, home)
    finally:
        group.kill()
    right(one, home, len(texts))
    return int(mock.told()["calls"]) - len(texts)


def settle(group: Group) -> None:
    """Wait until the worker that was started has nothing more to do."""
    used = -1.0
    while group.cpu() - used > 0.02:
        used = group.cpu()
        time.sleep(0.7)


def check(cost: Cost) -> Cost:
    """Return what was measured of a command that went well.

    Raises:
        BrokenError: If it did not.
    """
    if cost.code:
        lines = [line for line in cost.said.splitlines() if line.strip()] or ["it said nothing"]
        raise BrokenError(f"ended with {cost.code}: {lines[-1].strip()[:200]}")
    return cost


def right(one: Contestant, home: Path, n: int) -> None:
    """See that each example has the label that the service gave for it.

    Raises:
        BrokenError: If one has not.
    """
    labels = one.labels(home)
    good = sum(label == label_of(i) for i, label in enumerate(labels))
    if good != n or len(labels) != n:
        raise BrokenError(f"{good} of {n} labels are right")


def show(
    contestants: Sequence[Contestant],
    found: Mapping[str, list[Measured]],
    killed: Mapping[str, int],
    n: int,
) -> None:
    """Print the table and its conditions."""
    first = found[contestants[0].title]
    print(
        f"{n} examples, {AT_ONCE} at once, {1000 * LATENCY:.0f} ms an answer; medians of {len(first)} "
        f"runs in turning order, in brackets the median ratio to ours from cold in the same turn. "
        f"No asker can be faster than {AT_ONCE / LATENCY:.0f} examples a second.\n"
    )
    print(
        "| asker | version | MB installed | examples/s, whole command | examples/s, first question to last answer "
        "| CPU ms an example, whole command | CPU ms an example, from the first question "
        "| peak MB | most at once | asked again after kill -9 at half |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")

    def cell(runs: Sequence[Measured], of: Callable[[Measured], float], form: str) -> str:
        ratio = statistics.median(of(a) / of(b) for a, b in zip(runs, first, strict=False))
        return f"{statistics.median(map(of, runs)):{form}} ({ratio:.2g})"

    for one in contestants:
        runs = found[one.title]
        cells = [
            cell(runs, lambda m: n / m.cost.wall, ".0f"),
            cell(runs, lambda m: n / m.seconds, ".0f"),
            cell(runs, lambda m: 1000 * m.cost.cpu / n, ".2f"),
            cell(runs, lambda m: 1000 * m.cpu / n, ".2f"),
            cell(runs, lambda m: m.cost.peak / 1e6, ".0f"),
            f"{max(m.told['most_at_once'] for m in runs):.0f}",
            str(killed.get(one.title, "")),
        ]
        print(f"| {one.title} | {one.version} | {one.installed} | {' | '.join(cells)} |")
    service = statistics.median(1000 * m.told["cpu"] / n for m in first)
    print(
        f"\nEvery run ended with {n} right labels. CPU and resident memory are of the command and all "
        f"processes it started, our worker included; of the service itself apart: {service:.2f} ms an "
        "answer. The last column counts the questions asked a second time when everything was killed "
        "after half of the answers and the work was taken up again (ours by a worker's start, promptfoo "
        "by `--resume`, the others by the same command): litellm and instructor keep nothing on disk."
    )


if __name__ == "__main__":
    main()
