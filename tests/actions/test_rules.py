"""Trying a rule beside the others, reporting them, and choosing how their votes are joined."""

import pytest

from studio.actions.examples import Columns, import_examples
from studio.actions.rules import (
    choose_fallback,
    choose_joining,
    import_rules,
    open_board,
    open_corpus,
    preview_rule,
    read_rule,
    report_rules,
    save_rule,
    try_rule,
)
from studio.actions.runs import Choice, start_run
from studio.actions.tasks import create_task
from studio.analysis.joining import join_votes
from studio.analysis.rule_scores import rule_report
from studio.analysis.votes import apply_rules
from studio.domain.coded_rationale import CodedRationale
from studio.errors import InputError
from studio.handlers import boards

TEXTS = ["rice", "rice and beef", "beef", "tofu", "rice tofu", "beef 3", "cake", "cake and rice"]
OTHERS = """
rules:
- {name: beef, label: keto, any: [{keywords: [beef]}]}
- {name: tofu, against: rice, any: [{keywords: [tofu]}]}
- {name: cake, label: sweet, decisive: true, any: [{keywords: [cake]}]}
- {name: silent, label: sweet, any: [{keywords: [rice]}]}
"""
DRAFTS = [
    "{name: new, label: rice, any: [{keywords: [rice]}]}",
    "{name: new, against: keto, any: [{keywords: [rice, tofu]}]}",
    "{name: new, against: sweet, decisive: true, any: [{length: {unit: words, min: 1}}]}",
    "{name: beef, label: rice, any: [{keywords: [beef]}]}",
    "{name: cake, label: keto, all: [{column: {name: kind, in: [a]}}]}",
    "{name: new, label: rice, scope: kind, any: [{keywords: [b]}]}",
    "{name: new, label: rice, any: [{keywords: [nothing]}]}",
]


@pytest.fixture
def task(ws):
    task = create_task(ws, name="dishes", labels=("keto", "rice", "sweet"), question="?", by="Ada")
    lines = ["id,text,label,split,kind"]
    for i in range(120):
        gold = ("keto", "rice", "sweet", "")[i % 4]
        split = ("train", "train", "validation", "test")[i % 7 % 4]
        lines.append(f"x{i},{TEXTS[i % 8]} {i},{gold},{split},{'ab'[i % 2]}")
    columns = Columns(id="id", label="label", split="split")
    import_examples(
        ws, task.id, data="\n".join(lines).encode(), filename="d.csv", columns=columns, by="Ada"
    )
    import_rules(ws, task.id, OTHERS, by="Ada")
    ws.store.rules.enable(task.id, ws.store.rules.by_name(task.id, "silent").id, False)
    return ws.store.tasks.get(task.id)


def plainly(ws, task, body):
    """Return what a preview must be, found the long way: with all votes at once."""
    examples = ws.read.examples.all(task.id, boards.OPEN_SPLITS)
    rules = ws.read.rules.all(task.id, enabled_only=True)
    others = [rule for rule in rules if rule.body.name != body.name]
    same = [rule.position for rule in rules if rule.body.name == body.name]
    draft = CodedRationale(
        id=0, label_id=task.label(body.label).id, body=body, position=(same or [10**6])[0]
    )
    gold = ws.read.labels.gold(task.id, boards.OPEN_SPLITS, blind_only=True)
    matrix = apply_rules([*others, draft], examples)
    scores = rule_report(matrix, [draft], {i: g.label_id for i, g in gold.items()})
    label_ids = [label.id for label in task.labels]

    def joined(rules):
        found = join_votes(apply_rules(rules, examples), rules, task.fallback_label_id, label_ids)
        return {e.id: j for e, j in zip(examples, found, strict=True)}

    def decided(rules):
        return {i for i, j in joined(rules).items() if j.deciding}

    def right(rules):
        return {i for i, j in joined(rules).items() if i in gold and j.label_id == gold[i].label_id}

    fires = matrix.fires[:, matrix.rule_ids.index(0)]
    own = {e.id for e, held in zip(examples, fires, strict=True) if held}
    newly = own & (decided([*others, draft]) - decided(others))
    with_it, without = right([*others, draft]), right(others)
    before = joined(others)
    misled = {
        i for i, j in joined([*others, draft]).items()
        if i in gold and before[i].label_id is None and j.label_id not in (None, gold[i].label_id)
    }  # fmt: skip
    return scores[0], own, newly, (with_it - without, without - with_it, misled)


@pytest.mark.parametrize("fallback", [None, "rice", "keto"])
@pytest.mark.parametrize("text", DRAFTS)
def test_a_preview_is_what_all_votes_at_once_tell(ws, task, text, fallback):
    choose_fallback(ws, task.id, fallback)
    body = read_rule(text)
    found = preview_rule(ws, task.id, body)
    score, own, newly, changed = plainly(ws, ws.read.tasks.get(task.id), body)
    assert found.score == score
    assert (set(found.fires_on), set(found.newly_decided)) == (own, newly)
    assert (set(found.won), set(found.lost), set(found.misled)) == changed
    assert found.wrong == score.wrong
    assert len(found.conflicting) == round(score.conflict * found.looked_at)
    assert (found.looked_at, found.of) == (
        len(ws.read.examples.ids(task.id, boards.OPEN_SPLITS)),
    ) * 2


