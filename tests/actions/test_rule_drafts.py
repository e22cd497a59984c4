"""A draft is measured on open gold, and stored only by who has seen its figures."""

import json

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.examples import Columns, import_examples
from studio.actions.explanations import explain_label, explain_run_label
from studio.actions.rationales import rationale_record, rationale_records, record_rationale
from studio.actions.rule_drafts import MOST, accept_draft, doubt_about, draft_rules, measure_draft
from studio.actions.rule_reports import review_task, uncovered_groups
from studio.actions.rules import (
    choose_joining,
    enable_rule,
    import_rules,
    open_board,
    open_corpus,
    read_rule,
)
from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.domain.conditions import Keywords
from studio.domain.example import Split
from studio.errors import ConflictError, InputError, NotFoundError

DISHES = {
    "not_keto": ["fried rice with peas", "rice noodles", "noodle soup", "risotto rice"],
    "keto": ["cauliflower rice", "beef steak", "salmon with butter", "eggs and bacon"],
}


@pytest.fixture
def task(ws):
    task = create_task(ws, name="keto", labels=tuple(DISHES), question="Keto?", by="Ada")
    lines = ["id,text,label,split,course"]
    for split in ("train", "validation", "test"):
        for n in range(5):
            for label, texts in DISHES.items():
                for i, text in enumerate(texts):
                    course = "main" if i else "side"
                    lines.append(
                        f"{split}{n}{label}{i},{text} {split} {n},{label},{split},{course}"
                    )
    columns = Columns(label="label", split="split", id="id")
    import_examples(
        ws, task.id, data="\n".join(lines).encode(), filename="d.csv", columns=columns, by="Ada"
    )
    return ws.store.tasks.get(task.id)


@pytest.fixture
def reason(ws, task):
    """A rationale about the first example: rice is starch."""
    first = ws.read.examples.by_external_id(task.id, ["train0not_keto0"])["train0not_keto0"]
    return record_rationale(
        ws, task.id, label="not_keto", text="Rice and noodles are starch.", example_id=first,
        evidence=["rice"], by="Ada",
    )  # fmt: skip


def board_of(ws, task):
    return open_board(ws, task.id, open_corpus(ws, task.id))


def test_drafts_come_with_their_figures_and_nothing_is_stored(ws, task, reason):
    before = ws.read.tasks.get(task.id).revision
    drafts = draft_rules(ws, task.id, reason)
    assert 1 <= len(drafts) <= MOST
    assert draft_rules(ws, task.id, reason) == drafts
    best = drafts[0]
    score = best.preview.score
    assert best.body.any[0].excepted == ("cauliflower rice",)
    assert set(best.body.any[0].words) >= {"rice", "noodle*"}
    assert (score.accuracy.value, score.accuracy.n) == (1.0, 40)
    assert best.fresh.n == 20
    assert len(best.preview.newly_decided) == 40
    assert best.preview.looked_at == 80
    assert ws.read.rules.all(task.id) == []
    assert ws.read.tasks.get(task.id).revision == before


CAULIFLOWER = "rules: [{name: swap, label: keto, any: [keywords: [cauliflower]]}]"


def test_a_draft_is_doubted_until_it_clearly_gains(ws, task, reason):
    board = board_of(ws, task)
    best = draft_rules(ws, task.id, reason, board)[0]
    assert (len(best.preview.won), len(best.preview.lost)) == (40, 0)
    assert doubt_about(board, best) == ""

    def doubt(any_, **more):
        rule = json.dumps({"name": "new", "label": "not_keto", **more, "any": [any_]})
        return doubt_about(board, measure_draft(ws, board, read_rule(rule)))

    assert "no better than saying so of every example" in doubt(
        {"length": {"unit": "words", "min": 1}}
    )
    assert "less often right" in doubt({"keywords": ["beef"]})
    accept_draft(ws, task.id, best.body, rationale_id=reason, seen=best.seen, by="Ada")
    board = board_of(ws, task)
    assert "changes nothing on gold" in doubt({"keywords": ["noodle", "noodles"]})
    import_rules(ws, task.id, CAULIFLOWER, by="Ada")
    board = board_of(ws, task)
    assert "wins 0 and loses 10 gold examples" in doubt({"keywords": ["rice"]}, decisive=True)


