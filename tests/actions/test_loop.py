"""What the loop promises: test stays locked, labels are named by origin, looks are counted."""

import json

import pytest

from studio.actions.corrections import Decision, correct_labels, import_corrections, undo_correction
from studio.actions.evaluations import (
    compare_runs,
    evaluate_run,
    examples_of_cells,
    find_slices,
)
from studio.actions.finetunes import (
    create_training_set,
    export_training_set,
    lint_training_set,
    preview_training_set,
)
from studio.actions.previews import preview_prompt
from studio.actions.prompts import save_prompt
from studio.actions.reports import build_report, report_to_dict
from studio.actions.rules import export_rules, import_rules, report_rules
from studio.actions.runs import Choice, export_run, run_status, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import choose_champion, update_task
from studio.analysis.metrics import evaluate
from studio.analysis.report_html import render_report
from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.prompt import FewShot, PromptText
from studio.errors import InputError, NotFoundError

RULES = """
fallback: ham
rules:
  - {name: shout, label: spam, any: [{keywords: [spam]}]}
"""


@pytest.fixture
def task(ws, fill):
    return fill(ws)


@pytest.fixture
def run(ws, task, work):
    """Return a function that runs a classifier to its end."""

    def run(choice=Choice(), **more):  # noqa: B008
        started = start_run(ws, task.id, choice=choice, by="Ada", **more)
        work(ws)
        return ws.read.runs.get(started.id)

    return run


def splits_of(ws, task, ids):
    return {e.split for e in ws.store.examples.some(task.id, list(ids))}


def asked(script):
    return [json.loads(q.messages[-1]["content"])["text"] for q in script.questions]


def test_a_run_leaves_test_out_unless_it_is_named(ws, task, run, script):
    first = run()
    assert (first.status, first.done, first.total) == ("done", 18, 18)
    assert not any("number te" in text for text in asked(script))
    named = run(splits=["test"])
    assert splits_of(ws, task, [p.example_id for p in ws.read.runs.predictions(named.id)]) == {
        Split.TEST
    }
    assert len(asked(script)) == 24


def test_a_preview_never_asks_about_test(ws, task, work, script):
    save_prompt(ws, task.id, name="p", body=PromptText(instructions="Hi"), by="Ada")
    shown = preview_prompt(
        ws, task.id, body=PromptText(instructions="A"), before=PromptText(instructions="B"),
        n=1000, by="Ada",
    )  # fmt: skip
    work(ws)
    assert len(shown.example_ids) == 18
    assert splits_of(ws, task, shown.example_ids) == {Split.TRAIN, Split.VALIDATION}
    assert not any("number te" in text for text in asked(script))
    assert ws.read.runs.all(task.id) == []  # a preview is no run of the task
    assert len(ws.read.runs.all(task.id, previews=True)) == 2


def test_a_limit_takes_labels_in_turn(ws, task, run):
    small = run(limit=4)
    gold = ws.read.labels.gold(task.id)
    said = [gold[p.example_id].label_id for p in ws.read.runs.predictions(small.id)]
    assert len(said) == 4
    assert len(set(said)) == 2


def test_a_prompt_may_show_examples_of_train(ws, task):
    shot = FewShot(text="ham number tr 0", label="ham", example_id=1)
    body = PromptText(instructions="", few_shots=(shot,))
    assert save_prompt(ws, task.id, name=" a  prompt ", body=body, by="Ada").title == "a prompt v1"
    assert save_prompt(ws, task.id, name="a prompt", body=body, by="Bo").number == 1


def test_a_training_set_holds_train_only_and_names_origins(ws, task, run):
    predicted = run()
    gold = create_training_set(ws, task.id, by="Ada")
    assert (gold.size, gold.origins) == (12, {"imported": 12})
    ids = [e.id for e in ws.store.examples.all(task.id, ["train"])]
    correct_labels(
        ws, task.id, [Decision(example_id=ids[0], label="spam")], run_id=predicted.id, by="Bo"
    )
    made = create_training_set(ws, task.id, run_id=predicted.id, by="Ada")
    assert made.origins == {"assisted": 1, "prediction": 11}
    assert made.labels == {"ham": 5, "spam": 7}
    for training_set in (gold, made):
        rows = ws.store.finetunes.training_rows(training_set.id)
        assert splits_of(ws, task, [i for i, _, _ in rows]) == {Split.TRAIN}
    assert any("made by a model" in note for note in lint_training_set(task, made))
    shown = preview_training_set(ws, task.id, run_id=predicted.id)
    assert (shown.id, shown.origins, shown.labels) == (0, made.origins, made.labels)


