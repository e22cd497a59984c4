"""Commands: studio app | worker | serve | backup | restore | doctor."""

from __future__ import annotations

import functools
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from studio.actions.health import examine, examine_closed
from studio.actions.samples import load_sample
from studio.actions.workspaces import (
    Progress,
    back_up,
    find_backups,
    restore_backup,
    set_aside,
    space_for_backup,
)
from studio.bootstrap import (
    engine_of,
    is_worker_alive,
    serve_embedded,
    serve_worker,
    workers_alive,
)
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table
from studio.config import Settings, app_folder, load_settings
from studio.errors import DamagedError, InputError, PortTakenError, WorkerError
from studio.jobs.process import ask_to_stop, has_ended
from studio.store.health import Finding

DEFAULT_PORT = 8501


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("app")(run_app)
    app.command("worker")(worker)
    app.command("serve")(serve)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("doctor")(doctor)


def run_app(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="The port of 127.0.0.1 to listen on.")
    ] = DEFAULT_PORT,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    sample: Annotated[
        bool, typer.Option(help="Load the keto task into a workspace that has no task.")
    ] = True,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Open the app, its worker and the embedded server."""
    _check_port(port)
    ws = open_ws(workspace)
    if sample and not ws.read.tasks.all():
        load_sample(ws, by=me(ws))
    ws.wake()
    ws.store.close()
    folder = app_folder()
    command = [
        sys.executable, "-m", "streamlit", "run", str(folder / "asgi.py"),
        "--server.port", str(port), "--server.headless", "false" if browser else "true",
    ]  # fmt: skip
    environ = os.environ | {"STUDIO_WORKSPACE": str(ws.path)}
    url = f"http://127.0.0.1:{port}"
    if as_json:
        emit({"url": url, "workspace": str(ws.path)}, as_json, "")
    typer.echo(f"Rationale Studio is at {url} (workspace {ws.path}).", err=True)
    output = sys.stderr if as_json else None  # what the server says of itself is no document
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=output) as server:  # noqa: S603
        # Whoever ends this command ends its server, which would keep the port otherwise.
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            code = server.wait()
        except KeyboardInterrupt:  # which the server got as well
            code = server.wait()
    if is_worker_alive(ws):
        typer.echo("The app ended; its worker goes on. `studio worker --stop` ends it.", err=True)
    raise typer.Exit(0 if code in (-signal.SIGTERM, -signal.SIGINT) else code)


def worker(
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop those on this machine; their jobs wait.")
    ] = False,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Start it only if none is at work.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Do the jobs of a workspace; the app and other commands start one by themselves."""
    ws = open_ws(workspace)
    if not stop:
        # The worker listens to this only once it is at work, and no more while it ends.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        serve_worker(ws, if_none=if_none, tell=functools.partial(typer.echo, err=True))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return
    running = [info for info in workers_alive(ws) if info.host == socket.gethostname()]
    for info in running:
        ask_to_stop(info)  # all at once: each may have calls in flight
    for info in running:
        if not has_ended(info):
            raise WorkerError(
                f"The worker (process {info.pid}) is still finishing something.",
                next_step="Wait a little and try again.",
            )
    workers = "worker" if len(running) == 1 else "workers"
    text = f"Stopped {len(running)} {workers}." if running else "No worker is running."
    emit({"stopped": [info.pid for info in running]}, as_json, text)


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port of 127.0.0.1; 0 takes a free one.")
    ] = 0,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Run the OpenAI-compatible server alone."""
    settings = load_settings(workspace=workspace)
    server = serve_embedded(settings, port=port)
    if as_json:
        emit({"url": server.url, "folder": str(server.folder)}, as_json, "")
    typer.echo(f"Listening at {server.url}", err=True)
    typer.echo(f"The token stands in {server.folder / 'server.json'}.", err=True)
    if fallback := engine_of(settings).get("fallback"):
        typer.echo(f"This is a fallback: {fallback}", err=True)
    try:
        server.wait()
    finally:
        server.stop()


def backup(
    file: Annotated[
        str,
        typer.Argument(help="A new file, or a folder for one with a dated name.", metavar="FILE"),
    ],
    keep: Annotated[
        int | None, typer.Option(min=1, help="In a folder: keep only so many of its newest.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Write a verified copy of the workspace and of what the embedded server learnt."""
    ws = open_ws(workspace)
    if file.endswith("/") and not Path(file).is_dir():
        raise InputError(f"The folder {file} does not exist.", next_step="Create it first.")
    # A backup that is ended from outside must leave nothing behind, as one ended by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = back_up(ws, Path(file), keep=keep, tell=_backup_progress(space_for_backup(ws)))
    gone = f" Removed {len(made.removed)} older." if made.removed else ""
    emit(
        {"file": str(made.file), "bytes": made.bytes, "removed": list(map(str, made.removed))},
        as_json,
        f"Wrote {made.file} ({made.bytes / 1e6:.1f} MB), verified.{gone}",
    )


