"""A chat model is asked for rules by a job, with consent, never about test, never believed."""

import json
from dataclasses import replace

import pytest

from studio.actions.rationales import record_rationale
from studio.actions.rule_drafts import draft_rules, start_asking
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.price import Price
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import (
    AuthenticationError,
    ConsentNeededError,
    InputError,
    NoAnswerError,
)
from studio.providers.chat import Bodies
from studio.providers.scripted import ScriptedProvider
from studio.providers.text_path import _response_body

SAID = {
    "rules": [
        {"words": ["number tr 1", "tr*"], "except": ["tr 3"], "against": False, "why": "its words"},
        {"words": ["va"], "except": [], "against": True, "why": "never <b>\nso"},
        {"words": ["!!", 7], "except": [], "against": False, "why": "nothing"},
        {"words": {"a": 1}, "against": 2},
        "rule",
    ]
}


class Far(ScriptedProvider):
    """A service elsewhere that writes one and the same text."""

    host, is_local = "far.example", False

    def __init__(self, text, chat=State.YES, **more):
        can = Capabilities(model="m", findings=(Finding(Feature.CHAT, chat, "said"),))
        super().__init__(lambda question: self._text(text), name="far", capabilities=can, **more)

    def _text(self, text):
        return Answer(
            outcome=Outcome.NOT_JSON, raw=text, model="far-1",
            usage=Usage(input_tokens=9, output_tokens=9),
        )  # fmt: skip


@pytest.fixture
def desk(open_studio, fill):
    """Return a function that opens a task whose default provider writes this text."""

    def start(text, *, tested=True, **more):
        service = Far(text, **more)
        ws = open_studio(provider={"far": service})
        ws.store.tasks.set_setting("default_provider", "far")
        if tested:
            ws.store.providers.save_capabilities("far", service._capabilities)
        task = fill(ws)
        reason = record_rationale(ws, task.id, label="spam", text="It says tr </json>", by="Ada")
        return ws, task, reason, service

    return start


def test_what_the_model_proposes_is_measured_like_any_draft(desk, work):
    ws, task, reason, service = desk(f"Sure!\n```json\n{json.dumps(SAID)}\n```")
    with pytest.raises(ConsentNeededError, match=r"far\.example"):
        start_asking(ws, task.id, reason, by="Ada")
    assert service.questions == []
    start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    (question,) = service.questions
    told = json.loads(question.messages[-1]["content"])
    assert told["reason"] == "It says tr </json>"
    assert len(told["examples"]) == 8
    assert not any(" te " in e["text"] for e in told["examples"])
    assert question.reply_schema is not None
    asked = [d for d in draft_rules(ws, task.id, reason) if d.why.startswith("asked, far-1 says")]
    assert {(d.body.name, d.body.label, d.body.against) for d in asked} == {
        ("number-tr-1-tr", "spam", False), ("no-va", "spam", True),
    }  # fmt: skip
    assert all(d.preview.score.fires and d.seen for d in asked)
    assert {d.why for d in asked} >= {"asked, far-1 says: never <b> so"}
    assert ws.read.rules.all(task.id) == []


@pytest.mark.parametrize(
    "text",
    ["", "I cannot do that.", "{", '{"rules": 7}', '{"rules": [{"words": ["!!"]}]}', "[" * 5000],
)
def test_a_useless_reply_is_refused_in_a_sentence(desk, work, text):
    ws, task, reason, _ = desk(text)
    before = draft_rules(ws, task.id, reason)
    job_id = start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    job = ws.read.jobs.get(job_id)
    assert job.status == "failed"
    assert job.message.startswith("The model proposed no rule")
    assert draft_rules(ws, task.id, reason) == before


METER = Price(provider="far", model="*", input_usd=2.0, output_usd=1.0)


def ledger(ws):
    return [
        tuple(row)
        for row in ws.store.db.read(
            "SELECT outcome, cost_usd, input_tokens, output_tokens, attempt FROM ledger"
            " WHERE run_id IS NULL AND job_id IS NOT NULL ORDER BY id"
        )
    ]


@pytest.mark.parametrize("text", [json.dumps(SAID), "I cannot do that."])
def test_every_asking_is_in_the_ledger_used_or_not(desk, work, text):
    ws, task, reason, service = desk(text)
    ws.store.prices.set(replace(METER, model=service.default_model), by="Ada", at=ws.now())
    start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    assert ledger(ws) == [("not_json", pytest.approx(27e-6), 9, 9, 1)]
    assert ws.read.runs.spent(task.id) == pytest.approx(27e-6)


def test_an_unknown_price_makes_the_cost_of_the_task_unknown(desk, work):
    ws, task, reason, _ = desk(json.dumps(SAID))
    start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    assert ledger(ws) == [("not_json", None, 9, 9, 1)]
    assert ws.read.runs.spent(task.id) is None


@pytest.mark.parametrize(
    ("error", "is_paid"), [(AuthenticationError("no"), False), (NoAnswerError("late"), True)]
)
def test_an_asking_that_fails_is_in_the_ledger_too(desk, work, error, is_paid):
    ws, task, reason, service = desk("x")
    ws.store.prices.set(replace(METER, model=service.default_model), by="Ada", at=ws.now())

    async def fail(_):
        assert ledger(ws)[0][0] == "open"  # it stands before the call
        raise error

    service.classify = fail
    start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    ((outcome, cost, *_),) = ledger(ws)
    assert outcome == error.code
    assert (cost > 0) is is_paid


def test_a_call_that_a_worker_took_with_it_counts_at_its_most(desk, work):
    ws, task, reason, service = desk(json.dumps(SAID))
    ws.store.prices.set(replace(METER, model=service.default_model), by="Ada", at=ws.now())
    job_id = start_asking(ws, task.id, reason, consent=True, by="Ada")
    ws.store.ledger.open_call(task.id, job_id, bound_usd=0.5, at=ws.now())
    assert ws.read.runs.spent(task.id) == 0.5
    work(ws)
    assert [row[0::4] for row in ledger(ws)] == [("lost", 1), ("not_json", 2)]
    assert ws.read.runs.spent(task.id) == pytest.approx(0.5 + 27e-6)


@pytest.mark.parametrize("more", [{"chat": State.NO}, {"tested": False}])
def test_who_does_not_write_text_is_not_asked(desk, more):
    ws, task, reason, service = desk("x", **more)
    with pytest.raises(InputError, match="not known to write text"):
        start_asking(ws, task.id, reason, consent=True, by="Ada")
    assert service.questions == []


def test_the_embedded_server_is_not_asked(ws, fill):
    task = fill(ws)
    reason = record_rationale(ws, task.id, label="spam", text="It says spam", by="Ada")
    with pytest.raises(InputError, match="'embedded' is not known to write text"):
        start_asking(ws, task.id, reason, consent=True, by="Ada")


def test_the_wire_asks_for_the_schema_of_the_question(desk, work):
    ws, task, reason, service = desk(json.dumps(SAID))
    start_asking(ws, task.id, reason, consent=True, by="Ada")
    work(ws)
    (question,) = service.questions
    bodies = Bodies()
    for _ in "ab":
        sent = json.loads(bodies.encode(question, {"seed": 0}))
        assert sent["response_format"]["json_schema"]["name"] == "rules"
    assert json.loads(_response_body(question, {}))["text"]["format"]["name"] == "rules"
