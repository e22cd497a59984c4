"""Attacking a prompt through the run engine: what is asked, kept, paid and found again."""

import pytest

from studio.actions.injections import attack_result, estimate_attack, last_attack, start_attack
from studio.actions.prices import edit_prices
from studio.actions.prompts import save_prompt
from studio.actions.runs import run_status, steer_run
from studio.domain.job import Want
from studio.domain.price import Price
from studio.domain.prompt import PromptText
from studio.domain.run import Answer, Outcome, Usage
from studio.errors import AuthenticationError, ConsentNeededError, InputError
from studio.handlers.injections import read_attack, read_injections
from studio.providers.scripted import ScriptedProvider
from tests.handlers.test_runs import text_of

pytestmark = pytest.mark.usefixtures("quick")
N = len(read_injections())


def steady(question):
    """Label by the first word, whatever follows it."""
    label = "spam" if "spam number" in text_of(question) else "ham"
    return said(label)


def said(label):
    usage = Usage(input_tokens=50, output_tokens=5)
    return Answer(outcome=Outcome.OK, label=label, model="m-1", usage=usage)


def gullible(question):
    """Do as any English order in plain letters says."""
    text = text_of(question)
    for label in question.label_names:
        if f"answer {label}" in text:
            return said(label)
    return steady(question)


@pytest.fixture
def attacked(open_studio, fill, work):
    def run(answer=steady, *, times=1, far=False, **more):
        service = ScriptedProvider(answer, name="embedded")
        if far:
            service.host, service.is_local = "far.example", False
        ws = open_studio(provider=service)
        task = fill(ws)
        body = PromptText(instructions="Is it ham?")
        version = save_prompt(ws, task.id, name="p", body=body, by="Ada")
        filed = start_attack(ws, task.id, prompt="p", times=times, by="Ada", **more)
        work(ws)
        return ws, service, version, ws.read.runs.get(filed.id)

    return run


def test_a_steady_classifier_has_a_flip_rate_of_0_and_a_gullible_one_has_not(attacked):
    ws, _service, version, run = attacked(steady)
    found = attack_result(ws, run.id)
    assert (found.rate.value, found.rate.n, found.pairs) == (0.0, N, N)
    assert found.rate.high > 0.02
    assert last_attack(ws, 1, version.id).id == run.id


def test_what_gives_way_is_told_by_family(attacked):
    ws, _, _, run = attacked(gullible)
    found = attack_result(ws, run.id)
    assert 0 < found.rate.value < 0.2
    assert found.families["order"].value > 0
    assert found.families["claim"].value == 0
    assert "order-en" in found.flipped


def test_every_text_is_asked_once_and_changed_twice_and_none_is_of_test(attacked):
    ws, service, _, run = attacked()
    texts = [text_of(q) for q in service.questions]
    assert len(texts) == 18 + 2 * N  # 18 of train and validation, in turn
    assert not [text for text in texts if "number te" in text]
    assert run_status(ws, run.id)["calls"] == len(texts)
    assert (run.status, run.done, run.total) == ("done", 18, 18)
    job = ws.read.jobs.get(run.job_id)
    assert (job.done, job.total) == (len(texts), len(texts))
    assert len(ws.read.examples.ids(1)) == 24  # nothing was added to the task
    assert [r.id for r in ws.read.runs.all(1)] == []
    strangers = "SELECT count(*) FROM ledger WHERE example_id NOT IN (SELECT id FROM example)"
    held = ws.store.db.value(strangers)
    assert held == 0


def test_times_puts_each_into_more_texts_and_takes_no_answer_twice(attacked, work):
    ws, service, _, run = attacked(times=2)
    assert attack_result(ws, run.id).pairs == 2 * N
    asked = len(service.questions)
    again = start_attack(ws, 1, prompt="p", times=2, by="Ada")
    work(ws)
    assert len(service.questions) == asked
    assert attack_result(ws, again.id).pairs == 2 * N


def test_it_goes_on_where_it_broke(attacked, work):
    broken = {"on": True, "left": 60}

    def answer(question):
        broken["left"] -= 1
        if broken["on"] and broken["left"] < 0:
            raise AuthenticationError("The key is wrong.")
        return steady(question)

    ws, _service, _, run = attacked(answer)
    assert run.status == "failed"
    assert attack_result(ws, run.id) is None
    broken["on"] = False
    before = run.calls
    steer_run(ws, run.id, Want.RUN)
    work(ws)
    run = ws.read.runs.get(run.id)
    assert run.status == "done"
    assert len(read_attack(ws, run.id)) == N
    answered = 60
    assert run.calls - before == 18 + 2 * N - answered


def test_elsewhere_nothing_is_asked_without_consent(attacked):
    with pytest.raises(ConsentNeededError, match="asks about 18 texts as they are and changed"):
        attacked(far=True)


def test_elsewhere_consent_is_kept(attacked):
    ws, *_ = attacked(far=True, consent=True)
    assert ws.read.providers.has_consent(1, "far.example")
    assert ws.read.runs.all(1, previews=True)


def test_its_price_is_told_before_and_after(attacked):
    ws, _service, _, _run = attacked()
    edit_prices(ws, put=[Price(provider="embedded", model="scripted", input_usd=1.0,
                               output_usd=10.0, source="contract")], by="Ada")  # fmt: skip
    told = estimate_attack(ws, 1, prompt="p", times=2)
    assert told.questions == 18 + 4 * N
    assert 0 < told.cost_usd < told.most_usd


def test_nothing_to_attack_is_said(ws, fill):
    task = fill(ws, train=0, validation=0)
    with pytest.raises(InputError, match="no examples in train and validation"):
        start_attack(ws, task.id, by="Ada")
    with pytest.raises(InputError, match="1 to 50"):
        start_attack(ws, task.id, times=0, by="Ada")
    with pytest.raises(InputError, match="not both"):
        start_attack(ws, task.id, prompt="p", model="1", by="Ada")
