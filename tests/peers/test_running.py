"""No peer outlives the process that started it, however that ends."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from scripts.peers import running

pytestmark = pytest.mark.peer
ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from pathlib import Path
from scripts.peers import running
with running("aimock", Path(sys.argv[1]), "--fixtures", sys.argv[2]) as peer:
    print(peer.root, flush=True)
    time.sleep(60)
"""


def is_up(root):
    try:
        urllib.request.urlopen(f"{root}/health", timeout=2).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


@pytest.fixture
def fixtures(tmp_path):
    path = tmp_path / "fixtures.json"
    path.write_text('{"fixtures": [{"match": {}, "response": {"content": "hi"}}]}')
    return path


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_peer_ends_with_its_starter(tmp_path, fixtures, ending):
    command = [sys.executable, "-c", STARTER, str(tmp_path), str(fixtures)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as starter:
        root = starter.stdout.readline().strip()
        assert is_up(root)
        starter.send_signal(ending)
    until = time.monotonic() + 10
    while is_up(root) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_up(root)


def test_a_peer_that_cannot_start_says_why(tmp_path):
    with (
        pytest.raises(RuntimeError, match=r"(?s)aimock does not start.*nowhere\.json"),
        running("aimock", tmp_path, "--fixtures", "nowhere.json"),
    ):
        pass
