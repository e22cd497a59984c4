"""The labeling grid: every row once, and a test example shows no model before the person."""

import itertools
import math
import random
import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.store import grid
from studio.store.grid import GridFilter
from studio.store.labels import NewLabel
from studio.store.recount import recount
from studio.store.runs import Result

NAMES = itertools.count()
SPLITS = ("train", "validation", "test")
WORDS = ("alpha", "beta 50%", "gamma_x", "Ünïcode שלום", "plain")
PROFILE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, template):
    """A task whose examples have every mixture of prediction, own label and gold."""
    import shutil

    from studio.store.store import Store

    path = tmp_path_factory.mktemp("grid") / "studio.db"
    shutil.copyfile(template, path)
    store = Store(path)
    chance = random.Random(7)
    task = store.tasks.create(
        name="t", question="", labels=[("a", ""), ("b", ""), ("c", "")], criterion=None, by="A",
        at="2026",
    )  # fmt: skip
    other = store.tasks.create(
        name="o", question="", labels=[("a", ""), ("b", "")], criterion=None, by="A", at="2026"
    )
    labels = [label.id for label in task.labels]
    rows = [
        (f"x{i}", f"{chance.choice(WORDS)} {i}", Split(chance.choice(SPLITS)), {"n": str(i)})
        for i in range(140)
    ]
    ids = store.examples.add(task.id, rows, "2026")
    store.examples.add(other.id, rows[:9], "2026")
    run = store.file_run(
        Run(id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title="p", splits=SPLITS),
        example_ids=ids, now=0.0,
    )  # fmt: skip
    results, decisions = [], []
    for i in ids:
        kind = chance.random()
        if kind < 0.6:
            label = chance.randrange(3)
            # Few different confidences, so that pages end in the middle of equal ones.
            sure = chance.choice([0.4, 0.5, 1 / 3, 0.9])
            odds = {"abc"[label]: sure} if chance.random() < 0.85 else {}
            answer = Answer(outcome=Outcome.OK, label="abc"[label], probabilities=odds)
            results.append(Result(example_id=i, label_id=labels[label], answer=answer))
        elif kind < 0.75:
            answer = Answer(outcome=chance.choice([Outcome.ABSTAINED, Outcome.ERROR]))
            results.append(Result(example_id=i, label_id=None, answer=answer))
        for person in ("Ada", "Bo"):
            if chance.random() < 0.4:
                said = chance.choice([*labels, None])
                decisions.append(
                    NewLabel(example_id=i, label_id=said, person=person, origin=Origin.BLIND)
                )
    store.runs.commit(run, results, at="2026")
    store.labels.append(task.id, decisions, "2026")
    yield store, task, run, ids
    store.close()


def walk(store, task, run, person, filter, limit):
    """Return all rows, page after page."""
    rows, after = [], None
    while page := store.examples.grid(
        task.id, run_id=run.id if run else None, person=person, filter=filter, after=after,
        limit=limit,
    ):  # fmt: skip
        assert len(page) <= limit
        rows += page
        after = page[-1]["cursor"]
    return rows


def told(store, task, run, person):
    """Return, by example id, what a naive reading of the parts says a person may see."""
    said = {p.example_id: p for p in store.runs.predictions(run.id)} if run else {}
    own = {}
    for event in store.labels.history(task.id):
        if event.person == person:
            own[event.example_id] = event.label_id
    gold = {i: g.label_id for i, g in store.labels.gold(task.id).items()}
    seen = {}
    for e in store.examples.all(task.id):
        label = own.get(e.id)
        p = said.get(e.id) if e.split is not Split.TEST or label is not None else None
        seen[e.id] = {
            "split": e.split.value, "text": e.text, "label": label, "gold": gold.get(e.id),
            "predicted": p.label_id if p else None, "confidence": p.confidence if p else None,
            "outcome": p.outcome.value if p else None,
            "method": p.method.value if p and p.method else None,
        }  # fmt: skip
    return seen


def plain(text):
    kept = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(kept).casefold()


def found(text, search):
    """Tell whether each word of a search begins a word of the text, or it stands there as is."""
    words = re.findall(r"[^\W_]+", plain(search))
    if not words or "面" in search:
        return search.strip().casefold() in text.casefold()
    return all(any(w.startswith(v) for w in re.findall(r"[^\W_]+", plain(text))) for v in words)


def wanted(row, example_id, f):
    wrong = row["gold"] is not None and row["outcome"] is not None
    shown = {
        "all": True,
        "todo": row["label"] is None,
        "mine": row["label"] is not None,
        "errors": wrong and row["gold"] != row["predicted"],
    }
    return (
        (not f.splits or row["split"] in f.splits)
        and found(row["text"], f.search)
        and (f.label_id is None or row["predicted"] == f.label_id)
        and (f.gold_label_id is None or row["gold"] == f.gold_label_id)
        and (f.ids is None or example_id in f.ids)
        and shown[f.show]
    )


