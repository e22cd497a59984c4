"""Rules joined with a model: chosen on gold, frozen with the run, applied to each answer."""

import json

import pytest

from studio.actions.classifiers import compare_classifiers
from studio.actions.evaluations import calibrate_run, compare_runs, evaluate_run
from studio.actions.finetunes import launch_finetune
from studio.actions.rules import enable_rule, import_rules
from studio.actions.runs import Choice, export_run, start_run
from studio.actions.tasks import choose_champion
from studio.analysis.joined_evidence import RulesAndText, Way
from studio.analysis.joining import EXPERT
from studio.domain.run import Answer, ClassifierKind, Method, Outcome
from studio.errors import InputError
from studio.handlers.joined import joining_setting
from studio.handlers.rules_and_text import OUT_OF_FOLD, PARAM
from studio.providers.scripted import ScriptedProvider

pytestmark = pytest.mark.usefixtures("quick")
# Each text says its label; the rules know all of them, the model only some.
RULES = """
rules:
- {name: says-ham, label: ham, any: [{keywords: [ham]}]}
- {name: says-spam, label: spam, any: [{keywords: [spam]}]}
"""


def told_by(text):
    """Return label and probabilities of a model that is wrong on every third text, and unsure."""
    number = int(text.split()[-1])
    right = "spam" if "spam" in text else "ham"
    said = right if number % 3 else {"ham": "spam", "spam": "ham"}[right]
    other = {"ham": "spam", "spam": "ham"}[said]
    return said, {said: 0.65, other: 0.35}


def weak(question):
    said, odds = told_by(json.loads(question.messages[-1]["content"])["text"])
    return Answer(outcome=Outcome.OK, label=said, probabilities=odds, model="weak-1",
                  method=Method.SERVER)  # fmt: skip


class Tuner(ScriptedProvider):
    """A service whose trainings tell what the model said out of fold."""

    rows = ()

    async def result_files(self, remote_id):
        labels = ["ham", "spam"]
        lines = []
        for line, (_, text, label) in enumerate(self.rows, 1):
            said, odds = told_by(text)
            lines.append({"line": line, "text": text, "label": label, "predicted": said,
                          "probabilities": [odds[name] for name in labels]})  # fmt: skip
        return {f"ftjob-1-{OUT_OF_FOLD}": json.dumps({"labels": labels, "rows": lines}).encode()}


@pytest.fixture
def tuned(open_studio, fill, work):
    """Return a function that makes a task with rules and a trained model."""

    def make(*, train=60, rules=RULES, held_out=True):
        service = Tuner(weak, name="embedded")
        ws = open_studio(provider=service)
        task = fill(ws, train=train, validation=0, test=12)
        if rules:
            import_rules(ws, task.id, rules, by="Ada")
        finetune = launch_finetune(ws, task.id, by="Ada")
        if held_out:
            service.rows = ws.store.finetunes.training_rows(finetune.training_set_id)
        work(ws)
        return ws, task, service, str(finetune.id)

    return make


def joined_run(ws, task, model, work, **more):
    run = start_run(ws, task.id, choice=Choice(rules=True, model=model), by="Ada", **more)
    work(ws)
    return ws.store.runs.get(run.id)


def test_good_rules_mend_the_answers_of_a_weak_model(tuned, work):
    ws, task, _, model = tuned()
    choice = compare_classifiers(ws, task.id, model)
    assert choice.way is not Way.TEXT
    assert choice.n == 60
    run = joined_run(ws, task, model, work, splits=["test"])
    assert (run.kind, run.status) == (ClassifierKind.JOINED, "done")
    assert run.title == f"model {model} and rules"
    assert evaluate_run(ws, run.id, split="test", by="Ada").metric("accuracy").value == 1.0


def test_the_model_is_asked_and_its_raw_answers_stay(tuned, work):
    ws, task, service, model = tuned()
    before = len(service.questions)
    run = joined_run(ws, task, model, work, splits=["test"])
    assert len(service.questions) - before == 12
    changed = 0
    for p in ws.store.runs.predictions(run.id):
        answer = ws.store.runs.answer(run.id, p.example_id)
        assert answer.probabilities[answer.label] == 0.65
        assert p.method is Method.JOINED
        changed += task.name_of(p.label_id) != answer.label
    assert changed == 4


def test_a_batch_is_joined_too(tuned, work):
    ws, task, _, model = tuned()
    run = joined_run(ws, task, model, work, splits=["test"], batch=True)
    assert evaluate_run(ws, run.id, split="test", by="Ada").metric("accuracy").value == 1.0


