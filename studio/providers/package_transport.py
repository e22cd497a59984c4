"""Chat questions by the openai package."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studio.providers.chat import Reply
from studio.providers.connection import Connection
from studio.providers.failures import timed_out

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class PackageTransport:
    """The package's client; see `ChatTransport`.

    Args:
        connection: Whose client is used.
        timeout_s: The most a reply may take.
    """

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def fetch(self, address: str, body: bytes | None = None) -> Reply:
        """Return the reply of an address to a JSON body, or to nothing."""

        async def call(client: AsyncOpenAI) -> Reply:
            from openai import APIStatusError, HttpxBinaryResponseContent

            try:
                if body is None:
                    raw = await client.get(address, cast_to=HttpxBinaryResponseContent)
                else:
                    # Not `chat.completions.create`: its walk through the types of a body that is
                    # plain already was half the work of a question.
                    raw = await client.post(
                        address, content=body, cast_to=HttpxBinaryResponseContent
                    )
            except APIStatusError as error:
                told = error.response
            else:
                told = raw.response
            return Reply(told.status_code, told.headers, told.content)

        try:
            async with asyncio.timeout(self._timeout_s):  # the package bounds single reads only
                return await self._connection.ask(call)
        except TimeoutError:
            pass
        raise timed_out(self._connection.url.host)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._connection.close()
