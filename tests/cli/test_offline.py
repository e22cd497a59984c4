"""With the network off everything embedded works: commands, worker, server, the counting of tokens.

Real processes in a network namespace that has nothing but its own loopback, as on a machine
without any cable. In each of them a hook notes and refuses whatever goes beyond loopback, a look-up
of a name included: what waits for a network before it goes on without would be found, too. Where
the system permits no namespace (macOS, some containers), the hook alone is the end of the network.
"""

import csv
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("plain_env")]

HOOK = """
import ipaddress, os, sys

def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

def refuse(event, args):
    if event in ("socket.connect", "socket.sendto"):
        host = args[1][0] if isinstance(args[1], tuple) else None  # else a socket that is a file
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = args[0]
    else:
        return
    if not is_here(host):
        with open(os.environ["TRIED"], "a") as file:
            print(event, host, *sys.argv, file=file)
        raise OSError("There is no network.")

sys.addaudithook(refuse)
"""
UP = """
import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:  # SIOCSIFFLAGS, IFF_UP
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))
print("up", flush=True)
sys.stdin.read()
"""
OUTSIDE = (
    "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)",
    "import socket; socket.create_connection(('2001:db8::1', 443), timeout=5)",
    "import socket; socket.getaddrinfo('api.openai.com', 443)",
)


@pytest.fixture
def apart():
    """The words before a command that is to have loopback only; none where they are forbidden."""
    try:
        holder = subprocess.Popen(
            ["unshare", "--map-root-user", "--net", sys.executable, "-c", UP],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
    except FileNotFoundError:
        yield []
        return
    with holder:
        enter = ["nsenter", "--target", str(holder.pid), "--user", "--net"]
        yield [*enter, "--preserve-credentials"] if holder.stdout.readline() == "up\n" else []
        holder.stdin.close()


@pytest.fixture
def tried(tmp_path):
    """What went beyond loopback."""
    file = tmp_path / "tried"
    file.touch()
    return lambda: file.read_text().splitlines()


@pytest.fixture
def python(apart, tried, tmp_path):
    """Run Python in a process without network."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "hook"), str(ROOT)]),
        "TRIED": str(tmp_path / "tried"),
        "STUDIO_PERSON": "Ada",
    }

    def run(*words):
        return subprocess.run(
            [*apart, sys.executable, *map(str, words)],
            cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


@pytest.fixture
def studio(python):
    """Run a command of the studio in such a process and return what it says."""

    def run(*words):
        done = python("-m", "studio.cli.main", *words, "--json")
        assert (done.returncode, done.stderr) == (0, ""), words
        return json.loads(done.stdout)

    yield run
    python("-m", "studio.cli.main", "worker", "--stop")


@pytest.mark.parametrize("outside", OUTSIDE)
def test_nothing_beyond_loopback_can_be_reached(python, tried, apart, outside):
    noted = python("-c", outside)
    assert "There is no network." in noted.stderr
    assert len(tried()) == 1
    if apart:  # and without the hook
        bare = python("-I", "-S", "-c", outside)
        assert bare.returncode == 1
        assert bare.stderr.splitlines()[-1].startswith(("OSError: [Errno 101]", "socket.gaierror"))


def test_everything_embedded_works_without_a_network(studio, tried, tmp_path):
    with (ROOT / "data" / "keto" / "examples.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        dishes = list(islice(reader, 100))
    with (tmp_path / "dishes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames)
        writer.writeheader()
        writer.writerows(dishes)
    locked = [dish for dish in dishes if dish["split"] == "test"]
    shown = [dish for dish in dishes if dish["split"] != "test"]
    studio("task", "create", "dishes", "--labels", "keto,not_keto", "--criterion", "accuracy>=0.5",
           "--definition", "keto=Meat, fish, eggs, cheese, cream, green vegetables, nuts.",
           "--definition", "not_keto=Rice, pasta, bread, potatoes, sugar, fruit.")  # fmt: skip
    studio("import", "dishes", "dishes.csv", "--label", "label", "--split", "split", "--id", "id")
    studio("prompt", "save", "dishes", "first", "--instructions", "Is this dish keto?")
    estimate = studio("run", "start", "dishes", "--prompt", "first", "--estimate")
    assert estimate["questions"] == len(shown) > 60
    assert estimate["input_tokens"] > 20 * estimate["questions"]
    assert estimate["tokens_by"] in ("estimate (characters)", "estimate (o200k)")
    run = studio("run", "start", "dishes", "--prompt", "first", "--wait")
    assert run["outcomes"] == {"ok": len(shown)}
    assert min(run["input_tokens"], run["output_tokens"]) > 5 * len(shown)
    model = studio("finetune", "launch", "dishes", "--prompt", "first", "--wait")
    assert (model["status"], model["error"]) == ("succeeded", "")
    tuned = studio("run", "start", "dishes", "--model", "1", "--split", "test", "--wait")
    assert (tuned["model"], tuned["outcomes"]) == (model["model"], {"ok": len(locked)})
    figures = studio("evaluate", tuned["run"], "--split", "test")
    assert (figures["n"], figures["accuracy"]["n"]) == (len(locked), len(locked))
    assert studio("report", "dishes")["figure"] == figures["accuracy"]
    features = studio("provider", "test", "embedded")["features"]
    assert {name for name, told in features.items() if told["state"] != "yes"} == {"responses"}
    assert tried() == []
