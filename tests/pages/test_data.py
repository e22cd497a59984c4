from __future__ import annotations

import pytest


def test_a_task_is_created_from_the_form(open_app, ws):
    at = open_app("data")
    at.text_input(key="new_name_0").set_value("spam")
    at.session_state["new_labels_0"] = {
        "edited_rows": {0: {"Label": "spam", "Definition": "It sells."}, 1: {"Label": "ham"}},
        "added_rows": [],
        "deleted_rows": [],
    }
    submit(at, "Create the task")
    assert not at.exception
    assert not at.error
    task = ws.read.tasks.by_name("spam")
    assert [(label.name, label.definition) for label in task.labels] == [
        ("spam", "It sells."),
        ("ham", ""),
    ]
    assert str(task.criterion) == "macro_f1>=0.85"


def test_a_task_of_one_label_is_one_sentence_and_nothing_is_lost(open_app, ws):
    at = open_app("data")
    at.text_input(key="new_name_0").set_value("spam")
    submit(at, "Create the task")
    assert "at least two labels" in at.error[0].value
    assert at.text_input(key="new_name_0").value == "spam"
    assert ws.read.tasks.all() == []


def test_a_second_task_of_the_same_name_is_one_sentence(open_app, fill):
    fill("keto loaded")
    at = open_app("data", view="New task")
    at.text_input(key="new_name_1").set_value("keto")
    at.session_state["new_labels_1"] = {
        "edited_rows": {0: {"Label": "a"}, 1: {"Label": "b"}}, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    submit(at, "Create the task")
    assert at.error[0].value.startswith("A task 'keto' exists already.")


def test_a_second_task_is_created_beside_the_first_and_asks_for_a_file(open_app, fill, ws):
    fill("keto loaded")
    at = open_app("data", view="New task")
    at.text_input(key="new_name_1").set_value("spam")
    at.session_state["new_labels_1"] = {
        "edited_rows": {0: {"Label": "spam"}, 1: {"Label": "ham"}},
        "added_rows": [],
        "deleted_rows": [],
    }
    submit(at, "Create the task")
    assert not at.exception
    assert not at.error
    assert ws.read.tasks.by_name("spam").label_names == ("spam", "ham")
    assert at.session_state["data"] == "Import"


def test_a_file_is_imported_with_its_rejected_rows_named(open_app, fill, ws):
    fill("task without examples")
    at = open_app("data", view="Import")
    content = (
        b"text,label,split\nfire!,urgent,train\nlater,can wait,test\n,urgent,train\nx,maybe,train\n"
    )
    at.file_uploader[0].upload("mail.csv", content).run()
    assert not at.exception
    assert "“maybe” is no label of this task" in at.warning[0].value
    next(b for b in at.button if b.label == "Import 4 rows").click().run()
    assert at.success[0].value == "2 examples added from mail.csv, 2 with a gold label."
    assert at.warning[0].value == "2 rows rejected; the others are in."
    rejected = at.dataframe[0].value
    assert list(rejected["Line"]) == [4, 5]
    assert rejected["Reason"][0] == "the text is empty"


def test_of_a_large_file_only_the_first_rows_are_looked_at_before(open_app, fill, monkeypatch):
    monkeypatch.setattr("studio.analysis.tables.HEAD", 2)
    fill("task without examples")
    at = open_app("data", view="Import")
    content = b"text,label\nfire!,urgent\nx,maybe\n" + b"y,urgent\n" * 7
    at.file_uploader[0].upload("many.csv", content).run()
    assert at.warning[0].value.startswith("1 row of the first 2 will be rejected: “maybe” is no")
    assert any("and about 7 more rows; columns" in c.value for c in at.caption)
    next(b for b in at.button if b.label == "Import all rows").click().run()
    assert not at.exception
    assert at.success[0].value == "8 examples added from many.csv, 8 with a gold label."


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("values.json", b"[{}]", "The rows of values.json have no named values."),
        ("empty.csv", b" ", "The file empty.csv is empty."),
        ("head.csv", b"text,label\n", "has no rows below its header"),
        ("x.json", b"{", "is not JSON"),
        ("x.parquet", b"nonsense", "is not Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(open_app, fill, name, content, said):
    fill("task without examples")
    at = open_app("data", view="Import")
    at.file_uploader[0].upload(name, content).run()
    assert not at.exception
    assert len(at.error) == 1
    assert said in at.error[0].value


def test_examples_are_filtered_searched_and_paged(open_app, fill):
    fill("keto loaded")
    at = open_app("data")
    first = list(at.dataframe[0].value["Text"])
    assert len(first) == 50
    at.button(key="examples_later").click().run()
    second = list(at.dataframe[0].value["Text"])
    assert len(second) == 50
    assert not set(first) & set(second)
    at.button(key="examples_earlier").click().run()
    assert list(at.dataframe[0].value["Text"]) == first
    at.text_input(key="examples_search").set_value("shakshuka").run()
    assert all("shakshuka" in text.lower() for text in at.dataframe[0].value["Text"])
    at.text_input(key="examples_search").set_value("no dish is called this").run()
    assert at.info[0].value.startswith("No example matches")


def test_gold_of_test_examples_stays_locked(open_app, fill):
    fill("keto loaded")
    at = open_app("data")
    frame = at.dataframe[0].value
    assert set(frame["Gold"][frame["Split"] == "test"]) == {"locked"}
    at.selectbox(key="examples_label").select("keto").run()
    frame = at.dataframe[0].value
    assert "test" not in set(frame["Split"])
    assert set(frame["Gold"]) == {"keto"}


def test_splits_are_assigned_anew(open_app, fill, ws):
    task = fill("keto loaded")
    at = open_app("data", view="Splits")
    numbers = {n.label: n for n in at.number_input}
    numbers["Train %"].set_value(50)
    numbers["Test %"].set_value(30)
    submit(at, "Assign anew")
    assert not at.error
    assert abs(ws.read.examples.counts(task.id)["test"] - 236) < 30


def test_shares_that_do_not_add_up_are_one_sentence(open_app, fill):
    fill("keto loaded")
    at = open_app("data", view="Splits")
    {n.label: n for n in at.number_input}["Train %"].set_value(90)
    submit(at, "Assign anew")
    assert not at.exception
    assert len(at.error) == 1


def test_definitions_and_criterion_are_changed(open_app, fill, ws):
    task = fill("task without examples")
    at = open_app("data", view="Labels and criterion")
    at.session_state[f"labels_{task.id}_{task.revision}"] = {
        "edited_rows": {0: {"Definition": "Somebody is in danger."}},
        "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    at.number_input[0].set_value(0.9)
    submit(at, "Save")
    assert not at.exception
    saved = ws.read.tasks.get(task.id)
    assert saved.label("urgent").definition == "Somebody is in danger."
    assert str(saved.criterion) == "macro_f1>=0.9"


def submit(at, label: str) -> None:
    next(b for b in at.button if b.label == label).click().run()
