"""Import: every kind of file people bring, and every way in which a row cannot be used."""

import json

import pytest

from studio.actions.examples import Columns, import_examples, split_examples
from studio.actions.tasks import create_task
from studio.domain.example import Split, normalise
from studio.errors import InputError


@pytest.fixture
def task(ws):
    return create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")


@pytest.fixture
def bring(ws, task):
    def bring(data, filename="mail.csv", **columns):
        data = data.encode() if isinstance(data, str) else data
        return import_examples(
            ws, task.id, data=data, filename=filename, columns=Columns(**columns), by="Ada"
        )

    return bring


def texts(ws, task):
    return {e.external_id: e.text for e in ws.store.examples.all(task.id)}


def test_rows_that_cannot_be_used_are_told_with_line_and_reason(ws, task, bring):
    data = (
        "id,text,label,split\n"
        "a,good one,ham,train\n"
        "b,   ,ham,train\n"
        "c,what is it,eggs,train\n"
        'd,"two\nlines",SPAM,dev\n'
        "a,again,ham,train\n"
        "e,nowhere,ham,later\n"
        f"f,{'x' * 200_001},ham,train\n"
        "g,unlabeled,,test\n"
        "h,too,many,cells,here\n"
        "i,\u200b,ham,train\n"
        "j,👍 !!!,ham,train\n"
    )
    done = bring(data, label="label", split="split")
    assert done.to_dict()["rejected"] == [
        {"line": 3, "reason": "the text is empty"},
        {"line": 4, "reason": "the label 'eggs' is not one of ham, spam"},
        {"line": 7, "reason": "the id 'a' stands twice in the file"},
        {"line": 8, "reason": "the split 'later' is not train, validation or test"},
        {"line": 9, "reason": "the text has 200001 characters, more than 200000"},
        {"line": 11, "reason": "has 5 cells, the header 4"},
        {"line": 12, "reason": "the text is empty"},
    ]
    assert (done.added, done.labeled, done.skipped) == (4, 3, 0)
    assert texts(ws, task) == {
        "a": "good one", "d": "two\nlines", "g": "unlabeled", "j": "👍 !!!"
    }  # fmt: skip
    assert ws.store.examples.counts(task.id) == {"train": 2, "validation": 1, "test": 1}


def test_the_same_file_twice_adds_nothing(ws, task, bring):
    data = "text,label\nhello there,ham\nbuy now,spam\n"
    assert bring(data, label="label").added == 2
    again = bring(data, label="label")
    assert (again.added, again.skipped, again.labeled) == (0, 2, 0)
    assert len(ws.store.labels.history(task.id)) == 2


def test_assigned_splits_keep_equal_texts_together_also_across_files(ws, task, bring):
    lines = [
        f"Text number {i % 40}{'!' * (i % 3)},{'ham' if i % 2 else 'spam'}" for i in range(120)
    ]
    bring("text,label\n" + "\n".join(lines), "one.csv", label="label")
    bring("text,label\n" + "\n".join(line.upper().rpartition(",")[0] + ",ham" for line in lines),
          "two.csv", label="label")  # fmt: skip
    places = {}
    for example in ws.store.examples.all(task.id):
        places.setdefault(normalise(example.text), set()).add(example.split)
    assert len(ws.store.examples.all(task.id)) == 240
    assert [text for text, splits in places.items() if len(splits) > 1] == []
    assert {split for splits in places.values() for split in splits} == set(Split)


def test_groups_stay_together(ws, task, bring):
    lines = [f"text {i},c{i % 10}" for i in range(100)]
    bring("text,customer\n" + "\n".join(lines), group="customer")
    places = {}
    for e in ws.store.examples.all(task.id):
        places.setdefault(e.metadata["customer"], set()).add(e.split)
    assert {len(splits) for splits in places.values()} == {1}


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        ("\ufefftext,label\nCrème brûlée,ham\n".encode(), "x.csv"),
        ("text,label\nCrème brûlée,ham\n".encode("latin-1"), "x.csv"),
        ("text;label\nCrème brûlée;ham\n".encode(), "x.csv"),
        ("text\tlabel\nCrème brûlée\tham\n".encode(), "x.tsv"),
        ("text,label\nCrème brûlée,ham\n".encode("utf-16"), "x.csv"),
        ("text,label\r\nCrème brûlée,ham\r\n".encode(), "x.txt"),
        (json.dumps({"text": "Crème brûlée", "label": "ham"}).encode(), "x.jsonl"),
        (json.dumps([{"text": "Crème brûlée", "label": "ham"}]).encode(), "x.json"),
    ],
    ids=["bom", "latin-1", "semicolon", "tsv", "utf-16", "crlf", "jsonl", "json"],
)
def test_encodings_and_kinds(ws, task, bring, data, filename):
    done = bring(data, filename, label="label", split="train")
    assert (done.added, done.labeled, done.rejected) == (1, 1, [])
    assert list(texts(ws, task).values()) == ["Crème brûlée"]