def test_test_gold_changes_no_figure(ws, task, reason):
    before = draft_rules(ws, task.id, reason)
    ids = ws.read.examples.ids(task.id, [Split.TEST.value])
    wrong = [Decision(example_id=i, label="keto") for i in ids]
    correct_labels(ws, task.id, wrong, by="Bob")
    assert draft_rules(ws, task.id, reason) == before
    assert not {i for d in before for i in d.preview.fires_on} & set(ids)


def test_a_draft_cannot_rest_on_a_test_example_or_on_likeness_nobody_saw(ws, task, reason):
    likeness = "{name: like, label: keto, any: [similar: {examples: [%s]}]}"
    for example, trouble in (("test0keto0", InputError), ("train0keto0", ConflictError)):
        body = read_rule(likeness % example)
        seen = measure_draft(ws, board_of(ws, task), body).seen
        with pytest.raises(trouble):
            accept_draft(ws, task.id, body, rationale_id=reason, seen=seen, by="Ada")
    assert ws.read.rules.all(task.id) == []


def test_what_rules_say_of_test_stays_unseen_until_it_has_gold(ws, task, work):
    import_rules(ws, task.id, "rules: [{name: r, label: keto, any: [phrase: rice]}]", by="Ada")
    blank = b"id,text,split\nnew,plain rice,test\n"
    columns = Columns(id="id", split="split")
    import_examples(ws, task.id, data=blank, filename="n.csv", columns=columns, by="Ada")
    run = start_run(ws, task.id, choice=Choice(rules=True), splits=["test"], by="Ada")
    work(ws)
    names = ["new", "test0not_keto0"]
    new, judged = (ws.read.examples.by_external_id(task.id, names)[name] for name in names)
    for look in (
        lambda: explain_label(ws, task.id, judged),
        lambda: explain_run_label(ws, run.id, new),
    ):
        with pytest.raises(InputError, match="of the locked test split"):
            look()
    assert explain_run_label(ws, run.id, judged).explanation.votes


def test_what_was_not_seen_is_not_stored(ws, task, reason):
    best = draft_rules(ws, task.id, reason)[0]
    accept = {"rationale_id": reason, "by": "Ada"}
    with pytest.raises(ConflictError, match="were not seen"):
        accept_draft(ws, task.id, best.body, seen="", **accept)
    edited = read_rule(f"{{name: {best.body.name}, label: not_keto, any: [keywords: [rice]]}}")
    with pytest.raises(ConflictError, match="were not seen"):
        accept_draft(ws, task.id, edited, seen=best.seen, **accept)
    assert ws.read.rules.all(task.id) == []
    shown = measure_draft(ws, board_of(ws, task), edited)
    stored = accept_draft(ws, task.id, edited, seen=shown.seen, **accept)
    assert (stored.body, stored.rationale_id) == (edited, reason)
    again = measure_draft(ws, board_of(ws, task), edited)
    with pytest.raises(ConflictError, match="already"):
        accept_draft(ws, task.id, edited, seen=again.seen, **accept)


def test_figures_that_changed_must_be_seen_again(ws, task, reason):
    best = draft_rules(ws, task.id, reason)[0]
    fired = best.preview.fires_on[0]
    wrong = [Decision(example_id=fired, label="keto")]
    correct_labels(ws, task.id, wrong, by="Bob")
    with pytest.raises(ConflictError, match="have changed since"):
        accept_draft(ws, task.id, best.body, rationale_id=reason, seen=best.seen, by="Ada")


