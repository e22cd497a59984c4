"""Which addresses a provider may have: an address is where texts and keys are sent."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.errors import InputError


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """An address that may be spoken to.

    Attributes:
        url: Without a slash at its end.
        host: Name or number, with the port where one was given.
        is_local: Whether it is this machine.
    """

    url: str
    host: str
    is_local: bool

    @property
    def root(self) -> str:
        """The address beside `/v1`, where a server tells its health."""
        return self.url.removesuffix("/v1")

    @property
    def bare_host(self) -> str:
        """Name or number without the port, which is another one after each start of a server."""
        return urlsplit(self.url).hostname or ""

    @property
    def warning(self) -> str:
        """What people must know before they use it; empty where what is sent is encrypted.

        >>> read_base_url("http://10.0.0.5/v1").warning
        'Nothing encrypts what is sent to 10.0.0.5: who is in that network can read texts and key.'
        """
        if self.is_local or self.url.startswith("https:"):
            return ""
        return (
            f"Nothing encrypts what is sent to {self.host}: "
            "who is in that network can read texts and key."
        )

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI itself, the only one that an OpenAI account is told to."""
        return self.bare_host.endswith(".openai.com")


def read_base_url(text: str) -> BaseUrl:
    """Return the address if it is https, this machine, or http to a private address.

    Raises:
        InputError: If it is anything else, or carries a password.

    >>> read_base_url("http://127.0.0.1:8000/v1/")
    BaseUrl(url='http://127.0.0.1:8000/v1', host='127.0.0.1:8000', is_local=True)
    >>> read_base_url("https://api.example.com/v1").is_local
    False
    >>> read_base_url("http://api.example.com/v1")
    Traceback (most recent call last):
    ...
    studio.errors.InputError: The address of api.example.com is not encrypted. Use https; plain \
http is for this machine or a private address given as a number.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(
            "The address of a provider starts with https:// or http://.",
            next_step="For example https://api.openai.com/v1 or http://127.0.0.1:11434/v1.",
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InputError(
            f"The address of {host} carries more than a host and a path.",
            next_step="Give the key by an environment variable, never in the address.",
        )
    is_local, is_private = _kind(host)
    if parts.scheme == "http" and not (is_local or is_private):
        raise InputError(
            f"The address of {host} is not encrypted.",
            next_step="Use https; plain http is for this machine or a private address given as "
            "a number.",
        )
    shown = f"[{host}]" if ":" in host else host
    shown = shown if port is None else f"{shown}:{port}"
    return BaseUrl(f"{parts.scheme}://{shown}{parts.path.rstrip('/')}", shown, is_local)


def _kind(host: str) -> tuple[bool, bool]:
    """Return whether a host is this machine, and whether it is a private address.

    A name other than localhost is neither: what it points at can change. Link-local addresses
    are not private, for there clouds give out credentials.
    """
    if host == "localhost":
        return True, True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False, False
    address = getattr(address, "ipv4_mapped", None) or address
    special = address.is_link_local or address.is_unspecified or address.is_multicast
    return address.is_loopback, address.is_private and not special
