"""Commands: studio provider add | list | test | default | consents | prices."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from studio.actions.prices import ListedPrice, edit_prices, list_prices
from studio.actions.providers import (
    add_provider,
    choose_provider,
    ending_model,
    estimate_probe,
    probe_result,
    start_probe,
    warning_of,
    withdraw_consent,
)
from studio.cli.common import AsJson, WorkspacePath, emit, me, open_ws, table, wait_for
from studio.domain.capability import Capabilities, by_end
from studio.domain.price import CHAT, KINDS, TRAINING, Price
from studio.domain.run import Wire
from studio.errors import InputError

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
    wire: Annotated[Wire, typer.Option(help="How it is asked; auto is chat, or what else serves a model.")] = Wire.AUTO,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Add a service that speaks OpenAI's protocol or System One."""
    ws = open_ws(workspace)
    entry = add_provider(
        ws, name=name, base_url=base_url, key_env=key_env, model=model, wire=wire, by=me(ws)
    )
    warning = warning_of(ws, entry.name)
    said = f"Added {entry.name} at {entry.base_url}."
    emit(
        {**asdict(entry), "warning": warning or None},
        as_json,
        f"{said}\nWarning: {warning}" if warning else said,
    )


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
            "wire": Wire.CHAT,
        }
    ]
    rows += [asdict(entry) for entry in ws.read.providers.all()]
    for row in rows:
        found = ws.read.providers.capabilities(row["name"])
        row["default"] = row["name"] == ws.default_provider
        row["tested"] = found.at[:10] if found else None
        row["found"] = found.summary() if found else None
    emit(rows, as_json, table(rows, ""))


