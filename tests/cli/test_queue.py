"""`studio queue`."""


def test_the_document_and_the_table(studio, mail, tmp_path):
    lines = [f"n{i},{'ham' if i % 2 else 'spam'} number {i},train" for i in range(40)]
    (tmp_path / "new.csv").write_text("id,text,split\n" + "\n".join(lines) + "\n")
    assert studio("import", mail, "new.csv", "--split", "split").code == 0
    found = studio("queue", mail, "--limit", "6", "--json").json
    assert {"task", "strategy", "queue", "left", "note", "evidence"} == found.keys()
    assert len(found["queue"]) == 6
    assert all(row["id"].startswith("n") for row in found["queue"])
    assert {"id", "text", "stream", "why"} == found["queue"][0].keys()
    assert found["evidence"]["pays"] is None
    told = studio("queue", mail, "--limit", "6", "--strategy", "random", "--reveal").out
    assert "Drawn at random." in told
    assert "more labels of the queue" in told


def test_an_error_names_the_strategies(studio, mail):
    said = studio("queue", mail, "--strategy", "best", "--json").error
    assert said["next"].startswith("Name one of auto, half")


def test_nothing_is_left(studio, mail):
    assert "No example of train is left" in studio("queue", mail, "--json").error["message"]
