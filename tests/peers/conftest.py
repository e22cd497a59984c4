"""Peers started for a test and ended with it; what they said stands below a failure."""

import contextlib
import json
from collections import Counter

import pytest

from scripts.peers import running
from studio.actions.providers import add_provider

LABELER = {
    "fixtures": [
        {
            "match": {"userMessage": f"{label} number"},
            "response": {"content": json.dumps({"label": label})},
        }
        for label in ("ham", "spam")
    ]
}
TOLD = 3000


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a peer by name, with options."""
    with contextlib.ExitStack() as peers:
        yield lambda name, *options: peers.enter_context(running(name, tmp_path, *options))


@pytest.fixture
def start_aimock(start, tmp_path):
    """Return a function that starts an aimock that labels, or answers from other fixtures."""

    def go(*options, fixtures=LABELER):
        path = tmp_path / "fixtures.json"
        path.write_text(json.dumps(fixtures), encoding="utf-8")
        return start("aimock", "--fixtures", str(path), "--validate-on-load", *options)

    return go


@pytest.fixture
def connect(open_studio):
    """Return a function that opens a workspace that knows a peer as the provider "peer"."""

    def go(peer, model="gpt-4o", **more):
        ws = open_studio(provider="real")
        add_provider(ws, name="peer", base_url=peer.url, model=model, by="Ada", **more)
        return ws

    return go


@pytest.fixture
def ledger():
    """Return a function that counts the calls in the ledger of a run by their outcome."""

    def count(ws, run):
        asked = "SELECT outcome FROM ledger WHERE run_id = ?"
        return Counter(outcome for (outcome,) in ws.read.db.read(asked, (run.id,)))

    return count


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Show the end of what each peer said below a failure, and where all of it is kept."""
    report = yield
    folder = item.funcargs.get("tmp_path")
    if report.failed and folder is not None:
        for log in sorted(folder.glob("*.log")):
            said = log.read_text(encoding="utf-8", errors="replace")[-TOLD:]
            report.sections.append((f"end of {log}", said))
    return report
