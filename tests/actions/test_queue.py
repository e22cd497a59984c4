"""The next examples of a task, from what is stored."""

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.marks import mark_example
from studio.actions.queue import (
    examples_left,
    next_examples,
    order_ahead,
    order_evidence,
    take_ahead,
)
from studio.actions.queue_outlook import look_ahead, what_stood_behind
from studio.actions.rules import save_rule
from studio.analysis.order_evidence import weigh_order
from studio.analysis.queue_streams import Stream
from studio.domain.coded_rationale import parse_rule
from studio.domain.example import Split
from studio.domain.mark import MarkKind
from studio.errors import InputError


@pytest.fixture
def task(ws, fill):
    return fill(ws, train=60, gold=False)


def names(found):
    return [example.external_id for example, _ in found.items]


def test_the_same_until_somebody_labels_and_never_what_is_labeled(ws, task):
    first = next_examples(ws, task.id, by="Ada", limit=10)
    assert names(first) == names(next_examples(ws, task.id, by="Ada", limit=10))
    example = first.items[0][0]
    correct_labels(ws, task.id, [Decision(example_id=example.id, label="ham")], by="Ada")
    assert example.external_id not in names(next_examples(ws, task.id, by="Ada", limit=500))
    assert example.external_id not in names(next_examples(ws, task.id, by="Bo", limit=500))


def test_an_audit_example_comes_to_every_person(ws, task):
    whole = next_examples(ws, task.id, by="Ada", limit=500)
    assert len(whole.items) == 60
    audit = [e for e, pick in whole.items if pick.stream is Stream.AUDIT]
    assert audit
    decisions = [Decision(example_id=e.id, label="ham") for e in audit]
    correct_labels(ws, task.id, decisions, by="Ada")
    assert not {e.external_id for e in audit} & {
        *names(next_examples(ws, task.id, by="Ada", limit=500))
    }
    assert {e.external_id for e in audit} <= {
        *names(next_examples(ws, task.id, by="Bo", limit=500))
    }


def test_rules_are_checked_without_a_word_on_them(ws, task):
    rule = {"name": "says-spam", "label": "spam", "any": [{"keywords": ["spam"]}]}
    save_rule(ws, task.id, parse_rule(rule), by="Ada")
    found = next_examples(ws, task.id, by="Ada", strategy="spot_checks", limit=5)
    assert {pick.stream for _, pick in found.items} == {Stream.SPOT_CHECK}
    assert all("spam" in example.text for example, _ in found.items)
    told = found.to_dict()
    assert not any("says-spam" in row["why"] for row in told["queue"])
    assert "behind" not in told["queue"][0]
    assert "says-spam" in found.to_dict(reveal=True)["queue"][0]["behind"]
    correct_labels(
        ws, task.id, [Decision(example_id=e.id, label="spam") for e, _ in found.items], by="Ada"
    )
    after = next_examples(ws, task.id, by="Ada", limit=20)
    assert Stream.SPOT_CHECK not in {pick.stream for _, pick in after.items}


def test_gold_that_measures_is_drawn_at_random(ws, task):
    found = next_examples(ws, task.id, by="Ada", strategy="uncertain", split="test")
    assert {pick.stream for _, pick in found.items} <= {Stream.RANDOM, Stream.AUDIT}
    assert "random" in found.note
    assert len(found.items) == 6


def test_evidence_says_what_is_missing(ws, task):
    assert order_evidence(ws, task.id).needed == 20


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"strategy": "best"}, "no strategy 'best'"),
        ({"split": "tests"}, "no split 'tests'"),
        ({"limit": 0}, "1 to 500 examples, not 0"),
    ],
)
def test_bad_use_is_said(ws, task, more, says):
    with pytest.raises(InputError, match=says):
        next_examples(ws, task.id, by="Ada", **more)


def test_imported_gold_leaves_nothing_to_ask(ws, fill):
    done = fill(ws, name="done")
    with pytest.raises(InputError, match="No example of train is left"):
        next_examples(ws, done.id, by="Ada")


def test_what_was_skipped_comes_back_last(ws, task):
    first = next_examples(ws, task.id, by="Ada", limit=3)
    skipped = [example.id for example, _ in first.items]
    for example_id in skipped:
        mark_example(ws, task.id, example_id, kind=MarkKind.SKIP, by="Ada")
    whole = next_examples(ws, task.id, by="Ada", limit=500)
    assert {e.id for e, _ in whole.items[-3:]} == {*skipped}
    assert {pick.stream for _, pick in whole.items[-3:]} == {Stream.SKIPPED}
    assert names(next_examples(ws, task.id, by="Bo", limit=3)) == names(first)


