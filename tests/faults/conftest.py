"""Real worker processes against a service that counts every call."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.actions.providers import add_provider
from tests.faults.service import Service

ROOT = Path(__file__).parents[2]
SOONER = """
import importlib, json, sys
for name, seconds in json.loads(sys.argv.pop(1)).items():
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) > seconds
    setattr(sys.modules[module], constant, seconds)
from studio.cli.main import main
main()
"""


@pytest.fixture
def service():
    """The service, in a thread of this process."""
    with Service() as running:
        yield running


@pytest.fixture
def ws(open_studio, service):
    """A workspace that knows the service; its jobs wait for a real worker."""
    ws = open_studio(provider="real")
    add_provider(ws, name="mock", base_url=service.url, model="mock-1", by="Ada")
    return ws


@pytest.fixture
def start_worker(ws):
    """Start `studio worker` processes; whatever happens, none is left behind.

    `sooner` shortens what the worker waits for between two looks, by the name of the constant.
    """
    started = []

    def start(concurrency=8, *options, sooner=(), **settings):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("STUDIO_")}
        settings = {"concurrency": concurrency} | settings
        own = {f"STUDIO_{name.upper()}": str(value) for name, value in settings.items()}
        program = ["-c", SOONER, json.dumps(sooner)] if sooner else ["-m", "studio.cli.main"]
        command = [sys.executable, *program, "worker", *options, "-w", str(ws.path)]
        child = subprocess.Popen(
            command,
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environ | own, text=True,
        )  # fmt: skip
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)


@pytest.fixture
def eventually():
    """Wait until a condition holds."""

    def wait(condition, seconds=40.0):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := condition():
                return found
            time.sleep(0.01)
        raise AssertionError("it did not happen")

    return wait
