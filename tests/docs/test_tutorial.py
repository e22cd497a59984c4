"""Every command of docs/tutorial.md works, in its order, on a workspace of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from studio.bootstrap import open_workspace
from studio.jobs.process import stop_worker

ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    """The commands of the page."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def test_the_tutorial_runs_as_written(tmp_path):
    workspace = tmp_path / "studio.db"
    environment = os.environ | {"STUDIO_WORKSPACE": str(workspace), "STUDIO_PERSON": "Ada"}
    said = ""
    try:
        for words in commands():
            assert words[0] == "studio"
            done = subprocess.run(
                [sys.executable, "-m", "studio.cli.main", *words[1:]],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            said = done.stdout
            assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
        ws = open_workspace(workspace, wake=lambda: None)
        task = ws.read.tasks.by_name("dishes")
        assert len(ws.read.runs.all(task.id)) == 5
        assert re.match(r"GO|NO-GO|NOT YET", said)
    finally:
        for info in open_workspace(workspace, wake=lambda: None).read.jobs.workers():
            stop_worker(info)