def test_json_lines_that_are_broken_or_lack_keys(ws, task, bring):
    lines = [
        '{"id": 1, "text": "fine", "label": "ham"}',
        '{"id": 2, "label": "ham"}',
        "{broken",
        "[1, 2]",
        '{"id": 5, "text": null, "label": "ham"}',
        '{"id": 6, "text": "half \\ud800 a letter"}',
        '{"id": 7, "text": "fine too", "extra": {"deep": ["\\udfff"]}}',
        '{"id": 8, "text": "with \\u0000 in it", "label": "spam"}',
    ]
    done = bring("\n".join(lines), "x.jsonl", label="label")
    assert [line for line, _ in done.rejected] == [2, 3, 4, 5, 6, 7]
    assert done.rejected[4][1].startswith("it holds half a character")
    assert texts(ws, task) == {"1": "fine", "8": "with \x00 in it"}


def test_right_to_left_long_and_hostile_texts_come_back_as_they_were(ws, task, bring):
    odd = {
        "rtl": "\u202eשלום עולם\u202c مرحبا",
        "long": "wörd " * 39_999 + "end!",
        "sql": "'; DROP TABLE example; --",
        "html": "<script>alert(1)</script>",
        "formula": "=1+1",
        "like": "100% _sure_ \\",
    }
    data = "\n".join(json.dumps({"id": k, "text": v}) for k, v in odd.items())
    assert bring(data, "odd.jsonl").added == len(odd)
    assert texts(ws, task) == odd


@pytest.mark.parametrize(
    ("data", "filename", "columns", "says"),
    [
        (b"", "x.csv", {}, "is empty"),
        (b"  \n ", "x.csv", {}, "is empty"),
        (b"text,label\n", "x.csv", {}, "no rows below its header"),
        (b"text\nhi\n", "x.csv", {"label": "gold"}, "no column 'gold' for the label"),
        (b"text\nhi\n", "x.csv", {"text": "body"}, "no column 'body' for the text"),
        (b"text\nhi\n", "x.csv", {"split": "part"}, "no column 'part' for the split"),
        (b"text\nhi\n", "x.csv", {"id": "nr"}, "no column 'nr' for the id"),
        (b"text\nhi\n", "x.csv", {"group": "who"}, "no column 'who' for the group"),
        (b"\x00\x01\x02", "x.csv", {}, "is not text"),
        (b"PK\x03\x04", "x.xlsx", {}, "'.xlsx' cannot be read"),
        (b"nonsense", "x.parquet", {}, "is not Parquet"),
        (b"{]", "x.json", {}, "is not JSON"),
        (b"{]", "x.jsonl", {}, "no rows"),
    ],
)
def test_a_file_that_cannot_be_used_stores_nothing(ws, task, bring, data, filename, columns, says):
    before = ws.store.tasks.get(task.id).revision
    with pytest.raises(InputError) as caught:
        bring(data, filename, **columns)
    assert says in caught.value.message
    assert caught.value.next_step
    assert ws.store.tasks.get(task.id).revision == before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"train": 0.9}, "add up to"),
        ({"train": -0.2, "validation": 1.0}, "negative"),
        ({"group": "nothing"}, "column 'nothing'"),
    ],
)
def test_splits_that_make_no_sense(ws, fill, more, says):
    task = fill(ws)
    before = ws.store.examples.counts(task.id)
    with pytest.raises(InputError, match=says):
        split_examples(ws, task.id, **more)
    assert ws.store.examples.counts(task.id) == before


def test_splitting_anew(ws, fill, task):
    with pytest.raises(InputError, match="no examples to split"):
        split_examples(ws, task.id)
    full = fill(ws, "full", train=100, validation=0, test=0)
    counts = split_examples(ws, full.id, seed=3)
    assert counts == {"train": 60, "validation": 20, "test": 20}
    assert split_examples(ws, full.id, seed=3) == counts


@pytest.mark.parametrize(
    ("name", "columns", "least"),
    [
        ("sms_kaggle_latin1.csv", {"text": "v2", "label": "v1"}, 50),
        ("hebrew_rtl_comments.tsv", {}, 20),
        ("cfpb_complaints_cut_at_1MiB.csv", {}, 20),
        ("naughty_strings.csv", {}, 20),
        ("csv_injection_cells.csv", {}, 1),
        ("very_long_cells.csv", {}, 1),
        ("youtube_eminem_raw.csv", {"text": "CONTENT"}, 100),
        ("uk_wine_cellar_consumption_dataset_14-15.csv", {}, 1),
    ],
)
def test_files_from_the_wild(ws, task, bring, shared, name, columns, least):
    data = (shared / "datasets" / "messy" / name).read_bytes()
    done = bring(data, name, **columns)
    known = len(ws.store.examples.all(task.id))
    assert done.added == known
    assert done.added + len(done.rejected) >= least
    assert all(reason and line > 0 for line, reason in done.rejected)
    assert bring(data, name, **columns).added == 0
