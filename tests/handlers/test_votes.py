"""Votes are stored: only what changed is looked for again, and likeness is computed once."""

import numpy as np
import pytest

from studio.actions.examples import Columns, import_examples
from studio.actions.prompts import save_prompt
from studio.actions.rules import (
    compute_likeness,
    import_rules,
    open_board,
    open_corpus,
    read_rule,
    save_rule,
    try_rule,
)
from studio.actions.runs import Choice, start_run
from studio.domain.prompt import PromptText
from studio.errors import InputError, ProviderUnavailableError
from studio.handlers import votes
from studio.handlers.given import likeness_key

RULES = """
rules:
- {name: spam, label: spam, any: [{keywords: [spam]}]}
- {name: ham, label: ham, any: [{keywords: [ham]}]}
- {name: odd, against: ham, any: [{regex: '[13579]$'}]}
"""


@pytest.fixture
def looked(monkeypatch):
    """Each time texts are searched: the rules looked for, and in how many examples."""
    from studio.analysis import votes as analysis

    seen, real = [], analysis.apply_rules

    def watched(rules, examples, *rest):
        seen.append(([rule.body.name for rule in rules], len(examples)))
        return real(rules, examples, *rest)

    monkeypatch.setattr(analysis, "apply_rules", watched)
    return seen


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def run_rules(ws, task, work, **more):
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada", **more)
    work(ws)
    return ws.read.runs.get(run.id)


def labels(ws, run):
    return {p.example_id: p.label_id for p in ws.read.runs.predictions(run.id)}


def test_a_second_run_looks_for_nothing(ws, task, work, looked):
    import_rules(ws, task.id, RULES, by="Ada")
    first = run_rules(ws, task, work)
    assert looked == [(["spam", "ham", "odd"], 18)]
    second = run_rules(ws, task, work)
    assert len(looked) == 1
    assert (second.status, labels(ws, second)) == ("done", labels(ws, first))


def test_only_a_changed_rule_and_new_examples_are_looked_at(ws, task, work, looked):
    import_rules(ws, task.id, RULES, by="Ada")
    run_rules(ws, task, work)
    save_rule(ws, task.id, read_rule("{name: odd, against: ham, any: [{regex: '[1]$'}]}"), by="Ada")
    run_rules(ws, task, work)
    assert looked[1:] == [(["odd"], 18)]
    more = b"id,text,split\nnew,more spam 1,train\n"
    columns = Columns(id="id", split="split")
    import_examples(ws, task.id, data=more, filename="m.csv", columns=columns, by="Ada")
    run = run_rules(ws, task, work)
    assert looked[2:] == [(["spam", "ham", "odd"], 1)]
    new = ws.read.examples.by_external_id(task.id, ["new"])["new"]
    assert labels(ws, run)[new] == task.label("spam").id


def test_renaming_or_ordering_a_rule_computes_nothing(ws, task, work, looked):
    import_rules(ws, task.id, RULES, by="Ada")
    run_rules(ws, task, work)
    same = read_rule("{name: spam-again, label: ham, decisive: true, any: [{keywords: [spam]}]}")
    save_rule(ws, task.id, same, by="Ada")
    run_rules(ws, task, work)
    assert len(looked) == 1


def test_a_sample_first_and_all_of_it_later(ws, task, work, looked):
    import_rules(ws, task.id, RULES, by="Ada")
    run_rules(ws, task, work, limit=5)
    run_rules(ws, task, work)
    assert [n for _, n in looked] == [5, 13]


def test_old_votes_are_forgotten(ws, task, work):
    import_rules(ws, task.id, RULES, by="Ada")
    run_rules(ws, task, work)
    save_rule(ws, task.id, read_rule("{name: odd, against: ham, any: [{regex: '[1]$'}]}"), by="Ada")
    run_rules(ws, task, work)
    assert ws.store.db.value("SELECT count(DISTINCT key) FROM firing") == 3


SIMILAR = "{name: like, label: spam, any: [{similar: {examples: [tr1], min: %s}}]}"


def cosines(ws, task, script):
    """What likeness to example tr1 is by the definition, for every example."""
    import asyncio

    texts = [e.text for e in ws.read.examples.all(task.id)]
    model = ws.read.examples.by_external_id(task.id, ["tr1"])["tr1"]
    vectors = asyncio.run(script.embed(texts))
    ids = [e.id for e in ws.read.examples.all(task.id)]
    return dict(zip(ids, (vectors @ vectors[ids.index(model)]).tolist(), strict=True))


