"""`studio assign` and `studio guideline`."""


def test_a_round_from_plan_to_close(studio, mail, tmp_path):
    asked = ("assign", mail, "--people", "Ada,Bo", "--size", "10", "--overlap", ".2")
    planned = studio(*asked, "--plan", "--json").json
    assert planned["shared"] == 2
    assert [one["given"] for one in planned["people"]] == [6, 6]
    assert planned["expected"]["supposed"] is True
    assert studio("assign", "list", mail, "--json").json == []
    started = studio(*asked, "--json").json
    assert started["round"] == 1
    assert {k: started[k] for k in ("shared", "people")} == {
        k: planned[k] for k in ("shared", "people")
    }
    (tmp_path / "mine.csv").write_text("id,label\n" + "".join(f"tr{i},ham\n" for i in range(24)))
    assert studio("correct", mail, "mine.csv", "--by", "Ada", "--blind").code == 0
    (one,) = studio("assign", "progress", mail, "--json").json
    assert one["people"] == [
        {"person": "Ada", "given": 6, "done": 6}, {"person": "Bo", "given": 6, "done": 0},
    ]  # fmt: skip
    assert "Ada 6 of 6 examples, Bo 0 of 6" in studio("assign", "progress", mail).out
    taken = studio("assign", "hand", mail, "1", "--from", "Bo", "--to", "Cy", "--json").json
    assert taken["taken"] == {"Cy": 6}
    assert "worked on" in studio("assign", "undo", mail, "1", "--json").error["message"]
    assert studio("assign", "close", mail, "1", "--json").json["done"] == 6
    assert "closed" in studio("assign", "list", mail).out


def test_people_read_what_a_plan_means(studio, mail):
    told = studio("assign", "start", mail, "--people", "Ada,Bo", "--plan").out
    assert "24 of 24 examples that could be given out: Ada 15, Bo 14" in told
    assert "5 examples shared, each by 2 people" in told
    assert "an alpha of 0.60 (supposed)" in told
    told = studio("assign", mail, "--people", "Ada,Bo", "--overlap", "0").out
    assert "agreement cannot be told" in told
    assert studio("assign", "undo", mail, "1").code == 0
    assert "No round yet" in studio("assign", "list", mail).out


def test_bad_use_is_one_sentence(studio, mail):
    assert studio("assign", "nothing", "--people", "Ada", "--json").code == 2
    assert "Nobody" in studio("assign", mail, "--people", "", "--json").error["message"]
    assert studio("assign", mail).code == 2
    assert "no round 7" in studio("assign", "close", mail, "7", "--json").error["message"]


def test_guideline_notes(studio, mail):
    added = studio("guideline", "add", mail, "--text", "Offers count.", "--label", "ham",
                   "--other", "spam", "--example", "tr1", "--json").json  # fmt: skip
    assert added == {"task": "mail", "guideline": 1}
    (note,) = studio("guideline", "list", mail, "--json").json
    assert (note["label"], note["other"], note["example"]) == ("ham", "spam", "tr1")
    assert "ham rather than spam" in studio("guideline", "list", mail).out
    assert studio("guideline", "retire", mail, "1", "--json").json["retired"] is True
    assert "No guideline note yet" in studio("guideline", "list", mail).out
    assert studio("guideline", "list", mail, "--retired", "--json").json[0]["retired"] is True
    told = studio("guideline", "add", mail, "--text", "x", "--example", "tr99", "--json")
    assert "no example 'tr99'" in told.error["message"]
