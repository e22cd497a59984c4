"""What must survive a change of the label set: everything that was stored by a name."""

import json

import pytest

from studio.actions.corrections import (
    Decision,
    correct_labels,
    import_corrections,
    redo_correction,
    undo_correction,
)
from studio.actions.evaluations import evaluate_run
from studio.actions.examples import Columns, import_examples
from studio.actions.finetunes import (
    create_training_set,
    export_training_set,
    launch_finetune,
    steer_finetune,
)
from studio.actions.label_sets import change_labels, foresee_change, undo_label_change
from studio.actions.prompts import save_prompt
from studio.actions.reports import build_report
from studio.actions.rules import import_rules
from studio.actions.runs import Choice, run_status, start_run, steer_run
from studio.actions.tasks import choose_champion, update_task
from studio.domain.job import Want
from studio.domain.label_change import Add, Merge, Rename, Reorder, Retire, Split
from studio.domain.prompt import FewShot, PromptText, render_system
from studio.domain.run import Answer, Outcome
from studio.errors import ConflictError, InputError

LABELS = ("ham", "spam", "scam")
RULES = """
fallback: ham
rules:
  - {name: shout, label: spam, any: [{keywords: [spam]}]}
  - {name: cheat, label: scam, any: [{keywords: [scam]}]}
"""
BODY = PromptText(
    instructions="Which is it?",
    definitions={"spam": "It sells.", "scam": "It cheats."},
    reasons=(("scam", "it wants money"),),
    few_shots=(FewShot(text="scam of old", label="scam"),),
)


@pytest.fixture
def asked():
    """Return the questions that were asked, oldest first."""
    return []


@pytest.fixture
def script(asked):
    """A model that says any label whose first name stands in the text, and knows its new name."""
    from studio.providers.scripted import ScriptedProvider

    def answer(question):
        asked.append(question)
        said = json.loads(question.messages[-1]["content"])["text"].split()[0]
        known = question.label_names
        names = {"ham": ("ham",), "spam": ("spam", "junk", "bad"), "scam": ("scam", "junk", "bad")}
        label = next((n for n in names.get(said, ()) if n in known), None)
        if label is None:
            return Answer(outcome=Outcome.ABSTAINED, model="scripted-1")
        rest = 0.3 / (len(known) - 1)
        odds = dict.fromkeys(known, rest) | {label: 0.7}
        return Answer(outcome=Outcome.OK, label=label, probabilities=odds, model="scripted-1")

    return ScriptedProvider(answer, name="embedded")


@pytest.fixture
def task(ws, fill):
    return fill(ws, labels=LABELS)


@pytest.fixture
def run(ws, task, work):
    def run(**choice):
        started = start_run(ws, task.id, choice=Choice(**choice), by="Ada")
        work(ws)
        return ws.read.runs.get(started.id)

    return run


def change(ws, task, deed):
    change_labels(ws, task.id, deed, by="Ada")
    return ws.read.tasks.get(task.id)


def said(ws, task, run):
    return {
        ws.read.examples.get(task.id, p.example_id).text.split()[0]: task.name_of(p.label_id)
        for p in ws.read.runs.predictions(run.id)
    }


def test_an_old_prompt_is_read_and_run_by_the_names_of_now(ws, task, run):
    version = save_prompt(ws, task.id, name="first", body=BODY, by="Ada")
    now = change(ws, task, Rename(label="scam", to="fraud"))
    read = ws.read.prompts.get(task.id, version.id).body
    assert read.definitions == {"spam": "It sells.", "fraud": "It cheats."}
    assert (read.reasons[0][0], read.few_shots[0].label) == ("fraud", "fraud")
    now = change(ws, task, Merge(label="fraud", into="spam", to="junk"))
    read = ws.read.prompts.get(task.id, version.id).body
    assert read.definitions == {"junk": "It sells. Or: It cheats."}
    assert "- junk: it wants money" in render_system(read, now.label_names)
    done = run(prompt="first")
    assert said(ws, now, done) == {"ham": "ham", "spam": "junk", "scam": "junk"}
    stored = ws.read.db.value("SELECT body FROM prompt_version WHERE id = ?", (version.id,))
    assert json.loads(stored)["definitions"] == BODY.definitions  # what was saved stays


