"""Every mistake people can make is one sentence with what to do next, and stores nothing."""

import pytest

from studio.actions.corrections import Decision, correct_labels, import_corrections
from studio.actions.evaluations import compare_runs, evaluate_run, find_slices
from studio.actions.finetunes import create_training_set, launch_finetune
from studio.actions.previews import preview_prompt
from studio.actions.prompts import save_prompt
from studio.actions.providers import add_provider
from studio.actions.rationales import record_rationale, retire_rationale
from studio.actions.rules import enable_rule, import_rules, order_rules, read_rule, save_rule
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import choose_champion, create_task, update_task
from studio.domain.prompt import FewShot, PromptText
from studio.errors import ConsentNeededError, StudioError
from studio.providers.scripted import ScriptedProvider

HELLO = PromptText(instructions="Hello")


def far():
    """Return a provider elsewhere."""
    provider = ScriptedProvider({}, name="far")
    provider.is_local, provider.host = False, "api.example.com"
    return provider


@pytest.fixture
def ws(open_studio, script):
    return open_studio(provider={"embedded": script, "far": far()})


MISTAKES = {
    "task without name": lambda ws, t: create_task(ws, name=" ", labels=["a", "b"], by="Ada"),
    "task twice": lambda ws, t: create_task(ws, name="MAIL", labels=["a", "b"], by="Ada"),
    "one label": lambda ws, t: create_task(ws, name="x", labels=["a"], by="Ada"),
    "label twice": lambda ws, t: create_task(ws, name="x", labels=["a", "A "], by="Ada"),
    "label without name": lambda ws, t: create_task(ws, name="x", labels=["a", ""], by="Ada"),
    "criterion": lambda ws, t: create_task(
        ws, name="x", labels=["a", "b"], criterion="good", by="Ada"
    ),
    "criterion of nan": lambda ws, t: create_task(
        ws, name="x", labels=["a", "b"], criterion="accuracy>=nan", by="Ada"
    ),
    "definition of unknown label": lambda ws, t: create_task(
        ws, name="x", labels=["a", "b"], definitions={"c": "?"}, by="Ada"
    ),
    "update unknown task": lambda ws, t: update_task(
        ws, 99, question="", criterion="", definitions={}
    ),
    "update unknown label": lambda ws, t: update_task(
        ws, t.id, question="", criterion="", definitions={"c": "?"}
    ),
    "champion of unknown run": lambda ws, t: choose_champion(ws, t.id, 99),
    "decision of nobody": lambda ws, t: correct_labels(
        ws, t.id, [Decision(example_id=1, label="ham")], by=" "
    ),
    "unknown label": lambda ws, t: correct_labels(
        ws, t.id, [Decision(example_id=1, label="ham"), Decision(example_id=2, label="eggs")],
        by="Ada",
    ),
    "unknown example": lambda ws, t: correct_labels(
        ws, t.id, [Decision(example_id=1, label="ham"), Decision(example_id=999, label="ham")],
        by="Ada",
    ),
    "decision on unknown run": lambda ws, t: correct_labels(
        ws, t.id, [Decision(example_id=1, label="ham")], run_id=99, by="Ada"
    ),
    "corrections of nobody": lambda ws, t: import_corrections(
        ws, t.id, data=b"id,label\ntr0,ham\n", filename="c.csv", by=""
    ),
    "corrections without label": lambda ws, t: import_corrections(
        ws, t.id, data=b"id,gold\ntr0,ham\n", filename="c.csv", by="Ada"
    ),
    "corrections on unknown run": lambda ws, t: import_corrections(
        ws, t.id, data=b"id,label\ntr0,ham\n", filename="c.csv", by="Ada", run_id=99
    ),
    "empty rationale": lambda ws, t: record_rationale(ws, t.id, label="ham", text=" ", by="Ada"),
    "rationale for unknown label": lambda ws, t: record_rationale(
        ws, t.id, label="eggs", text="because", by="Ada"
    ),
    "rationale without its words": lambda ws, t: record_rationale(
        ws, t.id, label="ham", text="because", example_id=1, evidence=["missing"], by="Ada"
    ),
    "evidence without example": lambda ws, t: record_rationale(
        ws, t.id, label="ham", text="because", evidence=["ham"], by="Ada"
    ),
    "rationale on test": lambda ws, t: record_rationale(
        ws, t.id, label="ham", text="because", example_id=test_id(ws, t), by="Ada"
    ),
    "retire unknown": lambda ws, t: retire_rationale(ws, t.id, 99),
    "rule that is not YAML": lambda ws, t: read_rule("{name: [}"),
    "rule without condition": lambda ws, t: read_rule("{name: r, label: ham}"),
    "rule for unknown label": lambda ws, t: save_rule(
        ws, t.id, read_rule("{name: r, label: eggs, any: [{phrase: hi}]}"), by="Ada"
    ),
    "rule with a pattern that cannot be": lambda ws, t: save_rule(
        ws, t.id, read_rule("{name: r, label: ham, any: [{regex: '(?=x)'}]}"), by="Ada"
    ),
    "rules of which one is bad": lambda ws, t: import_rules(
        ws, t.id, "rules: [{name: a, label: ham, any: [{phrase: hi}]}, {name: b, label: eggs,"
        " any: [{phrase: hi}]}]", by="Ada",
    ),
    "rules with unknown fallback": lambda ws, t: import_rules(
        ws, t.id, "{fallback: eggs, rules: [{name: a, label: ham, any: [{phrase: hi}]}]}", by="Ada"
    ),
    "no rules in the file": lambda ws, t: import_rules(ws, t.id, "hello", by="Ada"),
    "order of unknown rule": lambda ws, t: order_rules(ws, t.id, ["r"]),
    "enable unknown rule": lambda ws, t: enable_rule(ws, t.id, "r", enabled=True),
    "prompt without name": lambda ws, t: save_prompt(ws, t.id, name=" ", body=HELLO, by="Ada"),
    "prompt with unknown label": lambda ws, t: save_prompt(
        ws, t.id, name="p", body=PromptText(instructions="", definitions={"eggs": "?"}), by="Ada"
    ),
    "reason for unknown label": lambda ws, t: save_prompt(
        ws, t.id, name="p", body=PromptText(instructions="", reasons=(("eggs", "?"),)), by="Ada"
    ),
    "few-shot of test by number": lambda ws, t: save_prompt(
        ws, t.id, name="p", by="Ada",
        body=shots(FewShot(text="other words", label="ham", example_id=test_id(ws, t))),
    ),
    "few-shot of test by its words": lambda ws, t: save_prompt(
        ws, t.id, name="p", by="Ada", body=shots(FewShot(text="HAM number te 0!", label="ham"))
    ),
    "few-shot of nowhere": lambda ws, t: save_prompt(
        ws, t.id, name="p", by="Ada", body=shots(FewShot(text="x", label="ham", example_id=999))
    ),
    "preview of nothing": lambda ws, t: preview_prompt(ws, t.id, body=HELLO, n=0, by="Ada"),
    "preview far away": lambda ws, t: preview_prompt(
        ws, t.id, body=HELLO, provider="far", by="Ada"
    ),
    "unknown split": lambda ws, t: start_run(ws, t.id, choice=Choice(), splits=["all"], by="Ada"),
    "run of nothing": lambda ws, t: start_run(ws, t.id, choice=Choice(), limit=0, by="Ada"),
    "two classifiers": lambda ws, t: start_run(
        ws, t.id, choice=Choice(prompt="p", rules=True), by="Ada"
    ),
    "no rules": lambda ws, t: start_run(ws, t.id, choice=Choice(rules=True), by="Ada"),
    "unknown prompt": lambda ws, t: start_run(ws, t.id, choice=Choice(prompt="p"), by="Ada"),
    "unknown model": lambda ws, t: start_run(ws, t.id, choice=Choice(model="7"), by="Ada"),
    "unknown provider": lambda ws, t: start_run(
        ws, t.id, choice=Choice(), provider="nobody", by="Ada"
    ),
    "run far away": lambda ws, t: start_run(ws, t.id, choice=Choice(), provider="far", by="Ada"),
    "fine-tune far away": lambda ws, t: launch_finetune(ws, t.id, provider="far", by="Ada"),
    "fine-tune with unknown prompt": lambda ws, t: launch_finetune(ws, t.id, prompt="p", by="Ada"),
    "fine-tune on unknown set": lambda ws, t: launch_finetune(
        ws, t.id, training_set_id=9, by="Ada"
    ),
    "training set of unknown run": lambda ws, t: create_training_set(
        ws, t.id, run_id=99, by="Ada"
    ),
    "evaluate unknown run": lambda ws, t: evaluate_run(ws, 99, by="Ada"),
    "compare unknown runs": lambda ws, t: compare_runs(ws, 98, 99, by="Ada"),
    "slices of unknown run": lambda ws, t: find_slices(ws, 99),
    "provider called embedded": lambda ws, t: add_provider(
        ws, name="embedded", base_url="https://x.example/v1", by="Ada"
    ),
    "provider without encryption": lambda ws, t: add_provider(
        ws, name="x", base_url="http://x.example/v1", by="Ada"
    ),
    "key in place of its name": lambda ws, t: add_provider(
        ws, name="x", base_url="https://x.example/v1", key_env="sk-123", by="Ada"
    ),
    "sample twice": lambda ws, t: load_sample(ws, "mail", by="Ada"),
}  # fmt: skip


