"""Keys stay with the host they are for: no way to a service follows it elsewhere."""

import asyncio

import pytest

from studio.errors import ProviderError
from studio.providers.openai_compatible import OpenAICompatible
from tests.providers.helpers import KEY, QUESTION
from tests.providers.loopback import Loopback, Raw, http

WAYS = {
    "ask (plain)": lambda p: p.classify(QUESTION),
    "models (plain)": lambda p: p.models(),
    "upload (package)": lambda p: p.upload(b"{}\n", "t.jsonl"),
    "training (package)": lambda p: p.fine_tune("ft-1"),
    "events (package)": lambda p: p.fine_tune_events("ft-1"),
    "batch (package)": lambda p: p.batch("b-1"),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_follows_to_another_host(way, status):
    async def main():
        async with Loopback(lambda _: Raw([http(200, b"{}")])) as elsewhere:
            target = elsewhere.url.encode()
            moved = Raw([http(status, headers=[("Location", target)])])
            async with Loopback(lambda _: moved) as server:
                provider = OpenAICompatible("p", server.url, KEY, "m")
                try:
                    with pytest.raises(ProviderError) as raised:
                        await WAYS[way](provider)
                finally:
                    await provider.close()
                return raised.value, server.requests, elsewhere.connections

    error, requests, strangers = asyncio.run(main())
    assert "points to another address" in str(error)
    assert KEY not in str(error)
    assert len(requests) == 1
    assert strangers == 0