def test_a_draft_with_old_names_is_saved_under_the_new_ones(ws, task):
    change(ws, task, Rename(label="scam", to="fraud"))
    saved = save_prompt(ws, task.id, name="draft", body=BODY, by="Ada")
    assert saved.body.definitions["fraud"] == "It cheats."


def test_a_run_from_before_a_merge_is_evaluated_and_says_so(ws, task, run):
    before = run()
    assert run_status(ws, before.id)["outdated"] is None
    change(ws, task, Merge(label="scam", into="spam"))
    found = evaluate_run(ws, before.id, split="train+validation", by="Ada")
    assert (found.accuracy.value, [label.label for label in found.labels]) == (1.0, ["ham", "spam"])
    assert "“scam” was merged into “spam”" in run_status(ws, before.id)["outdated"]
    assert run_status(ws, run().id)["outdated"] is None


def test_a_model_is_asked_by_the_names_it_learnt_and_read_by_those_of_now(ws, task, work, asked):
    tuned = launch_finetune(ws, task.id, by="Ada")
    work(ws)
    now = change(ws, task, Rename(label="spam", to="junk"))
    now = change(ws, task, Merge(label="scam", into="junk"))
    asked.clear()
    started = start_run(ws, task.id, choice=Choice(model=str(tuned.id)), by="Ada")
    work(ws)
    assert {q.label_names for q in asked} == {LABELS}
    assert "Labels:\n- ham: wanted\n- spam\n- scam" in asked[0].messages[0]["content"]
    assert said(ws, now, started) == {"ham": "ham", "spam": "junk", "scam": "junk"}
    sure = {p.label_id: p.confidence for p in ws.read.runs.predictions(started.id)}
    assert sure == {now.label("ham").id: 0.7, now.label("junk").id: pytest.approx(0.85)}
    assert tuned.id in ws.read.label_sets.marks(task.id).models


def test_a_model_trained_after_the_change_is_asked_by_the_new_names(ws, task, work, asked):
    change(ws, task, Rename(label="spam", to="junk"))
    tuned = launch_finetune(ws, task.id, by="Ada")
    work(ws)
    asked.clear()
    start_run(ws, task.id, choice=Choice(model=str(tuned.id)), by="Ada")
    work(ws)
    assert {q.label_names for q in asked} == {("ham", "junk", "scam")}


def test_no_label_changes_while_a_training_is_being_launched(ws, task, work):
    tuned = launch_finetune(ws, task.id, by="Ada")
    with pytest.raises(ConflictError, match="being launched"):
        change_labels(ws, task.id, Rename(label="spam", to="junk"), by="Ada")
    steer_finetune(ws, tuned.id, Want.CANCEL)
    work(ws)
    change_labels(ws, task.id, Rename(label="spam", to="junk"), by="Ada")


def test_a_run_that_began_goes_on_as_it_began(ws, task, work, asked):
    version = save_prompt(ws, task.id, name="first", body=BODY, by="Ada")
    started = start_run(ws, task.id, choice=Choice(prompt="first"), by="Ada")
    work(ws, until=lambda: len(asked) > 2)
    steer_run(ws, started.id, Want.PAUSE)
    before = {p.example_id for p in ws.read.runs.predictions(started.id)}
    now = change(ws, task, Merge(label="scam", into="spam", to="bad"))
    steer_run(ws, started.id, Want.RUN)
    work(ws)
    assert ws.read.runs.get(started.id).status == "done"
    if len(before) < ws.read.runs.get(started.id).total:  # else the worker was faster
        assert {q.label_names for q in asked} == {LABELS}
    assert said(ws, now, started) == {"ham": "ham", "spam": "bad", "scam": "bad"}
    undo_label_change(ws, task.id, by="Ada")
    assert said(ws, task, started) == {name: name for name in LABELS}
    assert version.id == started.prompt_version_id


def test_rules_go_along_and_keep_voting(ws, task, run):
    import_rules(ws, task.id, text=RULES, by="Ada")
    now = change(ws, task, Merge(label="scam", into="spam", to="junk"))
    rules = ws.read.rules.all(task.id)
    assert {rule.body.label for rule in rules} == {"junk"}
    assert said(ws, now, run(rules=True)) == {"ham": "ham", "spam": "junk", "scam": "junk"}
    # A rule file from before is read by the names of now.
    import_rules(ws, task.id, text=RULES, by="Ada")
    assert {rule.label_id for rule in ws.read.rules.all(task.id)} == {now.label("junk").id}


