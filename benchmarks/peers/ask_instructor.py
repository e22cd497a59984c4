"""instructor on the openai client, in its mode for JSON schemas, behind a semaphore."""

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path

import instructor
from openai import AsyncOpenAI
from pydantic import BaseModel

ask = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
Label = StrEnum("Label", {name: name for name in ask["labels"]})


class Reply(BaseModel):
    """What is asked for."""

    label: Label


async def main() -> list[str]:
    """Ask about all texts."""
    client = instructor.from_openai(
        AsyncOpenAI(base_url=ask["url"], api_key="none"), mode=instructor.Mode.JSON_SCHEMA
    )
    gate = asyncio.Semaphore(ask["concurrency"])

    async def one(text: str) -> str:
        said = [{"role": "system", "content": ask["system"]}, {"role": "user", "content": text}]
        async with gate:
            reply = await client.chat.completions.create(
                model="mock", messages=said, response_model=Reply
            )
        return reply.label.value

    return await asyncio.gather(*(one(text) for text in ask["texts"]))


Path(sys.argv[2]).write_text(json.dumps(asyncio.run(main())), encoding="utf-8")
