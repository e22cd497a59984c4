"""Advice on prompts and their differences from a terminal."""

import pytest


@pytest.fixture
def saved(studio, mail):
    studio("prompt", "save", mail, "p", "--instructions", "Is it spam? Do your best.")
    studio("prompt", "save", mail, "p", "--instructions", "Is it strictly spam?")
    return mail


def test_findings_are_data_and_no_failure(studio, saved):
    said = studio("prompt", "lint", saved, "p:1", "--json")
    assert said.code == 0
    assert set(said.json) == {"prompt", "counts", "findings"}
    assert said.json["prompt"] == "p v1"
    vague = next(f for f in said.json["findings"] if f["code"] == "vague")
    assert set(vague) == {"code", "severity", "where", "title", "why", "suggestion", "rewrite"}
    assert vague["where"]["section"] == "instructions"
    assert "best" in vague["rewrite"]["before"]
    assert "best" not in vague["rewrite"]["after"]
    assert said.json["counts"]["hint"] >= 1


def test_the_newest_version_or_a_file_is_read(studio, saved, tmp_path):
    assert studio("prompt", "lint", saved, "--json").json["prompt"] == "p v2"
    (tmp_path / "draft.yaml").write_text(
        "instructions: TODO\ndefinitions: {ham: Friends., spam: Prizes.}"
    )
    told = studio("prompt", "lint", saved, "draft.yaml", "--json").json
    assert [f["code"] for f in told["findings"] if f["severity"] != "idea"] == ["blank"]
    assert studio("prompt", "lint", saved, "nobody.yaml", "--json").code == 2


def test_people_read_why_and_what_to_do(studio, saved):
    said = studio("prompt", "lint", saved, "p:1").out
    assert "why: " in said
    assert "do:  " in said


def test_a_difference_is_told_word_by_word(studio, saved):
    said = studio("prompt", "diff", saved, "p:1", "p:2", "--json").json
    (change,) = said["changes"]
    assert change["part"] == "Instructions"
    assert {p["kind"] for p in change["pieces"]} == {"same", "removed", "added"}
    told = studio("prompt", "diff", saved, "p:1", "p:2").out
    assert "{+strictly +}" in told
    assert "[-" in told
    assert studio("prompt", "diff", saved, "p:1", "p:1").out.strip() == "Nothing changed."
