"""The openai package's client behind one door: opened late, its exceptions translated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar, cast

from studio.errors import ProviderError
from studio.providers.base_url import BaseUrl
from studio.providers.failures import unreadable

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

PAGE = 100
"""How many things to ask for at once of a list."""
_MOST_LISTED = 10_000
T = TypeVar("T")
_UNREAD = (AttributeError, TypeError, ValueError, LookupError, OverflowError, RecursionError)

CONNECT_S = 5.0
"""How long to wait for a connection."""
NO_KEY = "no-key"
"""Sent where a server wants no key."""


class Connection:
    """One client for one service, made at the first call, for the event loop of that call.

    The package is imported then, for that takes a second. It never asks again by itself.
    """

    def __init__(
        self,
        url: BaseUrl,
        api_key: str,
        http_client: httpx2.AsyncClient | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.url = url
        self._api_key = api_key
        self._http_client = http_client
        self._timeout_s = timeout_s
        self._client: AsyncOpenAI | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def secrets(self) -> list[str]:
        """What no sentence may repeat."""
        return [self._api_key]

    async def ask(self, call: Callable[[AsyncOpenAI], Awaitable[T]]) -> T:
        """Return what a call gives.

        Args:
            call: Speaks to the client and reads the reply; a reply it cannot read may fail there.

        Raises:
            ProviderError: In place of the package's exceptions, and with no link to them.
        """
        from studio.providers.package_failures import KNOWN, translate

        client = self._open()
        failure: ProviderError
        try:
            return await call(client)
        except KNOWN as error:
            failure = translate(error, self.url.host, self.secrets)
        except _UNREAD as error:
            failure = unreadable(self.url.host, error)
        raise failure

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> AsyncOpenAI:
        loop = asyncio.get_running_loop()
        if self._client is None:
            self._client, self._loop = self._make(), loop
        if self._loop is not loop:
            raise RuntimeError("a provider belongs to the event loop that used it first")
        return self._client

    def _make(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, Omit

        headers: dict[str, Any] = {}
        if not self.url.is_openai:
            headers = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
        return AsyncOpenAI(
            api_key=self._api_key or NO_KEY,
            admin_api_key="",
            base_url=self.url.url,
            timeout=_timeout(self._timeout_s),
            max_retries=0,
            default_headers=cast(dict[str, str], headers),
            http_client=self._http_client or http_client(self.url, self._timeout_s),
        )


async def each(pages: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Go through a paged list; a server that repeats itself, or never ends, ends it."""
    seen: set[str] = set()
    async for thing in pages:
        if thing.id in seen or len(seen) == _MOST_LISTED:
            return
        seen.add(thing.id)
        yield thing


def http_client(url: BaseUrl, timeout_s: float) -> httpx2.AsyncClient:
    """Return what carries the package's requests: no redirects, no cookies, no local proxy."""
    from openai import DefaultAioHttpClient

    return DefaultAioHttpClient(
        timeout=_timeout(timeout_s),
        follow_redirects=False,
        trust_env=not url.is_local,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


def _timeout(seconds: float) -> httpx2.Timeout:
    import httpx2

    return httpx2.Timeout(seconds, connect=min(CONNECT_S, seconds))
