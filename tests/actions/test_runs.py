"""What is checked and worked out before a run is filed."""

import pytest

from studio.actions import runs
from studio.actions.injections import start_attack
from studio.actions.runs import Choice, start_run
from studio.errors import ConsentNeededError, InputError


@pytest.fixture
def task(ws, fill, script):
    script.is_local, script.host = False, "far.example"
    return fill(ws)


def test_others_can_write_while_a_run_is_estimated(ws, task, monkeypatch):
    """Counting tokens may load a vocabulary for a second."""
    asked, inner = [], runs.estimate

    def watched(*args, **more):
        asked.append(ws.store.db._connection("write").in_transaction)
        return inner(*args, **more)

    monkeypatch.setattr(runs, "estimate", watched)
    run = start_run(ws, task.id, choice=Choice(), consent=True, by="Ada")
    assert asked == [False]
    assert ws.read.runs.params(run.id)["estimate"]["questions"] == 18
    assert ws.read.prompts.get(task.id, run.prompt_version_id).title == run.title


def test_without_consent_neither_run_nor_prompt_is_left(ws, task):
    with pytest.raises(ConsentNeededError, match="18 examples"):
        start_run(ws, task.id, choice=Choice(), by="Ada")
    assert ws.read.runs.all(task.id) == ws.read.prompts.all(task.id) == []


@pytest.mark.parametrize("start", [start_attack, start_run])
def test_more_labels_than_a_model_takes_are_refused_before_anything_is_asked(ws, fill, start):
    fill(ws, "many")
    with ws.store.transaction() as conn:  # as a file of a later studio may have it
        conn.executemany(
            "INSERT INTO label (task_id, name, definition, position) VALUES (1, ?, '', ?)",
            [(f"more {i}", i) for i in range(2, 256)],
        )
    choice = {"choice": Choice()} if start is start_run else {}
    with pytest.raises(InputError, match="at most 255 labels, not 256"):
        start(ws, 1, **choice, by="Ada")
    assert ws.read.runs.all(1, previews=True) == []