def shots(*few):
    return PromptText(instructions="", few_shots=few)


def test_id(ws, task):
    return ws.store.examples.by_external_id(task.id, ["te0"])["te0"]


test_id.__test__ = False


def everything(ws):
    """Return every row of every table."""
    tables = ws.read.db.read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    return {
        t["name"]: [tuple(row) for row in ws.read.db.read(f"SELECT * FROM {t['name']}")]
        for t in tables
    }


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_sentence_and_stores_nothing(ws, fill, name):
    task = fill(ws)
    before = everything(ws)
    with pytest.raises(StudioError) as caught:
        MISTAKES[name](ws, task)
    error = caught.value
    assert error.exit_code == 2
    assert error.message.endswith((".", "?"))
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)
    assert everything(ws) == before


def test_too_little_to_learn_from(ws, fill):
    few = fill(ws, "few", train=4)
    before = everything(ws)
    with pytest.raises(StudioError, match="There are 4 labeled examples in train"):
        launch_finetune(ws, few.id, by="Ada")
    assert everything(ws) == before


def test_an_empty_split_is_named(ws, fill):
    task = fill(ws, "none", train=0, validation=0, test=0)
    with pytest.raises(StudioError, match="'none' has no examples in train and validation"):
        start_run(ws, task.id, choice=Choice(), by="Ada")
    some = fill(ws, "some", test=0)
    with pytest.raises(StudioError, match="has no examples in test"):
        start_run(ws, some.id, choice=Choice(), splits=["test"], by="Ada")


