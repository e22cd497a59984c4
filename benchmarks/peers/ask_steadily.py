"""One client asked again and again, measured from inside: CPU up to its first answer, and a call.

Run in the environment of the client it names; needs nothing else. It asks once, warms up, and then
asks every text behind a semaphore, with the clock of its own process (all its threads) running.

    python ask_steadily.py WAY ask.json measured.json
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet at its import
WARM = 200
Ask = dict[str, Any]
One = Callable[[str], Awaitable[str]]
Close = Callable[[], Awaitable[None]]


def schema(labels: list[str]) -> dict[str, Any]:
    """Return what a reply must be."""
    return {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": labels}},
        "required": ["label"],
        "additionalProperties": False,
    }


def said(ask: Ask, text: str) -> list[dict[str, str]]:
    """Return the question about a text."""
    return [{"role": "system", "content": ask["system"]}, {"role": "user", "content": text}]


def options(ask: Ask) -> dict[str, Any]:
    """Return the wish for a reply of that shape."""
    about = {"name": "answer", "strict": True, "schema": schema(ask["labels"])}
    return {"response_format": {"type": "json_schema", "json_schema": about}}


def read(reply: Any) -> str:
    """Return the label of a reply."""
    return json.loads(reply.choices[0].message.content)["label"]


def bare(ask: Ask, http_client: Any = None) -> tuple[One, Close]:
    """The openai package, as its own page shows it."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=ask["url"], api_key="none", http_client=http_client)
    wish = options(ask)

    async def one(text: str) -> str:
        return read(
            await client.chat.completions.create(model="mock", messages=said(ask, text), **wish)
        )

    return one, client.close


def bare_aiohttp(ask: Ask) -> tuple[One, Close]:
    """The same on aiohttp, which its page names for many calls at once."""
    from openai import DefaultAioHttpClient

    return bare(ask, DefaultAioHttpClient())


def of_litellm(ask: Ask) -> tuple[One, Close]:
    """litellm, `acompletion`."""
    import litellm

    wish = {"model": "openai/mock", "api_base": ask["url"], "api_key": "none", **options(ask)}

    async def one(text: str) -> str:
        return read(await litellm.acompletion(messages=said(ask, text), **wish))

    return one, litellm.close_litellm_async_clients


def of_instructor(ask: Ask) -> tuple[One, Close]:
    """instructor on the openai package, in its mode for JSON schemas."""
    from enum import StrEnum

    import instructor
    from openai import AsyncOpenAI
    from pydantic import create_model

    labels = StrEnum("Label", {name: name for name in ask["labels"]})
    shape = create_model("Reply", label=(labels, ...))
    bare = AsyncOpenAI(base_url=ask["url"], api_key="none")
    client = instructor.from_openai(bare, mode=instructor.Mode.JSON_SCHEMA)

    async def one(text: str) -> str:
        reply = await client.chat.completions.create(
            model="mock", messages=said(ask, text), response_model=shape
        )
        return reply.label.value

    return one, bare.close


def studio(ask: Ask, by_package: bool = False) -> tuple[One, Close]:
    """The provider that a run asks, by its own transport or by the openai package."""
    from studio.domain.run import Question
    from studio.providers.openai_compatible import OpenAICompatible

    client = None
    if by_package:
        from studio.providers.base_url import read_base_url
        from studio.providers.connection import http_client

        client = http_client(read_base_url(ask["url"]), 60.0)
    provider = OpenAICompatible("mock", ask["url"], "none", "mock", http_client=client)
    labels = tuple(ask["labels"])

    async def one(text: str) -> str:
        messages = tuple(said(ask, text))
        question = Question(model="mock", messages=messages, label_names=labels)
        return (await provider.classify(question)).label or ""

    return one, provider.close


WAYS = {
    "openai": bare,
    "openai-aiohttp": bare_aiohttp,
    "litellm": of_litellm,
    "instructor": of_instructor,
    "studio": studio,
    "studio-package": lambda ask: studio(ask, by_package=True),
}


async def main(way: str, ask: Ask) -> dict[str, Any]:
    """Return what it cost, and the labels."""
    one, close = WAYS[way](ask)
    await one(ask["texts"][0])
    first = time.process_time()
    gate = asyncio.Semaphore(ask["concurrency"])

    async def gated(text: str) -> str:
        async with gate:
            return await one(text)

    await asyncio.gather(*(gated(text) for text in ask["texts"][:WARM]))
    before, began = time.process_time(), time.monotonic()
    labels = await asyncio.gather(*(gated(text) for text in ask["texts"]))
    used, took = time.process_time() - before, time.monotonic() - began
    await close()
    return {
        "first_s": first,
        "cpu_s": used,
        "wall_s": took,
        "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "labels": labels,
    }


if __name__ == "__main__":
    ask = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    found = asyncio.run(main(sys.argv[1], ask))
    Path(sys.argv[3]).write_text(json.dumps(found), encoding="utf-8")
