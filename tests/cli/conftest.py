"""The command line in this process: what it prints, where, and how it ends."""

import json
import shutil
import sys
from dataclasses import dataclass

import pytest

from studio.bootstrap import open_workspace
from studio.cli import common
from studio.cli.main import main
from tests.conftest import _opener, nothing, work_off


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Its one document; anything else on standard output is an error."""
        return json.loads(self.out)

    @property
    def error(self):
        """The error it told with --json, after making sure that nothing else was said."""
        assert self.out == ""
        found = json.loads(self.err)["error"]
        assert set(found) == {"code", "message", "next"}
        assert "\n" not in found["message"]
        return found


@pytest.fixture
def opened():
    """The workspaces that commands opened; closed at the end."""
    found = []
    yield found
    for ws in found:
        ws.read.close()
        ws.store.close()


@pytest.fixture
def studio(tmp_path, monkeypatch, capsys, script, opened, plain_env, template):
    """Run a command on a workspace of its own; jobs are done at once, in this process.

    `provider=None` opens providers as the studio does; `worker=False` lets nobody do the jobs.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_PERSON", "Ada")

    def run(*words, provider=script, worker=True):
        def open_here(path):
            def wake():
                if worker:
                    work_off(ws)

            ws = open_workspace(path, provider=provider and _opener(provider), wake=wake or nothing)
            opened.append(ws)
            return ws

        monkeypatch.setattr(common, "open_workspace", open_here)
        monkeypatch.setattr(sys, "argv", ["studio", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        for ws in opened:  # as the end of a process does
            ws.read.close()
            ws.store.close()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def mail_template(tmp_path_factory):
    """Where the workspace of `mail` is kept once it was made."""
    return tmp_path_factory.mktemp("mail") / "studio.db"


@pytest.fixture
def mail(studio, opened, tmp_path, mail_template):
    """A task with examples and gold, made by the commands themselves; the first one is copied."""
    sizes = {"train": 24, "validation": 12, "test": 12}
    lines = [
        f"{split[:2]}{i},{'ham' if i % 2 else 'spam'} number {i} of {split},"
        f"{'ham' if i % 2 else 'spam'},{split},s{i % 3}"
        for split, n in sizes.items()
        for i in range(n)
    ]
    (tmp_path / "mail.csv").write_text("id,text,label,split,source\n" + "\n".join(lines) + "\n")
    if mail_template.exists():
        shutil.copyfile(mail_template, tmp_path / "studio.db")
        return "mail"
    assert studio("task", "create", "mail", "--labels", "ham,spam", "--criterion",
                  "accuracy>=0.5", "--definition", "ham=wanted mail").code == 0  # fmt: skip
    done = studio("import", "mail", "mail.csv", "--label", "label", "--split", "split", "--json")
    assert done.json["added"] == 48
    opened[-1].store.checkpoint()
    shutil.copyfile(tmp_path / "studio.db", mail_template)
    return "mail"
