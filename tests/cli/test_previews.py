"""studio prompt preview and matrix: what changed, what it cost, and how versions compare."""

from __future__ import annotations


def test_a_preview_lists_what_it_fixed_and_broke(studio, mail):
    studio("prompt", "save", mail, "q", "--instructions", "Is it spam?")
    studio("prompt", "save", mail, "q", "--instructions", "Is it spam, or is it ham?")
    asked = ("prompt", "preview", mail, "q", "--before", "q v1", "--limit", "9", "--seed", "3")
    told = studio(*asked, "--json").json
    assert {"fixed", "broke", "needed", "difference", "cost_usd", "seconds", "expected"} <= {*told}
    assert (told["n"], told["before"], told["looks"]) == (9, "q v1", 1)
    assert told["fixed"] == told["broke"] == []
    assert told["accuracy"]["n"] <= 9
    assert told["needed"] is None
    assert told["what_would_tell"] in (said := studio(*asked).out)
    assert "not enough to tell; the two are so alike here" in said
    assert "looked at" not in said
    other = studio(*asked[:-1], "4").out
    assert "looked at 2 times by now, on 2 samples" in other
    assert studio(*asked, "--estimate", "--json").json["examples"] == 18


def test_a_matrix_has_a_cell_for_each_version_and_slice(studio, mail):
    assert "No prompt of" in studio("prompt", "matrix", mail).err
    studio("prompt", "save", mail, "q", "--instructions", "Is it spam?")
    studio("run", "start", mail, "--prompt", "q", "--wait")
    told = studio("prompt", "matrix", mail, "--json").json
    assert told["against"] == "q v1"
    (version,) = told["versions"]
    assert [c["slice"] for c in version["cells"]] == [s["slice"] for s in told["slices"]]
    assert told["slices"][0]["slice"] == "all"
    assert told["versions_tried"]["n"] >= 1
    assert "gold is" in studio("prompt", "matrix", mail).out


def test_a_long_matrix_shows_the_most_telling_slices_first(studio, mail, tmp_path):
    columns = range(6)
    lines = [",".join(["id,text,label", *(f"c{k}" for k in columns)])]
    lines += [
        ",".join([f"w{i},text {i} here,ham", *(f"v{i // (k + 1) % 3}" for k in columns)])
        for i in range(36)
    ]
    (tmp_path / "more.csv").write_text("\n".join(lines) + "\n")
    studio("import", mail, "more.csv", "--label", "label", "--split", "train")
    studio("prompt", "save", mail, "q", "--instructions", "Is it spam?")
    studio("run", "start", mail, "--prompt", "q", "--wait")
    short, long = (studio("prompt", "matrix", mail, *more).out for more in ((), ("--all",)))
    slices = len(studio("prompt", "matrix", mail, "--json").json["slices"])
    assert slices > 12
    assert f"{slices - 12} slices more that tell less: --all shows them" in short
    assert "--all" not in long
    assert len(long.splitlines()) - len(short.splitlines()) == slices - 12 - 1