def test_a_training_set_is_exported_without_any_test_text(ws, task):
    made = create_training_set(ws, task.id, by="Ada")
    text = export_training_set(ws, task.id, made.id)
    assert text.count("\n") == 12
    assert "number tr" in text
    assert "number te" not in text
    assert "number va" not in text


def test_decisions_know_whether_a_model_was_in_sight(ws, task, run):
    predicted = run()
    train = ws.store.examples.all(task.id, ["train"])[0].id
    test = ws.store.examples.all(task.id, ["test"])[0].id
    both = [Decision(example_id=i, label="spam", client=f"c:{i}") for i in (train, test)]
    assert correct_labels(ws, task.id, both, run_id=predicted.id, by="Bo") == 2
    assert correct_labels(ws, task.id, both, run_id=predicted.id, by="Bo") == 0
    gold = ws.read.labels.gold(task.id)
    assert gold[train].origin is Origin.ASSISTED
    assert gold[test].origin is Origin.BLIND
    assert test in ws.read.labels.gold(task.id, blind_only=True)
    assert train not in ws.read.labels.gold(task.id, blind_only=True)
    assert undo_correction(ws, task.id, by="Bo").example_ids == (test,)
    assert ws.read.labels.gold(task.id)[test].origin is Origin.IMPORTED


def test_decisions_from_a_file(ws, task):
    data = b"ID,Label\n tr0 ,SPAM\nnowhere,ham\ntr1,eggs\ntr2,\nte0,ham\n"
    stored, rejected = import_corrections(
        ws, task.id, data=data, filename="c.csv", by="Bo", blind=True
    )
    assert stored == 2
    assert rejected == [
        (3, "there is no example 'nowhere'"),
        (4, "the label 'eggs' is unknown"),
        (5, "the label '' is unknown"),
    ]
    lines = b'{"id": "tr3", "label": "ham"}\n{"label": "ham"}\n{"id": "tr4"}\n'
    stored, rejected = import_corrections(ws, task.id, data=lines, filename="c.jsonl", by="Bo")
    assert (stored, [line for line, _ in rejected]) == (1, [2, 3])


def test_the_champion_labels_when_nothing_is_named(ws, task, run):
    import_rules(ws, task.id, RULES, by="Ada")
    rules = run(Choice(rules=True))
    assert rules.title == "rules"
    assert choose_champion(ws, task.id, rules.id).champion == "rules"
    assert run().title == "rules"
    prompt = run(Choice(prompt=str(save_prompt(
        ws, task.id, name="mine", body=PromptText(instructions="x"), by="Ada").id)))  # fmt: skip
    choose_champion(ws, task.id, prompt.id)
    assert run().title == "mine v1"


def test_a_look_at_test_is_counted_and_others_are_not(ws, task, run):
    first, second = run(splits=["test"]), run(splits=["test"])
    everywhere = run(splits=["train", "validation", "test"])
    evaluate_run(ws, everywhere.id, split="validation", by="Ada")
    find_slices(ws, everywhere.id, split="train", by="Ada")
    assert ws.read.labels.looks(task.id) == 0
    evaluate_run(ws, first.id, split="test", by="Ada")
    assert ws.read.labels.looks(task.id) == 1
    compare_runs(ws, first.id, second.id, split="test", by="Ada")
    assert ws.read.labels.looks(task.id) == 3
    find_slices(ws, first.id, split="test", by="Ada")
    evaluate_run(ws, everywhere.id, split="validation+test", by="Ada")
    assert ws.read.labels.looks(task.id) == 5
    with pytest.raises(NotFoundError):
        evaluate_run(ws, first.id, split="test", slice_name="no such", by="Ada")
    with pytest.raises(InputError, match="no labeled example with gold in validation"):
        evaluate_run(ws, first.id, split="validation", by="Ada")
    assert ws.read.labels.looks(task.id) == 5