def test_rules_that_ask_a_prompt_know_its_labels_by_any_name(ws, task, run):
    save_prompt(ws, task.id, name="first", body=BODY, by="Ada")
    run(prompt="first")
    asks = "{answer: {prompt: first, version: 1, is: [scam]}}"
    text = f"rules:\n  - {{name: ask, label: spam, any: [{asks}]}}"
    import_rules(ws, task.id, text=text, by="Ada")
    now = change(ws, task, Rename(label="scam", to="fraud"))
    assert said(ws, now, run(rules=True))["scam"] == "spam"


def test_training_sets_teach_the_names_of_now(ws, task):
    made = create_training_set(ws, task.id, by="Ada")
    change(ws, task, Merge(label="scam", into="spam", to="junk"))
    assert set(ws.read.finetunes.training_set(task.id, made.id).labels) == {"ham", "junk"}
    assert "scam\\" not in export_training_set(ws, task.id, made.id)


def test_files_may_call_a_label_by_a_former_name(ws, task):
    change(ws, task, Rename(label="scam", to="fraud"))
    done = import_examples(
        ws, task.id, data=b"id,text,label\nn1,new one,Scam\nn2,other,nothing", filename="more.csv",
        columns=Columns(label="label", id="id", split="train"), by="Ada",
    )  # fmt: skip
    assert (done.added, len(done.rejected)) == (1, 1)
    assert done.notes == ("“scam” was read as “fraud”, what it is called now.",)
    stored, rejected = import_corrections(
        ws, task.id, data=b"id,label\nn1,scam", filename="c.csv", by="Bo"
    )
    assert (stored, rejected) == (1, [])
    (example,) = ws.read.examples.by_external_id(task.id, ["n1"]).values()
    assert correct_labels(ws, task.id, [Decision(example_id=example, label="scam")], by="Cy") == 1
    assert (
        ws.read.tasks.get(task.id).name_of(ws.read.labels.gold(task.id)[example].label_id)
        == "fraud"
    )


def test_champion_fallback_and_criterion_survive(ws, task, run):
    import_rules(ws, task.id, text=RULES.replace("fallback: ham", "fallback: scam"), by="Ada")
    update_task(ws, task.id, question="", criterion="macro_f1>=0.8", definitions={})
    done = run(rules=True)
    choose_champion(ws, task.id, done.id)
    now = change(ws, task, Merge(label="scam", into="spam"))
    assert now.name_of(now.fallback_label_id) == "spam"
    assert (now.champion, str(now.criterion)) == ("rules", "macro_f1>=0.8")
    start_run(ws, task.id, choice=Choice(), splits=["test"], by="Ada")
    build_report(ws, task.id, by="Ada")
    undo_label_change(ws, task.id, by="Ada")
    now = ws.read.tasks.get(task.id)
    assert now.name_of(now.fallback_label_id) == "scam"


def test_gold_waits_until_somebody_decides_again(ws, task):
    deed = Split(label="spam", parts=(("spam", ""), ("news", "A letter to many.")))
    foreseen = foresee_change(ws, task.id, deed)
    done = change_labels(ws, task.id, deed, by="Ada")
    waiting = ws.read.label_sets.relook(task.id)
    assert foreseen.again == done.waiting == len(waiting) == 8
    correct_labels(ws, task.id, [Decision(example_id=waiting[0], label="news")], by="Ada")
    correct_labels(ws, task.id, [Decision(example_id=waiting[1], label="spam")], by="Ada")
    assert ws.read.label_sets.relook(task.id) == waiting[2:]
    ws.store.deeds.undo(task.id, "Ada", ws.now())
    assert ws.read.label_sets.relook(task.id) == waiting[1:]
    undo_label_change(ws, task.id, by="Ada")
    gold = ws.read.labels.gold(task.id)
    assert ws.read.tasks.get(task.id).name_of(gold[waiting[0]].label_id) == "spam"
    assert ws.read.label_sets.relook(task.id) == []


