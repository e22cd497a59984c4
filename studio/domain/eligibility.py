"""Where a hosted model can still be trained, until when, and what to do where it cannot.

The table is read from public pages, not from the services: what a service itself says wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from studio.domain.capability import days_between

AS_OF = "2026-11-22"
EMBEDDED = (
    "Train with the embedded provider: it stays on this machine, takes seconds and has no end date."
)
OTHERS = "Or export the training set for a service that still trains (docs/finetuning.md)."


class Access(StrEnum):
    """Whether a service trains a model for people."""

    ALLOWED = "allowed"
    CLOSING = "closing"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Whether a model can be trained somewhere on a day.

    Attributes:
        access: The short of it.
        sentence: Why, in words; empty where nothing need be said.
        instead: What to do; empty where nothing need be done.
        days_left: Days on which a training can still be launched, today not counted; None where
            no end is known.
        source: Where the table has it from.
        as_of: The day it was read, in ISO form.
    """

    access: Access
    sentence: str = ""
    instead: str = ""
    days_left: int | None = None
    source: str = ""
    as_of: str = ""

    @property
    def warning(self) -> str:
        """What people should read before they launch; empty where there is nothing to warn of."""
        return f"{self.sentence} {self.instead}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The end of a base model, and of everything trained on it.

    Attributes:
        model: Its name; with a date where only that snapshot could be trained.
        day: The first day it does not answer, in ISO form.
    """

    model: str
    day: str


OPENAI_LAST_DAY = "2027-01-06"
"""OpenAI creates no training after this day, for anybody."""
OPENAI_BASES = (
    Retirement(model="gpt-4o-2024-08-06", day="2027-01-14"),
    Retirement(model="gpt-4o-2024-11-20", day="2027-01-14"),
    Retirement(model="gpt-4o-mini-2024-07-18", day="2027-01-14"),
    Retirement(model="gpt-4.1-2025-04-14", day="2027-01-14"),
    Retirement(model="gpt-4.1-mini-2025-04-14", day="2027-01-14"),
    Retirement(model="gpt-4.1-nano-2025-04-14", day="2026-10-23"),
    Retirement(model="gpt-3.5-turbo", day="2026-10-23"),
    Retirement(model="o4-mini-2025-04-16", day="2026-10-23"),
    Retirement(model="babbage-002", day="2026-10-23"),
    Retirement(model="davinci-002", day="2026-10-23"),
)
OPENAI_SOURCE = "https://developers.openai.com/api/docs/deprecations"
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_OTHER_API = {
    "together": (("together.xyz", "together.ai"), "https://docs.together.ai/docs/fine-tuning"),
    "fireworks": (("fireworks.ai",), "https://docs.fireworks.ai/fine-tuning"),
    "mistral": (("mistral.ai",), "https://docs.mistral.ai/capabilities/finetuning"),
}
_EXPORTS = {"together": "together", "fireworks": "fireworks"}
_AZURE = ("openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com")
_AZURE_SOURCE = "https://learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning"


def eligibility(host: str, base_model: str, today: str) -> Eligibility:
    """Return whether a model can be trained at a host on a day.

    Args:
        host: Name of the service's machine, with or without a port; empty for this machine.
        base_model: What to start from; empty where it is not named.
        today: The day in ISO form.

    >>> found = eligibility("api.openai.com", "gpt-4.1-mini", "2026-11-22")
    >>> found.access.value, found.days_left
    ('closing', 45)
    >>> eligibility("api.openai.com", "gpt-4.1-mini", "2027-01-07").access.value
    'closed'
    >>> print(eligibility("api.openai.com", "gpt-6-luna", "2026-11-22").sentence)
    gpt-6-luna cannot be trained at OpenAI.
    >>> eligibility("", "", "2026-11-22").access.value
    'allowed'
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not name:
        return Eligibility(access=Access.ALLOWED)
    if _is_of(name, ("openai.com",)):
        return _at_openai(_base_of(base_model), today)
    if is_azure(name):
        return _at_azure()
    for service, (domains, source) in _OTHER_API.items():
        if _is_of(name, domains):
            return _by_another_api(service, name, source)
    return Eligibility(
        access=Access.UNKNOWN,
        sentence=f"Whether {host} trains models is not known here.",
        instead="`studio provider test` shows whether it has the paths for it.",
    )


