"""Votes made elsewhere come in as rules that only vote; nothing is half stored."""

import pytest

from studio.actions.rules import export_rules, import_rules, open_board, open_corpus
from studio.actions.runs import Choice, start_run
from studio.actions.votes import import_votes
from studio.domain.conditions import Votes
from studio.errors import InputError


@pytest.fixture
def task(ws, fill):
    return fill(ws)


def bring(ws, task, *lines):
    return import_votes(ws, task.id, ["id,rule,vote\n", *(f"{one}\n" for one in lines)], by="Ada")


def fires(ws, task):
    """Rule name to the external ids it fires on, of train and validation."""
    board = open_board(ws, task.id, open_corpus(ws, task.id))
    names = [e.external_id for e in ws.read.examples.some(task.id, board.matrix.example_ids)]
    return {
        rule.body.name: {n for n, held in zip(names, column, strict=True) if held}
        for rule, column in zip(board.rules, board.matrix.fires.T, strict=True)
    }


def test_each_voter_and_label_is_a_rule(ws, task):
    done = bring(ws, task, "tr0,Peer A,ham", "tr1,Peer A,spam", "tr2,Peer A,", "tr0,lf_2,not ham")
    assert done.to_dict() == {
        "task": "mail", "rules": ["peer-a-ham", "peer-a-spam", "lf_2"],
        "votes": 3, "abstained": 1, "silenced": [], "rejected": [],
    }  # fmt: skip
    assert fires(ws, task) == {"peer-a-ham": {"tr0"}, "peer-a-spam": {"tr1"}, "lf_2": {"tr0"}}
    (last,) = [rule.body for rule in done.rules if rule.body.name == "lf_2"]
    assert (last.label, last.against, last.any[0].source) == ("ham", True, "lf_2")


def test_lines_that_cannot_be_used_are_told_and_the_others_stored(ws, task):
    done = bring(
        ws, task, "tr0,a,ham", "nobody,a,ham", "tr1,a,keto", "tr0,a,spam", "tr3,,ham", "tr4", "",
        "tr5,a,spam",
    )  # fmt: skip
    assert [line for line, _ in done.rejected] == [3, 4, 5, 6, 7]
    assert "no example 'nobody'" in done.rejected[0][1]
    assert "votes twice" in done.rejected[2][1]
    assert fires(ws, task) == {"a-ham": {"tr0"}, "a-spam": {"tr5"}}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["id,rule\n", "tr0,a\n"], "no column 'vote'"),
        ([], "no column 'id'"),
        (["id,rule,vote\n", "nobody,a,ham\n"], "no vote that can be used. Line 2"),
        (["id,rule,vote\n", "tr0,a,ham\n", 'tr1,a,"' + "x" * 200_000 + "\n"], "Line 3 is not CSV"),
    ],
)
def test_a_file_that_cannot_be_used_stores_nothing(ws, task, lines, said):
    with pytest.raises(InputError, match=said):
        import_votes(ws, task.id, lines, by="Ada")
    assert ws.read.rules.all(task.id) == []
    assert ws.store.db.value("SELECT count(*) FROM firing") == 0


def test_the_same_voter_again_is_a_new_version(ws, task):
    first = bring(ws, task, "tr0,a,ham", "tr1,b,ham").rules[0]
    assert bring(ws, task, "tr0,a,ham").rules == [first]  # the same votes: the same version
    second = bring(ws, task, "tr2,a,ham").rules[0]
    assert (second.id, second.version) == (first.id, first.version + 1)
    assert fires(ws, task) == {"a": {"tr2"}, "b": {"tr1"}}
    third = bring(ws, task, "tr1,a,spam")
    assert third.silenced == ["a"]
    assert fires(ws, task) == {"a-2": {"tr1"}, "b": {"tr1"}}
    assert bring(ws, task, "tr1,a,", "tr1,b,spam").silenced == ["b", "a-2"]
    frozen = ws.read.rules.frozen(task.id, [[first.id, 1]])[0]
    assert ws.read.firings.has(task.id, f"votes:{frozen.body.any[0].digest}")


def test_votes_are_joined_like_rules_and_reach_test_examples(ws, task, work):
    import_rules(ws, task.id, "rules: [{name: no, label: ham, any: [{phrase: spam}]}]", by="Ada")
    bring(ws, task, "te0,a,ham", "te1,a,spam", "te1,b,spam")
    run = start_run(ws, task.id, choice=Choice(rules=True), splits=["test"], by="Ada")
    work(ws)
    said = {p.example_id: task.name_of(p.label_id) for p in ws.read.runs.predictions(run.id)}
    names = {e.id: e.external_id for e in ws.read.examples.all(task.id, ["test"])}
    told = {names[i]: label for i, label in said.items()}
    assert (told["te0"], told["te1"], told["te2"], told["te3"]) == ("ham", "spam", None, "ham")


def test_an_export_names_what_it_leaves_out(ws, task, fill):
    import_rules(ws, task.id, "rules: [{name: no, label: ham, any: [{phrase: spam}]}]", by="Ada")
    bring(ws, task, "tr0,a,ham")
    text = export_rules(ws, task.id)
    assert text.startswith("# Left out, made of imported votes: a\n")
    other = fill(ws, "other")
    assert [r.body.name for r in import_rules(ws, other.id, text, by="Ada")] == ["no"]


def test_a_name_of_anything_becomes_a_rules_name(ws, task):
    names = ["Ünïcode!", "***", "=cmd()", "x" * 200, "a\u202eb"]
    done = bring(ws, task, *(f"tr0,{name},ham" for name in names))
    assert len({r.body.name for r in done.rules}) == 5
    again = [r.body for r in ws.read.rules.all(task.id)]
    assert [c.source for b in again for c in b.any if isinstance(c, Votes)] == names


def test_a_label_that_begins_with_not_is_that_label(ws, fill):
    task = fill(ws, labels=("ham", "not ham"))
    (rule,) = bring(ws, task, "tr0,a,not ham").rules
    assert (rule.body.label, rule.body.against) == ("not ham", False)
