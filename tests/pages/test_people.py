"""The People page in its states, with what the browser would send put into session_state."""

from __future__ import annotations

import pytest

from studio.actions.adjudication import settle_dispute
from studio.actions.corrections import Decision, correct_labels
from studio.actions.guidelines import add_guideline
from studio.domain.correction import Mode, Origin
from tests.conftest import fill_task
from tests.pages.conftest import known_as

SAID = {"Ada": "hhhsss", "Bo": "hhssss", "Cy": "hshsss"}


@pytest.fixture
def task(ws):
    return fill_task(ws)


@pytest.fixture
def ids(ws, task):
    return ws.store.examples.ids(task.id, ["train"])


@pytest.fixture
def say(ws, task, ids):
    """Give the first train examples people's labels, by first letter."""

    def tell(said=SAID):
        names = {"h": "ham", "s": "spam"}
        for who, letters in said.items():
            told = [
                Decision(example_id=i, label=names[x]) for i, x in zip(ids, letters, strict=False)
            ]
            correct_labels(ws, task.id, told, by=who)

    return tell


@pytest.fixture
def look(open_app):
    """Open the page at one of its tabs."""

    def at_tab(tab="Agreement"):
        at = open_app("people")
        at.session_state["people"] = tab
        return at.run()

    return at_tab


def words(at):
    return " ".join(e.value for e in [*at.markdown, *at.caption, *at.info, *at.success])


def press(at, *entries):
    """Send what the browser would after these keys."""
    log = [{"seq": i, **entry} for i, entry in enumerate(entries, 1)]
    at.session_state["people_disputes"] = {
        "log": {"instance": "people-0001", "who": known_as(), "seq": len(log), "log": log}
    }
    return at.run()


@pytest.mark.parametrize("tab", ["Agreement", "Adjudicate", "Rounds", "Guidelines"])
def test_nobody_labeled_yet(look, task, tab):
    at = look(tab)
    assert not at.exception
    assert not at.error
    said = {
        "Agreement": "Nobody has given labels", "Adjudicate": "nothing to settle",
        "Rounds": "None is shared", "Guidelines": "no guideline note yet",
    }  # fmt: skip
    assert said[tab] in words(at)


def test_one_person_alone_reads_how_a_second_one_joins(look, say):
    say({"Ada": "hh"})
    at = look()
    assert "Only Ada has given labels" in words(at)
    assert "Change, at the bottom of the sidebar" in words(at)


def test_figures_of_people(look, say):
    say()
    at = look()
    assert not at.exception
    assert [m.label for m in at.metric] == [
        "Krippendorff's alpha", "Fleiss' kappa", "Two people say the same",
    ]  # fmt: skip
    assert "n = 6" in at.metric[0].delta
    assert "3 people, 6 of 6 labeled examples shared, 2 with different labels" in words(at)
    people = next(d.value for d in at.dataframe if "Person" in d.value)
    assert list(people["Person"]) == ["Ada", "Bo", "Cy"]
    assert "n=6" in people["Likely right"][0]
    apart = next(d.value for d in at.dataframe if "Text" in d.value)
    assert list(apart["Id"]) == ["tr1", "tr2"]
    at.segmented_control(key="people_split").set_value("test").run()
    assert "Nobody has given labels" in words(at)


def test_two_people_are_not_told_apart_by_dawid_skene(look, say):
    say({"Ada": "hhs", "Bo": "hss"})
    people = next(d.value for d in look().dataframe if "Person" in d.value)
    assert set(people["Likely right"]) == {"two cannot tell"}


@pytest.mark.parametrize(
    ("said", "told"), [(SAID, "Likely **"), ({"Ada": "hhs", "Bo": "hss"}, "two cannot tell")]
)
def test_which_label_is_likely_is_told_from_three_people_on(look, say, ids, said, told):
    say(said)
    at = look("Adjudicate")
    at.session_state["people_disputes_desk"].asked = ids[1]
    at.run()
    assert not at.exception
    assert told in words(at)


def test_test_examples_stay_closed_but_can_be_settled(look, ws, task):
    ids = ws.store.examples.ids(task.id, ["test"])
    for who, label in (("Ada", "ham"), ("Bo", "spam")):
        correct_labels(ws, task.id, [Decision(example_id=ids[0], label=label)], by=who)
    at = look()
    assert "1 example of test stay closed" in words(at)
    assert not [d for d in at.dataframe if "Text" in d.value]
    assert "1 dispute open" in words(look("Adjudicate"))


