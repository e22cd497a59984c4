"""The tab of rules state by state: joining, a model beside, the report, gaps; labels by one key."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st

from studio.actions.explanations import explain_label, explain_run_label
from studio.actions.label_sets import change_labels
from studio.actions.rule_reports import review_task
from studio.actions.rules import (
    chosen_joining,
    enable_rule,
    open_board,
    open_corpus,
    read_rule,
    save_rule,
)
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.correction import Origin
from studio.domain.job import JobStatus
from studio.domain.label_change import Add, Merge
from studio.domain.run import Answer, ClassifierKind, Method, Outcome
from studio.errors import InputError
from studio.store.runs import Result
from studio.ui.rule_blind import BlindCheck, _verdict, draw_ids
from studio.ui.rule_draft import WRITTEN, draft_of, kept_draft_of, new_draft
from studio.ui.rule_examples import ExampleList, LabelDesk, _open, take_labels
from studio.ui.rule_preview import said_beside
from studio.ui.rule_report_view import findings_of
from studio.ui.rule_table import notes_of
from studio.ui.session import who
from tests.pages.test_rationales import new_yaml_rule, open_rules, said, work

KEY = "some_list"


@pytest.fixture
def keto(ws):
    return load_sample(ws, by="Dr. Lind")


def show(at, view: str):
    control = next(c for c in at.segmented_control if c.key == "rationales_rules_view")
    return control.set_value(view).run()


def test_each_view_of_the_rules_opens(ws, open_app, keto):
    at = open_rules(open_app)
    at = show(at, "How votes are joined")
    assert "blind gold labels" in said(at)
    assert "Where no rule decides the answer is not_keto" in said(at)
    assert len(at.dataframe[0].value) == 3
    at = show(at, "With a model")
    assert "Train one first" in said(at)
    at = show(at, "What to look at")
    assert "627 examples of train and validation" in said(at)
    assert "contradicts" in " ".join(at.dataframe[0].value["What"])
    at = show(at, "What no rule covers")
    assert any(b.label == "Write a rationale about it" for b in at.button)
    assert not at.exception


def test_joining_is_chosen_by_people_and_said_when_gold_advises_otherwise(ws, open_app, keto):
    at = show(open_rules(open_app), "How votes are joined")
    box = next(b for b in at.selectbox if b.label == "Join votes by")
    at = box.set_value("votes weighed on gold").run()
    assert chosen_joining(ws, keto.id) == "weighted"
    assert "Gold advises the expert's order" in said(at)
    assert not at.exception


def test_ways_that_gold_cannot_fit_are_named_and_not_offered(ws, open_app):
    task = create_task(ws, name="few", labels=["spam", "ham"], by="Ada")
    rule = "{name: offer, label: spam, any: [phrase: offer]}"
    save_rule(ws, task.id, read_rule(rule), by="Ada")
    at = show(open_rules(open_app), "How votes are joined")
    assert next(b for b in at.selectbox if b.label == "Join votes by").options == [
        "the expert's order"
    ]
    assert list(at.dataframe[0].value["Macro-F1"])[1:] == ["not offered", "not offered"]
    for view in ("What to look at", "What no rule covers"):
        assert not show(at, view).exception


def test_with_all_rules_off_only_the_list_is_left(ws, open_app, keto):
    for rule in ws.read.rules.all(keto.id):
        enable_rule(ws, keto.id, rule.body.name, enabled=False)
    at = open_rules(open_app)
    control = next(c for c in at.segmented_control if c.key == "rationales_rules_view")
    assert control.options == ["The rules"]
    assert not at.exception


def test_what_is_amiss_with_a_rule_is_told_in_a_few_words_and_opens_its_examples(ws, keto):
    save_rule(ws, keto.id, read_rule("{name: never, label: keto, any: [phrase: xyzzy]}"), by="A")
    twin = "{name: twin, label: not_keto, any: [keywords: [rice, risotto]]}"
    save_rule(ws, keto.id, read_rule(twin), by="Ada")
    board = open_board(ws, keto.id, open_corpus(ws, keto.id))
    review = review_task(ws, keto.id, board)
    names = {rule.id: rule.body.name for rule in board.rules}
    notes = {names[one.score.rule_id]: notes_of(one, names) for one in review.rules}
    assert notes["never"] == "dead: never fires"
    assert notes["rice"] == ""
    found = {one.what: one for one in findings_of(review, board)}
    assert found["never is dead"].ids == ()
    pair = found["sugar contradicts fat-and-cheese"]
    both = [list(board.matrix.rule_ids).index(r.id) for r in board.rules
            if r.body.name in ("sugar", "fat-and-cheese")]  # fmt: skip
    assert len(pair.ids) == int(board.matrix.fires[:, both].all(axis=1).sum()) > 0
    told = said_beside(board, "sugar", pair.ids[:5])
    assert all("fat-and-cheese says keto" in words or "+" in words for words in told.values())


class Browser:
    """What the list in a browser sends."""

    def __init__(self, ws, task, ids, *, blind: bool = False, instance: str = "browser-1") -> None:
        self.ws, self.task, self.blind, self.instance = ws, task, blind, instance
        self.log: list[dict] = []
        self.desk = LabelDesk()
        st.session_state[f"{KEY}_desk"] = self.desk
        _open(ws, task, self.desk, ids, body=None, beside=None, blind=blind)

    def send(self, *entries: dict) -> None:
        for entry in entries:
            self.log.append({**entry, "seq": len(self.log) + 1})
        value = {
            "instance": self.instance, "who": who(self.ws, "Ada"), "seq": len(self.log),
            "log": list(self.log),
        }  # fmt: skip
        st.session_state[KEY] = SimpleNamespace(log=value)
        take_labels(self.ws, self.task, "Ada", KEY, blind=self.blind)


def label(example_id: int, label_id: int) -> dict:
    return {"do": "label", "id": example_id, "label": str(label_id)}


def events(ws, task):
    return [
        (c.example_id, c.label_id, c.origin)
        for c in ws.read.labels.history(task.id)
        if c.person == "Ada"
    ]


@pytest.mark.parametrize(("blind", "origin"), [(False, Origin.ASSISTED), (True, Origin.BLIND)])
def test_a_label_beside_a_rule_is_assisted_and_one_of_a_blind_check_is_blind(
    ws, keto, blind, origin
):
    one, two = (e.id for e in ws.read.examples.all(keto.id, ("train",))[:2])
    browser = Browser(ws, keto, (one, two), blind=blind)
    browser.send(label(one, 1), label(two, 2))
    browser.send()  # the same again
    assert events(ws, keto) == [(one, 1, origin), (two, 2, origin)]
    browser.send({"do": "undo", "id": two})
    assert events(ws, keto)[-1][:2] == (two, None)
    assert browser.desk.given == {one: [1], two: []}
    assert [row.gold is None for row in browser.desk.rows] == [blind, blind]


def test_what_a_browser_sends_again_to_a_new_server_is_neither_stored_nor_undone_twice(ws, keto):
    one, two = (e.id for e in ws.read.examples.all(keto.id, ("train",))[:2])
    first = Browser(ws, keto, (one, two))
    first.send(label(one, 1), label(two, 2), {"do": "undo", "id": two})
    stored = events(ws, keto)
    second = Browser(ws, keto, (one, two))
    second.log = list(first.log)
    second.send()
    assert events(ws, keto) == stored
    second.send({"do": "undo", "id": one})
    assert events(ws, keto)[-1][:2] == (one, None)


def test_an_undo_that_a_label_change_holds_takes_nothing_back_and_says_so(ws, keto, monkeypatch):
    one = ws.read.examples.all(keto.id, ("train",))[0].id
    change_labels(ws, keto.id, Add(name="maybe"), by="Bo")
    task = ws.read.tasks.get(keto.id)
    said = []
    monkeypatch.setattr(st, "toast", said.append)
    browser = Browser(ws, task, (one,))
    browser.send(label(one, task.labels[2].id))
    change_labels(ws, keto.id, Merge(label="maybe", into="keto"), by="Bo")
    browser.send({"do": "undo", "id": one})
    assert browser.desk.given == {one: [task.labels[2].id]}
    assert len(said) == 1


def test_a_browser_cannot_label_what_is_not_in_the_list(ws, keto):
    listed, other = (e.id for e in ws.read.examples.all(keto.id, ("train",))[:2])
    Browser(ws, keto, (listed,)).send(label(other, 1), label(listed, 99))
    assert events(ws, keto) == []


def test_a_blind_check_takes_half_from_where_the_rule_fires_and_prefers_what_has_no_gold(ws, keto):
    board = open_board(ws, keto.id, open_corpus(ws, keto.id))
    body = read_rule("{name: oats, label: not_keto, any: [keywords: [sugar, honey]]}")
    column = [r.body.name for r in board.rules].index("sugar")
    fires_on = board.corpus.ids[board.matrix.labels[:, column] != 0].tolist()
    board.gold[np.isin(board.corpus.ids, fires_on[:5])] = 0
    ids = draw_ids(board, fires_on, (), seed=[1])
    assert len(set(ids)) == 10
    assert set(ids) & set(fires_on) == set(fires_on[:5])
    assert draw_ids(board, fires_on, (), seed=[2]) != ids
    check = BlindCheck(ids=ids, fires=frozenset(fires_on[:5]), body=body, number=1)
    given = dict.fromkeys(ids, "not_keto") | {fires_on[0]: "keto"}
    assert _verdict(check, given) == (
        "Of 10 examples the rule fires on 5 and says not_keto; you agree on 4. "
        "On the other 5 it is silent; 5 of them are not_keto."
    )


def test_why_a_label_is_told_for_now_and_for_a_run(ws, keto):
    run = start_run(ws, keto.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    example = next(
        e for e in ws.read.examples.all(keto.id, ("train",)) if "rice" in e.text.lower().split()
    )
    now = explain_label(ws, keto.id, example.id)
    then = explain_run_label(ws, run.id, example.id)
    assert now.explanation == then.explanation
    decided = [now.rules[v.rule_id].body.name for v in now.explanation.votes if v.decided]
    assert decided
    enable_rule(ws, keto.id, decided[0], enabled=False)
    assert explain_label(ws, keto.id, example.id).explanation != now.explanation
    assert explain_run_label(ws, run.id, example.id).explanation == then.explanation
    prompt = start_run(ws, keto.id, choice=Choice(), by="Ada")
    with pytest.raises(InputError, match="No rules took part"):
        explain_run_label(ws, prompt.id, example.id)


CONDITIONS = (
    "similar: {examples: [a, b], min: 0.7}",
    "answer: {prompt: better, version: 3, is: [keto], min: 0.8}",
    "answer: {prompt: better, version: 1, is: [keto, not_keto]}",
    "fuzzy: {words: [risotto], min: 80}",
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_kind_of_condition_passes_through_the_form(condition):
    body = read_rule(f"{{name: a, label: keto, any: [{{{condition}}}]}}")
    draft = draft_of(body, None)
    assert draft.read() == body
    kept = draft.to_dict()
    if condition.startswith("fuzzy"):  # kept by a version that knew no likeness
        del kept["form"]["conditions"][0]["near"]
    assert kept_draft_of(kept).read() == body


def test_votes_made_elsewhere_are_read_only():
    body = read_rule("{name: a, label: keto, any: [{votes: {source: x, hash: 0123abcd}}]}")
    draft = draft_of(body, None)
    assert draft.form["conditions"][0]["kind"] == WRITTEN
    assert draft.is_read_only
    assert not new_draft("keto").is_read_only


def test_likeness_not_computed_yet_is_said_and_computed_on_demand(ws, open_app, keto):
    name = ws.read.examples.all(keto.id, ("train",))[0].external_id
    rule = f"{{name: like, label: keto, any: [similar: {{examples: [{name}], min: 0.5}}]}}"
    at = new_yaml_rule(open_rules(open_app), rule)
    assert "is not computed yet" in said(at)
    at.button(key="rationales_rule_likeness_go").click().run()
    jobs = [job for job in ws.read.jobs.open() if job.kind == "votes"]
    assert [job.status for job in jobs] == [JobStatus.QUEUED]
    assert at.button(key="rationales_rule_likeness_cancel")
    assert not at.exception


def test_a_list_has_pages_and_stays_while_it_is_labeled(ws, keto):
    ids = [e.id for e in ws.read.examples.all(keto.id, ("train",))][:120]
    browser = Browser(ws, keto, tuple(ids))
    assert len(browser.desk.rows) == 50
    version = browser.desk.version
    browser.send(label(ids[0], 1))
    assert browser.desk.version == version
    browser.desk.page = 2
    _open(ws, keto, browser.desk, tuple(ids), body=None, beside=None, blind=False)
    assert [row.id for row in browser.desk.rows] == ids[100:]
    assert browser.desk.version != version
    assert ExampleList(name="a", ids=ids).ids == ids


@pytest.fixture
def model(ws, keto):
    """A model that is right on two of three examples it was trained on, told out of fold."""
    gold = ws.read.labels.gold(keto.id, ("train",))
    rows = [(i, g.label_id, "imported") for i, g in list(gold.items())[:120]]
    made = ws.store.finetunes.freeze(
        keto.id, name="all", source="gold", rows=rows, by="Ada", at=ws.now()
    )
    number = ws.store.finetunes.create(
        keto.id, training_set_id=made.id, prompt_version_id=None, provider="embedded",
        base_model="minilm", by="Ada", at=ws.now(),
    )  # fmt: skip
    ws.store.finetunes.update(number, status="succeeded", model="tuned-1")
    names = list(keto.label_names)
    results = []
    for place, (example_id, label_id, _) in enumerate(rows):
        right = names.index(keto.name_of(label_id) or "")
        said = names[right if place % 3 else 1 - right]
        answer = Answer(
            outcome=Outcome.OK, label=said, method=Method.SERVER, model="tuned-1",
            probabilities={name: 0.65 if name == said else 0.35 for name in names},
        )  # fmt: skip
        key = f"held-out:{number}:{example_id}"
        results.append(Result(example_id=example_id, label_id=None, answer=answer, key=key))
    ws.store.runs.remember(results, at=ws.now())
    return number


def test_beside_a_model_the_evidence_is_told_before_a_run_of_both_is_started(
    ws, open_app, keto, model
):
    at = show(open_rules(open_app), "With a model")
    assert not at.exception
    told = at.dataframe[0].value
    assert list(told["Decides"])[:3] == ["text only", "rules only", "text and rules"]
    assert list(told[""]).count("advised") == 1
    assert "n=120" in told["Macro-F1"][0]
    at.button(key="rationales_run_joined").click().run()
    (run,) = ws.read.runs.all(keto.id)
    assert run.kind is ClassifierKind.JOINED
    assert not at.exception
