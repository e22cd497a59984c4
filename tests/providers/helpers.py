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


def ask(answer, do, *, base_url="https://api.example.com/v1", key=KEY, model=""):
    """Run `do(provider)`, every request answered by `answer(request)`; return what it gives."""

    async def main():
        transport = httpx2.MockTransport(answer)
        client = httpx2.AsyncClient(transport=transport)
        provider = OpenAICompatible("p", base_url, key, model, http_client=client)
        try:
            return await do(provider)
        finally:
            await provider.close()

    return asyncio.run(main())


def body_of(request):
    return json.loads(request.content)
