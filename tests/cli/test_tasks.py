"""studio task change and champion: what is named changes, the rest stays."""


def test_only_what_is_named_changes(studio, mail):
    told = studio("task", "change", mail, "--definition", "spam=unwanted mail").out
    assert "spam: unwanted mail" in told
    done = studio("task", "change", mail, "--question", "Wanted?", "--json").json
    assert (done["question"], done["criterion"]) == ("Wanted?", "accuracy>=0.5")
    assert [x["definition"] for x in done["labels"]] == ["wanted mail", "unwanted mail"]
    assert studio("task", "change", mail, "--criterion", "", "--json").json["criterion"] is None


def test_a_change_of_nothing_says_what_can_be_changed(studio, mail):
    refused = studio("task", "change", mail)
    assert refused.code == 2
    assert "--criterion" in refused.err
    assert studio("task", "change", mail, "--definition", "eggs=a dish").code == 2


def test_the_classifier_of_a_run_becomes_the_champion(studio, mail):
    run = studio("run", "start", mail, "--wait", "--json").json["run"]
    assert "champion" in studio("task", "champion", mail, str(run)).out
    assert studio("task", "show", mail, "--json").json["champion"] == "prompt:1"
    studio("task", "create", "other", "--labels", "a,b")
    refused = studio("task", "champion", "other", str(run))
    assert (refused.code, "belongs to another task" in refused.err) == (2, True)
    assert studio("task", "champion", mail, "99").code == 2