def test_an_order_worked_out_ahead_lasts_while_labels_come_in(ws, task):
    ahead = order_ahead(ws, task.id, strategy="half", pays=None)
    fresh = next_examples(ws, task.id, by="Ada", strategy="half", evidence=weigh_order([], []))
    warm = take_ahead(ws, task.id, ahead, limit=20, by="Ada")
    assert len(ahead) > len(warm) == 20
    assert {p.stream for _, p in warm} == {p.stream for _, p in fresh.items}
    done = [Decision(example_id=e.id, label=e.text.split()[0]) for e, _ in warm]
    correct_labels(ws, task.id, done, by="Ada")
    after = take_ahead(ws, task.id, ahead, limit=20, by="Ada")
    assert not {e.id for e, _ in after} & {e.id for e, _ in warm}
    asked = [e.id for e, _ in after]
    mark_example(ws, task.id, asked[0], kind=MarkKind.SKIP, by="Ada")
    more = take_ahead(ws, task.id, ahead, limit=20, by="Ada", without=asked[1:])
    assert not {e.id for e, _ in more} & {*asked}
    bo = {e.id for e, _ in take_ahead(ws, task.id, ahead, limit=500, by="Bo")}
    audit = {p.example_id for p in ahead if p.stream is Stream.AUDIT}
    assert {e.id for e, _ in warm} & bo == {e.id for e, _ in warm} & audit


def test_lists_are_gone_through_without_an_audit(ws, task):
    test = ws.read.examples.ids(task.id, ["test"])[0]
    mark_example(ws, task.id, test, kind=MarkKind.FLAG, by="Bo")
    found = next_examples(ws, task.id, by="Ada", strategy="flagged")
    assert [(e.id, pick.stream) for e, pick in found.items] == [(test, Stream.FLAGGED)]
    for strategy in ("assigned", "another_look"):
        with pytest.raises(InputError, match="Nothing is left under"):
            next_examples(ws, task.id, by="Ada", strategy=strategy)


def test_of_a_test_example_nothing_is_told_afterwards_either(ws, task):
    rule = {"name": "says-spam", "label": "spam", "any": [{"keywords": ["spam"]}]}
    save_rule(ws, task.id, parse_rule(rule), by="Ada")
    for split, told in (("train", ["The rule says-spam votes spam."]), ("test", [])):
        examples = ws.read.examples.all(task.id, [split])
        spam = next(e.id for e in examples if "spam" in e.text)
        assert what_stood_behind(ws, task.id, spam) == told


def left(ws, task, by, strategy="auto", split="train", **more):
    return examples_left(ws, task.id, strategy=strategy, split=split, by=by, **more)


def test_what_is_left_is_what_each_person_may_still_be_asked(ws, task):
    whole = next_examples(ws, task.id, by="Ada", limit=500)
    ids = [example.id for example, _ in whole.items]
    audit = {e.id for e, pick in whole.items if pick.stream is Stream.AUDIT}
    assert left(ws, task, "Ada") == 60
    mark_example(ws, task.id, ids[0], kind=MarkKind.SKIP, by="Ada")
    assert left(ws, task, "Ada") == 60  # it comes back
    assert left(ws, task, "Ada", without=ids[:10]) == 50
    done = [Decision(example_id=i, label=("ham", "spam")[n % 2]) for n, i in enumerate(ids)]
    correct_labels(ws, task.id, done, by="Ada")
    assert left(ws, task, "Ada") == 0
    # All of it has gold, and yet the audit comes to everybody.
    assert left(ws, task, "Bo") == len(audit) == next_examples(ws, task.id, by="Bo").left
    with pytest.raises(InputError, match="no split 'tests'"):
        left(ws, task, "Bo", split="tests")


def test_of_many_left_it_is_about_how_many(ws, task, monkeypatch):
    whole = next_examples(ws, task.id, by="Ada", limit=500)
    audit = [e.id for e, pick in whole.items if pick.stream is Stream.AUDIT]
    correct_labels(ws, task.id, [Decision(example_id=audit[0], label="ham")], by="Bo")
    assert left(ws, task, "Ada") == 60
    monkeypatch.setattr("studio.actions.queue.MANY_LEFT", 50)
    assert left(ws, task, "Ada") == 59  # the audit is not looked at


def test_lists_are_counted_as_what_they_are(ws, task):
    assert left(ws, task, "Ada", "flagged") == 0
    ids = ws.read.examples.ids(task.id, ["test"])[:2]
    for example_id in ids:
        mark_example(ws, task.id, example_id, kind=MarkKind.FLAG, by="Bo")
    assert left(ws, task, "Ada", "flagged") == 2
    assert left(ws, task, "Ada", "flagged", without=ids[:1]) == 1


@pytest.mark.parametrize(("rest", "goal"), [(None, 20), (3, 3), (0, 0)])
def test_ten_minutes_promise_no_more_than_is_left(ws, task, rest, goal):
    found = look_ahead(ws, task.id, is_list=False, split=Split.TRAIN, by="Ada", left=rest)
    assert (found.goal, found.left) == (goal, rest)
