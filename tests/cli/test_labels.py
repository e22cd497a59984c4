"""studio label: what it does, says and refuses."""

LABELS = "ham,spam,scam"


def test_a_label_set_is_changed_and_changed_back(studio):
    studio("task", "create", "mail", "--labels", LABELS)
    foreseen = studio("label", "merge", "mail", "scam", "spam", "--dry-run", "--json").json
    assert (foreseen["text"], foreseen["gold"]) == ("“scam” was merged into “spam”", 0)
    done = studio("label", "merge", "mail", "scam", "spam", "--to", "junk", "--json").json
    assert (done["kind"], done["undone_at"], done["by"]) == ("merge", None, "Ada")
    (_, junk) = studio("task", "show", "mail", "--json").json["labels"]
    assert (junk["name"], sorted(junk["former"])) == ("junk", ["scam", "spam"])
    assert "formerly" in studio("task", "show", "mail").out
    studio("label", "split", "mail", "junk", "junk", "news=A letter.")
    studio("label", "order", "mail", "news,ham,junk")
    told = studio("label", "changes", "mail", "--json").json
    assert [c["kind"] for c in told] == ["reorder", "split", "merge"]
    refused = studio("label", "undo", "mail", str(done["change"]), "--json")
    assert (refused.code, refused.error["code"]) == (2, "conflict")
    for _ in told:
        assert studio("label", "undo", "mail").code == 0
    names = [x["name"] for x in studio("task", "show", "mail", "--json").json["labels"]]
    assert names == LABELS.split(",")
    assert studio("label", "undo", "mail").code == 2


def test_a_dry_run_says_what_would_be(studio):
    studio("task", "create", "mail", "--labels", LABELS)
    for change, said in (
        (("rename", "mail", "spam", "junk"), "“spam” would be renamed “junk”."),
        (("merge", "mail", "scam", "spam"), "“scam” would be merged into “spam”."),
        (
            ("split", "mail", "spam", "spam", "news"),
            "“spam” would be split into “spam” and “news”.",
        ),
        (("add", "mail", "news"), "“news” would be added."),
        (("retire", "mail", "scam"), "“scam” would be given up."),
        (("order", "mail", "scam,ham,spam"), "The order would become scam, ham, spam."),
    ):
        assert studio("label", *change, "--dry-run").out == f"{said} Nothing was changed.\n"
    assert "never changed" in studio("label", "changes", "mail").out


def test_the_other_changes(studio):
    studio("task", "create", "mail", "--labels", LABELS)
    assert "renamed" in studio("label", "rename", "mail", "scam", "fraud").out
    assert "added" in studio("label", "add", "mail", "news", "--look-again", "ham").out
    assert "given up" in studio("label", "retire", "mail", "news").out
    assert "never changed" not in studio("label", "changes", "mail").out
    assert studio("label", "rename", "mail", "nothing", "x").code == 2