def _backup_progress(need: int) -> Progress:
    """Return what draws how far a backup is, for those who watch it in a terminal."""
    if not sys.stderr.isatty():
        return lambda *_: None
    typer.echo(f"This may take {need / 1e6:,.0f} MB while it is written.", err=True)

    def draw(what: str, done: int, total: int) -> None:
        share = f" {done / 1e6:,.0f} of about {total / 1e6:,.0f} MB" if total else ""
        end = "\r" + " " * 60 + "\r" if what == "verifying" else ""
        sys.stderr.write(f"\r{what}{share}".ljust(60) + end)
        sys.stderr.flush()

    return draw


def restore(file: Path, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Put a backup in place of the workspace; the old one is set aside, not deleted."""
    aside = restore_backup(load_settings(workspace=workspace), file)
    text = f"Restored {file}." + (f" The old workspace is {aside}." if aside else "")
    emit({"restored": str(file), "aside": str(aside) if aside else None}, as_json, text)


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    aside: Annotated[
        bool,
        typer.Option("--set-aside", help="Rename the workspace; the next start makes a new one."),
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Check the workspace, the worker and the embedded server; exit 1 if something is wrong."""
    if aside:
        moved = set_aside(load_settings(workspace=workspace))
        emit({"aside": str(moved)}, as_json, f"The workspace is now {moved}.")
        return
    findings = _findings(workspace, fix)
    rows = [asdict(finding) for finding in findings]
    emit(rows, as_json, lambda: _told(findings))
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


def _findings(workspace: Path | None, fix: bool) -> list[Finding]:
    try:
        load_settings(workspace=workspace)
    except InputError as error:
        settings = load_settings({}, workspace=workspace)
        found = examine_closed(settings) if settings.workspace.is_file() else []
        return [Finding("settings", False, error.message, error.next_step), *found]
    try:
        ws = open_ws(workspace)
    except DamagedError as error:
        settings = load_settings(workspace=workspace)
        found = [f for f in examine_closed(settings) if f.check != "integrity"]
        return [Finding("integrity", False, error.message, error.next_step), *found,
                *_backups(settings)]  # fmt: skip
    alive, engine = is_worker_alive(ws), ws.engine()
    says = engine.get("error") or f"{engine.get('engine')} at {engine.get('url')}"
    findings = [
        *examine(ws, fix=fix),
        Finding(
            "worker", alive or None, "alive" if alive else "not running; it starts when needed"
        ),
        Finding("embedded server", None if "error" in engine else True, says),
    ]
    if engine.get("fallback"):
        findings.append(Finding("fallback", None, engine["fallback"]))
    return findings


def _backups(settings: Settings) -> list[Finding]:
    """Return what could take the place of a damaged workspace, and how."""
    found = [
        Finding(
            "backup",
            None,
            f"{one.file.name}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(one.at))}, "
            f"{one.bytes / 1e6:.1f} MB, "
            + (f"unusable: {one.problem}" if one.problem else "whole"),
            "" if one.problem else f"studio restore {shlex.quote(str(one.file))}",
        )
        for one in find_backups(settings)
    ]
    anew = "`studio doctor --set-aside`, then start anew."
    return [*found, Finding("backup", None, "or go on without", anew)]


def _told(findings: list[Finding]) -> str:
    words = {True: "fine", False: "wrong", None: "note"}
    return table(
        [
            {
                "check": f.check,
                "result": "mended" if f.mended else words[f.ok],
                "says": f.says,
                "next": f.next,
            }
            for f in findings
        ],
        "",
    )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise PortTakenError(
                f"Port {port} may only be opened by the system's administrator.",
                next_step=f"Choose another: --port {DEFAULT_PORT}.",
            ) from None
        except OSError:
            raise PortTakenError(
                f"Port {port} is taken by another program.",
                next_step=f"Close it, or choose another: --port {port + 1 if port < 65000 else 8600}.",
            ) from None
