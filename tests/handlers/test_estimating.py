"""What a run would ask, cost and take: close to what it then does, and honest where unknown."""

import dataclasses

import pytest

from studio.actions.previews import estimate_preview, preview_prompt
from studio.actions.prices import edit_prices
from studio.actions.prompts import save_prompt
from studio.actions.providers import add_provider
from studio.actions.rules import read_rule, save_rule
from studio.actions.runs import Choice, estimate_run, run_status, start_run
from studio.domain.price import Price
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome, Usage
from studio.domain.tokens import likely_tokens
from studio.errors import ConsentNeededError, InputError
from studio.handlers.estimating import EMBEDDED_RATE
from studio.providers.scripted import ScriptedProvider

PRICE = Price(provider="far", model="scripted", input_usd=1.0, output_usd=10.0, source="contract")


def answer(question):
    sent = sum(likely_tokens(message["content"]) for message in question.messages)
    return Answer(outcome=Outcome.OK, label="ham", model="scripted-1",
                  usage=Usage(input_tokens=sent, output_tokens=7))  # fmt: skip


@pytest.fixture
def far():
    service = ScriptedProvider(answer, name="far")
    service.host, service.is_local, service.identity = "far.example", False, "far@far.example"
    return service


@pytest.fixture
def here():
    return ScriptedProvider(answer, name="embedded")


@pytest.fixture
def ws(open_studio, far, here):
    ws = open_studio(provider={"far": far, "embedded": here})
    add_provider(ws, name="far", base_url="https://far.example/v1", by="Ada")
    return ws


@pytest.fixture
def prompt(ws, fill):
    task = fill(ws)
    return save_prompt(ws, task.id, name="p", body=PromptText(instructions="Is it?"), by="Ada")


def told(ws, **more):
    return estimate_run(ws, 1, **{"choice": Choice(prompt="p"), "provider": "far"} | more)


def test_an_unknown_price_is_said_and_never_0(ws, prompt):
    found = told(ws)
    assert (found.questions, found.host) == (18, "far.example")
    assert found.cost_usd is found.most_usd is found.seconds is None
    assert found.input_tokens > 0
    assert "at an unknown price" in found.sentence()
    assert "tokens, estimate (" in found.sentence()
    assert "time unknown" in found.sentence()


def test_an_estimate_is_near_the_truth_and_below_its_bound(ws, prompt, work, far):
    edit_prices(ws, put=[PRICE], by="Ada")
    before = told(ws)
    run = start_run(ws, 1, choice=Choice(prompt="p"), provider="far", consent=True, by="Ada")
    work(ws)
    spent = run_status(ws, run.id)["cost_usd"]
    assert far.calls == before.questions == 18
    assert spent / 2 < before.cost_usd < spent * 2
    assert before.most_usd > spent


def test_what_was_answered_before_costs_nothing(ws, prompt, work):
    edit_prices(ws, put=[PRICE], by="Ada")
    start_run(ws, 1, choice=Choice(prompt="p"), provider="far", splits=["train"], consent=True,
              by="Ada")  # fmt: skip
    work(ws)
    found = told(ws)
    assert (found.known, found.questions) == (12, 6)
    assert told(ws, again=True).questions == 18
    all_known = told(ws, splits=["train"])
    assert (all_known.questions, all_known.cost_usd) == (0, 0.0)
    assert found.output_tokens == 6 * 7  # as its replies were
    assert found.seconds > 0
    assert "12 answered before" in found.sentence()


def test_this_machine_is_free_and_rules_ask_nobody(ws, prompt):
    found = told(ws, provider="embedded")
    assert (found.cost_usd, found.known) == (0.0, None)
    assert found.seconds_by == "built-in rate"
    assert found.sentence().startswith("18 questions to this machine · free")
    with pytest.raises(InputError, match="no rules"):
        told(ws, choice=Choice(rules=True))
    body = read_rule("{name: r, label: spam, any: [{keywords: [spam]}]}")
    save_rule(ws, 1, body, by="Ada")
    assert told(ws, choice=Choice(rules=True)).sentence().endswith("nothing charged")


