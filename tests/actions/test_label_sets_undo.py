"""Any changes of a label set, taken back one after the other, leave the workspace as it was."""

import itertools

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from studio.actions.corrections import Decision, correct_labels
from studio.actions.label_sets import change_labels, foresee_change, undo_label_change
from studio.domain.coded_rationale import parse_rule
from studio.domain.correction import Mode, Origin
from studio.domain.example import Split as ExampleSplit
from studio.domain.gold import resolve_gold
from studio.domain.label_change import Add, Merge, Rename, Reorder, Retire, Split
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.errors import InputError
from studio.store.labels import NewLabel
from studio.store.recount import recount
from studio.store.runs import Result

COUNT = itertools.count()
PEOPLE = ("Ada", "Bo", "file.csv")
EXAMPLES = 6


def make_task(ws):
    number = next(COUNT)
    task = ws.store.tasks.create(
        name=f"t{number}", question="", criterion=None, by="Ada", at="2026",
        labels=[(name, f"about {name}") for name in "abcd"],
    )  # fmt: skip
    splits = list(ExampleSplit)
    rows = [(f"{number}-{i}", f"text {i}", splits[i % len(splits)], {}) for i in range(EXAMPLES)]
    ids = ws.store.examples.add(task.id, rows, "2026")
    for name in "ab":
        body = parse_rule({"name": f"rule-{name}", "label": name, "any": [{"phrase": name}]})
        label_id = task.label(name).id
        ws.store.rules.save(
            task.id, body, label_id=label_id, rationale_id=None, by="Ada", at="2026"
        )
        ws.store.rationales.add(
            task.id, label_id=label_id, text="why", example_id=None, evidence=(), author="Ada",
            at="2026",
        )  # fmt: skip
    ws.store.tasks.set_fallback(task.id, task.label("a").id)
    return task, ids


def decide(ws, task, example_id, person, label_id):
    origin = Origin.IMPORTED if person.endswith("csv") else Origin.BLIND
    new = NewLabel(
        example_id=example_id, label_id=label_id, person=person, origin=origin, mode=Mode.GRID
    )
    ws.store.labels.append(task.id, [new], ws.now())


def predict(ws, task, ids, labels):
    run_id = ws.store.runs.create(
        Run(id=0, task_id=task.id, kind=ClassifierKind.RULES, title="rules"),
        example_ids=ids, finetune_id=None, params={},
    )  # fmt: skip
    results = [
        Result(
            example_id=i,
            label_id=label,
            answer=Answer(outcome=Outcome.OK if label else Outcome.ABSTAINED),
        )
        for i, label in zip(ids, labels, strict=True)
    ]
    ws.store.runs.commit(ws.store.runs.get(run_id), results, at=ws.now())
    return run_id


def state(ws, task):
    """Return all that changes of the label set touch."""
    rows = ws.store.db.read
    one = (task.id,)
    return {
        name: [tuple(row) for row in rows(sql, one)]
        for name, sql in {
            "labels": "SELECT id, name, definition, position FROM label WHERE task_id = ?"
            " AND retired_at IS NULL ORDER BY id",
            "fallback": "SELECT fallback_label_id FROM task WHERE id = ?",
            "decisions": "SELECT example_id, person, label_id, origin FROM current_label"
            " WHERE task_id = ? ORDER BY 1, 2",
            "gold": "SELECT example_id, label_id, origin, person, event_id FROM gold"
            " WHERE task_id = ? ORDER BY 1",
            "gold_count": "SELECT split, label_id, origin, n FROM gold_count"
            " WHERE task_id = ? AND n ORDER BY 1, 2, 3",
            "predictions": "SELECT p.run_id, p.example_id, p.label_id, p.confidence, p.outcome"
            " FROM run r JOIN prediction p ON p.run_id = r.id WHERE r.task_id = ? ORDER BY 1, 2",
            "outcomes": "SELECT o.run_id, o.outcome, o.n FROM run r JOIN run_outcome o"
            " ON o.run_id = r.id WHERE r.task_id = ? AND o.n ORDER BY 1, 2",
            "errors": "SELECT x.run_id, x.example_id FROM run r JOIN run_error x"
            " ON x.run_id = r.id WHERE r.task_id = ? ORDER BY 1, 2",
            "rules": "SELECT id, label_id, body FROM coded_rationale WHERE task_id = ? ORDER BY 1",
            "rationales": "SELECT id, label_id FROM rationale WHERE task_id = ? ORDER BY 1",
            "relook": "SELECT change_id, example_id FROM relook WHERE task_id = ? ORDER BY 1, 2",
        }.items()
    }


