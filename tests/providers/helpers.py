"""A provider whose network is a function."""

import asyncio
import json

import httpx2

from studio.domain.run import Question
from studio.providers.openai_compatible import OpenAICompatible

QUESTION = Question(
    model="m",
    messages=({"role": "user", "content": '{"text": "hi"}'},),
    label_names=("ham", "spam"),
)
KEY = "sk-canary-4711-do-not-leak"


def completion(content='{"label":"ham"}', *, finish="stop", refusal=None, logprobs=None, **extra):
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": logprobs}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    base = {"id": "c", "object": "chat.completion", "created": 1, "model": "m-2026"}
    return {**base, "choices": [choice], "usage": usage, **extra}


def error(status, *, message="no", code=None, param=None, headers=None):
    body = {"error": {"message": message, "type": "t", "param": param, "code": code}}
    return httpx2.Response(status, json=body, headers=headers)


def response(text='{"label":"ham"}', *, refusal=None, incomplete=None, tokens=(), **extra):
    """Return a reply of /v1/responses."""
    told = {"type": "output_text", "text": text, "annotations": [], "logprobs": list(tokens)}
    content = [{"type": "refusal", "refusal": refusal}] if refusal else [told]
    output = [{"type": "reasoning", "summary": []}]
    if text is not None or refusal:
        output.append({"type": "message", "role": "assistant", "content": content})
    return {
        "id": "r", "object": "response", "model": "m-2026", "output": output, "error": None,
        "status": "incomplete" if incomplete else "completed",
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}, **extra,
    }  # fmt: skip


def decision(probabilities=None, choice="ham", *, shape="openai", **extra):
    """Return a reply of a decision model, in one of the two shapes."""
    told = {"type": "choice", "choice": choice, "confidence": 0.123, **extra}
    if probabilities is not None and shape == "openai":
        told["probabilities"] = [
            {"value": name, "probability": share} for name, share in probabilities.items()
        ]
    elif probabilities is not None:
        told["probabilities"] = probabilities
    answers = [{"name": "label", **told}] if shape == "openai" else {"label": told}
    return {
        "model": "d-2026",
        "answers": answers,
        "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
    }


def ask(answer, do, *, base_url="https://api.example.com/v1", key=KEY, model="", **more):
    """Run `do(provider)`, every request answered by `answer(request)`; return what it gives."""

    async def main():
        transport = httpx2.MockTransport(answer)
        client = httpx2.AsyncClient(transport=transport)
        provider = OpenAICompatible("p", base_url, key, model, http_client=client, **more)
        try:
            return await do(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


def body_of(request):
    return json.loads(request.content)
