"""The peers of the run engine: how each is installed, asked, and asked again after a kill.

What they need is pinned in benchmarks/peers/; each gets an environment of its own, outside the
project's. Each driver there is what the peer's own documentation shows for this work.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.environments import NODE, make_environment

HERE = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Peer:
    """One way of asking with one peer.

    Attributes:
        title: What the table calls it.
        pins: The file of pinned requirements, without its ending; the environment's name too.
        command: The command, from (environment, home of this run, whether it goes on).
        package: Whose version is shown.
        environ: Variables it is started with.
        prepare: What is written into its home before.
        labels: What reads its labels from its home, in the order of the texts.
    """

    title: str
    pins: str
    command: Callable[[Path, Path, bool], Sequence[str]]
    package: str
    environ: Callable[[Path, Path, Mapping[str, Any]], Mapping[str, str]] = lambda *_: {}
    prepare: Callable[[Path, Mapping[str, Any]], None] = lambda *_: None
    labels: Callable[[Path, Sequence[str]], list[str]] = field(
        default=lambda home, _: json.loads((home / "labels.json").read_text(encoding="utf-8"))
    )

    def version(self) -> str:
        """Return the pinned version."""
        if self.pins == "promptfoo":
            wanted = json.loads((HERE / "promptfoo.json").read_text(encoding="utf-8"))
            return str(wanted["dependencies"]["promptfoo"])
        pins = (HERE / f"{self.pins}.txt").read_text(encoding="utf-8").split()
        return next(p.partition("==")[2] for p in pins if p.startswith(f"{self.package}=="))


def install(peer: Peer, folder: Path) -> Path:
    """Return the peer's environment, made first where it is missing or its pins changed.

    Raises:
        NotInstalledError: If it cannot be made.
    """
    return make_environment(HERE / f"{peer.pins}.txt", folder / peer.pins)


def size(folder: Path) -> float:
    """Return the megabytes of a folder."""
    files = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return sum(path.lstat().st_size for path in files) / 1e6


def _driver(name: str, *more: str) -> Callable[[Path, Path, bool], Sequence[str]]:
    def command(environment: Path, home: Path, _: bool) -> Sequence[str]:
        python = str(environment / "bin" / "python")
        files = [str(home / "ask.json"), str(home / "labels.json")]
        return [python, str(HERE / name), *files, *(part.format(home=home) for part in more)]

    return command


def _promptfoo(environment: Path, _: Path, again: bool) -> Sequence[str]:
    program = str(environment / "node_modules/promptfoo/dist/src/entrypoint.js")
    how = ["--resume"] if again else ["-c", "promptfoo.yaml", "-j", "32"]
    quiet = ["--no-table", "--no-progress-bar", "-o", "out.json"]
    return [str(environment / NODE / "bin" / "node"), program, "eval", *how, *quiet]


def _promptfoo_environ(environment: Path, home: Path, ask: Mapping[str, Any]) -> dict[str, str]:
    return {
        "PATH": f"{environment / NODE / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PROMPTFOO_CONFIG_DIR": str(home / "config"),
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "MOCK_URL": ask["url"],
    }


def _promptfoo_files(home: Path, ask: Mapping[str, Any]) -> None:
    shutil.copy(HERE / "promptfoo.yaml", home)
    said = [{"role": "system", "content": ask["system"]}, {"role": "user", "content": "{{text}}"}]
    (home / "prompt.json").write_text(json.dumps(said), encoding="utf-8")
    with (home / "texts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in ask["texts"])])


def _promptfoo_labels(home: Path, texts: Sequence[str]) -> list[str]:
    told = json.loads((home / "out.json").read_text(encoding="utf-8"))["results"]["results"]
    found = {row["vars"]["text"]: row["response"]["output"]["label"] for row in told}
    return [found[text] for text in texts]


PEERS = (
    Peer("litellm `acompletion`", "litellm", _driver("ask_litellm.py", "loop"), "litellm"),
    Peer("litellm `batch_completion`", "litellm", _driver("ask_litellm.py", "threads"), "litellm"),
    Peer("instructor", "instructor", _driver("ask_instructor.py"), "instructor"),
    Peer(
        "bespokelabs-curator",
        "curator",
        _driver("ask_curator.py", "{home}/cache"),
        "bespokelabs-curator",
    ),
    Peer(
        "promptfoo",
        "promptfoo",
        _promptfoo,
        "promptfoo",
        environ=_promptfoo_environ,
        prepare=_promptfoo_files,
        labels=_promptfoo_labels,
    ),
)
