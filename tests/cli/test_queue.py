"""`studio queue`."""


def test_the_document_and_the_table(studio, mail, tmp_path):
    lines = [f"n{i},{'ham' if i % 2 else 'spam'} number {i},train" for i in range(40)]
    (tmp_path / "new.csv").write_text("id,text,split\n" + "\n".join(lines) + "\n")
    assert studio("import", mail, "new.csv", "--split", "split").code == 0
    found = studio("queue", mail, "--limit", "6", "--json").json
    assert {"task", "strategy", "queue", "left", "note", "evidence", "outlook"} == found.keys()
    assert len(found["queue"]) == 6
    assert all(row["id"].startswith("n") for row in found["queue"])
    assert {"id", "text", "stream", "why"} == found["queue"][0].keys()
    assert found["evidence"]["pays"] is None
    told = studio("queue", mail, "--limit", "6", "--strategy", "random", "--reveal").out
    assert "Drawn at random." in told
    assert "more labels of the queue" in told
    assert "40 examples left to label." in told
    assert "Next 20 labels (your pace is told after ten); what they bring cannot be told" in told
    assert found["outlook"]["labels"] == 20
    assert found["outlook"]["words"] in told


def test_a_list_is_counted_as_one_and_tells_nothing_of_the_order(studio, mail):
    assert studio("label", "split", mail, "spam", "spam", "offers").code == 0
    told = studio("queue", mail, "--strategy", "another_look").out
    assert "left under “Another look”." in told
    assert "no label" not in told
    assert "this order" not in told
    assert "Next 20 labels" in told


def test_ten_minutes_hold_no_more_labels_than_are_left(studio, mail, tmp_path):
    lines = [f"n{i},{'ham' if i % 2 else 'spam'} number {i},train" for i in range(8)]
    (tmp_path / "new.csv").write_text("id,text,split\n" + "\n".join(lines) + "\n")
    assert studio("import", mail, "new.csv", "--split", "split").code == 0
    told = studio("queue", mail).out
    assert "8 examples left to label." in told
    assert "8 labels to the end of train (your pace is told after ten)" in told
    assert studio("queue", mail, "--json").json["outlook"]["labels"] == 8


def test_an_order_of_which_nothing_is_left_says_that_others_stand_in(studio, mail, tmp_path):
    lines = [f"n{i},{'ham' if i % 2 else 'fresh spam'} number {i},train" for i in range(40)]
    (tmp_path / "new.csv").write_text("id,text,split\n" + "\n".join(lines) + "\n")
    studio("import", mail, "new.csv", "--split", "split")
    for order, name in (("disagreements", "Disagreements"), ("spot_checks", "Checks of rules")):
        asked = ("queue", mail, "--strategy", order, "--limit", "6")
        note = studio(*asked, "--json").json["note"]
        assert note.startswith(f"Nothing is left under “{name}”: ")
        assert note.endswith("Others stand here instead, each with its reason.")
        assert note in studio(*asked).out
    rule = "{name: r, label: spam, any: [{keywords: [fresh]}]}"
    (tmp_path / "r.yaml").write_text(rule)
    assert studio("rule", "add", mail, "r.yaml").code == 0
    told = studio(*asked, "--json").json
    assert told["note"].startswith("Only 5 left under “Checks of rules”; others fill up")
    assert studio(*asked[:-1], "5", "--json").json["note"] == ""
    assert "1 rule gets its 5 checks" in told["outlook"]["words"]


def test_validation_tells_how_far_its_interval_narrows(studio, mail, tmp_path):
    lines = [f"v{i},{'ham' if i % 2 else 'spam'} item {i},validation" for i in range(30)]
    (tmp_path / "more.csv").write_text("id,text,split\n" + "\n".join(lines) + "\n")
    studio("import", mail, "more.csv", "--split", "split")
    asked = ("queue", mail, "--split", "validation")
    assert "cannot be told until a run was measured" in studio(*asked).out
    studio("prompt", "save", mail, "q", "--instructions", "Is it spam?")
    studio("run", "start", mail, "--prompt", "q", "--wait")
    assert "the interval of accuracy on validation should narrow from ±" in studio(*asked).out


def test_an_error_names_the_strategies(studio, mail):
    said = studio("queue", mail, "--strategy", "best", "--json").error
    assert said["next"].startswith("Name one of auto, half")


def test_nothing_is_left(studio, mail):
    assert "No example of train is left" in studio("queue", mail, "--json").error["message"]