def some_deed(ws, task, draw):
    """Return a change of the labels there are now; it may be one that is refused."""
    now = ws.store.tasks.get(task.id)
    one = st.sampled_from(now.label_names)
    name = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])
    return draw(
        st.one_of(
            st.builds(Rename, label=one, to=name, meaning_changed=st.booleans()),
            st.builds(
                Merge, label=one, into=one, to=st.one_of(st.just(""), name),
                look_again=st.booleans(),
            ),
            st.builds(
                Split, label=one,
                parts=st.lists(
                    st.tuples(name, st.sampled_from(["", "new words"])), min_size=2, max_size=3
                ).map(tuple),
            ),
            st.builds(Add, name=name, look_again=st.lists(one, max_size=1).map(tuple)),
            st.builds(Retire, label=one),
            st.builds(Reorder, names=st.permutations(now.label_names).map(tuple)),
        )
    )  # fmt: skip


def some_labels(ws, task, ids, draw, labels):
    for i in ids:
        for person in draw(st.sets(st.sampled_from(PEOPLE))):
            decide(ws, task, i, person, draw(st.sampled_from(labels)))


PLENTY = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@PLENTY
@given(data=st.data())
def test_changes_alone_are_taken_back_exactly(ws, data):
    task, ids = make_task(ws)
    labels = [label.id for label in task.labels]
    some_labels(ws, task, ids, data.draw, [*labels, None])
    predict(ws, task, ids, data.draw(st.lists(
        st.sampled_from([*labels, None]), min_size=EXAMPLES, max_size=EXAMPLES)))  # fmt: skip
    before = []
    for _ in range(data.draw(st.integers(1, 5))):
        deed, was = some_deed(ws, task, data.draw), state(ws, task)
        try:
            foreseen = foresee_change(ws, task.id, deed)
            change = change_labels(ws, task.id, deed, by="Ada")
        except InputError:
            assert state(ws, task) == was
            continue
        assert change.counts == foreseen.counts
        assert change.waiting == foreseen.again
        before.append(was)
        assert recount(ws.store.db) == []
    while before:
        undo_label_change(ws, task.id, by="Ada")
        assert state(ws, task) == before.pop()
        assert recount(ws.store.db) == []


@PLENTY
@given(data=st.data())
def test_what_people_decide_and_runs_say_between_changes_stays(ws, data):
    task, ids = make_task(ws)
    labels = [label.id for label in task.labels]
    some_labels(ws, task, ids, data.draw, labels)
    predict(ws, task, ids, data.draw(st.lists(
        st.sampled_from([*labels, None]), min_size=EXAMPLES, max_size=EXAMPLES)))  # fmt: skip
    start, made, decided = state(ws, task), 0, {}
    for _ in range(data.draw(st.integers(2, 8))):
        step = data.draw(st.sampled_from(["change", "label", "undo", "redo", "run", "back"]))
        old = [x.id for x in ws.store.tasks.get(task.id).labels if x.id in labels]
        person = data.draw(st.sampled_from(PEOPLE[:2]))
        if step == "change":
            try:
                change_labels(ws, task.id, some_deed(ws, task, data.draw), by="Ada")
                made += 1
            except InputError:
                pass
        elif step == "label" and old:
            i, label = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(old))
            decide(ws, task, i, person, label)
            decided[i, person] = label
        elif step in ("undo", "redo"):
            done = getattr(ws.store.deeds, step)(task.id, person, ws.now())
            decided |= {(i, person): None for i in done.example_ids} if done else {}
        elif step == "run":
            # A run that began before the changes says labels that may be gone.
            predict(ws, task, ids, [data.draw(st.sampled_from(labels)) for _ in ids])
        elif made:
            undo_label_change(ws, task.id, by="Ada")
            made -= 1
        assert recount(ws.store.db) == []
        says_present(ws, task)
    for _ in range(made):
        undo_label_change(ws, task.id, by="Ada")
    end = state(ws, task)
    for part in ("labels", "fallback", "rules", "rationales", "relook"):
        assert end[part] == start[part], part
    kept = [row for row in end["decisions"] if (row[0], row[1]) not in decided]
    assert kept == [row for row in start["decisions"] if (row[0], row[1]) not in decided]
    first = start["predictions"][0][0]
    assert [r for r in end["predictions"] if r[0] == first] == start["predictions"]
    says_present(ws, task)
    assert recount(ws.store.db) == []


