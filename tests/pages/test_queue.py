"""The Label page one by one, with what the browser would send put into session_state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.examples import Columns, import_examples
from studio.actions.label_sets import change_labels
from studio.actions.marks import mark_example
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.analysis.queue_streams import Strategy
from studio.domain.correction import Mode, Origin
from studio.domain.label_change import Add, Merge
from studio.domain.mark import MarkKind
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.store.runs import Result
from studio.ui import queue_desk
from studio.ui.queue_state import CARD
from tests.pages.conftest import Log, known_as


@pytest.fixture
def mail(ws):
    """A task of which nothing is labeled: 60 to teach, 12 to measure, 6 locked."""
    task = create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")
    lines = ["id,text,split"]
    for split, size in (("train", 60), ("validation", 12), ("test", 6)):
        lines += [
            f"{split[:2]}{i},{('ham', 'spam')[i % 2]} {split} {i},{split}" for i in range(size)
        ]
    import_examples(
        ws, task.id, data="\n".join(lines).encode(), filename="mail.csv",
        columns=Columns(split="split", id="id"), by="Ada",
    )  # fmt: skip
    return task


@pytest.fixture
def run(ws, mail):
    """A finished run that calls everything ham, test as well."""
    ids = ws.store.examples.ids(mail.id)
    run_id = ws.store.runs.create(
        Run(
            id=0, task_id=mail.id, kind=ClassifierKind.PROMPT, title="first", model="m",
            provider="scripted", splits=("train", "test"), created_at=ws.now(), created_by="Ada",
        ),
        example_ids=ids, finetune_id=None, params={},
    )  # fmt: skip
    answer = Answer(outcome=Outcome.OK, label="ham", probabilities={"ham": 0.75, "spam": 0.25})
    results = [
        Result(example_id=i, label_id=mail.labels[0].id, answer=answer, key=f"k{i}") for i in ids
    ]
    ws.store.runs.commit(ws.store.runs.get(run_id), results, at=ws.now())
    return ws.store.runs.get(run_id)


@pytest.fixture
def open_queue(open_app):
    """Open the Label page one by one."""

    def start(**more):
        at = open_app("label", **more)
        at.session_state["label_view"] = "queue"
        at.run()
        assert not at.exception, at.exception
        return at

    return start


def state_of(at):
    return at.session_state["queue_state"]


def send(at, *entries, instance="browser-1", person="Ada", acked=0, version=None):
    """Play the browser: the whole log of a card, as often as wanted."""
    log = [{**entry, "seq": seq} for seq, entry in enumerate(entries, acked + 1)]
    block = {
        "version": version or state_of(at).version, "who": known_as(person), "instance": instance,
        "seq": acked + len(log), "acked": acked, "log": log,
    }  # fmt: skip
    at.session_state[CARD] = Log(log={"blocks": [block]})
    at.run()
    assert not at.exception, at.exception
    return at


def label(example_id, label_id, **more):
    return {"do": "label", "id": example_id, "label": str(label_id), "ms": 2500, **more}


def said(at) -> str:
    kinds = ("markdown", "caption", "info", "success", "error", "warning")
    return " ".join(str(e.value) for kind in kinds for e in getattr(at, kind))


def events(ws, task):
    return [c for c in ws.read.labels.history(task.id) if c.person == "Ada"]


def test_a_key_is_one_blind_event_however_often_it_arrives(ws, mail, open_queue):
    at = open_queue()
    first, second = state_of(at).ahead[:2]
    one, two = (found.id for found in mail.labels)
    send(at, label(first, one))
    send(at, label(first, one), label(second, two))
    send(at, label(first, one), label(second, two))
    stored = events(ws, mail)
    assert [(c.example_id, c.label_id) for c in stored] == [(first, one), (second, two)]
    assert {(c.mode, c.origin, c.seconds) for c in stored} == {(Mode.QUEUE, Origin.BLIND, 2.5)}
    assert not {first, second} & {*state_of(at).ahead}
    assert state_of(at).given == {first, second}


def test_the_card_is_filled_again_without_what_it_had(ws, mail, open_queue):
    at = open_queue()
    before = list(state_of(at).ahead)
    assert len(before) == 25
    send(at, *(label(i, mail.labels[0].id) for i in before[:12]))
    after = state_of(at).ahead
    assert after[:13] == before[12:]
    assert len(after) == 25
    assert not {*before[:12]} & {*after}


def test_skips_flags_notes_undo_and_redo_are_kept(ws, mail, open_queue):
    at = open_queue()
    a, b, c = state_of(at).ahead[:3]
    ham = mail.labels[0].id
    deeds = [
        {"do": "skip", "id": a, "on": True},
        {"do": "flag", "id": b, "on": True},
        {"do": "note", "id": b, "on": True, "text": "odd"},
        label(b, ham),
        label(c, ham),
        {"do": "undo", "id": c, "n": 1},
    ]
    send(at, *deeds)
    marks = ws.read.marks.of(mail.id, [a, b, c], "Ada")
    assert marks == {a: {MarkKind.SKIP: ""}, b: {MarkKind.FLAG: "", MarkKind.NOTE: "odd"}}
    assert ws.read.labels.current(mail.id) == {b: ham}
    send(at, *deeds, {"do": "redo", "id": c, "n": 1})
    assert ws.read.labels.current(mail.id) == {b: ham, c: ham}
    assert state_of(at).given == {b, c}


def test_an_undo_of_something_else_brings_it_in_front(ws, mail, open_queue):
    other = ws.store.examples.ids(mail.id)[0]
    correct_labels(ws, mail.id, [Decision(example_id=other, label="ham")], by="Ada")
    at = open_queue()
    send(at, {"do": "undo", "id": None, "n": 0})
    assert ws.read.labels.current(mail.id) == {}
    assert state_of(at).front[1].id == other


def test_a_server_started_anew_stores_what_it_missed_and_undoes_nothing_twice(ws, mail, open_queue):
    at = open_queue()
    a, b = state_of(at).ahead[:2]
    version, ham = state_of(at).version, mail.labels[0].id
    correct_labels(
        ws, mail.id, [Decision(example_id=a, label="ham", client="browser-1:1")], by="Ada"
    )
    again = open_queue()
    entries = [
        label(a, ham, sent=True),
        {"do": "undo", "id": a, "n": 1, "sent": True},
        label(b, ham),
    ]
    send(again, *entries, version=version)
    assert [c.example_id for c in events(ws, mail)] == [a, b]
    assert "may not have arrived" in said(again)
    late = open_queue()
    send(late, label(a, mail.labels[1].id), acked=7, version=version)
    assert events(ws, mail)[-1].label_id == mail.labels[1].id
    assert "did not arrive" not in said(late)


def test_what_another_person_left_in_the_browser_is_not_stored_under_this_name(
    ws, mail, open_queue
):
    at = open_queue()
    send(at, label(state_of(at).ahead[0], mail.labels[0].id), person="Bo")
    assert ws.read.labels.current(mail.id) == {}


def test_assisted_proposes_and_counts_as_assisted(ws, mail, run, open_queue):
    at = open_queue()
    assert all(item.said is None for item in state_of(at).items.values())
    at.segmented_control(key="queue_mode").set_value("Assisted").run()
    first = state_of(at).ahead[0]
    assert state_of(at).items[first].said == mail.labels[0].id
    send(at, label(first, mail.labels[0].id))
    (stored,) = events(ws, mail)
    assert (stored.origin, stored.run_id) == (Origin.ASSISTED, run.id)


def test_what_was_decided_blind_stays_so_after_the_mode_is_turned(ws, mail, run, open_queue):
    at = open_queue()
    first, blind = state_of(at).ahead[0], state_of(at).version
    at.segmented_control(key="queue_mode").set_value("Assisted").run()
    send(at, label(first, mail.labels[0].id), version=blind)
    assert events(ws, mail)[0].origin is Origin.BLIND


def test_test_is_blind_whatever_is_chosen(ws, mail, run, open_queue):
    at = open_queue()
    at.segmented_control(key="queue_mode").set_value("Assisted").run()
    at.selectbox(key="queue_split").set_value("test").run()
    assert state_of(at).choice.run_id is None
    assert len(state_of(at).ahead) == 6
    assert all(item.said is None for item in state_of(at).items.values())
    assert "always blind" in said(at)


def test_what_stood_behind_is_told_afterwards_and_then_it_is_assisted(ws, mail, run, open_queue):
    at = open_queue()
    first = state_of(at).ahead[0]
    assert "first says" not in said(at)
    send(at, label(first, mail.labels[0].id))
    assert "first says" not in said(at)
    state_of(at).asked = ("behind", first)
    at.run()
    assert "first says ham" in said(at)
    send(at, label(first, mail.labels[0].id), label(first, mail.labels[1].id))
    assert [c.origin for c in events(ws, mail)] == [Origin.BLIND, Origin.ASSISTED]


def test_the_later_of_two_sees_the_earlier_and_chooses(ws, mail, open_queue):
    at = open_queue()
    first = next(i for i in state_of(at).ahead if state_of(at).streams[i] != "audit")
    correct_labels(ws, mail.id, [Decision(example_id=first, label="spam")], by="Bo")
    send(at, label(first, mail.labels[0].id))
    assert "Bo" in said(at)
    assert "gave **spam**" in said(at)
    at.button(key="queue_crossed_take").click().run()
    stored = events(ws, mail)[-1]
    assert (stored.label_id, stored.origin) == (mail.labels[1].id, Origin.ASSISTED)
    assert "while you looked" not in said(at)


def test_what_others_decided_is_not_asked_about_once_another_choice_is_made(ws, mail, open_queue):
    at = open_queue()
    first = next(i for i in state_of(at).ahead if state_of(at).streams[i] != "audit")
    correct_labels(ws, mail.id, [Decision(example_id=first, label="spam")], by="Bo")
    send(at, label(first, mail.labels[0].id))
    assert state_of(at).crossed
    state_of(at).begin(replace(state_of(at).choice, strategy=Strategy.RANDOM))
    assert not state_of(at).crossed


def test_an_undo_that_a_change_of_the_labels_forbids_is_said(ws, mail, open_queue):
    change_labels(ws, mail.id, Add(name="third"), by="Ada")
    at = open_queue()
    first = state_of(at).ahead[0]
    deed = label(first, ws.read.tasks.get(mail.id).label("third").id)
    send(at, deed)
    change_labels(ws, mail.id, Merge(label="third", into="ham"), by="Bo")
    send(at, deed, {"do": "undo", "id": first, "n": 1})
    assert "is undone: “third” was merged into “ham”." in said(at).replace("\\", "")
    assert ws.read.labels.current(mail.id) == {first: mail.labels[0].id}


def test_lists_are_gone_through_whatever_their_split(ws, mail, open_queue):
    ids = ws.store.examples.ids(mail.id)
    for example_id in (ids[0], ids[-1]):
        mark_example(ws, mail.id, example_id, kind=MarkKind.FLAG, by="Bo")
    at = open_queue()
    at.radio(key="queue_strategy").set_value("flagged").run()
    assert state_of(at).ahead == [ids[0], ids[-1]]
    at.radio(key="queue_strategy").set_value("assigned").run()
    assert not at.exception
    assert "Nothing is left under" in state_of(at).ended


def test_all_done_says_so(ws, open_queue):
    load_sample(ws, "keto", by="Ada")  # all of it has gold
    at = open_queue()
    assert not state_of(at).ahead
    assert "No example of train is left" in state_of(at).ended
    at.button(key="queue_again").click().run()
    assert not at.exception


def test_ten_minutes_end_with_what_came(ws, mail, open_queue):
    at = open_queue()
    assert "Next 20 labels" in said(at)
    assert "cannot be told yet" in said(at)
    send(at, *(label(i, mail.labels[n % 2].id) for n, i in enumerate(state_of(at).ahead[:20])))
    assert "Came: 20 labels" in said(at)
    assert "40 labels to the end of train, less than ten minutes at your pace" in said(at)
    assert state_of(at).sitting.goal == 40


@pytest.fixture
def counts(monkeypatch):
    """What the card was given: how many were done, and how many the sitting is about."""
    given, drawn = [], queue_desk.queue_card

    def noted(task, items, state, **more):
        given.append((state.done, state.goal))
        drawn(task, items, state, **more)

    monkeypatch.setattr(queue_desk, "queue_card", noted)
    return given


def test_no_more_is_ahead_than_is_left(ws, mail, open_queue, counts):
    ids = ws.store.examples.ids(mail.id, ["train"])
    done = [
        Decision(example_id=i, label=("ham", "spam")[n % 2], seconds=6.0)
        for n, i in enumerate(ids[:52])
    ]
    correct_labels(ws, mail.id, done, mode=Mode.QUEUE, by="Ada")
    at = open_queue()
    assert set(counts) == {(0, 8)}  # from the first drawing on
    assert "8 labels to the end of train, less than ten minutes at your pace" in said(at)
    first, *rest = state_of(at).ahead
    send(at, label(first, mail.labels[0].id), {"do": "skip", "id": rest[0]})
    assert counts[-1] == (1, 7)  # what was skipped comes back only when somebody looks again
    send(at, *(label(i, mail.labels[0].id) for i in rest[1:]), acked=2)
    assert state_of(at).ended
    assert counts[-1] == (7, 7)
    send(at, {"do": "undo", "id": rest[-1], "n": 1}, acked=8)
    assert counts[-1] == (6, 7)  # what was undone is to be given again
    send(at, label(rest[-1], mail.labels[0].id), acked=9)
    assert counts[-1] == (7, 7)
    del counts[:]
    at.button(key="queue_again").click().run()
    assert set(counts) == {(0, 1)}
    assert "Came: 7 labels" in said(at)
    assert "1 label to the end of train" in said(at)


def test_an_audit_that_has_gold_is_still_ahead_of_another_person(ws, mail, open_queue, counts):
    ids = ws.store.examples.ids(mail.id, ["train"])
    done = [Decision(example_id=i, label=("ham", "spam")[n % 2]) for n, i in enumerate(ids)]
    correct_labels(ws, mail.id, done, by="Bo")
    at = open_queue()
    audit = len(state_of(at).ahead)
    assert 0 < audit < 20
    assert set(counts) == {(0, audit)}
    assert f"{audit} labels to the end of train" in said(at)


def test_a_list_is_as_long_as_it_is(ws, mail, open_queue, counts):
    mark_example(ws, mail.id, ws.store.examples.ids(mail.id)[0], kind=MarkKind.FLAG, by="Bo")
    at = open_queue()
    assert set(counts) == {(0, 20)}
    del counts[:]
    at.radio(key="queue_strategy").set_value("flagged").run()
    assert set(counts) == {(0, 1)}
    assert "1 label to the end of this list" in said(at)
    send(at, label(state_of(at).ahead[0], mail.labels[0].id))
    assert counts[-1] == (1, 1)
    at.radio(key="queue_strategy").set_value("assigned").run()
    assert counts[-1] == (0, 0)