def test_on_test_only_blind_gold_counts(ws, fill, work):
    task = fill(ws, "blind", gold=False)
    started = start_run(ws, task.id, choice=Choice(), splits=["train", "test"], by="Ada")
    work(ws)
    test = [e.id for e in ws.store.examples.all(task.id, ["test"])]
    import_corrections(ws, task.id, data=b"id,label\nte0,ham\nte1,spam\n", filename="c.csv", by="B")
    assert set(ws.read.labels.gold(task.id)) == set(test[:2])  # a file that does not say blind
    with pytest.raises(InputError, match="gold in test"):
        evaluate_run(ws, started.id, split="test", by="Ada")


def test_kept_figures_are_those_of_now(ws, task, run, monkeypatch):
    """Figures of a finished run are kept, and forgotten when a label or a split changes."""
    monkeypatch.setattr("studio.actions.evaluations.WORTH_KEEPING", 1)
    computed = []
    monkeypatch.setattr(
        "studio.actions.evaluations.evaluate", lambda *a: computed.append(1) or evaluate(*a)
    )
    filed = run()
    first = evaluate_run(ws, filed.id, by="Ada")
    assert evaluate_run(ws, filed.id, by="Ada") == first
    assert len(computed) == 1
    example = ws.read.examples.all(task.id, ["validation"])[0]
    gold = ws.read.labels.gold(task.id)[example.id].label_id
    other = next(label for label in task.labels if label.id != gold)
    correct_labels(ws, task.id, [Decision(example_id=example.id, label=other.name)], by="Ada")
    changed = evaluate_run(ws, filed.id, by="Ada")
    assert len(computed) == 2
    assert changed != first
    ws.store.examples.set_splits(task.id, {example.id: Split.TRAIN})
    assert evaluate_run(ws, filed.id, by="Ada").n == first.n - 1


def test_cells_hold_the_examples_they_count(ws, task, run):
    done = run(splits=["train", "validation"])
    flip = ws.store.examples.all(task.id, ["validation"])[0]
    correct_labels(ws, task.id, [Decision(example_id=flip.id, label="spam")], by="Bo")
    found = evaluate_run(ws, done.id, split="validation", by="Ada")
    cells = examples_of_cells(ws, done.id, split="validation")
    for gold, row in found.confusion.to_dict().items():
        for said, n in row.items():
            ids = cells.get((gold, said), ())
            assert len(set(ids)) == len(ids) == n
    assert cells["spam", "ham"] == (flip.id,)


def test_rules_are_exported_as_they_were_imported(ws, task, fill):
    import_rules(ws, task.id, RULES, by="Ada")
    other = fill(ws, "other")
    import_rules(ws, other.id, export_rules(ws, task.id), by="Ada")
    assert export_rules(ws, other.id) == export_rules(ws, task.id)
    (score,) = report_rules(ws, task.id)
    assert (score.coverage, score.accuracy.value) == (0.5, 1.0)
    assert score.accuracy.n == 9  # gold of train and validation, never of test


def test_an_export_names_every_outcome(ws, task, run):
    done = run()
    rows = export_run(ws, done.id)
    assert len(rows) == 18
    assert {row["label"] for row in rows} == {"ham", "spam"}
    promised = {
        "run": done.id, "title": "definitions v1", "kind": "prompt", "status": "done", "total": 18,
        "done": 18, "outcomes": {"ok": 18}, "error": "", "calls": 18, "cost_usd": 0.0,
        "model": "scripted-1", "budget_usd": None,
    }  # fmt: skip
    assert promised.items() <= run_status(ws, done.id).items()


def promise(ws, task, criterion):
    update_task(ws, task.id, question="Is it?", criterion=criterion, definitions={})


def verdict(ws, task):
    return build_report(ws, task.id, by="Ada").decision