@group.command("test")
def test(
    name: str,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what it would ask and cost.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Find out what a provider can do, by a few sentences of ours: nothing of yours is sent."""
    ws = open_ws(workspace)
    if estimate:
        expected = estimate_probe(ws, name)
        emit(expected.to_dict(), as_json, expected.sentence)
        return
    wait_for(ws, start_probe(ws, name), "test")
    found, today = probe_result(ws, name), ws.now()[:10]
    models = [
        {
            "id": one.id,
            "shutdown_date": one.shutdown_date or None,
            "days_left": one.days_left(today),
        }
        for one in found.models
    ]
    warning = ending_model(ws, name)
    told = {"provider": name, **found.to_dict(), "models": models, "warning": warning or None}
    emit(told, as_json, lambda: _test_table(found, warning, today))


@group.command("default")
def default(
    name: Annotated[str, typer.Argument(help="The provider; without one, tells the default.")] = "",
    model: Annotated[str, typer.Option(help="The model used when none is named, too.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Choose the provider that is used when none is named."""
    ws = open_ws(workspace)
    if name:
        choose_provider(ws, name, model=model, by=me(ws))
    elif model:
        raise InputError("A model is set for one provider.", next_step="Name the provider, too.")
    chosen = ws.default_provider
    entry = next((one for one in ws.read.providers.all() if one.name == chosen), None)
    asked = entry.model if entry else ""
    said = f"{chosen} is used when none is named{f', with {asked}' if asked else ''}."
    warning = ending_model(ws)
    emit(
        {"provider": chosen, "model": asked or None, "warning": warning or None},
        as_json,
        f"{said}\nWarning: {warning}" if warning else said,
    )


@group.command("consents")
def consents(
    withdraw: Annotated[int | None, typer.Option(metavar="ID", help="Take this one back.")] = None,
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """List who agreed to send what where, the newest first; withdraw one."""
    ws = open_ws(workspace)
    if withdraw is not None:
        withdraw_consent(ws, withdraw, by=me(ws))
    found = ws.read.providers.consents()
    rows = [
        {
            "id": one.id, "task": one.task, "host": one.host, "agreed by": one.person,
            "at": one.at[:16], "examples": one.shown.get("examples"),
            "columns": ", ".join(one.shown.get("columns") or []),
            "withdrawn": f"{one.withdrawn_at[:16]} by {one.withdrawn_by}" if one.withdrawn_at else None,
        }
        for one in found
    ]  # fmt: skip
    emit([asdict(one) for one in found], as_json, table(rows, "Nobody agreed to send anything."))


@group.command("prices")
def prices(
    provider: Annotated[str, typer.Option(help="Only of this provider; the one a price is set for.")] = "",
    put: Annotated[str, typer.Option("--set", metavar="MODEL", help="Set a price of your own.")] = "",
    unset: Annotated[str, typer.Option(metavar="MODEL", help="Take your own price back.")] = "",
    kind: Annotated[str, typer.Option(help=f"What it is for: {', '.join(KINDS)}.")] = CHAT,
    input: Annotated[float | None, typer.Option(help="US dollars for a million tokens sent; of a training, for those of all its passes.")] = None,
    output: Annotated[float | None, typer.Option(help="The same for tokens that come back; a training has none.")] = None,
    batch_input: Annotated[float | None, typer.Option(help="The same for tokens sent in a batch.")] = None,
    batch_output: Annotated[float | None, typer.Option(help="The same for tokens of a batch that come back.")] = None,
    source: Annotated[str, typer.Option(help="Where you read it.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List what models cost, with source and day; set prices of your own, which win."""
    ws = open_ws(workspace)
    if put or unset:
        if not provider or (put and unset):
            raise InputError(
                "A price is set or taken back for one model of one provider.",
                next_step="E.g. `--set gpt-6-luna --provider openai --input 0.1 --output 0.5`.",
            )
        output = 0.0 if output is None and kind == TRAINING else output
        if put and (input is None or output is None):
            raise InputError(
                f"The price of {put} needs both --input and --output.",
                next_step="In US dollars for a million tokens.",
            )
        priced = [
            Price(provider=provider, model=put, kind=kind, input_usd=input, output_usd=output, source=source,
                  batch_input_usd=batch_input, batch_output_usd=batch_output)
        ] if put and input is not None and output is not None else []  # fmt: skip
        edit_prices(ws, put=priced, drop=[(provider, unset, kind)] if unset else [], by=me(ws))
    found = list_prices(ws, provider)
    empty = (
        "No price is known there; a service on this machine is free. "
        "Set one with --set MODEL --input USD --output USD."
    )
    emit([p.to_dict() for p in found], as_json, lambda: _price_table(found, empty))


def _test_table(found: Capabilities, warning: str, today: str) -> str:
    rows = [
        {"feature": one.feature.words, "state": one.state.value, "evidence": one.told()}
        for one in found.findings
    ]
    ends = [
        {"model": one.id, "ends": one.shutdown_date, "days left": one.days_left(today)}
        for one in by_end(found.models, today)
        if one.shutdown_date
    ]
    parts = [
        f"Asked {found.model or 'no model'} on {found.at[:10]}: {found.cost_text()}.",
        table(rows, ""),
        *filter(None, [found.failure_text()]),
        "dropped: it takes the wish and leaves it out without a word.",
        *([table(ends, "")] if ends else []),
        *([f"Warning: {warning}"] if warning else []),
    ]
    return "\n\n".join(parts)


def _price_table(found: list[ListedPrice], empty: str) -> str:
    rows = [
        {
            "model": p.price.model + ("" if p.price.kind == CHAT else f" ({p.price.kind})"),
            "provider": p.price.provider,
            "input": _usd(p.price.input_usd),
            "output": _usd(p.price.output_usd),
            "batch in": _usd(p.price.batch_input_usd),
            "batch out": _usd(p.price.batch_output_usd),
            "set": "here" if p.is_own else "shipped",
            "as of": p.price.as_of,
            "days old": p.age_days,
        }
        for p in found
    ]
    if not rows:
        return empty
    sources = {p.price.source: None for p in found}  # each once, in order
    return "\n".join(
        [
            table(rows, ""),
            "US dollars for a million tokens; ? is unknown. Your own prices win over shipped ones.",
            *(f"Source: {source}" for source in sources),
        ]
    )


def _usd(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:g}"
