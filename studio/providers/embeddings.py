"""OpenAI's `embeddings`: texts out, one vector of length 1 back for each."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.providers.failures import not_the_protocol
from studio.providers.line import Line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


async def embed(line: Line, model: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return vectors of shape (texts, dimensions), each of length 1.

    Raises:
        ProviderError: If no reply came, it is an error, or not a vector for each text.
    """
    import numpy as np

    body = {"model": model, "input": list(texts), "encoding_format": "base64"}
    told, _ = await line.post("embeddings", json.dumps(body).encode())
    data = told.get("data") if isinstance(told, Mapping) else None
    try:
        rows = sorted(data or [], key=lambda row: row["index"])
        vectors = np.array([_vector(row["embedding"]) for row in rows], dtype=np.float32)
    except (TypeError, ValueError, LookupError):
        raise not_the_protocol(line.host) from None
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise not_the_protocol(line.host)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
    return unit


def _vector(told: Any) -> Any:
    """Return a vector as numbers; some servers send a list whatever is asked for."""
    import numpy as np

    return np.frombuffer(base64.b64decode(told), dtype="<f4") if isinstance(told, str) else told
