"""With --json: one document on standard output, with at least the keys of the contract."""

import re

import pytest

RULES = """
fallback: ham
rules:
  - {name: spam-word, label: spam, any: [{keywords: [spam]}]}
  - {name: odd, label: ham, any: [{regex: "number [13579]"}]}
"""
FIGURE = {"value", "low", "high", "n"}


@pytest.fixture
def run(studio, mail):
    """A finished run on everything."""
    said = studio("run", "start", mail, "--split", "train", "--split", "validation", "--split",
                  "test", "--wait", "--json")  # fmt: skip
    assert (said.code, said.err) == (0, "")
    return said.json


@pytest.fixture
def rules(studio, mail, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    assert studio("rule", "import", mail, "rules.yaml", "--json").json == {
        "task": "mail", "rules": ["spam-word", "odd"]
    }  # fmt: skip


def test_import(studio, mail, tmp_path):
    (tmp_path / "more.csv").write_text("id,text,label\nnew,hello ham,ham\ntr0,x,ham\nbad,x,eggs\n")
    said = studio("import", "MAIL", "more.csv", "--label", "label", "--json")
    assert said.code == 0
    assert {"task", "added", "skipped", "rejected"} <= set(said.json)
    assert (said.json["task"], said.json["added"], said.json["skipped"]) == ("mail", 1, 1)
    assert said.json["rejected"] == [
        {"line": 4, "reason": "the label 'eggs' is not one of ham, spam"}
    ]


def test_run_start_and_show(studio, run):
    keys = {"run", "status", "total", "done", "outcomes", "calls", "cost_usd", "model"}
    assert keys <= set(run)
    assert (run["status"], run["total"], run["done"]) == ("done", 48, 48)
    assert run["outcomes"] == {"ok": 48}
    assert studio("run", "show", run["run"], "--json").json == run


def test_evaluate(studio, run):
    said = studio("evaluate", run["run"], "--split", "test", "--json").json
    assert set(said) >= {"run", "split", "n", "coverage", "accuracy", "macro_f1", "majority",
                         "labels", "confusion"}  # fmt: skip
    assert set(said["accuracy"]) == set(said["macro_f1"]) == FIGURE
    assert set(said["labels"]) == {"ham", "spam"}
    assert {"precision", "recall", "f1", "support"} <= set(said["labels"]["ham"])
    assert said["confusion"]["ham"]["ham"] == 6
    trust = said["calibration"]
    assert {"method", "ece", "bins", "n"} <= set(trust)
    assert trust["n"] == sum(one["accuracy"]["n"] for one in trust["bins"]) <= said["n"]
    assert set(trust["bins"][0]["accuracy"]) == FIGURE
    first = studio("slices", run["run"], "--split", "train", "--json").json[0]
    one = studio(
        "evaluate", run["run"], "--split", "train", "--slice", first["slice"], "--json"
    ).json
    assert one["n"] == first["n"] < 24


def test_compare(studio, mail, run, rules):
    second = studio("run", "start", mail, "--rules", "--wait", "--json").json
    said = studio("compare", run["run"], second["run"], "--json").json
    assert set(said) >= {"runs", "n", "difference", "p", "fixed", "broke", "needed"}
    assert said["runs"] == [run["run"], second["run"]]
    assert set(said["difference"]) == FIGURE


def test_slices(studio, run):
    said = studio("slices", run["run"], "--split", "train", "--json").json
    assert said
    for one in said:
        assert {"slice", "n", "error", "lift", "q"} <= set(one)
        assert set(one["error"]) == FIGURE


def test_rule_report(studio, mail, rules):
    said = studio("rule", "report", mail, "--json").json
    assert [one["rule"] for one in said] == ["spam-word", "odd"]
    for one in said:
        assert {"rule", "label", "coverage", "overlap", "conflict", "accuracy"} <= set(one)
        assert set(one["accuracy"]) == FIGURE


def test_finetune_launch(studio, mail):
    said = studio("finetune", "launch", mail, "--wait", "--json").json
    assert {"finetune", "status", "model", "metrics"} <= set(said)
    assert said["status"] == "succeeded"
    assert said["model"].startswith("ft:")
    assert isinstance(said["metrics"], dict)
    assert studio("finetune", "show", said["finetune"], "--json").json == said
    assert studio("finetune", "events", said["finetune"], "--json").json[-1]["message"] == "Done."
    run = studio("run", "start", mail, "--model", said["finetune"], "--wait", "--json").json
    assert run["done"] == 36  # train and validation: test is left out


def test_report(studio, mail, run, tmp_path):
    said = studio("report", mail, "--html", "out.html", "--json").json
    assert set(said) >= {"verdict", "criterion", "figure", "cost_usd", "minutes", "missing"}
    assert said["verdict"] == "go"
    assert said["criterion"] == "accuracy>=0.5"
    assert set(said["figure"]) == FIGURE
    page = (tmp_path / "out.html").read_text()
    assert not re.search(r"""(src|href)=["']?https?:""", page)


def test_a_report_says_what_was_not_timed(studio, mail, tmp_path):
    (tmp_path / "votes.csv").write_text("id,label\ntr0,ham\ntr1,spam\n")
    assert studio("correct", mail, "votes.csv", "--by", "Ada", "--blind").code == 0
    told = studio("report", mail).out
    assert "0.0 minutes; 2 decisions not timed" in told
    assert "missing: The time of 2 decisions" in told


def test_an_error(studio):
    said = studio("task", "show", "nothing", "--json")
    assert said.code == 2
    assert said.error["code"] == "not_found"
    assert said.error["next"]


def test_every_other_command_has_its_document_too(studio, mail, run, rules, tmp_path):
    (tmp_path / "one.yaml").write_text("{name: third, label: ham, any: [{phrase: of train}]}")
    (tmp_path / "c.csv").write_text("id,label\ntr0,ham\nnowhere,ham\n")
    number = str(run["run"])
    commands = [
        ("task", "list"),
        ("task", "show", mail),
        ("task", "change", mail, "--question", "Is it ham?"),
        ("task", "champion", mail, number),
        ("split", mail, "--seed", "3"),
        ("rationale", "add", mail, "--label", "ham", "--text", "because", "--by", "Bo"),
        ("rationale", "list", mail),
        ("rule", "add", mail, "one.yaml"),
        ("rule", "list", mail),
        ("rule", "show", mail, "third"),
        ("rule", "order", mail, "third", "odd"),
        ("rule", "apply", mail, "--wait"),
        ("rule", "export", mail),
        ("rule", "export", mail, "out.yaml"),
        ("prompt", "save", mail, "p", "--instructions", "Is it ham?", "--rationales"),
        ("prompt", "save", mail, "p", "--instructions", "Is it spam?", "--note", "why not"),
        ("prompt", "list", mail),
        ("prompt", "show", mail, "p"),
        ("prompt", "diff", mail, "p:1", "p:2"),
        ("prompt", "preview", mail, "p", "--before", "p v1", "--limit", "6"),
        ("run", "list", mail),
        ("run", "pause", number),
        ("run", "resume", number),
        ("run", "cancel", number),
        ("run", "export", number),
        ("run", "export", number, "out.csv"),
        ("correct", mail, "c.csv", "--by", "Bo", "--run", number),
        ("trainingset", "create", mail),
        ("trainingset", "show", mail, "1"),
        ("trainingset", "export", mail, "1", "out.jsonl"),
        ("finetune", "list", mail),
        ("provider", "add", "far", "--base-url", "https://api.example.com/v1"),
        ("provider", "list"),
        ("provider", "test", "embedded"),
        ("backup", "b.tgz"),
        ("restore", "b.tgz"),
        ("doctor",),
    ]
    for words in commands:
        said = studio(*words, "--json")
        assert (said.code, said.err) == (0, ""), words
        assert isinstance(said.json, dict | list), words
        if words[0] not in ("backup", "restore"):
            told = studio(*words)
            assert told.code == 0, words
            assert told.out.strip(), words


def test_what_people_read(studio, mail, run):
    assert studio("evaluate", run["run"]).out.startswith("Run 1 on validation, n=12")
    shown = studio("run", "show", run["run"]).out
    assert "48 of 48" in shown
    assert "outcomes: 48 ok; calls: 48" in shown
    assert "GO: " in studio("report", mail).out


def test_an_export_is_safe_in_a_spreadsheet(studio, mail, tmp_path):
    (tmp_path / "evil.csv").write_text('id,text\n=1+1,"=HYPERLINK(""x"") ham"\n')
    studio("import", mail, "evil.csv", "--split", "train")
    run = studio("run", "start", mail, "--wait", "--json").json["run"]
    text = studio("run", "export", run).out
    assert "'=1+1,\"'=HYPERLINK" in text


def test_labels_that_hold_commas(studio):
    said = studio("task", "create", "q", "--labels", 'yes, "no, never" ,maybe', "--json")
    assert [label["name"] for label in said.json["labels"]] == ["yes", "no, never", "maybe"]


def test_the_version(studio):
    from studio import __version__

    said = studio("--version")
    assert (said.code, said.out.strip()) == (0, __version__)