def test_the_verdict_goes_through_its_states(ws, fill, work):
    """No criterion, no figure, too few examples, go, and no-go; each report keeps its verdict."""
    task = fill(ws, "verdict", train=12, validation=0, test=120)
    assert "No criterion" in verdict(ws, task).reason
    promise(ws, task, "accuracy>=0.9")
    assert "No classifier was measured" in verdict(ws, task).reason
    assert ws.read.labels.looks(task.id) == 0
    small = start_run(ws, task.id, choice=Choice(), splits=["test"], limit=5, by="Ada")
    work(ws)
    few = verdict(ws, task)
    assert (few.verdict.value, few.needed is None) == ("not yet", False)
    assert "cannot tell" in few.reason
    start_run(ws, task.id, choice=Choice(), splits=["test"], by="Ada")
    work(ws)
    assert verdict(ws, task).verdict.value == "go"
    test = ws.store.examples.all(task.id, ["test"])
    flipped = [
        Decision(example_id=e.id, label="spam" if "ham" in e.text else "ham") for e in test[:60]
    ]
    correct_labels(ws, task.id, flipped, by="Bo")
    final = build_report(ws, task.id, by="Ada")
    assert final.decision.verdict.value == "no-go"
    assert ws.read.labels.looks(task.id) == final.test_looks == 3
    kept = [r["verdict"] for r in ws.read.db.read("SELECT verdict FROM verdict ORDER BY id")]
    assert kept == ["not yet", "not yet", "not yet", "go", "no-go"]
    choose_champion(ws, task.id, small.id)
    told = report_to_dict(final)
    assert {"verdict", "criterion", "figure", "cost_usd", "minutes", "missing"} <= set(told)
    assert set(told["figure"]) == {"value", "low", "high", "n"}


def test_the_report_is_about_the_champion(ws, fill, work):
    task = fill(ws, "champion", test=40)
    import_rules(ws, task.id, RULES, by="Ada")
    rules = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    start_run(ws, task.id, choice=Choice(), splits=["test"], by="Ada")
    work(ws)
    assert build_report(ws, task.id, by="Ada").classifier == "definitions v1"
    choose_champion(ws, task.id, rules.id)
    report = build_report(ws, task.id, by="Ada")
    assert (report.classifier, report.figure) == ("", None)
    assert any("champion on the test split" in note for note in report.missing)


def test_the_report_says_how_many_decisions_nobody_timed(ws, fill):
    task = fill(ws, "brought", train=5)
    lines = "".join(f"tr{i},ham\n" for i in range(5))
    for who in ("Ada", "Bo"):
        data = f"id,label\n{lines}".encode()
        import_corrections(ws, task.id, data=data, filename="c.csv", by=who)
    report = build_report(ws, task.id, by="Ada")
    told = report_to_dict(report)
    assert (told["minutes"], told["untimed"]) == (0, 10)
    assert any("The time of 10 decisions" in note for note in told["missing"])
    assert "Measured here: 0.0 minutes" in told["arms"][0]["basis"]
    assert "Not timed: 10 more decisions" in told["arms"][0]["basis"]
    assert "Decisions not timed" in render_report(report, title="brought")


def test_the_sample_comes_whole_and_twice_under_two_names(ws):
    task = load_sample(ws, by="Ada")
    counts = ws.read.examples.counts(task.id)
    assert sum(counts.values()) >= 500
    assert counts["train"] + counts["validation"] >= 400
    assert set(ws.read.labels.gold(task.id)) == {e.id for e in ws.read.examples.all(task.id)}
    assert {g.origin for g in ws.read.labels.gold(task.id).values()} == {Origin.COMPUTED}
    rationales = ws.read.rationales.all(task.id)
    assert len(rationales) >= 12
    about = {r.example_id for r in rationales if r.example_id}
    assert about
    assert Split.TEST not in splits_of(ws, task, about)
    for r in rationales:
        for words in r.evidence:
            text = ws.read.examples.get(task.id, r.example_id).text
            assert text[words.start : words.end] == words.words
    assert len(ws.read.rules.all(task.id)) >= 12
    assert [v.name for v in ws.read.prompts.all(task.id)] == ["first", "better"]
    assert not any("net_carbs" in key for key in ws.read.examples.columns(task.id))
    bare = load_sample(ws, "bare", with_knowledge=False, by="Ada")
    assert ws.read.rules.all(bare.id) == ws.read.prompts.all(bare.id) == []
