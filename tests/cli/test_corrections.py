"""`studio correct`, `undo`, `redo` and `stopwatch`."""


def test_a_file_is_stored_taken_back_and_put_back(studio, mail, tmp_path):
    (tmp_path / "c.csv").write_text("id,label,note\ntr0,ham,odd\ntr1,spam,\nnowhere,ham,\n")
    stored = studio("correct", mail, "c.csv", "--by", "Bo", "--blind", "--json").json
    assert stored["stored"] == 2
    assert stored["rejected"] == [{"line": 4, "reason": "there is no example 'nowhere'"}]
    undone = studio("undo", mail, "--by", "Bo", "--json").json
    told = {"task": mail, "examples": ["tr0", "tr1"], "label": None, "mark": None, "next": None}
    assert undone == told
    assert "nothing" in studio("undo", mail, "--by", "Bo").out
    assert studio("redo", mail, "--by", "Bo").out == "Put back the labels of tr0, tr1.\n"
    assert studio("redo", mail, "--by", "Bo", "--json").json["examples"] == []


def test_an_undo_after_a_change_of_the_labels_names_what_takes_that_back(studio, mail, tmp_path):
    (tmp_path / "c.csv").write_text("id,label\ntr0,ham\n")
    studio("label", "rename", mail, "ham", "good")
    studio("correct", mail, "c.csv", "--by", "Bo", "--blind")
    assert studio("undo", mail, "--by", "Bo").out == "Took back the label good of tr0.\n"
    studio("redo", mail, "--by", "Bo")
    studio("label", "add", mail, "scam")
    studio("label", "merge", mail, "good", "scam")
    said = studio("undo", mail, "--by", "Bo").out
    assert said == (
        "The last label cannot be undone before a later change of the label set is undone: “good” "
        "was merged into “scam”. `studio label undo mail` undoes it.\n"
    )
    assert studio("undo", mail, "--by", "Bo", "--json").json["next"] == said.strip()
    studio("label", "undo", mail)
    undone = studio("undo", mail, "--by", "Bo", "--json").json
    assert "`studio label undo mail`" in undone["next"]
    assert undone["examples"] == ["tr0"]
    studio("label", "merge", mail, "good", "scam")
    said = studio("redo", mail, "--by", "Bo").out
    assert said.startswith("The last undo cannot be redone before a later change")


def test_the_stopwatch_says_what_is_not_timed(studio, mail, tmp_path):
    assert "Nobody has labeled" in studio("stopwatch", mail).out
    (tmp_path / "c.csv").write_text("id,label\ntr0,ham\ntr1,spam\n")
    studio("correct", mail, "c.csv", "--by", "Bo", "--blind")
    told = studio("stopwatch", mail).out
    assert "from a file, blind" in told
    assert "not timed" in told
    found = studio("stopwatch", mail, "--by", "Bo", "--json").json
    assert (found["person"], found["compared_with"]) == ("Bo", None)
    assert found["ways"][0]["seconds"] == {"value": None, "low": None, "high": None, "n": 0}
    assert "no label" in studio("stopwatch", mail, "--by", "Eve", "--json").error["message"]
