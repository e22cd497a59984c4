"""Every command that a page of docs/ shows in a console block works, in its order."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from studio.bootstrap import open_workspace
from studio.cli.main import main
from studio.jobs.process import stop_worker

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
# A file that the reader is to write: its name ends the sentence before the block.
_FILE = re.compile(r"`([\w-]+\.\w+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


def commands(text):
    return [shlex.split(line) for block in _BLOCK.findall(text) for line in block.splitlines()]


@pytest.fixture
def follow(tmp_path, monkeypatch, capsys, plain_env):
    """Do what a page says, with a worker and an embedded server of its own; return the workspace
    and what the last command said.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path / "studio.db"))
    monkeypatch.setenv("STUDIO_PERSON", "Ada")
    (tmp_path / "data").symlink_to(ROOT / "data")

    def run(page):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        for name, content in _FILE.findall(text):
            (tmp_path / name).write_text(content, encoding="utf-8")
        out = ""
        for words in commands(text):
            monkeypatch.setattr(sys, "argv", words)
            with pytest.raises(SystemExit) as ended:
                main()
            out, err = capsys.readouterr()
            assert words[0] == "studio"
            assert ended.value.code == 0, f"{shlex.join(words)}\n{out}{err}"
            assert not re.search(r"there is no example|rejected [1-9]", out), (
                f"{shlex.join(words)}\n{out}"
            )
        return open_workspace(tmp_path / "studio.db", wake=lambda: None), out

    yield run
    for info in open_workspace(tmp_path / "studio.db", wake=lambda: None).read.jobs.workers():
        stop_worker(info)


def test_the_tutorial_ends_in_a_verdict(follow):
    ws, said = follow("tutorial")
    assert len(ws.read.runs.all(ws.read.tasks.by_name("dishes").id)) == 5
    assert re.match(r"GO|NO-GO|NOT YET", said)


def test_the_prompt_desk_as_its_page_says(follow):
    ws, _ = follow("prompts")
    task = ws.read.tasks.by_name("dishes")
    runs = ws.read.runs.all(task.id)
    assert [run.done for run in runs] == [run.total for run in runs]
    assert {v.name for v in ws.read.prompts.all(task.id)} == {"plain", "shown", "theirs"}


def test_the_label_desk_as_its_page_says(follow):
    ws, said = follow("labeling")
    task = ws.read.tasks.by_name("dishes")
    assert len(ws.read.labels.gold(task.id)) == 4
    assert task.label_names == ("keto", "not_keto", "unclear")
    assert "low_carb" in said
