"""Servers that others wrote and our client is tested against: installed once, started when asked.

    python -m scripts.peers       installs what is pinned in tests/peers/pins.* and names it

Each runs on a free port of this machine, writes what it says into a file, and ends with the
process that started it, however that ends. docs/peers.md tells what each is good for.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.environments import CACHE, NODE, NotInstalledError, make_environment
from scripts.install import ROOT

PINS = ROOT / "tests" / "peers" / "pins.txt"
STARTS_S = 30.0
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
# The shell leads a group of processes. It waits for the end of its input, which comes with ours,
# even by kill -9; the first part ends it earlier when the peer ends by itself.
_HOLD = '("$@" </dev/null; kill -9 0) & cat >/dev/null; kill -9 0'


@dataclass(frozen=True)
class Program:
    """How a peer is started.

    Attributes:
        package: The package it comes in.
        command: Its command, from (environment, port).
        health: The path that answers once it is up.
        base: What its OpenAI-compatible paths begin with.
    """

    package: str
    command: Callable[[Path, int], list[str]]
    health: str
    base: str = "/v1"


@dataclass(frozen=True)
class Peer:
    """A peer that runs.

    Attributes:
        root: Its address.
        url: The address a provider is added with.
        log: The file of what it says.
    """

    root: str
    url: str
    log: Path

    def ask(self, path: str, body: Any = None, *, method: str | None = None, key: str = "") -> Any:
        """Return the JSON at a path of the peer, which is sent a body where there is one."""
        request = urllib.request.Request(  # noqa: S310 - this machine's own address
            self.root + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return json.loads(reply.read() or b"null")


def _node(environment: Path, program: str) -> list[str]:
    return [str(environment / NODE / "bin" / "node"), str(environment / "node_modules" / program)]


def _python(environment: Path, program: str) -> list[str]:
    return [str(environment / "bin" / program)]


PROGRAMS = {
    "aimock": Program(
        "@copilotkit/aimock",
        lambda at, port: [*_node(at, "@copilotkit/aimock/dist/cli.js"), "--port", str(port)],
        "/health",
    ),
    "steady": Program(
        "@stdy/cli",
        lambda at, port: [*_node(at, "@stdy/cli/steady.js"), "--port", str(port)],
        "/_x-steady/health",
        base="",
    ),
    "llmock": Program(
        "llmock",
        lambda at, port: [*_python(at, "llmock"), "serve", "--port", str(port)],
        "/health",
    ),
    "sparrow": Program(
        "sparrow-decider",
        lambda at, port: [*_python(at, "sparrow-decider"), "serve", "--port", str(port)],
        "/health",
    ),
}


def install() -> Path:
    """Return the environment of the peers, made first where it is missing or outdated.

    Raises:
        NotInstalledError: If it cannot be made.
    """
    return make_environment(PINS, CACHE / "peers")


def versions() -> dict[str, str]:
    """Return the pinned version of each peer by its name in `PROGRAMS`."""
    pins = dict(line.split("==") for line in PINS.read_text(encoding="utf-8").split())
    pins |= json.loads(PINS.with_suffix(".json").read_text(encoding="utf-8"))["dependencies"]
    return {name: pins[program.package] for name, program in PROGRAMS.items()}


@contextlib.contextmanager
def running(name: str, logs: Path, *options: str) -> Iterator[Peer]:
    """Run a peer until the block ends.

    Args:
        name: Which one of `PROGRAMS`.
        logs: The folder for what it says.
        options: What its command is given more.

    Raises:
        NotInstalledError: If the peers cannot be installed.
        RuntimeError: If it does not start.
    """
    program, environment = PROGRAMS[name], install()
    port = _free_port()
    log = logs / f"{name}-{port}.log"
    root = f"http://127.0.0.1:{port}"
    command = [*program.command(environment, port), *options]
    with log.open("wb") as said:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _HOLD, "sh", *command],
            cwd=logs,
            # what they write must not depend on where they run: Steady's log looks different
            # where it finds CI in its environment
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(process, f"{root}{program.health}", name, log)
        yield Peer(root, f"{root}{program.base}", log)
    finally:
        process.communicate()  # the end of its input


def _await(process: subprocess.Popen[bytes], address: str, name: str, log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while process.poll() is None and time.monotonic() < until:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(address, timeout=2),  # noqa: S310
        ):
            return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{name} does not start. It says:\n{said}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def main() -> int:
    """Install the peers and name them; 1 with a sentence where they cannot be had."""
    try:
        where = install()
    except NotInstalledError as error:
        why = str(error).rstrip(".")
        sys.stderr.write(f"The peers are {why}. They come from the PyPI and npm registries.\n")
        return 1
    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    sys.stderr.write(f"Peers in {where}: {known}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
