"""Chat questions by nothing but aiohttp: a quarter of the package's work a question."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from studio import __version__
from studio.config import Secret
from studio.errors import ProviderError, ProviderUnavailableError
from studio.providers.base_url import BaseUrl
from studio.providers.chat import Reply
from studio.providers.connection import CONNECT_S, NO_KEY
from studio.providers.failures import (
    broken_off,
    endless,
    not_the_protocol,
    timed_out,
    unreachable,
    unreadable,
)

if TYPE_CHECKING:
    import aiohttp


MOST_BYTES = 64_000_000
"""A larger reply is none: 2,048 vectors, the most that is ever asked for, take half of it."""


class PlainTransport:
    """Keeps as many connections as are asked for at once; see `ChatTransport`.

    Args:
        url: The service's address.
        api_key: Its key; empty for servers that want none.
        timeout_s: The most a reply may take.
    """

    def __init__(self, url: BaseUrl, api_key: str, timeout_s: float) -> None:
        self._url = url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def fetch(self, address: str, body: bytes | None = None) -> Reply:
        """Return the reply of an address to a JSON body, or to nothing."""
        import aiohttp  # who only names a service does without its 12 MB

        session = self._open()
        failure: ProviderError
        try:
            method = "GET" if body is None else "POST"
            async with session.request(method, address, data=body, allow_redirects=False) as told:
                content = await _content(told)
                if content is not None:
                    return Reply(told.status, told.headers, content)
                failure = endless(self._url.host)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
        ):
            failure = unreachable(self._url.host)
        except TimeoutError:
            failure = timed_out(self._url.host)
        except aiohttp.ClientResponseError:
            failure = not_the_protocol(self._url.host)
        except (aiohttp.ClientError, OSError):  # it stood, so the question may have arrived
            failure = broken_off(self._url.host)
        except (ValueError, TypeError, LookupError) as error:
            failure = unreadable(self._url.host, error)
        raise failure

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None:
            self._session, self._loop = self._make(), loop
        if self._loop is not loop:
            raise RuntimeError("a provider belongs to the event loop that used it first")
        return self._session

    def _make(self) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._certificates()),
            timeout=aiohttp.ClientTimeout(
                total=self._timeout_s, sock_connect=min(CONNECT_S, self._timeout_s)
            ),
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Authorization": Secret(f"Bearer {self._api_key or NO_KEY}"),
                "User-Agent": f"rationale-studio/{__version__}",
                **self._account(),
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not `trust_env`: it asks the environment, and a netrc file, anew for each question.
            proxy=self._proxy(),
        )

    def _certificates(self) -> ssl.SSLContext | bool:
        """Return what the package checks a service's certificate by."""
        if not self._url.url.startswith("https:"):
            return True
        import httpx2

        return httpx2.create_ssl_context(trust_env=not self._url.is_local)

    def _proxy(self) -> str | None:
        """Return the proxy of the environment; none for a local address."""
        parts = urlsplit(self._url.url)
        if self._url.is_local or proxy_bypass(parts.netloc):
            return None
        proxies = getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        if not proxy or "://" not in proxy:
            return proxy and f"http://{proxy}"
        if not proxy.startswith(("http://", "https://")):
            raise ProviderUnavailableError(
                f"{self._url.host} cannot be reached by the proxy that the environment names.",
                next_step=f"Set {parts.scheme}_proxy to an address that starts with http://.",
            )
        return proxy

    def _account(self) -> dict[str, str]:
        """Return the account to bill, as OpenAI's package tells it; to nobody else."""
        if not self._url.is_openai:
            return {}
        variables = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
        return {name: value for name, v in variables.items() if (value := os.environ.get(v))}


async def _content(told: aiohttp.ClientResponse) -> bytes | None:
    """Return the body of a reply, None for one that is too large to be any."""
    if told.content_length is not None and "Content-Encoding" not in told.headers:
        return await told.read() if told.content_length <= MOST_BYTES else None
    parts, size = [], 0
    async for part in told.content.iter_any():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