def is_azure(host: str) -> bool:
    """Return whether a host is Azure OpenAI, where a model answers only once it is deployed.

    >>> is_azure("mine.openai.azure.com"), is_azure("openai.azure.com.evil.example")
    (True, False)
    """
    return _is_of(host, _AZURE)


def before_use(host: str, model: str) -> str:
    """Return what must be done before a trained model answers; empty where it answers at once.

    >>> before_use("api.openai.com", "ft:gpt-4.1-mini:x")
    ''
    """
    if not model or not is_azure(host):
        return ""
    return (
        f"Azure answers by deployments: deploy {model} there under exactly that name, which is "
        "what the studio asks for. A deployment is charged by the hour even while nobody asks it."
    )


def _at_openai(base: str, today: str) -> Eligibility:
    left = days_between(today, OPENAI_LAST_DAY)
    known = Eligibility(
        access=Access.CLOSED, instead=f"{EMBEDDED} {OTHERS}", source=OPENAI_SOURCE, as_of=AS_OF
    )
    if left is None or left < 0:
        return replace(
            known,
            sentence=f"OpenAI trains no new models since {OPENAI_LAST_DAY}, for anybody.",
        )
    found = next((one for one in OPENAI_BASES if _is_same(one.model, base)), None)
    if found is not None and found.day <= today:
        return replace(
            known,
            sentence=f"{base} was retired on {found.day}, and all that was trained on it.",
        )
    if base.startswith(("gpt-5", "gpt-6")):
        return replace(
            known,
            sentence=f"{base} cannot be trained at OpenAI.",
            instead=f"{EMBEDDED} Or name one of {_open_bases(today)} as the base model.",
        )
    sentence = (
        "OpenAI trains only for organisations that trained before 2026-05-07 and lately used what "
        f"they trained, and for nobody after {OPENAI_LAST_DAY} ({_days(left)})."
    )
    if found is not None:
        sentence += f" {base} and all that is trained on it end on {found.day}."
    elif base:
        sentence += f" Whether {base} can be trained is not known; {_open_bases(today)} can."
    else:
        sentence += f" Name a base model: {_open_bases(today)}."
    access = Access.UNKNOWN if found is None else Access.CLOSING
    return replace(known, access=access, sentence=sentence, instead=EMBEDDED, days_left=left)


def _at_azure() -> Eligibility:
    return Eligibility(
        access=Access.UNKNOWN,
        sentence="Which models Azure trains, and until when, differs by region and is not known "
        "here. A model trained there answers only once you deployed it, which is charged by the "
        "hour.",
        instead="Look at the list of models of your region first. Reinforcement fine-tuning is not "
        "offered here.",
        source=_AZURE_SOURCE,
        as_of=AS_OF,
    )


def _by_another_api(service: str, host: str, source: str) -> Eligibility:
    export = (
        f"`studio trainingset export --format {_EXPORTS[service]}` writes the file for it"
        if service in _EXPORTS
        else "`studio trainingset export` writes chat lines that it takes"
    )
    return Eligibility(
        access=Access.CLOSED,
        sentence=f"{host} trains by an interface of its own, which the studio does not speak.",
        instead=f"{export}; docs/finetuning.md says what to do there. {EMBEDDED}",
        source=source,
        as_of=AS_OF,
    )


def _base_of(model: str) -> str:
    """Return the base of a model that may be a trained one itself.

    >>> _base_of("ft:gpt-4.1-mini-2025-04-14:org::abc"), _base_of(" gpt-4.1 ")
    ('gpt-4.1-mini-2025-04-14', 'gpt-4.1')
    """
    clean = model.strip()
    return clean.split(":")[1] if clean.startswith("ft:") and clean.count(":") > 1 else clean


def _is_same(listed: str, given: str) -> bool:
    """Return whether a name means a listed model; a name without a date means its snapshot."""
    return given == listed or (given != "" and given == _SNAPSHOT.sub("", listed))


def _open_bases(today: str) -> str:
    return ", ".join(one.model for one in OPENAI_BASES if one.day > today)


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _days(left: int) -> str:
    return {0: "today is the last day", 1: "1 day left"}.get(left, f"{left} days left")
