"""Examining a workspace, and mending what can be mended without a doubt."""

from __future__ import annotations

import glob
import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from studio.config import Settings
from studio.domain.job import WorkerInfo
from studio.errors import WorkspaceError
from studio.jobs.process import worker_alive
from studio.store.health import (
    Finding,
    examine_file,
    known_models,
    left_behind,
    lost_calls,
    running_jobs,
    wrong_counters,
)
from studio.store.recount import rebuild, recount
from studio.workspace import Workspace

_AN_HOUR = 3600.0
_FIX = "`studio doctor --fix` mends it."


def examine_closed(settings: Settings) -> list[Finding]:
    """Return what can be said of a workspace that cannot be opened."""
    return examine_file(settings.workspace)


def examine(ws: Workspace, *, fix: bool = False) -> list[Finding]:
    """Return findings about the file, what it remembers, and what stands beside it.

    Args:
        ws: The workspace.
        fix: Mend what can be derived again: counters, leases of dead workers, calls nobody waits
            for, drafts left behind, permissions of the server's token. Labels are never touched.
    """
    return [
        *examine_file(ws.path),
        *_counters(ws, fix),
        *_kept(ws, fix),
        *_leases(ws, fix),
        *_calls(ws, fix),
        *_token(ws.settings, fix),
        *_drafts(ws, fix),
        *_beside(ws),
    ]


def _counters(ws: Workspace, fix: bool) -> Iterator[Finding]:
    wrong = wrong_counters(ws.read.db)
    numbers = ", ".join(map(str, wrong[:10]))
    says = f"run {numbers}: counters differ from what is stored" if wrong else "of runs: right"
    found = Finding("counts", not wrong, says, _FIX if wrong else "")
    if wrong and fix:
        for run_id in wrong:
            ws.store.runs.recount(run_id)
        found = found.after("counted anew")
    yield found


def _kept(ws: Workspace, fix: bool) -> Iterator[Finding]:
    try:
        wrong = recount(ws.store.db)
    except WorkspaceError as error:  # comparing the index of words asks for a write
        yield Finding("lists", None, f"not compared: {error.message}")
        return
    says = f"{' and '.join(wrong)} differ from what is stored" if wrong else "of pages: right"
    found = Finding("lists", not wrong, says, _FIX if wrong else "")
    if wrong and fix:
        rebuild(ws.store.db)
        found = found.after("made anew")
    yield found


def _leases(ws: Workspace, fix: bool) -> Iterator[Finding]:
    workers = {info.name: info for info in ws.read.jobs.workers()}
    dead = [
        job
        for job in running_jobs(ws.read.db)
        if not _has_owner(workers.get(job["owner"]), job["lease_until"], ws.clock())
    ]
    numbers = ", ".join(str(job["id"]) for job in dead[:10])
    says = f"job {numbers}: its worker is dead" if dead else "every job at work has a worker"
    found = Finding("leases", not dead, says, "The next worker takes it over." if dead else "")
    if dead and fix:
        for job in dead:
            ws.store.jobs.release(job["id"], job["fence"], ws.clock())
        found = found.after("put back in the queue")
    yield found


def _has_owner(info: WorkerInfo | None, lease_until: float | None, now: float) -> bool:
    if info is not None and worker_alive(info, now):
        return True
    return info is None and (lease_until or 0.0) > now  # somebody who did not sign in yet


def _calls(ws: Workspace, fix: bool) -> Iterator[Finding]:
    lost = lost_calls(ws.read.db)
    says = "; ".join(f"run {run}: {n} calls without an end" for run, n in lost.items())
    found = Finding("calls", not lost, says or "every call has an end", _FIX if lost else "")
    if lost and fix:
        for run_id in lost:
            ws.store.runs.settle_lost(run_id)
        found = found.after("counted as lost, at the most they can have cost")
    yield found


def _token(settings: Settings, fix: bool) -> Iterator[Finding]:
    file = settings.embedded_folder / "server.json"
    if not file.exists() or not file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    found = Finding("token", False, f"others can read {file}", _FIX)
    if fix:
        file.chmod(0o600)
        found = found.after("only its owner can now")
    yield found


def _drafts(ws: Workspace, fix: bool) -> Iterator[Finding]:
    # A younger one may still be written to by somebody.
    drafts = left_behind(ws.path, older_than=ws.clock() - _AN_HOUR)
    if not drafts:
        return
    found = Finding("drafts", False, f"{len(drafts)} left behind, e.g. {drafts[0].name}", _FIX)
    if fix:
        for path in drafts:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        found = found.after("removed")
    yield found


def _beside(ws: Workspace) -> Iterator[Finding]:
    """Tell of what takes space and nobody but its owner can judge."""
    own = glob.escape(ws.path.name)
    for check, pattern, words in (
        ("set aside", f"{own}.*.aside*",
         "of workspaces set aside, to be removed once nobody misses them"),
        ("upgrade copy", f"{own}.before-m*.bak", "of the copy made before the last upgrade"),
        ("worker log", f"{own}.worker.log*", "of the worker's log"),
    ):  # fmt: skip
        size = sum(_size(path) for path in ws.path.parent.glob(pattern))
        if size > 1_000_000:
            yield Finding(check, None, f"{size / 1e6:,.0f} MB {words}")
    if said := ws.read.tasks.setting("restored"):
        yield Finding("restored", None, said)
    names = _model_names(ws.settings.embedded_folder / "models")
    if unnamed := len(set(names) - known_models(ws.read.db, names)):
        yield Finding("models", None, f"{unnamed} embedded models that no fine-tune here names")


def _model_names(folder: Path) -> list[str]:
    names = []
    for file in folder.glob("*/model.json"):
        try:
            names.append(str(json.loads(file.read_text(encoding="utf-8"))["id"]))
        except (OSError, ValueError, KeyError, TypeError):
            names.append(file.parent.name)
    return names


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.lstat().st_size for f in files if f.is_file())