def test_where_the_rules_decide_alone_nobody_is_asked(tuned, work):
    ws, task, service, model = tuned()
    run = start_run(ws, task.id, choice=Choice(rules=True, model=model), splits=["test"], by="Ada")
    labels = tuple(label.id for label in task.labels)
    alone = RulesAndText(way=Way.RULES, label_ids=labels, text=0.0)
    kept = {"way": "rules", "joined": alone.to_dict(), "joining": EXPERT.to_dict()}
    ws.store.runs.set_param(run.id, PARAM, kept)
    before = len(service.questions)
    work(ws)
    assert len(service.questions) == before
    assert {p.method for p in ws.store.runs.predictions(run.id)} == {Method.RULES}
    assert evaluate_run(ws, run.id, split="test", by="Ada").metric("accuracy").value == 1.0


def test_rules_that_decide_alone_are_joined_as_was_chosen_with_them(tuned, work):
    ws, task, _, model = tuned(train=16)
    ws.store.tasks.set_setting(joining_setting(task.id), "weighted")  # too little gold for it now
    run = start_run(ws, task.id, choice=Choice(rules=True, model=model), splits=["test"], by="Ada")
    alone = RulesAndText(way=Way.RULES, label_ids=tuple(i.id for i in task.labels), text=0.0)
    kept = {"way": "rules", "joined": alone.to_dict(), "joining": EXPERT.to_dict()}
    ws.store.runs.set_param(run.id, PARAM, kept)
    work(ws)
    run = ws.store.runs.get(run.id)
    assert (run.status, run.done) == ("done", 12)


def test_a_champion_whose_rules_are_all_off_says_so(tuned, work):
    ws, task, _, model = tuned()
    choose_champion(ws, task.id, joined_run(ws, task, model, work, splits=["test"]).id)
    for name in ("says-ham", "says-spam"):
        enable_rule(ws, task.id, name, enabled=False)
    with pytest.raises(InputError, match="has no rules"):
        start_run(ws, task.id, choice=Choice(), by="Ada")


def test_what_was_chosen_stays_with_the_run(tuned, work):
    ws, task, _, model = tuned()
    run = start_run(ws, task.id, choice=Choice(rules=True, model=model), splits=["test"], by="Ada")
    enable_rule(ws, task.id, "says-ham", enabled=False)  # after it was started
    work(ws)
    kept = ws.store.runs.params(run.id)
    assert len(kept["rules"]) == 2
    assert kept[PARAM]["n"] == 60
    assert {c["way"] for c in kept[PARAM]["candidates"]} == {way.value for way in Way}
    assert kept[PARAM]["why"]


def test_too_little_gold_leaves_the_model_alone_and_says_so(tuned, work):
    ws, task, _, model = tuned(train=16)
    run = joined_run(ws, task, model, work, splits=["test"])
    kept = ws.store.runs.params(run.id)[PARAM]
    assert kept["way"] == "text"
    assert "16 gold labels" in kept["why"]
    for p in ws.store.runs.predictions(run.id):
        answer = ws.store.runs.answer(run.id, p.example_id)
        assert task.name_of(p.label_id) == answer.label
        assert (p.confidence, p.method) == (0.65, Method.SERVER)


def test_answers_on_examples_it_learnt_from_choose_nothing(tuned, work):
    ws, task, _, model = tuned(held_out=False)
    start_run(ws, task.id, choice=Choice(model=model), by="Ada")  # on train, which it has learnt
    work(ws)
    choice = compare_classifiers(ws, task.id, model)
    assert (choice.way, choice.n) == (Way.TEXT, 0)


def test_it_is_champion_and_run_again(tuned, work):
    ws, task, _, model = tuned()
    run = joined_run(ws, task, model, work, splits=["test"])
    choose_champion(ws, task.id, run.id)
    assert ws.store.tasks.get(task.id).champion == f"joined:{model}"
    again = start_run(ws, task.id, choice=Choice(), splits=["test"], by="Ada")
    work(ws)
    alone = start_run(ws, task.id, choice=Choice(model=model), splits=["test"], by="Ada")
    work(ws)
    assert ws.store.runs.get(again.id).kind is ClassifierKind.JOINED
    assert compare_runs(ws, alone.id, again.id, split="test", by="Ada").difference.value > 0
    assert calibrate_run(ws, again.id, split="test").run_id == again.id
    assert len(export_run(ws, again.id)) == 12


def test_a_model_without_rules_is_told_so(tuned):
    ws, task, _, model = tuned(rules="")
    for ask in (
        lambda: start_run(ws, task.id, choice=Choice(rules=True, model=model), by="Ada"),
        lambda: compare_classifiers(ws, task.id, model),
    ):
        with pytest.raises(InputError, match="has no rules"):
            ask()


def test_a_prompt_is_not_joined(tuned):
    ws, task, _, _ = tuned()
    with pytest.raises(InputError, match="one of a prompt, the rules, or a model"):
        start_run(ws, task.id, choice=Choice(rules=True, prompt="definitions"), by="Ada")