filters = st.builds(
    dict,
    splits=st.lists(st.sampled_from(SPLITS), unique=True).map(tuple),
    search=st.sampled_from(
        [
            "",
            "",
            "",
            "ALPHA",
            "alph 1",
            "50%",
            "gamma_",
            "_",
            "%",
            "'",
            '"; DROP',
            "שלום",
            "unico",
            "ÜNI",
            "lain",
            "面",
            "の面",
            '" OR text:* NEAR(a b) -"',
            "1 2",
            "x",
        ]
    ),
    label=st.sampled_from([None, None, 0, 1, 2]),
    gold=st.sampled_from([None, None, 0, 1, 2]),
    show=st.sampled_from(["all", "todo", "mine", "errors"]),
    ids=st.one_of(st.none(), st.none(), st.lists(st.integers(1, 160), max_size=30).map(tuple)),
    by_confidence=st.booleans(),
)


def check(store, task, run, person, spec, limit):
    """Compare all pages of a filter with what a naive reading of the parts wants."""
    ids = [label.id for label in task.labels]
    f = GridFilter(
        splits=spec["splits"], search=spec["search"], show=spec["show"], ids=spec["ids"],
        label_id=None if spec["label"] is None else ids[spec["label"]],
        gold_label_id=None if spec["gold"] is None else ids[spec["gold"]],
        by_confidence=spec["by_confidence"],
    )  # fmt: skip
    rows = walk(store, task, run, person, f, limit)
    seen = told(store, task, run, person)
    expected = [i for i, row in seen.items() if wanted(row, i, f)]
    if f.by_confidence:
        expected.sort(key=lambda i: (math.inf if (c := seen[i]["confidence"]) is None else c, i))
    assert [row["id"] for row in rows] == expected
    for row in rows:
        assert {k: row[k] for k in seen[row["id"]]} == seen[row["id"]]


@PROFILE
@given(
    filters,
    st.integers(1, 60),
    st.sampled_from(["Ada", "Bo", "Nobody"]),
    st.booleans(),
    st.booleans(),
)
def test_paging_shows_every_wanted_row_once_and_in_order(desk, spec, limit, person, with_run, few):
    store, task, run, _ = desk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            grid, "few", lambda _: 10**6 if few else -1
        )  # gather and sort, or walk in order
        check(store, task, run if with_run else None, person, spec, limit)


@PROFILE
@given(data=st.data())
def test_any_workspace_is_shown_as_a_naive_reading_of_it_wants(desk, data):
    """Also after splits were changed, labels taken back and predictions forgotten."""
    store, _, other, _ = desk
    draw = data.draw
    at = next(NAMES)
    task = store.tasks.create(name=f"t{at}", question="", labels=[("a", ""), ("b", ""), ("c", "")],
                              criterion=None, by="A", at="2026")  # fmt: skip
    labels = [label.id for label in task.labels]
    split = st.sampled_from(list(Split))
    texts = st.sampled_from([*WORDS, "麺と面", "ＰＬＡＩＮ x"])
    rows = draw(st.lists(st.tuples(texts, split), max_size=24))
    ids = store.examples.add(
        task.id, [(f"x{i}", text, where, {}) for i, (text, where) in enumerate(rows)], "2026"
    )
    run = store.file_run(
        Run(id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title="p", splits=SPLITS),
        example_ids=ids, now=0.0,
    )  # fmt: skip
    deed = st.tuples(
        st.sampled_from(["say", "say", "label", "label", "move", "undo", "forget"]),
        st.integers(0, max(len(ids) - 1, 0)), st.sampled_from([0, 1, 2, None]),
        st.sampled_from([0.25, 0.5, 1.0, None]), split, st.sampled_from(["Ada", "Bo"]),
    )  # fmt: skip
    for kind, place, label, sure, where, person in draw(st.lists(deed, max_size=60)) if ids else ():
        name = None if label is None else "abc"[label]
        if kind == "say":
            answer = Answer(outcome=Outcome.ERROR if name is None else Outcome.OK, label=name,
                            probabilities={name: sure} if name and sure else {})  # fmt: skip
            result = Result(example_id=ids[place], answer=answer,
                            label_id=None if label is None else labels[label])  # fmt: skip
            store.runs.commit(run, [result], at="2026")
        elif kind == "label":
            origin = draw(st.sampled_from([Origin.BLIND, Origin.IMPORTED]))
            new = NewLabel(example_id=ids[place], label_id=None if label is None else labels[label],
                           person=person, origin=origin)  # fmt: skip
            store.labels.append(task.id, [new], "2026")
        elif kind == "move":
            store.examples.set_splits(task.id, {ids[place]: where})
        elif kind == "undo":
            store.deeds.undo(task.id, person, "2026")
        else:
            store.runs.forget_errors(run.id)
    spec = draw(filters)
    if spec["ids"] is not None:
        spec["ids"] = tuple(draw(st.lists(st.sampled_from([*ids, 1, 10**9]), max_size=20)))
    shown = draw(st.sampled_from([run, run, run, None]))
    with pytest.MonkeyPatch.context() as patch:
        few = draw(st.sampled_from([-1, 10**6]))
        patch.setattr(grid, "few", lambda _: few)
        check(
            store, task, shown, draw(st.sampled_from(["Ada", "Bo"])), spec, draw(st.integers(1, 30))
        )
    assert walk(store, task, other, "Ada", GridFilter(label_id=other.task_id), 50) == []
    assert recount(store.db) == []


