"""Prices of one's own: set, taken back, refused; listed beside the shipped ones."""

import datetime

import pytest

from studio.actions.prices import edit_prices, list_prices
from studio.actions.providers import add_provider
from studio.domain.price import Price
from studio.errors import InputError, NotFoundError

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC).timestamp()


@pytest.fixture
def ws(open_studio):
    ws = open_studio(provider="real", clock=lambda: NOON)
    add_provider(ws, name="openai", base_url="https://api.openai.com/v1", by="Ada")
    add_provider(ws, name="far", base_url="https://far.example/v1", by="Ada")
    return ws


def own(**more):
    return Price(**{"provider": "far", "model": "m", "input_usd": 1.0, "output_usd": 2.0} | more)


def test_a_price_of_ones_own_is_dated_and_has_a_source(ws):
    (kept,) = edit_prices(ws, put=[own(model=" m ")], by="Ada")
    assert (kept.model, kept.source, kept.as_of) == ("m", "set by Ada", "2026-11-22")
    assert ws.price(ws.provider("far"), "m") == kept


def test_one_list_shows_what_is_set_here_and_what_is_shipped(ws):
    edit_prices(ws, put=[own(), own(provider="openai", model="gpt-6-luna")], by="Ada")
    listed = list_prices(ws)
    assert [(p.price.provider, p.is_own) for p in listed][:2] == [("far", True), ("openai", True)]
    assert not any(p.is_own for p in listed[2:])
    assert listed[2].age_days == 39
    of_openai = list_prices(ws, "openai")
    assert {p.price.provider for p in of_openai} == {"openai", "api.openai.com"}
    assert len(list_prices(ws, "far")) == 1
    assert list_prices(ws, "embedded") == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (own(model=" "), "no model"),
        (own(input_usd=-1.0), "input price of m must be 0 or more"),
        (own(output_usd=float("nan")), "output price of m must be"),
        (own(batch_input_usd=1.0), "Only one of the two batch prices of m"),
        (own(kind="tuning"), "'tuning' is nothing that is paid for"),
        (own(kind="training"), "Training m has one price"),
    ],
)
def test_what_cannot_be_a_price_is_refused_and_nothing_is_kept(ws, wrong, says):
    with pytest.raises(InputError, match=says):
        edit_prices(ws, put=[own(model="fine"), wrong], by="Ada")
    assert ws.read.prices.own() == []


def test_a_provider_must_be_there_except_the_embedded_one(ws):
    with pytest.raises(NotFoundError, match="'nobody'"):
        edit_prices(ws, put=[own(provider="nobody")], by="Ada")
    edit_prices(ws, put=[own(provider="embedded")], by="Ada")
    with pytest.raises(NotFoundError):
        list_prices(ws, "nobody")


def test_taking_back_and_setting_is_all_or_nothing(ws):
    edit_prices(ws, put=[own()], by="Ada")
    with pytest.raises(InputError, match="'gone'"):
        edit_prices(
            ws,
            put=[own(model="new")],
            drop=[("far", "m", "chat"), ("far", "gone", "chat")],
            by="Ada",
        )
    assert [p.model for p in ws.read.prices.own()] == ["m"]
    edit_prices(ws, drop=[("far", "m", "chat")], by="Ada")
    assert ws.price(ws.provider("far"), "m") is None


def test_training_and_asking_a_model_are_two_prices(ws):
    training = own(kind="training", input_usd=7.0, output_usd=0.0)
    edit_prices(ws, put=[own(), training], by="Ada")
    far = ws.provider("far")
    assert ws.price(far, "m", "training").input_usd == 7.0
    assert ws.price(far, "m").input_usd == 1.0
    edit_prices(ws, drop=[("far", "m", "training")], by="Ada")
    assert ws.price(far, "m", "training") is None
    assert ws.price(far, "m").input_usd == 1.0
    with pytest.raises(InputError, match=r"'m' \(training\) at 'far'"):
        edit_prices(ws, drop=[("far", "m", "training")], by="Ada")
