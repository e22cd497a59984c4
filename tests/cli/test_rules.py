"""From a sentence to a stored rule on the command line, and what its reports hold."""

import sys

import pytest

from studio.actions.rationales import record_rationale
from studio.cli.common import at_work


@pytest.fixture
def task(opened_ws, fill):
    return fill(opened_ws)


@pytest.fixture
def opened_ws(open_studio):
    return open_studio("studio.db")


@pytest.fixture
def reason(opened_ws, task):
    return record_rationale(opened_ws, task.id, label="spam", text="It says spam", by="Ada")


def test_a_draft_is_accepted_only_after_it_was_shown(studio, task, reason):
    words = ["rule", "draft", "mail", str(reason)]
    refused = studio(*words, "--accept", "1", "--json")
    assert refused.code == 2
    assert "was not shown to you" in refused.error["message"]
    shown = studio(*words, "--json").json
    assert shown[0]["draft"] == 1
    assert set(shown[0]) >= {
        "rule", "says", "why", "coverage", "overlap", "conflict", "accuracy", "validation", "seen",
    }  # fmt: skip
    assert shown[0]["examples"]["newly_decided"]["n"] == shown[0]["fires"]
    stored = studio(*words, "--accept", "1", "--json").json
    assert stored["rules"] == [shown[0]["rule"]]
    assert studio(*words, "--accept", "1", "--json").code == 2
    told = studio("rationale", "show", "mail", str(reason), "--json").json
    assert [r["rule"] for r in told["rules"]] == stored["rules"]
    assert told["precision"]["n"] == shown[0]["accuracy"]["n"]


def test_a_rule_is_tried_without_storing_it(studio, task, tmp_path):
    file = tmp_path / "rule.yaml"
    file.write_text("{name: shout, label: spam, any: [keywords: [spam]]}")
    tried = studio("rule", "try", "mail", str(file), "--json").json
    assert (tried["fires"], tried["accuracy"]["value"], tried["looked_at"]) == (9, 1.0, 18)
    assert "fires on 9 of 18" in studio("rule", "try", "mail", str(file)).out
    assert studio("rule", "list", "mail", "--json").json == []


def test_a_rule_written_by_hand_belongs_to_its_rationale(studio, task, reason, tmp_path):
    file = tmp_path / "rule.yaml"
    file.write_text("{name: shout, label: spam, any: [keywords: [spam]]}")
    assert studio("rule", "add", "mail", str(file), "--rationale", "99").code == 2
    assert studio("rule", "list", "mail", "--json").json == []
    assert studio("rule", "add", "mail", str(file), "--rationale", str(reason)).code == 0
    told = studio("rationale", "show", "mail", str(reason), "--json").json
    assert [r["rule"] for r in told["rules"]] == ["shout"]


def test_the_report_its_lists_and_the_gaps(studio, task, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(
        "rules:\n- {name: a, label: spam, any: [keywords: [spam]]}\n"
        "- {name: b, label: ham, any: [keywords: [va]]}\n"
        "- {name: dead, label: ham, any: [keywords: [nowhere]]}\n"
    )
    assert studio("rule", "import", "mail", str(file)).code == 0
    rows = studio("rule", "report", "mail", "--json").json
    assert [r["rule"] for r in rows] == ["a", "b", "dead"]
    assert set(rows[0]) >= {"rule", "label", "coverage", "overlap", "conflict", "accuracy"}
    assert rows[0]["contradicts"] == ["b"]
    assert rows[2]["dead"]
    assert "never fires" in studio("rule", "report", "mail").out
    lists = studio("rule", "report", "mail", "--buckets", "--json").json
    none = next(b for b in lists["buckets"] if b["bucket"] == "none_votes")
    assert (none["n"], len(none["ids"])) == (6, 6)
    assert lists["contradictions"][0]["rules"] == ["a", "b"]
    assert "contradict each other on 3" in studio("rule", "report", "mail", "--buckets").out
    gaps = studio("rule", "uncovered", "mail", "--json").json
    assert all(set(g) == {"about", "n", "likely", "gold", "question", "typical"} for g in gaps)
    assert studio("rule", "uncovered", "mail").code == 0


def test_rationales_are_listed_by_label_and_searched(studio, opened_ws, task, reason):
    record_rationale(opened_ws, task.id, label="ham", text="A friend writes", by="Ada")
    rows = studio("rationale", "list", "mail", "--json").json
    assert [r["label"] for r in rows] == ["ham", "spam"]
    found = studio("rationale", "list", "mail", "--search", "FRIEND", "--json").json
    assert [r["text"] for r in found] == ["A friend writes"]
    assert studio("rationale", "list", "mail", "--label", "spam", "--json").json == rows[1:]
    assert studio("rationale", "show", "mail", "99").code == 2


def test_the_ways_to_join_votes_and_why_one_example_has_its_label(studio, task, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(
        "rules:\n- {name: a, label: spam, decisive: true, any: [keywords: [spam]]}\n"
        "- {name: b, label: ham, any: [length: {min: 1}]}\n"
    )
    assert studio("rule", "import", "mail", str(file)).code == 0
    told = studio("rule", "joining", "mail", "--json").json
    assert (told["joining"], told["advised"]) == ("expert", "expert")
    assert [way["joining"] for way in told["ways"]] == ["expert", "weighted", "label_model"]
    assert told["ways"][1]["missing"]
    refused = studio("rule", "joining", "mail", "weighted", "--json")
    assert refused.code == 2
    assert "gold" in refused.error["message"]
    assert studio("rule", "joining", "mail", "loudest", "--json").code == 2
    shout = tmp_path / "rule.yaml"
    shout.write_text("{name: shout, label: ham, any: [keywords: [spam]]}")
    tried = studio("rule", "try", "mail", str(shout), "--json").json
    name = tried["examples"]["conflicting"]["ids"][0]
    why = studio("rule", "explain", "mail", name, "--json").json
    assert (why["label"], why["by"]) == ("spam", "decisive")
    assert [(v["rule"], v["decided"]) for v in why["votes"]] == [("a", True), ("b", False)]
    assert "decisive" in studio("rule", "explain", "mail", name).out
    assert studio("rule", "explain", "mail", "nobody", "--json").code == 2


def test_what_takes_long_is_told_on_a_terminal_and_only_there(capsys, monkeypatch):
    with at_work("Looking"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with at_work("Looking"):
        assert "Looking …" in capsys.readouterr().err
    assert capsys.readouterr().err == "\r\x1b[K"
