"""Commands: studio provider add | list | test."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from studio.actions.providers import add_provider, check_provider
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table

group = typer.Typer(help="Services that classify and train.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(group, name="provider")


@group.command("add")
def add(
    name: str,
    base_url: Annotated[str, typer.Option(help="Its address, as a rule ending in /v1.")],
    key_env: Annotated[str, typer.Option(help="Variable that holds its key; never the key.")] = "",
    model: Annotated[str, typer.Option(help="The model used when none is named.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Add an OpenAI-compatible service."""
    ws = open_ws(workspace)
    entry = add_provider(ws, name=name, base_url=base_url, key_env=key_env, model=model, by=me(ws))
    emit(asdict(entry), as_json, f"Added {entry.name} at {entry.base_url}.")


@group.command("list")
def list_providers(workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """List the providers; the embedded one is always there."""
    ws = open_ws(workspace)
    engine = ws.engine()
    rows = [
        {
            "name": "embedded",
            "base_url": engine.get("url", "(not running)"),
            "key_env": "",
            "model": "",
        }
    ]
    rows += [asdict(entry) for entry in ws.read.providers.all()]
    emit(rows, as_json, table(rows, ""))


@group.command("test")
def test(name: str, workspace: WorkspacePath = None, as_json: AsJson = False) -> None:
    """Ask a provider who answers."""
    ws = open_ws(workspace)
    ws.wake()
    said = check_provider(ws, name)
    emit({"provider": name, "says": said}, as_json, said)
