"""Import: every kind of file people bring, and every way in which a row cannot be used."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.actions import examples as actions
from studio.actions.examples import import_examples, split_examples
from studio.actions.tasks import create_task
from studio.analysis.example_rows import Columns
from studio.domain.example import Split, normalise
from studio.errors import InputError


@pytest.fixture
def task(ws):
    return create_task(ws, name="mail", labels=["ham", "spam"], by="Ada")


@pytest.fixture
def bring(ws, task):
    def bring(data, filename="mail.csv", *, progress=None, **columns):
        data = data.encode() if isinstance(data, str) else data
        return import_examples(
            ws, task.id, data=data, filename=filename, columns=Columns(**columns), by="Ada",
            progress=progress,
        )  # fmt: skip

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


number = itertools.count()


def places(ws, task, key):
    found = {}
    for example in ws.store.examples.all(task.id):
        found.setdefault(key(example), set()).add(example.split)
    return found


def test_progress_is_told_after_each_transaction(ws, task, bring, monkeypatch):
    monkeypatch.setattr(actions, "CHUNK", 4)
    told = []

    def tell(done, total):
        told.append((done, total, sum(ws.read.examples.counts(task.id).values())))

    data = "text\n" + "".join(f"text {i}\n" for i in range(10)) + ",\n"
    bring(data, progress=tell)
    assert told == [(5, 12, 4), (9, 12, 8), (11, 12, 10)]


def test_long_texts_make_short_transactions(ws, task, bring, monkeypatch):
    monkeypatch.setattr(actions, "CHUNK_CHARACTERS", 250)
    told = []
    bring("text\n" + "".join(f"{i}{'x' * 99}\n" for i in range(7)),
          progress=lambda done, _: told.append(done))  # fmt: skip
    assert told == [4, 7, 8]


@pytest.mark.parametrize("large", [3, 1000])
def test_a_stopped_import_keeps_whole_chunks_and_the_next_one_adds_the_rest(
    ws, task, bring, monkeypatch, large
):
    monkeypatch.setattr(actions, "CHUNK", 10)
    monkeypatch.setattr(actions, "LARGE", large)
    data = "text,label,c\n" + "".join(f"text {i % 40},ham,g{i % 5}\n" for i in range(95))

    def stop(done, _):
        if done > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(data, label="label", group="c", progress=stop)
    assert len(ws.store.examples.all(task.id)) == len(ws.store.labels.gold(task.id)) == 30
    done = bring(data, label="label", group="c")
    assert (done.added, done.skipped, done.labeled) == (65, 30, 65)
    assert {len(s) for s in places(ws, task, lambda e: normalise(e.text)).values()} == {1}
    assert {len(s) for s in places(ws, task, lambda e: e.metadata["c"]).values()} == {1}


rows_of_a_file = st.lists(
    st.tuples(
        st.sampled_from(["a", "A!", "b", "c", "d", "e", "f", "!!", "??"]),
        st.sampled_from(["", "x", "y", "z"]),
        st.sampled_from(["", "", "", "train", "test"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(rows_of_a_file, min_size=1, max_size=3),
    st.integers(1, 12),
    st.sampled_from([0, 5, 1000]),
    st.booleans(),
    st.booleans(),
)
def test_no_duplicate_spans_splits_whatever_the_chunks(ws, files, size, large, grouped, given_too):
    task = create_task(ws, name=f"task {next(number)}", labels=["a", "b"], by="Ada")
    columns = Columns(text="t", group="g" if grouped else "", split="s" if given_too else "")
    free = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actions, "CHUNK", size)
        patch.setattr(actions, "LARGE", large)
        for i, rows in enumerate(files):
            data = "t,g,s\n" + "".join(",".join(row) + "\n" for row in rows)
            import_examples(ws, task.id, data=data.encode(), filename=f"{i}.csv",
                            columns=columns, by="Ada")  # fmt: skip
            free |= {f"{i}.csv:{line}" for line, (_, _, split) in enumerate(rows, 2)
                     if not (split and given_too)}  # fmt: skip
    texts = places(ws, task, lambda e: e.external_id in free and (normalise(e.text) or e.text))
    texts.pop(False, None)
    assert [text for text, splits in texts.items() if len(splits) > 1] == []
    if grouped and not given_too and len(files) == 1:
        groups = places(ws, task, lambda e: e.metadata.get("g", ""))
        assert [name for name, splits in groups.items() if name and len(splits) > 1] == []


@pytest.mark.parametrize("large", [5, 1000])
def test_a_row_without_a_split_follows_its_text_and_its_group(ws, task, bring, monkeypatch, large):
    monkeypatch.setattr(actions, "LARGE", large)
    monkeypatch.setattr(actions, "CHUNK", 2)
    lines = [f"text {i},,g{i % 3}" for i in range(9)] + ["TEXT 4!,validation,", "text 5,,"]
    bring("text,split,c\n" + "\n".join(lines), split="split", group="c")
    by_id = {e.external_id: e.split for e in ws.store.examples.all(task.id)}
    # text 4 is of group g1, so that texts 1 and 7 go with it
    for line in (3, 6, 9, 11):
        assert by_id[f"mail.csv:{line}"] == Split.VALIDATION
    assert by_id["mail.csv:7"] == by_id["mail.csv:12"]
    bring("text,c\nnew,g1\nnew too,g1\n", "later.csv", group="c")
    by_id = {e.external_id: e.split for e in ws.store.examples.all(task.id)}
    assert {by_id["later.csv:2"], by_id["later.csv:3"]} == {Split.VALIDATION}


@pytest.mark.parametrize("large", [1, 1000])
def test_a_text_of_the_file_says_more_than_its_group(ws, task, bring, monkeypatch, large):
    monkeypatch.setattr(actions, "LARGE", large)
    bring("text,split,c\na,train,x\nb,test,x\nB!,,x\nc,,x\n", split="split", group="c")
    by_id = {e.external_id: e.split for e in ws.store.examples.all(task.id)}
    assert (by_id["mail.csv:4"], by_id["mail.csv:5"]) == (Split.TEST, Split.TRAIN)


def test_a_large_file_with_splits_of_its_own_keeps_them(ws, task, bring, monkeypatch):
    monkeypatch.setattr(actions, "LARGE", 3)
    lines = [f"text {i},{('train', 'dev', 'test')[i % 3]}" for i in range(9)]
    bring("text,split\n" + "\n".join(lines), split="split")
    assert ws.store.examples.counts(task.id) == {"train": 3, "validation": 3, "test": 3}
    bring("text\n" + "".join(f"more {i}\n" for i in range(9)), "all.csv", split="test")
    assert ws.store.examples.counts(task.id)["test"] == 12


def test_splitting_a_large_task_anew(ws, task, bring, monkeypatch):
    lines = [f"text {i % 900},{'ham' if i % 10 == 0 else ''},g{i % 300}" for i in range(1000)]
    bring("text,label,c\n" + "\n".join(lines), label="label", split="train")
    monkeypatch.setattr(actions, "LARGE", 200)
    for group in ("", "c"):
        counts = split_examples(ws, task.id, seed=3, group=group)
        assert counts == split_examples(ws, task.id, seed=3, group=group)
        assert sum(counts.values()) == 1000
        assert abs(counts["test"] - 200) < 80
        assert {len(s) for s in places(ws, task, lambda e: e.text).values()} == {1}
        gold = ws.store.labels.gold(task.id)
        got = Counter(e.split for e in ws.store.examples.all(task.id) if e.id in gold)
        assert abs(got[Split.TEST] - 20) <= 2  # exact but for what must stay together
    assert {len(s) for s in places(ws, task, lambda e: e.metadata["c"]).values()} == {1}


ROOT = Path(__file__).parents[2]


@pytest.fixture
def studio_import(ws, task, tmp_path):
    """Start `studio import` of 60,000 rows in a process of its own, and wait for a first chunk."""
    file = tmp_path / "many.csv"
    lines = (f"{i},text number {i % 50_000},{('', 'ham')[i % 10 == 0]}\n" for i in range(60_000))
    file.write_text("id,text,label\n" + "".join(lines))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("STUDIO_")}
    command = [sys.executable, "-m", "studio.cli.main", "import", task.name, str(file),
               "--label", "label", "--workspace", str(ws.path), "--json"]  # fmt: skip

    def start(*, wait):
        child = subprocess.Popen(
            command, cwd=ROOT, env=environ, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        until = time.monotonic() + 60
        while wait and not count_of(ws, task) and child.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.002)
        return child

    return start


def count_of(ws, task):
    return sum(ws.read.examples.counts(task.id).values())


@pytest.mark.fault
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_an_import_that_dies_leaves_whole_chunks(ws, task, studio_import, how):
    child = studio_import(wait=True)
    child.send_signal(how)
    out, said = child.communicate(timeout=60)
    stored = count_of(ws, task)
    assert child.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 1)
    assert out == ""
    assert 0 < stored < 60_000
    assert stored % actions.CHUNK == 0
    assert len(ws.read.labels.gold(task.id)) == stored // 10
    if how == signal.SIGINT:
        error = json.loads(said)["error"]
        assert error["code"] == "interrupted"
        assert error["message"].startswith("The import was stopped; the examples of the first ")
        assert error["message"].endswith(" of 60,001 lines are stored.")
        assert error["next"] == "Import the file again to add the rest."
    out, said = studio_import(wait=False).communicate(timeout=60)
    done = json.loads(out)
    assert (done["added"], done["skipped"], said) == (60_000 - stored, stored, "")
    assert len(ws.read.labels.gold(task.id)) == 6_000
    assert {len(s) for s in places(ws, task, lambda e: e.text).values()} == {1}


def test_a_column_of_labels_that_nobody_named_is_told(bring):
    data = "text,topic,day\ngood one,Ham,mon\nbuy now,spam,tue\n"
    assert "“topic” holds labels" in bring(data).notes[0]
    assert bring(data, "again.csv", label="topic").notes == ()
    assert bring("text,day\nhello,mon\n", "days.csv").notes == ()