def test_a_rename_asks_for_another_look_only_where_the_meaning_changed(ws, task):
    change(ws, task, Rename(label="spam", to="junk"))
    assert ws.read.label_sets.relook(task.id) == []
    change(ws, task, Rename(label="junk", to="bulk", meaning_changed=True))
    assert len(ws.read.label_sets.relook(task.id)) == 8


def test_the_latest_change_is_undone_first(ws, task):
    first = change_labels(ws, task.id, Rename(label="spam", to="junk"), by="Ada")
    change_labels(ws, task.id, Add(name="news"), by="Ada")
    with pytest.raises(ConflictError, match="not the latest"):
        undo_label_change(ws, task.id, first.id, by="Ada")
    undo_label_change(ws, task.id, by="Ada")
    undo_label_change(ws, task.id, first.id, by="Bo")
    assert ws.read.tasks.get(task.id).label_names == LABELS
    assert [c.undone_by for c in ws.read.label_sets.changes(task.id)] == ["Bo", "Ada"]
    with pytest.raises(InputError, match="No change"):
        undo_label_change(ws, task.id, by="Ada")


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (Rename(label="spam", to="HAM"), "stands twice"),
        (Rename(label="spam", to="spam"), "already"),
        (Rename(label="nothing", to="x"), "no label 'nothing'"),
        (Merge(label="spam", into="spam"), "with itself"),
        (Split(label="spam", parts=(("spam", ""),)), "two labels or more"),
        (Add(name=" "), "no name"),
        (Retire(label="spam"), "said by"),
        (Reorder(names=("ham", "spam")), "each label once"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(ws, task, deed, said):
    with pytest.raises(InputError, match=said):
        change_labels(ws, task.id, deed, by="Ada")
    assert ws.read.tasks.get(task.id) == task
    assert ws.read.label_sets.changes(task.id) == []


def test_a_former_name_means_one_label_only(ws, task):
    change(ws, task, Rename(label="spam", to="junk"))
    with pytest.raises(InputError, match="was a name of the label 'junk'"):
        change_labels(ws, task.id, Add(name="spam"), by="Ada")
    undo_label_change(ws, task.id, by="Ada")
    # A name that only an undone change gave is free.
    now = change(ws, task, Rename(label="ham", to="junk"))
    assert now.label("junk").id == task.label("ham").id


def test_a_merged_label_comes_back_by_a_split(ws, task):
    now = change(ws, task, Merge(label="scam", into="spam"))
    now = change(ws, task, Split(label="spam", parts=(("spam", ""), ("scam", ""))))
    assert now.label("scam").id == task.label("scam").id
    assert now.label_names == LABELS


def test_a_label_that_nothing_says_is_given_up_and_comes_back(ws, task, run):
    now = change(ws, task, Add(name="news"))
    assert now.label_names == (*LABELS, "news")
    now = change(ws, task, Retire(label="news"))
    assert now.label_names == LABELS
    undo_label_change(ws, task.id, by="Ada")
    undo_label_change(ws, task.id, by="Ada")
    assert ws.read.tasks.get(task.id).labels == task.labels


def test_what_was_decided_again_waits_no_more_whatever_is_undone_after_it(ws, task):
    change_labels(ws, task.id, Split(label="spam", parts=(("spam", ""), ("news", ""))), by="Ada")
    first, second, *rest = ws.read.label_sets.relook(task.id)
    correct_labels(ws, task.id, [Decision(example_id=first, label="news")], by="Ada")
    correct_labels(ws, task.id, [Decision(example_id=first, label="ham")], by="Ada")
    undo_correction(ws, task.id, by="Ada")
    noted = [Decision(example_id=second, label="news", note="undo")]
    correct_labels(ws, task.id, noted, by="Ada")
    assert ws.read.label_sets.relook(task.id) == rest
    change_labels(ws, task.id, Merge(label="news", into="ham"), by="Ada")  # as decided, renamed
    assert ws.read.label_sets.relook(task.id) == rest
    undo_label_change(ws, task.id, by="Ada")
    correct_labels(ws, task.id, [Decision(example_id=rest[0], label="ham")], by="Bo")
    undo_correction(ws, task.id, by="Bo")
    undo_correction(ws, task.id, by="Ada")
    assert ws.read.label_sets.relook(task.id) == [second, *rest]
    redo_correction(ws, task.id, by="Ada")
    assert ws.read.label_sets.relook(task.id) == rest
