"""A key that was planted is found nowhere: on no disk, in no output, on no page, in no crash."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from studio.bootstrap import open_workspace
from studio.config import Secret, find_key

CANARY = "sk-canary-Zq81-planted-in-tests"
ROOT = Path(__file__).parents[2]
PAGES = (
    "home", "data", "prompts", "label", "people", "finetunes", "evaluate", "report", "settings",
)  # fmt: skip


class Service(BaseHTTPRequestHandler):
    """Answers ham, or refuses the key and repeats it, as some services do."""

    refuses, hides, keys = False, False, []

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "m", "object": "model"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        message = {"role": "assistant", "content": '{"label":"ham"}'}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        self.answer({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
                     "choices": [choice], "usage": usage})  # fmt: skip

    def answer(self, body):
        told = self.headers.get("Authorization", "")
        self.keys.append(told)
        if self.refuses:
            key = told.removeprefix("Bearer ")
            body = {"error": {"message": f"Incorrect API key provided: {key}. ({told})",
                              "type": "invalid_request_error", "code": "invalid_api_key",
                              "param": key}}  # fmt: skip
        sent = json.dumps(body).encode()
        self.send_response(401 if self.refuses and not self.hides else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("x-request-id", told if self.refuses else "r")
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Service.refuses, Service.hides, Service.keys = False, False, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def plant(how, folder, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("CANARY_KEY", CANARY)
    else:
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "secrets.toml").write_text(f'CANARY_KEY = "{CANARY}"\n')


def contents(path):
    """Yield what a file holds, and what stands packed inside it."""
    data = path.read_bytes()
    yield data
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
        yield data
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                yield member.name.encode()


def check_nowhere(folder, *said):
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "secrets.toml"]
    assert files
    found = [str(p) for p in files if any(CANARY.encode() in part for part in contents(p))]
    assert found == []
    assert not [words for words in said if CANARY in words]


def add(studio, service):
    url = f"http://127.0.0.1:{service.server_address[1]}/v1"
    told = studio("provider", "add", "far", "--base-url", url, "--key-env", "CANARY_KEY",
                  "--model", "m", provider=None)  # fmt: skip
    assert told.code == 0
    return told


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("how", ["environment", "secrets.toml"])
def test_no_command_and_no_file_tells_the_key(how, studio, mail, service, tmp_path, monkeypatch):
    plant(how, tmp_path, monkeypatch)
    out = [add(studio, service)]

    def do(*words):
        out.append(studio(*words, provider=None))
        return out[-1]

    assert do("run", "start", mail, "--provider", "far", "--limit", 4, "--wait", "--json").code == 0
    assert f"Bearer {CANARY}" in Service.keys  # it was really used
    do("provider", "test", "far")
    do("provider", "list", "--json")
    Service.refuses, Service.keys = True, []
    failed = do("run", "start", mail, "--provider", "far", "--again", "--wait", "--json")
    assert failed.code == 1
    assert "does not accept the key" in failed.err + failed.out
    do("run", "start", mail, "--provider", "far", "--again", "--batch", "--wait", "--json")
    tuned = do("finetune", "launch", mail, "--provider", "far", "--base", "m", "--wait", "--json")
    assert tuned.code == 1
    do("provider", "test", "far")
    do("run", "list", mail, "--json")
    do("finetune", "list", mail, "--json")
    (tmp_path / "labels.json").write_text(do("run", "export", 1, "--json").out)
    do("run", "show", 2, "--json")
    do("report", mail, "--html", tmp_path / "report.html")
    assert do("backup", tmp_path / "all.backup").code == 0
    do("doctor")
    assert len(Service.keys) >= 4  # run, batch, fine-tune and test asked with it
    check_nowhere(tmp_path, *(word for said in out for word in (said.out, said.err)))


@pytest.mark.usefixtures("quick")
def test_no_page_shows_the_key(studio, mail, service, tmp_path, monkeypatch):
    plant("environment", tmp_path, monkeypatch)
    add(studio, service)
    Service.refuses = True
    studio("run", "start", mail, "--provider", "far", "--wait", provider=None)
    studio("finetune", "launch", mail, "--provider", "far", "--base", "m", "--wait", provider=None)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "studio.db"))
    monkeypatch.setenv("STUDIO_WORKER", "external")
    monkeypatch.setattr("studio.ui.session.browser_memory", lambda **_: "")
    everything = ""
    for page in PAGES:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        at.session_state["person"] = "Ada"
        at.run()
        at.switch_page(f"pages/{page}.py").run()
        assert not at.exception, page
        everything += str(at)
    assert "far" in everything
    assert CANARY not in everything
    check_nowhere(tmp_path)


@pytest.mark.fault
def test_a_real_worker_writes_no_key_into_its_log(service, tmp_path, monkeypatch, plain_env):
    plant("environment", tmp_path, monkeypatch)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "studio.db"))

    def do(*words):
        argv = [sys.executable, "-m", "studio.cli.main", *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
        )

    url = f"http://127.0.0.1:{service.server_address[1]}/v1"
    (tmp_path / "mail.csv").write_text("id,text\n1,hello ham\n2,hello spam\n")
    said = [
        do("task", "create", "mail", "--labels", "ham,spam"),
        do("import", "mail", "mail.csv", "--split", "train"),
        do("provider", "add", "far", "--base-url", url, "--key-env", "CANARY_KEY", "--model", "m"),
    ]
    try:
        said.append(do("run", "start", "mail", "--provider", "far", "--wait", "--json"))
        Service.refuses = True
        said.append(do("run", "start", "mail", "--provider", "far", "--again", "--wait", "--json"))
    finally:
        said.append(do("worker", "--stop"))
    assert [one.returncode for one in said] == [0, 0, 0, 0, 1, 0], said
    assert (tmp_path / "studio.db.worker.log").exists()
    check_nowhere(tmp_path, *(words for one in said for words in (one.stdout, one.stderr)))


def dump(error):
    """Return a crash as those tools write it that show every variable of every frame."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format())