def test_likeness_is_computed_once_whatever_the_least_one(ws, task, work, script):
    body = read_rule(SIMILAR % 0.7)
    corpus = open_corpus(ws, task.id)
    before = try_rule(open_board(ws, task.id, corpus), body)
    assert (before.fires_on, before.unknown) == ((), body.conditions)
    assert compute_likeness(ws, task.id, [body]) == compute_likeness(ws, task.id, [body])
    work(ws)
    assert len(script.embedded) == 24 + 1
    assert compute_likeness(ws, task.id, [body]) is None
    like = cosines(ws, task, script)
    script.embedded.clear()
    for least in (0.7, 0.45):
        found = try_rule(open_board(ws, task.id, corpus), read_rule(SIMILAR % least))
        assert found.unknown == ()
        assert set(found.fires_on) == {i for i in corpus.corpus.ids if like[i] >= least}
    assert 0 < len(found.fires_on) < 18
    assert script.embedded == []


def test_a_run_computes_likeness_first(ws, task, work, script):
    body = read_rule(SIMILAR % 0.7)
    rule = ws.store.rules.save(
        task.id, body, label_id=task.label("spam").id, rationale_id=None, by="Ada", at="2026"
    )
    run = run_rules(ws, task, work, splits=["train"])
    assert run.status == "done"
    like = cosines(ws, task, script)
    assert {i for i, label in labels(ws, run).items() if label} == {
        i for i in labels(ws, run) if like[i] >= 0.7
    }
    ids = np.array(ws.read.examples.ids(task.id))
    _, known = ws.read.firings.load(task.id, likeness_key(rule.body.any[0]), ids)
    assert known.sum() == 12  # nothing beyond the run


def test_another_engine_computes_likeness_anew(ws, task, work, script, monkeypatch):
    save_rule(ws, task.id, read_rule(SIMILAR % 0.7), by="Ada")
    work(ws)
    script.embedded.clear()

    async def engine():
        return "another"

    monkeypatch.setattr(script, "engine", engine)
    run_rules(ws, task, work)
    assert len(script.embedded) == 18 + 1
    (key,) = {r[0] for r in ws.store.db.read("SELECT key FROM firing WHERE key LIKE 'similar:%'")}
    assert ws.read.firings.made_by(task.id, key) == "another"


def test_likeness_waits_for_the_embedded_server(ws, task, work, script, monkeypatch):
    real, failed = script.embed, []

    async def embed(texts):
        if not failed:
            failed.append(1)
            raise ProviderUnavailableError("The embedded server does not run.")
        return await real(texts)

    monkeypatch.setattr(script, "embed", embed)
    monkeypatch.setattr(votes, "LOOK_AGAIN_S", 0.01)
    save_rule(ws, task.id, read_rule(SIMILAR % 0.7), by="Ada")
    work(ws)
    (job,) = ws.store.db.read("SELECT * FROM job WHERE kind = 'votes'")
    assert (job["status"], job["done"], job["total"]) == ("done", 24, 24)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("similar: {examples: [nobody]}", "no example 'nobody'"),
        ("similar: {examples: [te1]}", "of the test split"),
        ("answer: {prompt: nil, version: 1, is: [ham]}", "no prompt 'nil:1'"),
        ("votes: {source: peer, hash: 0123abcd}", "votes of 'peer' are not in the task"),
    ],
)
def test_a_rule_that_rests_on_nothing_is_refused(ws, task, condition, said):
    body = read_rule(f"{{name: a, label: ham, any: [{{{condition}}}]}}")
    with pytest.raises(InputError, match=f"Rule 'a': .*{said}"):
        save_rule(ws, task.id, body, by="Ada")
    assert ws.read.rules.all(task.id) == []


def test_answers_are_those_of_the_latest_finished_run(ws, task, work):
    prompt = save_prompt(ws, task.id, name="ask", body=PromptText(instructions="?"), by="Ada")
    least = "{name: a, label: ham, any: [{answer: {prompt: ask, version: 1, is: [ham], min: %s}}]}"
    board = open_board(ws, task.id, open_corpus(ws, task.id))
    assert try_rule(board, read_rule(least % 0)).fires_on == ()
    start_run(ws, task.id, choice=Choice(prompt="ask"), splits=["train"], by="Ada")
    work(ws)
    said = {e.id for e in ws.read.examples.all(task.id, ["train"]) if "ham" in e.text}
    assert set(try_rule(board, read_rule(least % 0)).fires_on) == said
    assert try_rule(board, read_rule(least % 1)).fires_on == ()
    start_run(ws, task.id, choice=Choice(prompt="ask"), by="Ada")  # under way: it does not count
    assert set(try_rule(board, read_rule(least % 0)).fires_on) == said
    save_rule(ws, task.id, read_rule(least % 0), by="Ada")
    early = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    assert prompt.number == 1
    both = {e.id for e in ws.read.examples.all(task.id, ["train", "validation"]) if "ham" in e.text}
    assert {i for i, label in labels(ws, early).items() if label} <= both
    assert set(try_rule(board, read_rule(least % 0)).fires_on) == both