def says_present(ws, task):
    """Gold is what the decisions of now make it, and nothing says a label that is gone."""
    now = {label.id for label in ws.store.tasks.get(task.id).labels}
    ids = [
        row[0] for row in ws.store.db.read("SELECT id FROM example WHERE task_id = ?", (task.id,))
    ]
    gold = {i: g.label_id for i, g in ws.store.labels.gold(task.id).items()}
    ws.store.labels.settle(task.id, ids)
    assert {i: g.label_id for i, g in ws.store.labels.gold(task.id).items()} == gold
    assert set(gold.values()) <= now
    said = {
        row[0]
        for row in ws.store.db.read(
            "SELECT p.label_id FROM run r JOIN prediction p ON p.run_id = r.id WHERE r.task_id = ?"
            " AND p.label_id IS NOT NULL UNION SELECT label_id FROM current_label"
            " WHERE task_id = ?1 AND label_id IS NOT NULL",
            (task.id,),
        )
    }
    assert said <= now


def test_a_tie_between_people_does_not_turn_by_a_merge(ws):
    task, (first, *_) = make_task(ws)
    a, b, c = (task.label(name).id for name in "abc")
    decide(ws, task, first, "Ada", a)
    decide(ws, task, first, "Bo", c)  # the later one wins
    before = ws.store.labels.gold(task.id)[first]
    change_labels(ws, task.id, Merge(label="a", into="b"), by="Eve")
    assert ws.store.labels.gold(task.id)[first] == before
    assert {row[1]: row[2] for row in state(ws, task)["decisions"]} == {"Ada": b, "Bo": c}
    history = ws.store.labels.history(task.id, example_id=first)
    assert [(e.person, e.label_id, e.mode) for e in history] == [
        ("Ada", a, Mode.GRID), ("Bo", c, Mode.GRID), ("Ada", b, Mode.LABEL_CHANGE),
    ]  # fmt: skip
    assert resolve_gold(history[1:2]).label_id == c


def test_taking_back_a_merge_costs_as_much_as_it_moved(open_studio, fill):
    """Counted in steps of SQLite: everybody else waits to write until it is done."""

    def steps(n):
        ws = open_studio(f"{n}.db")
        task = fill(ws, labels=("ham", "spam", "scam"), train=n, validation=0, test=0)
        ids = ws.store.examples.ids(task.id)
        correct_labels(ws, task.id, [Decision(example_id=i, label="scam") for i in ids], by="Ada")
        with ws.store.transaction() as conn:
            conn.execute("ANALYZE")  # as it is kept: from before there were so many deeds
        change_labels(ws, task.id, Merge(label="scam", into="spam"), by="Ada")
        done = 0

        def count():
            nonlocal done
            done += 1

        with ws.store.transaction() as conn:
            conn.set_progress_handler(count, 100)
            undo_label_change(ws, task.id, by="Ada")
            conn.set_progress_handler(None, 0)
        return done

    assert steps(800) < 6 * steps(200)