def test_drafts_newly_decide_something(ws, task):
    """The comparison above must not hold for want of cases."""
    some = [preview_rule(ws, task.id, read_rule(text)) for text in DRAFTS]
    assert sum(bool(one.newly_decided) for one in some) >= 3
    assert sum(bool(one.conflicting) for one in some) >= 3
    assert sum(bool(one.won) for one in some) >= 2
    assert sum(bool(one.misled) for one in some) >= 1
    choose_fallback(ws, task.id, "keto")
    assert preview_rule(ws, task.id, read_rule(DRAFTS[0])).lost


def test_test_examples_and_their_gold_are_never_looked_at(ws, task):
    everything = read_rule("{name: all, label: keto, any: [{length: {unit: words, min: 1}}]}")
    found = preview_rule(ws, task.id, everything)
    test = set(ws.read.examples.ids(task.id, ["test"]))
    assert test
    assert not test & {*found.fires_on, *found.wrong, *found.newly_decided}
    assert found.score.accuracy.n == len(
        ws.read.labels.gold(task.id, boards.OPEN_SPLITS, blind_only=True)
    )


def test_a_rule_is_looked_for_once_on_a_corpus(ws, task, monkeypatch):
    from studio.analysis import votes

    seen, real = [], votes.apply_rules

    def watched(rules, examples, *rest):
        seen.append([rule.body.name for rule in rules])
        return real(rules, examples, *rest)

    monkeypatch.setattr(votes, "apply_rules", watched)
    corpus = open_corpus(ws, task.id)
    for _ in range(2):
        board = open_board(ws, task.id, corpus)
        for text in DRAFTS:
            try_rule(board, read_rule(text))
    save_rule(ws, task.id, read_rule(DRAFTS[0]), by="Ada")
    assert "new" in {r.body.name for r in open_board(ws, task.id, corpus).rules}
    assert seen == [["beef", "tofu", "cake"], ["new"]]


def test_of_many_examples_a_sample_and_all_gold_are_looked_at(ws, task, monkeypatch):
    monkeypatch.setattr(boards, "MOST_EXAMPLES", 20)
    opened = open_corpus(ws, task.id)
    of = len(ws.read.examples.ids(task.id, boards.OPEN_SPLITS))
    gold = set(ws.read.labels.gold(task.id, boards.OPEN_SPLITS, blind_only=True))
    looked = opened.corpus.ids.tolist()
    assert opened.is_sample
    assert opened.of == of > len(looked) > len(gold)
    assert gold < set(looked)
    assert open_corpus(ws, task.id).corpus.ids.tolist() == looked == sorted(set(looked))
    texts = {e.id: e.text for e in ws.read.examples.all(task.id)}
    assert list(opened.corpus.texts) == [texts[i] for i in looked]
    kinds = {e.id: e.metadata["kind"] for e in ws.read.examples.all(task.id)}
    assert list(opened.corpus.column("kind")) == [kinds[i] for i in looked]
    assert list(opened.corpus.column("nil")) == [None] * len(looked)
    found = try_rule(open_board(ws, task.id, opened), read_rule(DRAFTS[0]))
    assert (found.looked_at, found.of) == (len(looked), of)


def test_a_report_tells_of_the_rules_in_force(ws, task):
    scores = report_rules(ws, task.id)
    names = {rule.id: rule.body.name for rule in ws.read.rules.all(task.id)}
    assert [names[score.rule_id] for score in scores] == ["beef", "tofu", "cake"]


def start(ws, task, work):
    run = start_run(ws, task.id, choice=Choice(rules=True), by="Ada")
    work(ws)
    return ws.read.runs.get(run.id), ws.read.runs.params(run.id)["joining"]


def test_a_run_keeps_how_votes_were_joined(ws, task, work):
    run, joining = start(ws, task, work)
    assert (run.status, joining) == ("done", {"method": "expert"})
    choose_joining(ws, task.id, "weighted")
    run, joining = start(ws, task, work)
    assert (run.status, joining["method"]) == ("done", "weighted")
    assert len(joining["accuracy"]) == 3
    choose_joining(ws, task.id, "expert")
    assert ws.read.runs.params(run.id)["joining"] == joining
    assert start(ws, task, work)[1] == {"method": "expert"}


def test_a_way_of_joining_that_cannot_be_fitted_is_refused(ws, task, fill):
    few = fill(ws, train=12, validation=0, test=0)
    import_rules(ws, few.id, "rules: [{name: a, label: ham, any: [{phrase: ham}]}]", by="Ada")
    with pytest.raises(InputError, match="50 blind gold labels"):
        choose_joining(ws, few.id, "weighted")
    with pytest.raises(InputError, match="no way 'best'"):
        choose_joining(ws, task.id, "best")
    assert ws.read.tasks.setting(f"joining:{few.id}") == ""


def test_a_file_cannot_have_two_rules_of_one_name(ws, task):
    one = "- {name: x, label: keto, any: [phrase: %s]}\n"
    twice = f"rules:\n{one % 'p'}{one % 'q'}"
    with pytest.raises(InputError, match="more than one rule 'x'"):
        import_rules(ws, task.id, twice, by="Ada")
    assert "x" not in {rule.body.name for rule in ws.read.rules.all(task.id)}