def test_a_test_example_shows_its_prediction_only_after_the_own_label(desk):
    store, task, run, _ = desk
    rows = walk(store, task, run, "Nobody", GridFilter(splits=("test",)), 200)
    assert rows
    assert {(r["predicted"], r["confidence"], r["outcome"]) for r in rows} == {(None, None, None)}


@pytest.mark.parametrize("show", ["all", "errors"])
def test_no_filter_tells_what_a_model_said_of_a_test_example(desk, show):
    """Neither the filters nor the order may sort test examples by what the model said."""
    store, task, run, _ = desk
    for label in task.labels:
        f = GridFilter(splits=("test",), label_id=label.id, show=show)
        assert walk(store, task, run, "Nobody", f, 200) == []
    assert walk(store, task, run, "Nobody", GridFilter(splits=("test",), show="errors"), 200) == []
    by_order = GridFilter(splits=("test",), by_confidence=True)
    ids = [r["id"] for r in walk(store, task, run, "Nobody", by_order, 7)]
    assert ids == sorted(ids)
    assert {r["cursor"][0] for r in walk(store, task, run, "Nobody", by_order, 7)} == {math.inf}


@pytest.mark.parametrize("few", [-1, 10**6], ids=["walks", "gathers"])
def test_no_way_to_a_page_looks_behind_the_mask(desk, monkeypatch, few):
    """Every filter with every other, both orders: what is hidden decides nothing."""
    store, task, run, ids = desk
    monkeypatch.setattr(grid, "few", lambda _: few)
    seen = told(store, task, run, "Ada")
    label = [None, task.labels[0].id, task.labels[1].id]
    for show, said, gold, search, chosen, by_confidence in itertools.product(
        ["all", "todo", "mine", "errors"], label, label[:2], ["", "alpha", "%"],
        [None, tuple(ids)], [False, True],
    ):  # fmt: skip
        f = GridFilter(splits=("test",), show=show, label_id=said, gold_label_id=gold,
                       search=search, ids=chosen, by_confidence=by_confidence)  # fmt: skip
        expected = [i for i, row in seen.items() if wanted(row, i, f)]
        if by_confidence:
            expected.sort(
                key=lambda i: (math.inf if (c := seen[i]["confidence"]) is None else c, i)
            )
        rows = walk(store, task, run, "Ada", f, 200)
        assert [row["id"] for row in rows] == expected, f


def test_a_page_is_never_longer_than_200(desk):
    store, task, _, _ = desk
    page = store.examples.grid(task.id, run_id=None, person="A", filter=GridFilter(), limit=10_000)
    assert len(page) == 140 <= 200


@PROFILE
@given(filters, st.booleans())
def test_no_page_reads_a_whole_table(desk, spec, few):
    """Every table is entered by an index, whatever SQLite guesses of its size."""
    store, task, run, _ = desk
    f = GridFilter(
        splits=spec["splits"], search=spec["search"], show=spec["show"], ids=spec["ids"],
        label_id=spec["label"], gold_label_id=spec["gold"], by_confidence=spec["by_confidence"],
    )  # fmt: skip
    plans = []
    read = store.db.read

    def explained(sql, parameters=()):
        plans.extend(row["detail"] for row in read(f"EXPLAIN QUERY PLAN {sql}", parameters))
        return read(sql, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "few", lambda _: 10**6 if few else -1)
        patch.setattr(store.db, "read", explained)
        store.examples.grid(task.id, run_id=run.id, person="Ada", filter=f)
    assert plans
    apart = ("VIRTUAL TABLE", "CONSTANT ROW", "(subquery")
    whole = [p for p in plans if p.startswith("SCAN") and not any(word in p for word in apart)]
    assert whole == []
