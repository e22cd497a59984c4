"""litellm: `acompletion` behind a semaphore, or (mode "threads") its own `batch_completion`."""

import asyncio
import json
import os
import sys
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet at its import
import litellm

ask = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
mode = sys.argv[3]
LABEL = {"enum": ask["labels"], "type": "string"}
SCHEMA = {"type": "object", "properties": {"label": LABEL}, "required": ["label"],
          "additionalProperties": False}  # fmt: skip
OPTIONS = {
    "model": "openai/mock",
    "api_base": ask["url"],
    "api_key": "none",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    },
}


def messages(text: str) -> list[dict[str, str]]:
    """Return the question about a text."""
    return [{"role": "system", "content": ask["system"]}, {"role": "user", "content": text}]


def label(reply: object) -> str:
    """Return the label a reply says."""
    return json.loads(reply.choices[0].message.content)["label"]


async def one_loop() -> list[str]:
    """Ask about all texts from one event loop."""
    gate = asyncio.Semaphore(ask["concurrency"])

    async def one(text: str) -> str:
        async with gate:
            return label(await litellm.acompletion(messages=messages(text), **OPTIONS))

    return await asyncio.gather(*(one(text) for text in ask["texts"]))


if mode == "threads":
    replies = litellm.batch_completion(
        messages=[messages(t) for t in ask["texts"]], max_workers=ask["concurrency"], **OPTIONS
    )
    labels = [label(reply) for reply in replies]
else:
    labels = asyncio.run(one_loop())
Path(sys.argv[2]).write_text(json.dumps(labels), encoding="utf-8")