def test_a_key_settles_a_dispute_and_undo_opens_it_again(look, say, ws, task, ids):
    say()
    at = look("Adjudicate")
    assert "2 disputes open, 0 settled" in words(at)
    spam = task.label("spam").id
    first = {"do": "label", "id": ids[1], "label": str(spam), "ms": 2500}
    at = press(at, first)
    assert not at.exception
    assert "1 dispute open, 1 settled" in words(at)
    gold = ws.store.labels.gold(task.id, ids=[ids[1]])[ids[1]]
    assert (gold.label_id, gold.origin, gold.person) == (spam, Origin.ADJUDICATED, "Ada")
    last = ws.store.labels.history(task.id, example_id=ids[1])[-1]
    assert (last.mode, last.seconds) == (Mode.ADJUDICATION, 2.5)
    at = press(at, first, {"do": "undo", "id": ids[1]})
    assert "2 disputes open, 0 settled" in words(at)
    assert ws.store.labels.gold(task.id, ids=[ids[1]])[ids[1]].origin is Origin.BLIND
    stranger = {"do": "label", "id": ids[-1], "label": str(spam)}
    press(at, first, {"do": "undo", "id": ids[1]}, stranger)
    assert ws.store.labels.gold(task.id, ids=[ids[-1]])[ids[-1]].origin is Origin.IMPORTED


def test_two_who_settle_the_same_overwrite_nothing_silently(look, say, ws, task, ids):
    say()
    at = look("Adjudicate")
    settle_dispute(ws, task.id, ids[1], label="ham", by="Di")
    spam = str(task.label("spam").id)
    at = press(at, {"do": "label", "id": ids[1], "label": spam})
    assert not at.exception
    assert [w.value for w in at.warning] == [
        "Di gave “ham” to the one you settled last while this list stood open\\; "
        "your “spam” counts now\\."
    ]
    at = press(
        at,
        {"do": "label", "id": ids[1], "label": spam},
        {"do": "label", "id": ids[2], "label": spam},
    )
    assert not at.warning


def rows(at):
    return at.session_state["people_disputes_desk"].rows


def test_what_people_said_comes_after_unless_wished_before(look, say):
    say()
    at = look("Adjudicate")
    assert {(r.warning, r.after) for r in rows(at)} == {
        ("", "People said ham 2, spam 1"),
    }  # fmt: skip
    at.toggle(key="people_names").set_value(True).run()
    assert "ham: Ada, Bo; spam: Cy" in {r.after.removeprefix("People said ") for r in rows(at)}
    at.segmented_control(key="people_when").set_value("Before I decide").run()
    assert {r.after for r in rows(at)} == {""}
    assert "ham: Ada, Bo; spam: Cy" in {r.warning for r in rows(at)}


def test_all_is_settled(look, say, ws, task, ids):
    say()
    for i in ids[1:3]:
        settle_dispute(ws, task.id, i, label="ham", by="Di")
    assert "Nothing is left to settle: 2 disputes settled" in words(look("Adjudicate"))


def test_a_round_is_planned_started_followed_handed_over_and_closed(look, ws, task):
    at = look("Rounds")
    at.multiselect(key=f"people_who_{task.id}").set_value(["Ada", "Bo"]).run()
    assert "Ada 8\\, Bo 7" in words(at)
    assert "3 examples shared by 2 people each" in words(at)
    assert "reach about ±" in words(at)
    at.button(key="people_start").click().run()
    assert not at.exception
    (one,) = ws.read.assignments.progress(task.id)
    assert (one.round.examples, one.round.shared, one.round.created_by) == (12, 3, "Ada")
    assert at.button(key="people_mine").label == "Label my 8 examples"
    at.selectbox(key="people_round_1_from").set_value("Bo").run()
    at.multiselect(key="people_round_1_to").set_value(["Cy"]).run()
    at.button(key="people_round_1_give").click().run()
    assert not at.error
    assert "Cy" in ws.read.assignments.get(task.id, 1).people
    at.button(key="people_round_1_close_now").click().run()
    assert ws.read.assignments.get(task.id, 1).closed_at
    assert any("People" in d.value for d in at.dataframe)
    at.multiselect(key=f"people_who_{task.id}").set_value([]).run()
    assert "Nobody is named who should label" in words(at)


def test_a_round_nobody_worked_on_is_undone(look, ws, task):
    at = look("Rounds")
    at.button(key="people_start").click().run()
    at.button(key="people_round_1_undo").click().run()
    assert ws.read.assignments.progress(task.id) == []


def test_my_work_opens_in_label(look, ws, task):
    at = look("Rounds")
    at.button(key="people_start").click().run()
    at.button(key="people_mine").click().run()
    assert not at.exception
    assert at.title[0].value == "Label"
    assert len(at.session_state["label_ids"]) == 12


def test_guidelines_are_listed_used_and_retired(look, ws, task):
    add_guideline(ws, task.id, text="Offers *count*.", label="ham", other="spam", by="Bo")
    at = look("Guidelines")
    assert "ham rather than spam" in words(at)
    assert "Offers \\*count\\*\\." in words(at)
    at.button(key="guideline_define_1").click().run()
    assert ws.store.tasks.get(task.id).label("ham").definition == "wanted. Offers *count*."
    assert "In the definition" in words(at)
    at.button(key="guideline_retire_1").click().run()
    assert ws.read.guidelines.all(task.id) == []
    at.button(key="guideline_back_1").click().run()
    assert len(ws.read.guidelines.all(task.id)) == 1