@pytest.mark.parametrize("verb", ["run", "preview", "fine-tune"])
def test_consent_is_needed_once_for_a_task_and_host_and_recorded(ws, fill, verb):
    task, other = fill(ws), fill(ws, "other")

    def go(task, **more):
        if verb == "run":
            return start_run(ws, task.id, choice=Choice(), provider="far", by="Ada", **more)
        if verb == "preview":
            return preview_prompt(ws, task.id, body=HELLO, provider="far", by="Ada", **more)
        return launch_finetune(ws, task.id, provider="far", by="Ada", **more)

    with pytest.raises(ConsentNeededError, match=r"api\.example\.com"):
        go(task)
    go(task, consent=True)
    go(task, consent=True)
    go(task)
    rows = ws.read.db.read("SELECT task_id, host, person, shown FROM consent")
    assert [(r["task_id"], r["host"], r["person"]) for r in rows] == [
        (task.id, "api.example.com", "Ada")
    ]
    assert '"examples": ' in rows[0]["shown"]
    with pytest.raises(ConsentNeededError):
        go(other)


def test_a_provider_here_needs_no_consent(ws, fill):
    start_run(ws, fill(ws).id, choice=Choice(), by="Ada")
    assert ws.read.db.value("SELECT count(*) FROM consent") == 0


@pytest.mark.parametrize(
    "name", ["O'Brien; DROP TABLE task; --", "🍕 dishes 🥗", "a/b\\c", "שלום", "%_%", "x" * 5000]
)
def test_odd_names_are_names(ws, fill, name):
    task = fill(ws, name)
    assert ws.read.tasks.by_name(name).id == task.id
    start_run(ws, task.id, choice=Choice(), by="Robert'); --")
    assert [t.name for t in ws.read.tasks.all()] == [name]
