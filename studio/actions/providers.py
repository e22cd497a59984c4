"""What people do with providers: add them, test them, choose one, look who agreed to what."""

from __future__ import annotations

import re
from dataclasses import replace

from studio.domain.capability import Capabilities
from studio.domain.estimate import Estimate
from studio.domain.job import Job, Want
from studio.domain.run import Wire
from studio.errors import InputError, NotFoundError
from studio.providers.base_url import read_base_url
from studio.providers.probing import likely_size, most_size
from studio.store.providers import Consent, ProviderEntry
from studio.workspace import DEFAULT_PROVIDER, Workspace

EMBEDDED = "embedded"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LONG = 24


def add_provider(
    ws: Workspace, *, name: str, base_url: str, key_env: str = "", model: str = "",
    wire: Wire = Wire.AUTO, by: str,
) -> ProviderEntry:  # fmt: skip
    """Add a service that speaks OpenAI's protocol or System One.

    Its key stays in the environment and is never stored.

    Raises:
        InputError: If the name is taken by the embedded server, the address is not allowed, or
            what should name a key looks like one.
    """
    clean = name.strip()
    if not clean or clean == EMBEDDED:
        raise InputError(f"A provider cannot be called {name!r}.", next_step="Choose another name.")
    read_base_url(base_url)
    if key_env and (not _NAME.fullmatch(key_env) or _looks_like_a_key(key_env)):
        raise InputError(
            "The key is given by the name of a variable, not by itself.",
            next_step="Set e.g. OPENAI_API_KEY in the environment and name that.",
        )
    entry = ProviderEntry(
        name=clean, base_url=base_url.strip(), key_env=key_env, model=model, wire=wire
    )
    ws.store.providers.save(entry, by=by, at=ws.now())
    return entry


def warning_of(ws: Workspace, name: str) -> str:
    """Return what people must know before they use a provider; empty as a rule."""
    return "" if name == EMBEDDED else read_base_url(ws.read.providers.get(name).base_url).warning


def _looks_like_a_key(name: str) -> bool:
    """Return whether what should name a variable is long, with small letters and digits."""
    has = (any(map(kind, name)) for kind in (str.islower, str.isdigit))
    return len(name) >= _LONG and all(has)


def start_probe(ws: Workspace, name: str) -> int:
    """File the job that tests what a provider can do, and return its id; one under way is kept.

    It sends sentences of ours only, so nobody has to agree to it.

    Raises:
        NotFoundError: If there is no provider of this name.
    """
    _known(ws, name)
    with ws.store.transaction():
        latest = _latest(ws, name)
        if latest is not None and not latest.status.is_final:
            job_id = latest.id
            ws.store.jobs.ask(job_id, Want.RUN, ws.clock())
        else:
            job_id = ws.store.jobs.file(
                kind="probe", subject_id=0, total=0, now=ws.clock(),
                params={"provider": name, "priority": "high"},
            )  # fmt: skip
    ws.wake()
    return job_id


def estimate_probe(ws: Workspace, name: str) -> Estimate:
    """Return what a test of a provider likely asks and costs, and the most it can cost.

    Raises:
        NotFoundError: If there is no provider of this name.
    """
    service = ws.provider(name)
    price = ws.price(service, service.default_model)
    likely, most = likely_size(), most_size()
    return Estimate(
        examples=likely.questions, host=service.host, is_local=service.is_local,
        model=service.default_model, input_tokens=likely.input_tokens,
        output_tokens=likely.output_tokens, price=price,
        cost_usd=price.cost(likely.input_tokens, likely.output_tokens) if price else None,
        most_usd=price.cost(most.input_tokens, most.output_tokens) if price else None,
    )  # fmt: skip


def probe_result(ws: Workspace, name: str) -> Capabilities:
    """Return what the latest test of a provider found.

    Raises:
        NotFoundError: If it was never tested.
    """
    found = ws.read.providers.capabilities(name)
    if found is None:
        raise NotFoundError(
            f"The provider {name!r} was never tested.",
            next_step=f"Use `studio provider test {name}`.",
        )
    return found


def choose_provider(ws: Workspace, name: str, *, model: str = "", by: str) -> str:
    """Make a provider the one used where none is named, with a model if one is named.

    Returns:
        The model it is asked for where none is named; empty where that is up to the service.

    Raises:
        NotFoundError: If there is no provider of this name.
        InputError: If another model is wished of the embedded provider.
    """
    _known(ws, name)
    if name == EMBEDDED and model:
        raise InputError(
            "The embedded provider has one model for prompts.",
            next_step="Models you trained are named with --model when a run is started.",
        )
    with ws.store.transaction():
        if model:
            entry = replace(ws.store.providers.get(name), model=model)
            ws.store.providers.save(entry, by=by, at=ws.now())
        ws.store.tasks.set_setting(DEFAULT_PROVIDER, name)
    return "" if name == EMBEDDED else ws.store.providers.get(name).model


def ending_model(ws: Workspace, provider: str = "", model: str = "") -> str:
    """Return the warning that a model ends soon, or has; empty where none is known to.

    Args:
        ws: The workspace.
        provider: Where; the default one when empty.
        model: Which; the one that is asked where none is named when empty.
    """
    name = provider or ws.default_provider
    found = ws.read.providers.capabilities(name)
    if found is None:
        return ""
    return found.ending(model or found.model, ws.now()[:10])


def withdraw_consent(ws: Workspace, consent_id: int, *, by: str) -> list[Consent]:
    """Take back that a task's texts may be sent to a host; it is asked for again from then on.

    Runs under way go on: cancel them, too, if nothing more must be sent.

    Returns:
        The consents that were taken back: all of that task and host.

    Raises:
        InputError: If there is none of this number, or it was taken back before.
    """
    at = ws.now()
    if not ws.store.providers.withdraw_consent(consent_id, by=by, at=at):
        raise InputError(
            f"No consent {consent_id} is in force.", next_step="See `studio provider consents`."
        )
    consents = ws.store.providers.consents()
    chosen = next(one for one in consents if one.id == consent_id)
    place = (chosen.task, chosen.host, chosen.withdrawn_at)
    return [one for one in consents if (one.task, one.host, one.withdrawn_at) == place]


def _known(ws: Workspace, name: str) -> None:
    if name != EMBEDDED:
        ws.store.providers.get(name)


def _latest(ws: Workspace, name: str) -> Job | None:
    job_id = ws.store.providers.latest_probe(name)
    return None if job_id is None else ws.store.jobs.get(job_id)
