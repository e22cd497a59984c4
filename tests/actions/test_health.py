"""The doctor: what it finds, what it mends, and what it leaves alone."""

import os
import time

import pytest

from studio.actions.health import examine
from studio.actions.runs import Choice, start_run
from studio.store.health import file_system


def wrong(ws, **more):
    return {f.check: f for f in examine(ws, **more) if f.ok is False or f.mended}


@pytest.fixture
def labeled(ws, fill, work):
    """A workspace with a finished run."""
    task = fill(ws)
    run = start_run(ws, task.id, choice=Choice(), by="Ada")
    work(ws)
    return run


def test_a_healthy_workspace(ws, labeled):
    found = {f.check: f.ok for f in examine(ws)}
    assert {k: v for k, v in found.items() if v is not None} == dict.fromkeys(
        ("integrity", "schema", "links", "sqlite", "disk", "counts", "lists", "leases", "calls"),
        True,
    )


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE run SET done = done + 1",
        "UPDATE run SET calls = calls - 1",
        "UPDATE run SET spent_usd = spent_usd + 0.5",
        "UPDATE run SET unpriced = unpriced + 2",
        "UPDATE run_outcome SET n = n + 1",
        "INSERT INTO run_outcome SELECT id, 'refused', 3 FROM run",
        "DELETE FROM run_outcome",
    ],
)
def test_counters_are_counted_anew(ws, labeled, harm):
    before = ws.store.runs.get(labeled.id), ws.store.runs.outcomes(labeled.id)
    with ws.store.transaction() as conn:
        conn.execute(harm)
    assert set(wrong(ws)) == {"counts"}
    assert wrong(ws, fix=True)["counts"].mended
    assert (ws.store.runs.get(labeled.id), ws.store.runs.outcomes(labeled.id)) == before
    assert wrong(ws) == {}


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("UPDATE example_count SET n = n + 1", "the counts of examples"),
        ("UPDATE gold_count SET n = n + 1", "the counts of gold"),
        ("UPDATE prediction SET split = 'test'", "the splits of predictions"),
        ("UPDATE current_label SET split = 'test'", "the splits of decisions"),
        ("INSERT INTO run_error SELECT 1, example_id, split, 0 FROM prediction", "the errors"),
        ("INSERT INTO example_fts (example_fts) VALUES ('delete-all')", "the index of words"),
    ],
)  # fmt: skip
def test_lists_are_made_anew(ws, labeled, harm, says):
    with ws.store.transaction() as conn:
        conn.execute(harm)
    found = wrong(ws)
    assert set(found) == {"lists"}
    assert says in found["lists"].says
    assert wrong(ws, fix=True)["lists"].mended
    assert wrong(ws) == {}


def test_a_lease_of_a_dead_worker_is_given_back(ws, fill):
    run = start_run(ws, fill(ws).id, choice=Choice(), by="Ada")
    job = ws.store.jobs.claim("here:999999:1.5", time.time(), 60.0)
    assert wrong(ws) == {}  # it may be about to say who it is
    with ws.store.transaction() as conn:
        conn.execute("UPDATE job SET lease_until = ? WHERE id = ?", (time.time() - 1, job.id))
    assert "its worker is dead" in wrong(ws)["leases"].says
    assert wrong(ws, fix=True)["leases"].mended
    assert ws.store.jobs.get(run.job_id).status == "queued"


def test_calls_that_nobody_waits_for_are_counted_as_lost(ws, labeled):
    with ws.store.transaction() as conn:
        conn.execute(
            "INSERT INTO ledger (task_id, run_id, at, outcome, bound_usd)"
            " VALUES (?, ?, '', 'open', 0.25)",
            (labeled.task_id, labeled.id),
        )
        conn.execute("UPDATE run SET calls = calls + 1")
    assert set(wrong(ws)) == {"calls"}
    spent = ws.store.runs.get(labeled.id).spent_usd
    wrong(ws, fix=True)
    assert ws.store.runs.get(labeled.id).spent_usd == spent + 0.25
    assert wrong(ws) == {}


def test_drafts_are_removed_once_they_are_old(ws):
    folder = ws.path.with_name(f".{ws.path.name}.ab12.draft")
    folder.mkdir()
    (folder / "workspace.db").write_text("half")
    assert wrong(ws) == {}
    os.utime(folder, (1, 1))
    assert "drafts" in wrong(ws)
    wrong(ws, fix=True)
    assert not folder.exists()


def test_a_token_that_others_can_read(ws):
    token = ws.settings.embedded_folder / "server.json"
    token.parent.mkdir()
    token.write_text("{}")
    token.chmod(0o644)
    assert set(wrong(ws)) == {"token"}
    wrong(ws, fix=True)
    assert token.stat().st_mode & 0o777 == 0o600


def test_the_kind_of_file_system(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "d / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\nd /data/my\\040disk xfs rw 0 0\n"
    )
    places = ("/srv/studio.db", "/data/a/studio.db", "/data/my disk/studio.db", "/database/s.db")
    kinds = [file_system(type(tmp_path)(place), mounts) for place in places]
    assert kinds == ["ext4", "nfs4", "xfs", "ext4"]