def test_the_first_time_of_the_own_encoder_is_a_guess_and_the_next_is_measured(ws, prompt, work):
    draft = PromptText(instructions="Is it spam, really?")
    asked = {"body": draft, "before": prompt.body, "provider": "embedded", "n": 10}
    first = estimate_preview(ws, 1, **asked)
    assert first.seconds == pytest.approx(20 / EMBEDDED_RATE)
    assert first.sentence().endswith("under 1 s (a guess until a run was measured here)")
    assert first.to_dict()["seconds_by"] == "built-in rate"
    start_run(ws, 1, choice=Choice(prompt="p"), provider="embedded", by="Ada")
    work(ws)
    then = estimate_preview(ws, 1, **asked)
    assert (then.is_guess, then.to_dict()["seconds_by"]) == (False, "earlier runs")
    assert "guess" not in then.sentence()
    far = estimate_preview(ws, 1, **asked | {"provider": "far"})
    assert (far.seconds, far.to_dict()["seconds_by"]) == (None, "")


def test_a_limit_and_a_batch_count(ws, prompt):
    batch = dataclasses.replace(PRICE, batch_input_usd=0.5, batch_output_usd=5.0)
    edit_prices(ws, put=[batch], by="Ada")
    found, half = told(ws, limit=6), told(ws, limit=6, batch=True)
    assert found.questions == half.questions == 6
    assert half.cost_usd == pytest.approx(found.cost_usd / 2)
    edit_prices(ws, put=[PRICE], by="Ada")
    assert told(ws, batch=True).cost_usd is None
    assert "within a day" in told(ws, batch=True).sentence()
    with pytest.raises(InputError, match="at least 1"):
        told(ws, limit=0)


def test_a_large_split_is_sampled(ws, prompt, monkeypatch):
    monkeypatch.setattr("studio.actions.runs.SAMPLE", 6)
    found = told(ws)
    assert found.is_sampled
    assert found.questions == 18
    assert found.input_tokens == pytest.approx(told(ws, limit=18).input_tokens, rel=0.05)


def test_consent_says_host_column_examples_tokens_and_price_and_keeps_them(ws, prompt):
    with pytest.raises(ConsentNeededError) as unpriced:
        start_run(ws, 1, choice=Choice(prompt="p"), provider="far", by="Ada")
    assert "the column text of 18 examples (about" in unpriced.value.message
    assert "to far.example, at an unknown price." in unpriced.value.message
    edit_prices(ws, put=[PRICE], by="Ada")
    with pytest.raises(ConsentNeededError, match=r"for about \$0\.\d+, at most \$0"):
        start_run(ws, 1, choice=Choice(prompt="p"), provider="far", by="Ada")
    start_run(ws, 1, choice=Choice(prompt="p"), provider="far", consent=True, by="Ada")
    kept = ws.store.db.value("SELECT shown FROM consent")
    assert '"columns": ["text"]' in kept
    assert '"tokens_by": "estimate (' in kept
    assert '"price_source": "contract"' in kept


def test_a_preview_counts_both_drafts(ws, prompt):
    edit_prices(ws, put=[PRICE], by="Ada")
    draft = PromptText(instructions="Is it spam, really?")
    alone = estimate_preview(ws, 1, body=draft, provider="far", n=10)
    both = estimate_preview(ws, 1, body=draft, before=prompt.body, provider="far", n=10)
    assert (alone.questions, both.questions) == (10, 20)
    assert both.cost_usd > alone.cost_usd
    with pytest.raises(ConsentNeededError, match="A preview would send the column text of 20"):
        preview_prompt(ws, 1, body=draft, before=prompt.body, provider="far", n=10, by="Ada")
