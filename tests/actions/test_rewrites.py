"""A chat model proposes another wording by a job, with consent; it is never believed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from studio.actions.rewrites import rewrite_of, start_rewrite, why_no_rewrite
from studio.actions.runs import Choice, start_run
from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.price import Price
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import ConsentNeededError, InputError
from studio.providers.scripted import ScriptedProvider

BODY = PromptText(
    instructions="Is it, you know, spam?", definitions={"ham": "wanted"}, reasons=(("spam", "ads"),)
)
SAID = {
    "instructions": "Is the message spam?",
    "definitions": [{"label": "spam", "text": "an\nadvertisement"}, {"label": "x", "text": "no"}],
    "why": "shorter <b>",
}


class Far(ScriptedProvider):
    """A service elsewhere that writes one and the same text, and labels all ham."""

    host, is_local = "far.example", False

    def __init__(self, text, chat=State.YES):
        can = Capabilities(model="m", findings=(Finding(Feature.CHAT, chat, "said"),))
        super().__init__(lambda question: self._text(question, text), name="far", capabilities=can)

    def _text(self, question, text):
        used = Usage(input_tokens=90, output_tokens=9)
        if question.reply_schema is None:
            return Answer(outcome=Outcome.OK, label="ham", model="far-1", usage=used)
        return Answer(outcome=Outcome.NOT_JSON, raw=text, model="far-1", usage=used)


@pytest.fixture
def desk(open_studio, fill):
    """Return a function that opens a task whose default provider writes this text."""

    def start(text, chat=State.YES):
        service = Far(text, chat)
        ws = open_studio(provider={"far": service})
        ws.store.tasks.set_setting("default_provider", "far")
        ws.store.providers.save_capabilities("far", service._capabilities)
        return ws, fill(ws), service

    return start


def test_a_rewrite_is_proposed_with_consent_price_and_ledger(desk, work):
    ws, task, service = desk(f"Sure!\n```json\n{json.dumps(SAID)}\n```")
    price = Price(provider="far", model=service.default_model, input_usd=2.0, output_usd=1.0)
    ws.store.prices.set(price, by="Ada", at=ws.now())
    with pytest.raises(
        ConsentNeededError, match=r"sends the prompt itself.*far\.example.*about \$"
    ):
        start_rewrite(ws, task.id, BODY, by="Ada")
    assert service.questions == []
    start_rewrite(ws, task.id, BODY, consent=True, by="Ada")
    work(ws)
    (question,) = service.questions
    told = json.loads(question.messages[-1]["content"])
    assert (told["labeled wrong"], told["labels"]) == ([], ["ham", "spam"])
    found = rewrite_of(ws, task, BODY)
    assert found.body.instructions == "Is the message spam?"
    assert found.body.definitions == {"ham": "wanted", "spam": "an advertisement"}
    assert found.body.reasons == BODY.reasons
    assert (found.why, found.model, found.cost_usd) == (
        "shorter <b>",
        "far-1",
        pytest.approx(189e-6),
    )
    assert ws.store.db.value("SELECT outcome FROM ledger WHERE run_id IS NULL") == "not_json"
    assert rewrite_of(ws, task, replace(BODY, instructions="Other")) is None


def test_only_train_errors_are_sent_and_only_when_wished(desk, work):
    ws, task, service = desk(json.dumps(SAID))
    run = start_run(
        ws, task.id, choice=Choice(), splits=["train", "validation", "test"], consent=True, by="Ada"
    )
    work(ws)
    assert ws.read.runs.get(run.id).done == 24
    start_rewrite(ws, task.id, BODY, with_errors=True, consent=True, by="Ada")
    work(ws)
    sent = json.loads(service.questions[-1].messages[-1]["content"])["labeled wrong"]
    assert len(sent) == 6
    assert all(" tr " in one["text"] and one["right"] == "spam" for one in sent)
    assert all(one["said"] == "ham" for one in sent)


def test_locked_parts_stay_as_they_are(desk, work):
    ws, task, _ = desk(json.dumps(SAID))
    locked = replace(BODY, frozen=("instructions",))
    start_rewrite(ws, task.id, locked, consent=True, by="Ada")
    work(ws)
    found = rewrite_of(ws, task, locked).body
    assert found.instructions == BODY.instructions
    assert "spam" in found.definitions
    both = replace(BODY, frozen=("instructions", "definitions"))
    with pytest.raises(InputError, match="locked"):
        start_rewrite(ws, task.id, both, consent=True, by="Ada")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("I cannot do that.", "not the JSON"),
        ("[" * 5000, "not the JSON"),
        (json.dumps(SAID | {"instructions": 7}), "not the JSON"),
        (json.dumps(SAID | {"instructions": "x" * 9000}), "too long"),
        (json.dumps(SAID | {"instructions": "Mind {{secret}}."}), "which columns are sent"),
        (json.dumps(SAID | {"instructions": "", "definitions": []}), "change nothing"),
    ],
)
def test_a_useless_reply_fails_in_a_sentence(desk, work, said, why):
    ws, task, _ = desk(said)
    job_id = start_rewrite(ws, task.id, BODY, consent=True, by="Ada")
    work(ws)
    job = ws.read.jobs.get(job_id)
    assert job.status == "failed"
    assert job.message.startswith("The model proposed no rewrite")
    assert why in job.message
    assert rewrite_of(ws, task, BODY) is None


def test_who_writes_no_text_is_not_asked(desk, ws):
    assert "writes no text" in why_no_rewrite(ws, BODY)
    far, task, _ = desk("", chat=State.NO)
    with pytest.raises(InputError, match="not known to write text"):
        start_rewrite(far, task.id, BODY, consent=True, by="Ada")


def test_who_agreed_to_send_a_prompt_did_not_agree_to_send_texts(desk, work):
    ws, task, service = desk(json.dumps(SAID))
    with pytest.raises(ConsentNeededError, match=r"would send no example to far\.example"):
        start_rewrite(ws, task.id, BODY, by="Ada")
    start_rewrite(ws, task.id, BODY, consent=True, by="Ada")
    work(ws)
    with pytest.raises(ConsentNeededError, match="column text of 18 examples"):
        start_run(ws, task.id, choice=Choice(), by="Ada")
    assert len(service.questions) == 1
    start_run(ws, task.id, choice=Choice(), consent=True, by="Ada")
    work(ws)
    start_rewrite(ws, task.id, BODY, with_errors=True, by="Ada")  # texts were agreed to