@pytest.fixture
def real(studio, mail, service, tmp_path, monkeypatch):
    plant("environment", tmp_path, monkeypatch)
    add(studio, service)
    ws = open_workspace(tmp_path / "studio.db", wake=lambda: None)
    yield ws
    ws.read.close()
    ws.store.close()


CALLS = {
    "question": lambda p, q: p.classify(q),
    "models": lambda p, q: p.models(),
    "upload": lambda p, q: p.upload(b"{}\n", "t.jsonl"),
    "training": lambda p, q: p.fine_tune("ft-1"),
    "batch": lambda p, q: p.batch("b-1"),
}


@pytest.mark.parametrize(
    ("call", "hides"), [*((call, False) for call in CALLS), ("question", True)]
)
def test_no_crash_shows_the_key_among_its_variables(call, hides, real):
    import asyncio

    from tests.providers.helpers import QUESTION

    Service.refuses, Service.hides = True, hides

    async def main():
        provider = real.provider("far")
        try:
            await CALLS[call](provider, QUESTION)
        finally:
            await provider.close()

    with pytest.raises(Exception, match=r"\[key\]") as raised:
        asyncio.run(main())
    assert Service.keys == [f"Bearer {CANARY}"]
    shown = dump(raised.value)
    assert "provider = OpenAICompatible" in shown  # it does show variables
    assert CANARY not in shown


def test_a_crash_while_a_question_is_under_way_shows_no_key(real, monkeypatch):
    import asyncio

    from tests.providers.helpers import QUESTION

    held = threading.Event()
    monkeypatch.setattr(Service, "do_POST", lambda self: held.wait(5))

    async def main():
        provider = real.provider("far")
        asked = asyncio.create_task(provider.classify(QUESTION))
        await asyncio.sleep(0.1)
        asked.cancel()
        try:
            await asked
        finally:
            held.set()
            await provider.close()

    with pytest.raises(asyncio.CancelledError) as raised:
        asyncio.run(main())
    shown = dump(raised.value)
    assert "headers = " in shown
    assert CANARY not in shown


def test_a_crash_on_the_way_to_a_provider_shows_no_key(real, monkeypatch, tmp_path):
    def broken(_):
        raise RuntimeError("no address")

    monkeypatch.setattr("studio.providers.openai_compatible.read_base_url", broken)
    with pytest.raises(RuntimeError) as raised:
        real.provider("far")
    shown = dump(raised.value)
    assert "api_key = <secret>" in shown
    assert CANARY not in shown


def test_a_key_is_looked_up_where_the_folder_is_gone(tmp_path, monkeypatch):
    monkeypatch.setenv("OTHER_KEY", CANARY)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert find_key("MISSING_KEY") == ""
    assert repr(find_key("OTHER_KEY")) == "<secret>"
    assert f"{Secret('a')}" == "a"


@pytest.mark.parametrize(
    "key",
    [
        CANARY,
        "sk_proj_4f9aB2c8D1e7F6a5B4c3D2e1",
        "gsk_4f9aB2c8D1e7F6a5B4c3D2e1F0a9",
        "4f9ab2c8d1e7f6a5b4c3d2e1f0a9b8c7",
        "ключ",
    ],
)
def test_a_key_in_place_of_its_name_is_refused_and_kept_nowhere(studio, mail, tmp_path, key):
    said = studio("provider", "add", "far", "--base-url", "https://far.example/v1",
                  "--key-env", key, "--json", provider=None)  # fmt: skip
    assert said.code == 2
    assert "by the name of a variable" in said.error["message"]
    assert key not in said.out + said.err
    assert not any(key.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "openai_key", "AZURE_OPENAI_EASTUS2_API_KEY"])
def test_what_names_a_key_is_taken(studio, mail, name):
    said = studio("provider", "add", "far", "--base-url", "https://far.example/v1",
                  "--key-env", name, provider=None)  # fmt: skip
    assert said.code == 0
