"""Stored votes are what would be found now, whatever was edited, imported or run meanwhile."""

import itertools
import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.actions.explanations import explain_run_label
from studio.actions.rules import read_rule, save_rule
from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.analysis.corpus import Corpus
from studio.analysis.votes import apply_rules
from studio.domain.example import Split
from studio.handlers import votes
from studio.handlers.joined import fit_votes, joining_setting
from studio.handlers.votes import find_votes

WORDS = ("rice", "cake", "sugar", "étude", "Straße")
RULES = (
    "any: [keywords: [rice, cake]]",
    "any: [keywords: [rice, étude]], none: [phrase: sugar]",
    "any: [regex: 'r.ce|STRASSE']",
    "all: [length: {unit: words, min: 2}], any: [keywords: [sugar]]",
    "all: [column: {name: course, in: [main]}]",
)
STEP = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), st.sampled_from(RULES)),
    st.tuples(st.just("import"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)),
    st.tuples(st.just("run"), st.sampled_from([None, 1, 3])),
)
numbers = itertools.count()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEP, min_size=3, max_size=9))
def test_stored_votes_equal_those_found_anew(ws, work, steps):
    task = create_task(ws, name=f"t{next(numbers)}", labels=["a", "b"], by="Ada")
    for step in [("edit", 0, RULES[0]), ("import", list(WORDS)), *steps, ("run", None)]:
        match step:
            case ("edit", number, says):
                rule = f"{{name: r{number}, label: {'ab'[number % 2]}, {says}}}"
                save_rule(ws, task.id, read_rule(rule), by="Ada")
            case ("import", words):
                course = {"course": "main" if len(words) % 2 else "side"}
                row = (f"e{next(numbers)}", " ".join(words), Split.TRAIN, course)
                ws.store.examples.add(task.id, [row], ws.now())
            case ("run", limit):
                start_run(ws, task.id, choice=Choice(rules=True), limit=limit, by="Ada")
                work(ws)
    rules = ws.store.rules.all(task.id)
    examples = ws.store.examples.all(task.id)
    stored = find_votes(ws.store, task.id, rules, Corpus.of(examples))
    assert stored.fresh == {}
    assert np.array_equal(stored.matrix.labels, apply_rules(rules, examples).labels)


def like(example: str, label: str = "spam") -> str:
    near = f"{{examples: [{example}], min: 0.7}}"
    return f"{{name: like-{label}, label: {label}, any: [similar: {near}]}}"


def save_unasked(ws, task, text):
    """Store a rule without the job that computes likeness, as if its worker were behind."""
    body = read_rule(text)
    ws.store.rules.save(
        task.id, body, label_id=task.label(body.label).id, rationale_id=None, by="Ada", at="2026"
    )


def test_a_rule_is_weighed_by_likeness_that_is_known(ws, fill, work):
    task = fill(ws, train=80, validation=0, test=10)
    save_unasked(ws, task, like("tr1", "spam"))
    save_unasked(ws, task, like("tr0", "ham"))
    ws.store.tasks.set_setting(joining_setting(task.id), "weighted")
    run = start_run(ws, task.id, choice=Choice(rules=True), splits=["test"], by="Ada")
    work(ws)
    weighed = ws.read.runs.params(run.id)["joining"]
    rules = ws.read.rules.all(task.id)
    fitted = fit_votes(ws, task, rules, "weighted").to_dict()
    assert weighed == json.loads(json.dumps(fitted))
    assert min(weighed["accuracy"].values()) > 0.9
    assert ws.read.runs.get(run.id).status == "done"


def test_votes_found_by_an_older_way_of_matching_are_not_taken(ws, fill, work, monkeypatch):
    task = fill(ws)
    rule = save_rule(ws, task.id, read_rule("{name: r, label: spam, any: [phrase: x]}"), by="Ada")
    ids = np.array(ws.read.examples.ids(task.id))
    old = votes.rule_key(rule.body)
    ws.store.firings.save(task.id, old, ids, np.ones(len(ids), dtype=np.bool_))
    monkeypatch.setattr(votes, "MATCHING", votes.MATCHING + 1)
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    assert {p.label_id for p in ws.read.runs.predictions(run.id)} == {None}
    assert not ws.read.firings.has(task.id, old)


def test_a_run_is_explained_by_likeness_that_no_rule_asks_for_any_more(ws, fill, work):
    task = fill(ws)
    save_rule(ws, task.id, read_rule(like("tr1")), by="Ada")
    first = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    (spam, *_) = ws.read.examples.by_external_id(task.id, ["tr1"]).values()
    then = explain_run_label(ws, first.id, spam).explanation
    save_rule(ws, task.id, read_rule("{name: like-spam, label: spam, any: [phrase: x]}"), by="Ada")
    start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    assert then.votes
    assert explain_run_label(ws, first.id, spam).explanation == then
