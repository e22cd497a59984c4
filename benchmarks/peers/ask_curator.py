"""bespokelabs-curator: an LLM block with a Pydantic reply; it keeps its own cache on disk."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

ask = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
litellm = Path(find_spec("litellm").origin).parent
os.environ |= {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "TELEMETRY_ENABLED": "false",
    "OPENAI_API_KEY": "none",
    "CURATOR_CACHE_DIR": sys.argv[3],
    # Without it tiktoken downloads its table when the block is made; litellm brings a copy.
    "TIKTOKEN_CACHE_DIR": str(litellm / "litellm_core_utils" / "tokenizers"),
}
from bespokelabs import curator  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Reply(BaseModel):
    """What is asked for."""

    label: Literal[tuple(ask["labels"])]


class Asker(curator.LLM):
    """The question, and what is made of its reply."""

    response_format = Reply

    def prompt(self, row: dict) -> list[dict]:
        """Return the question about a text."""
        return [
            {"role": "system", "content": ask["system"]},
            {"role": "user", "content": row["text"]},
        ]

    def parse(self, row: dict, reply: Reply) -> dict:
        """Return the row with its label."""
        return {"text": row["text"], "label": reply.label}


asker = Asker(
    model_name="gpt-4o-mini",  # a name it knows to take schemas; the service does not mind
    backend="openai",
    backend_params={
        "base_url": ask["url"],
        "max_concurrent_requests": ask["concurrency"],
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 10_000_000_000,
    },
)
rows = asker([{"text": text} for text in ask["texts"]]).dataset
found = {row["text"]: row["label"] for row in rows}
Path(sys.argv[2]).write_text(json.dumps([found[t] for t in ask["texts"]]), encoding="utf-8")
