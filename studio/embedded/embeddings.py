"""`POST /v1/embeddings`: texts in, vectors out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.embedded.answering import Answerer
from studio.embedded.models import BASE
from studio.embedded.protocol import ApiError, text_field

MOST_INPUTS = 2048


async def embed(body: Mapping[str, Any], answerer: Answerer) -> dict[str, Any]:
    """Return the list of embeddings for a request.

    Raises:
        ApiError: A parameter cannot be used.
    """
    model = text_field(body, "model")
    if model != BASE:
        message = f"The model '{model}' gives no embeddings; use {BASE}."
        raise ApiError(message, status=404, param="model", code="model_not_found")
    known = await answerer.vectors(_inputs(body))
    plain = body.get("encoding_format") != "base64"
    used = sum(one.tokens for one in known)
    data = [
        {
            "object": "embedding",
            "index": number,
            "embedding": one.vector.tolist() if plain else _base64(one.vector),
        }
        for number, one in enumerate(known)
    ]
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _inputs(body: Mapping[str, Any]) -> list[str]:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_INPUTS:
        message = f"input must be a string or a list of 1 to {MOST_INPUTS} strings."
        raise ApiError(message, param="input")
    if not all(isinstance(text, str) for text in texts):
        raise ApiError("input must hold strings; token numbers are not read.", param="input")
    if body.get("dimensions") is not None:
        raise ApiError("dimensions cannot be chosen.", param="dimensions")
    return texts


def _base64(vector: Any) -> str:
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()
