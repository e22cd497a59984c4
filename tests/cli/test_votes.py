"""Votes made elsewhere, brought in by a command."""

from pathlib import Path


def test_votes_are_imported_as_rules(studio, mail):
    Path("votes.csv").write_text(
        "\ufeffID,Rule,Vote\ntr0,peer,spam\ntr1,peer,ham\nnobody,peer,ham\ntr2,other,not ham\n",
        encoding="utf-8",
    )
    done = studio("rule", "import", mail, "--votes", "votes.csv")
    assert done.code == 0, done.err
    assert "line 4: There is no example 'nobody'." in done.out
    again = studio("rule", "import", mail, "--votes", "votes.csv", "--json").json
    assert (again["rules"], again["votes"]) == (["peer-ham", "peer-spam", "other"], 3)
    assert again["rejected"] == [{"line": 4, "reason": "There is no example 'nobody'."}]
    listed = studio("rule", "list", mail, "--json").json
    assert [row["rule"] for row in listed] == again["rules"]
    run = studio("rule", "apply", mail, "--wait", "--json").json
    assert run["status"] == "done"
    assert run["outcomes"]["ok"] == 3  # "not ham" leaves one label


def test_one_file_is_named(studio, mail):
    Path("votes.csv").write_text("id,rule,vote\n")
    for words in ((), ("rules.yaml", "--votes", "votes.csv")):
        said = studio("rule", "import", mail, *words, "--json")
        assert (said.code, said.error["message"]) == (2, "Name one file.")
    assert "no vote" in studio("rule", "import", mail, "--votes", "votes.csv", "--json").err
    assert studio("rule", "import", mail, "--votes", "nil.csv", "--json").code == 2