def test_drafts_the_task_has_are_left_out_and_names_stay_apart(ws, task, reason):
    best = draft_rules(ws, task.id, reason)[0]
    accept_draft(ws, task.id, best.body, rationale_id=reason, seen=best.seen, by="Ada")
    after = draft_rules(ws, task.id, reason)
    assert best.body.hash not in {d.body.hash for d in after}
    names = [d.body.name for d in after] + [best.body.name]
    assert len(set(names)) == len(names)


def test_an_unknown_rationale_says_where_to_look(ws, task):
    with pytest.raises(NotFoundError, match="There is no rationale 99"):
        draft_rules(ws, task.id, 99)
    with pytest.raises(NotFoundError, match="There is no rationale 99"):
        rationale_record(ws, task.id, 99)
    reason = record_rationale(ws, task.id, label="keto", text="Zzz", by="Ada")
    assert draft_rules(ws, task.id, reason) == []


def test_a_record_tells_what_became_of_a_rationale(ws, task, reason):
    empty = rationale_record(ws, task.id, reason)
    assert (empty.rules, empty.fires, empty.decided, empty.precision.n) == ((), 0, {}, 0)
    best = draft_rules(ws, task.id, reason)[0]
    rule = accept_draft(ws, task.id, best.body, rationale_id=reason, seen=best.seen, by="Ada")
    other = record_rationale(ws, task.id, label="keto", text="Fat only", by="Ada")
    records = rationale_records(ws, task.id)
    record = records[reason]
    assert record.rules == (rule,)
    assert (record.fires, record.precision.value) == (40, 1.0)
    assert record.decided == {task.label("not_keto").id: 40}
    assert [e.external_id for e in ws.read.examples.some(task.id, record.example_ids)] == [
        "train0not_keto0"
    ]
    assert records[other].rules == ()
    enable_rule(ws, task.id, rule.body.name, enabled=False)
    silent = rationale_record(ws, task.id, reason)
    assert (len(silent.rules), silent.fires) == (1, 0)


RULES = """
rules:
  - {name: rice, label: not_keto, any: [{keywords: [rice]}]}
  - {name: beef, label: keto, any: [{keywords: [beef]}]}
"""


def test_the_report_and_the_gaps_look_at_open_examples_only(ws, task):
    import_rules(ws, task.id, RULES, by="Ada")
    review = review_task(ws, task.id)
    assert (review.looked_at, review.judged, review.joining) == (80, 80, "expert")
    rice, beef = review.rules
    assert (rice.score.fires, len(rice.score.wrong), len(rice.won)) == (40, 10, 30)
    assert len(beef.won) == 10
    test_ids = set(ws.read.examples.ids(task.id, [Split.TEST.value]))
    seen = {i for b in review.buckets for i in b.example_ids}
    gaps = uncovered_groups(ws, task.id)
    assert gaps
    assert not (seen | {i for gap in gaps for i in gap.example_ids}) & test_ids
    assert {i for gap in gaps for i in gap.example_ids} <= set(
        next(b for b in review.buckets if b.name == "none_votes").example_ids
    )


def test_the_report_follows_how_the_task_joins_votes(ws, task):
    import_rules(ws, task.id, RULES, by="Ada")
    choose_joining(ws, task.id, "weighted")
    assert review_task(ws, task.id).joining == "weighted"


def test_hostile_reasons_are_drafted_from_or_ignored(ws, task):
    for text in ("(a+)+$ \x00 ​ {{7*7}}", "ри́с 米饭 " * 50, "no " * 500, "x" * 20_000):
        reason = record_rationale(ws, task.id, label="keto", text=text, by="Eve")
        for drafted in draft_rules(ws, task.id, reason):
            assert all(isinstance(c, Keywords) for c in drafted.body.any)
    with pytest.raises(InputError):
        measure_draft(
            ws, board_of(ws, task), read_rule("{name: a, label: keto, any: [regex: '(?=a)']}")
        )
