"""`studio agreement` after several people's files."""

import pytest

SAID = {"Ada": "ham spam ham spam", "Bo": "ham spam spam spam", "Cy": "ham ham spam spam"}


@pytest.fixture
def voted(studio, mail, tmp_path):
    for who, labels in SAID.items():
        lines = ["id,label", *(f"tr{i},{label}" for i, label in enumerate(labels.split()))]
        (tmp_path / "votes.csv").write_text("\n".join(lines) + "\n")
        assert studio("correct", mail, "votes.csv", "--by", who, "--blind").code == 0
    return mail


def test_the_document_has_what_is_promised(studio, voted):
    found = studio("agreement", voted, "--json").json
    assert {"alpha", "kappa", "labels", "pairs", "people", "apart"} <= found.keys()
    assert set(found["alpha"]) == {"value", "low", "high", "n"}
    assert set(found["labels"]) == {"ham", "spam"}
    assert found["kappa_kind"] == "fleiss"
    assert found["shared"] == found["alpha"]["n"] == 4
    assert found["pairs"][0]["people"] == ["Ada", "Cy"]
    assert {one["id"] for one in found["apart"]} == {"tr1", "tr2"}


def test_people_read_who_differs_from_whom(studio, voted):
    told = studio("agreement", voted, "--limit", "1").out
    assert "3 people, 4 of 4 labeled examples shared" in told
    assert "n=4: too few shared examples to tell (4): label 16 more together at least" in told
    assert "Ada / Cy" in told
    assert "ham / spam 1x" in told


def test_two_people_cannot_tell_which_label_is_likely(studio, mail, tmp_path):
    for who, label in (("Ada", "ham"), ("Bo", "spam")):
        (tmp_path / "votes.csv").write_text(f"id,label\ntr1,{label}\n")
        assert studio("correct", mail, "votes.csv", "--by", who, "--blind").code == 0
    told = studio("agreement", mail).out
    assert "likely" not in told
    assert told.count("two cannot tell") == 2
    (apart,) = studio("agreement", mail, "--json").json["apart"]
    assert (apart["likely"], apart["chance"]) == (None, None)


def test_with_one_person_the_error_says_what_to_do(studio, mail):
    assert "Nobody has given labels" in studio("agreement", mail, "--json").error["message"]
