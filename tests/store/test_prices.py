"""The shipped price table, the prices people set, and which of them counts."""

import datetime
import json
from dataclasses import dataclass, replace

import pytest

from studio.config import data_folder
from studio.domain.price import DECISIONS, FREE, Price
from studio.domain.run import Wire


@dataclass
class Service:
    name: str = "openai"
    host: str = "api.openai.com"
    is_local: bool = False
    wire: Wire = Wire.AUTO


OWN = Price(provider="openai", model="gpt-6-luna", input_usd=7.0, output_usd=9.0, source="contract",
            as_of="2026-11-01")  # fmt: skip
AUTUMN = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def ws(open_studio):
    return open_studio(clock=lambda: AUTUMN)


def test_the_shipped_table_has_its_shape():
    rows = json.loads((data_folder() / "prices.json").read_text(encoding="utf-8"))
    columns = "model host kind unit input cached output batch_input batch_output"
    assert {tuple(row) for row in rows} == {(*columns.split(), "source", "as_of", "expires")}
    assert len({(row["host"], row["model"], row["kind"]) for row in rows}) == len(rows)
    for row in rows:
        assert row["kind"] in ("chat", "decisions", "training")
        assert row["unit"] == "USD per 1,000,000 tokens"
        assert row["source"]
        assert datetime.date.fromisoformat(row["as_of"]) <= datetime.date(2026, 11, 22)
        assert row["expires"] is None or datetime.date.fromisoformat(row["expires"])
        amounts = [row[c] for c in ("input", "cached", "output", "batch_input", "batch_output")]
        assert all(n is None or (isinstance(n, int | float) and n >= 0) for n in amounts)
        assert row["input"] > 0
        assert row["output"] > 0 or row["kind"] != "chat"  # others charge for what is sent only
        assert (row["batch_input"] is None) == (row["batch_output"] is None)


@pytest.mark.parametrize(
    ("model", "rates"),
    [
        ("gpt-6-luna", (0.1, 0.5, 0.05, 0.25)),
        ("gpt-6-luna-2026-09-30", (0.1, 0.5, 0.05, 0.25)),
        ("gpt-4o-mini-2024-07-18", (0.15, 0.6, 0.075, 0.3)),
        ("ft:gpt-4.1-mini-2025-04-14:acme:keto:AbC1", (0.8, 3.2, 0.4, 1.6)),
        ("ft:gpt-4o-2024-08-06:acme::AbC1", (3.75, 15.0, None, None)),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(ws, model, rates):
    found = ws.price(Service(), model)
    assert rates == (
        found.input_usd, found.output_usd, found.batch_input_usd, found.batch_output_usd
    )  # fmt: skip


@pytest.mark.parametrize(
    "model",
    ["gpt-4o", "gpt-6", "gpt-6-luna-nano", "ft:gpt-4.1-nano-2025-04-14:acme::AbC1", "llama-3", ""],
)
def test_another_member_of_a_family_has_no_price(ws, model):
    assert ws.price(Service(), model) is None


def test_the_batch_of_a_model_without_a_batch_price_is_unknown(ws):
    price = ws.price(Service(), "ft:gpt-4o:acme::AbC1")
    assert price.cost(1_000_000, 1_000_000) == 18.75
    assert price.cost(1_000_000, 1_000_000, in_batch=True) is None


def test_a_price_that_expired_is_unknown(open_studio):
    later = datetime.datetime(2027, 1, 14, tzinfo=datetime.UTC).timestamp()
    ws = open_studio(clock=lambda: later)
    assert ws.price(Service(), "gpt-4o-mini") is None
    assert ws.price(Service(), "gpt-6-luna") is not None


def test_what_people_set_goes_before_what_is_shipped(ws):
    ws.store.prices.set(OWN, by="Ada", at=ws.now())
    assert ws.price(Service(), "gpt-6-luna-2026-09-30") == OWN
    assert ws.price(Service(name="other"), "gpt-6-luna").input_usd == 0.1
    assert ws.store.prices.unset("openai", "gpt-6-luna")
    assert not ws.store.prices.unset("openai", "gpt-6-luna")
    assert ws.price(Service(), "gpt-6-luna").input_usd == 0.1


def test_setting_a_price_again_replaces_it(ws):
    for _ in range(2):
        ws.store.prices.set(OWN, by="Ada", at=ws.now())
    assert ws.read.prices.own() == [OWN]


def test_this_machine_is_free_and_an_unknown_service_is_not(ws):
    here = Service(name="ollama", host="127.0.0.1:11434", is_local=True)
    assert ws.price(here, "llama-3") is FREE
    assert ws.price(Service(name="x", host="api.example.com"), "gpt-6-luna") is None
    meter = Price(provider="ollama", model="llama-3", input_usd=0.01, output_usd=0.02)
    ws.store.prices.set(meter, by="Ada", at=ws.now())  # somebody counts the electricity
    assert ws.price(here, "llama-3") == meter


def test_decisions_have_the_price_of_decisions_where_there_is_one(ws):
    decider = Service(wire=Wire.DECISIONS)
    assert ws.price(decider, "gpt-6-luna").output_usd == 0  # their replies are free
    assert ws.price(Service(), "gpt-6-luna").output_usd == 0.5
    assert ws.price(decider, "gpt-6-sol").kind == "chat"
    ws.store.prices.set(OWN, by="Ada", at=ws.now())
    assert ws.price(decider, "gpt-6-luna") == OWN  # people's own go first, of either kind
    own = replace(OWN, kind=DECISIONS, output_usd=0.0)
    ws.store.prices.set(own, by="Ada", at=ws.now())
    assert ws.price(decider, "gpt-6-luna") == own
    assert ws.price(Service(), "gpt-6-luna") == OWN
