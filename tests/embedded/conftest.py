"""A live server, the SDK to drive it, and the published schema as an oracle."""

import json
import os
import time
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI

from studio.embedded import EmbeddedServer

SHARED = Path(os.environ.get("STUDIO_SHARED", Path(__file__).parents[3] / "shared"))
KETO = [
    "grilled salmon with butter", "roast beef with gravy", "cheese omelette", "bacon and eggs",
    "chicken thighs in cream", "tuna salad with mayonnaise", "lamb chops", "steamed spinach",
    "fried shrimp in garlic butter", "pork belly", "turkey breast", "boiled eggs",
]  # fmt: skip
NOT_KETO = [
    "spaghetti bolognese", "fried rice with peas", "apple pie", "chocolate cake", "baked potato",
    "white bread with jam", "oatmeal with honey", "corn tortilla chips", "lentil soup",
    "pancakes with syrup", "fruit salad", "sweet rice pudding",
]  # fmt: skip
PROMPT = """Decide whether a dish fits a keto diet.
Think step by step.

Labels:
- keto: a dish with very few carbohydrates: meat, fish, eggs, cheese and green vegetables
- not_keto: a dish with starch, sugar or fruit, such as bread, pasta, rice or sweets

Reasons:
- keto: grilled meat and fish carry no starch
- not_keto: rice, pasta and bread are starch

Answer with one label."""


def strict(*labels):
    """Return the response_format the studio sends."""
    field = {"type": "string", "enum": list(labels)}
    schema = {
        "type": "object",
        "properties": {"label": field},
        "required": ["label"],
        "additionalProperties": False,
    }
    about = {"name": "label", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": about}


def messages(text, system=PROMPT, shots=()):
    said = [{"role": "system", "content": system}] if system else []
    for shot, label in shots:
        said.append({"role": "user", "content": json.dumps({"text": shot})})
        said.append({"role": "assistant", "content": json.dumps({"label": label})})
    return [*said, {"role": "user", "content": json.dumps({"text": text})}]


def jsonl(rows, system=PROMPT):
    lines = []
    for text, label in rows:
        turn = {"role": "assistant", "content": json.dumps({"label": label})}
        lines.append(json.dumps({"messages": [*messages(text, system), turn]}))
    return ("\n".join(lines) + "\n").encode()


def dishes():
    return [(text, "keto") for text in KETO] + [(text, "not_keto") for text in NOT_KETO]


def finished(client, job, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = client.fine_tuning.jobs.retrieve(job)
        if found.status in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the job is still {found.status}")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with EmbeddedServer(tmp_path_factory.mktemp("embedded")) as running:
        yield running


@pytest.fixture(scope="session")
def client(server):
    with OpenAI(base_url=server.url, api_key=server.token, max_retries=0) as made:
        yield made


@pytest.fixture
def label(client):
    """Ask for one label; return (label, the studio's extension field)."""

    def ask(text, system=PROMPT, labels=("keto", "not_keto"), shots=(), model="studio-encoder"):
        extra = {"response_format": strict(*labels)} if labels else {}
        reply = client.chat.completions.create(
            model=model, messages=messages(text, system, shots), **extra
        )
        told = reply.model_extra["studio"]
        return json.loads(reply.choices[0].message.content)["label"], told

    return ask


@pytest.fixture(scope="session")
def trained(client):
    """A job that has trained a model, with a validation file and a hyperparameter in vain."""
    training = client.files.create(file=("dishes.jsonl", jsonl(dishes() * 2)), purpose="fine-tune")
    extra = [("grilled trout", "keto"), ("garlic bread", "not_keto"), ("apple pie", "not_keto")]
    held = client.files.create(file=("held.jsonl", jsonl(extra)), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="studio-encoder",
        training_file=training.id,
        validation_file=held.id,
        suffix="Dishes 1",
        seed=3,
        metadata={"task": "keto"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    )
    return finished(client, job.id)


@pytest.fixture(scope="session")
def oracle():
    """Check a reply against the published schema of an operation."""
    path = SHARED / "openapi" / "openai-22-operations.json"
    if not path.is_file():
        pytest.skip(f"no published schema at {path}: set STUDIO_SHARED")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    spec = json.loads(path.read_text())
    registry = Registry().with_resource("spec:", Resource(spec, DRAFT202012))

    def check(method, address, body):
        response = spec["paths"][address][method]["responses"]["200"]
        schema = response["content"]["application/json"]["schema"]
        absolute = json.loads(json.dumps(schema).replace('"#/', '"spec:#/'))
        Draft202012Validator(absolute, registry=registry).validate(body)

    return check


@pytest.fixture
def raw(server):
    with httpx2.Client(headers={"authorization": f"Bearer {server.token}"}, timeout=30) as made:
        yield lambda method, path, **more: made.request(method, server.url + path, **more)


@pytest.fixture
def ask(raw, oracle):
    """Call an operation, check its reply against the schema, return it."""

    def call(method, path, operation, **more):
        reply = raw(method, path, **more)
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-request-id"].startswith("req_")
        oracle(method.lower(), operation, reply.json())
        return reply.json()

    return call
