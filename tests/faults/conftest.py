"""Real worker processes against a slow service that counts every call."""

import collections
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from studio.actions.providers import add_provider

ROOT = Path(__file__).parents[2]


class Service(http.server.ThreadingHTTPServer):
    """Answers chat completions after a while, and remembers how often each text was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, delay):
        super().__init__(("127.0.0.1", 0), Handler)
        self.delay = delay
        self.calls = collections.Counter()
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request, client_address):
        """Say nothing: clients are killed here on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._say(404, {"error": {"message": "no", "type": "t", "code": None, "param": None}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = json.loads(body["messages"][-1]["content"])["text"]
        with self.server.lock:
            self.server.calls[text] += 1
        time.sleep(self.server.delay)
        message = {"role": "assistant", "content": '{"label": "ham"}', "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        self._say(200, {"id": "c", "object": "chat.completion", "created": 1, "model": "mock-1",
                        "choices": [choice], "usage": usage})  # fmt: skip

    def _say(self, status, document):
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def service():
    """The slow service, in threads of this process."""
    server = Service(delay=0.05)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ws(open_studio, service):
    """A workspace that knows the service; its jobs wait for a real worker."""
    ws = open_studio(provider="real")
    add_provider(ws, name="mock", base_url=service.url, model="mock-1", by="Ada")
    return ws


@pytest.fixture
def start_worker(ws):
    """Start `studio worker` processes; whatever happens, none is left behind."""
    started = []

    def start(concurrency=8):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("STUDIO_")}
        child = subprocess.Popen(
            [sys.executable, "-m", "studio.cli.main", "worker", "--workspace", str(ws.path)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environ | {"STUDIO_CONCURRENCY": str(concurrency)}, text=True,
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
