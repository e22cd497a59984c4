"""`studio trainingset export` and `studio finetune`: files for others, warnings, pausing."""

import json
from pathlib import Path


def begun(studio):
    lines = ["id,text,label,split"]
    lines += [
        f"t{i},{('ham', 'spam')[i % 2]} {i},{('ham', 'spam')[i % 2]},train" for i in range(12)
    ]
    Path("mail.csv").write_text("\n".join(lines), encoding="utf-8")
    assert studio("task", "create", "mail", "--labels", "ham,spam").code == 0
    found = studio("import", "mail", "mail.csv", "--label", "label", "--split", "split")
    assert found.code == 0, found.err


def test_a_training_set_is_written_for_a_decision_model(studio):
    begun(studio)
    assert studio("trainingset", "create", "mail").code == 0
    found = studio("trainingset", "export", "mail", "1", "rows.jsonl", "--format", "system-one")
    assert found.code == 0, found.err
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text("utf-8").splitlines()]
    assert {row["labels"]["label"] for row in rows} == {"ham", "spam"}
    assert len(rows) == 12


def test_what_it_costs_is_told_before_and_after(studio):
    begun(studio)
    words = ("finetune", "launch", "mail")
    expected = studio(*words, "--estimate", "--json").json
    assert (expected["examples"], expected["epochs"], expected["cost_usd"]) == (12, 8, 0.0)
    assert "12 examples to this machine · free" in studio(*words, "--estimate").out
    assert studio("finetune", "list", "mail", "--json").json == []
    told = studio(*words, "--wait", "--json").json
    assert (told["cost_usd"], told["estimate"]) == (0.0, expected)
    assert "cost: $0; expected: $0" in studio("finetune", "show", "1").out


def test_an_end_that_is_near_is_told_beside_the_document(studio, script, monkeypatch):
    from studio.domain.eligibility import eligibility

    monkeypatch.setattr(
        "studio.actions.finetunes.eligibility", lambda h, b, _: eligibility(h, b, "2026-12-31")
    )
    begun(studio)
    script.is_local, script.host = False, "api.openai.com"
    words = ("finetune", "launch", "mail", "--yes", "--json", "--base")
    refused = studio(*words, "gpt-6-luna")
    assert (refused.code, refused.error["code"]) == (2, "bad_input")
    found = studio(*words, "gpt-4.1-mini")
    assert found.code == 0, found.err
    assert "(6 days left)" in found.err
    assert found.json["base"] == "gpt-4.1-mini"
