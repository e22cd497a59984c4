"""The Label page in its states, with what the browser would send put into session_state."""

from __future__ import annotations

import pytest

from studio.actions.corrections import Decision, correct_labels, undo_correction
from studio.actions.examples import Columns, import_examples
from studio.actions.label_sets import change_labels, undo_label_change
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.label_change import Add, Merge, Rename
from studio.domain.run import Answer, ClassifierKind, Method, Outcome, Run
from studio.store.runs import Result
from studio.ui import grid_paste
from studio.ui.grid import read_page
from studio.ui.grid_options import GridFilter, Sight, frame
from studio.ui.grid_state import GridState
from studio.ui.page import Page
from studio.ui.session import TASK
from tests.pages.conftest import known_as


@pytest.fixture
def keto(ws):
    return load_sample(ws, "keto", by="Ada")


@pytest.fixture
def run(ws, keto):
    """A finished run that calls everything keto, one example refused."""
    examples = ws.store.examples.all(keto.id)
    run_id = ws.store.runs.create(
        Run(
            id=0, task_id=keto.id, kind=ClassifierKind.PROMPT, title="first", model="m",
            provider="scripted", splits=("train",), created_at=ws.now(), created_by="Ada",
        ),
        example_ids=[e.id for e in examples],
        finetune_id=None,
        params={},
    )  # fmt: skip
    said = keto.label("keto")
    answers = [
        Answer(
            outcome=Outcome.OK,
            label="keto",
            probabilities={"keto": 0.75, "not_keto": 0.25},
            method=Method.LOGPROBS,
        )
        if place
        else Answer(outcome=Outcome.REFUSED)
        for place in range(len(examples))
    ]
    ws.store.runs.commit(
        ws.store.runs.get(run_id),
        [
            Result(example_id=e.id, label_id=said.id if a.label else None, answer=a, key=f"k{e.id}")
            for e, a in zip(examples, answers, strict=True)
        ],
        at=ws.now(),
    )
    return ws.store.runs.get(run_id)


def state_of(at):
    return at.session_state["label_grid"]


def send(at, *entries, instance="browser-1", focus=None):
    """Play the browser: the whole log of a grid, as often as wanted."""
    log = [{**entry, "seq": seq} for seq, entry in enumerate(entries, 1)]
    at.session_state[state_of(at).mount.key] = {
        "instance": instance, "who": known_as(at.session_state["person"]), "seq": len(log),
        "log": log, "focus": focus,
    }  # fmt: skip
    return at.run()


def label(example_id, label_id):
    return {"do": "label", "id": example_id, "label": str(label_id or "")}


def said(at) -> str:
    kinds = ("markdown", "caption", "info", "success", "error", "warning")
    return " ".join(str(e.value) for kind in kinds for e in getattr(at, kind))


def events(ws, task):
    return [c for c in ws.read.labels.history(task.id) if c.person == "Ada"]


def test_without_a_task_it_says_what_to_do(open_app):
    at = open_app("label")
    assert not at.exception
    assert at.title[0].value == "Label"
    assert "no task yet" in said(at)


def test_without_examples_it_leads_to_data(ws, open_app):
    create_task(ws, name="empty", labels=["a", "b"], by="Ada")
    at = open_app("label")
    assert not at.exception
    assert "no examples yet" in said(at)


def test_without_a_run_labels_are_blind(ws, keto, open_app):
    at = open_app("label")
    assert not at.exception
    assert "0** of 787 labeled by you" in said(at)
    assert "counts as blind gold" in said(at)
    first = ws.read.examples.all(keto.id)[0]
    send(at, label(first.id, keto.labels[1].id))
    assert [(c.example_id, c.label_id, c.origin.value) for c in events(ws, keto)] == [
        (first.id, keto.labels[1].id, "blind")
    ]
    assert "1 saved" in said(at)
    assert "1** of 787 labeled by you" in said(at)


def test_a_log_sent_again_counts_once(ws, keto, open_app):
    at = open_app("label")
    one, two = (e.id for e in ws.read.examples.all(keto.id)[:2])
    log = [label(one, 1), label(two, 2), label(one, 2)]
    for upto in (1, 1, 3, 3):
        send(at, *log[:upto])
    at.run()
    assert [(c.example_id, c.label_id) for c in events(ws, keto)] == [(one, 1), (two, 2), (one, 2)]


def test_with_a_run_labels_are_assisted_except_on_test(ws, keto, run, open_app):
    at = open_app("label")
    assert not at.exception
    assert "counts as blind gold" not in said(at)
    assert "Test examples stay blind" in said(at)
    train = next(e for e in ws.read.examples.all(keto.id) if e.split == "train")
    test = next(e for e in ws.read.examples.all(keto.id) if e.split == "test")
    send(at, label(train.id, 1), label(test.id, 1))
    assert [(c.origin.value, c.run_id) for c in events(ws, keto)] == [
        ("assisted", run.id),
        ("blind", None),
    ]


def test_a_test_example_shows_neither_model_nor_gold_before_the_person_decides(ws, keto, run):
    from studio.ui.grid import _rows

    assert GridState().cursors == [None]
    rows, more = _rows(ws, keto, "Ada", Sight(run_id=run.id), None)
    test = [row for row in rows if row["split"] == "test"]
    assert more
    assert test
    assert all(row["predicted"] is None and row["gold"] is None for row in test)
    assert any(row["gold"] for row in rows)
    correct_labels(ws, keto.id, [Decision(example_id=test[0]["id"], label="keto")], by="Ada")
    rows, _ = _rows(ws, keto, "Ada", Sight(run_id=run.id), None)
    again = next(row for row in rows if row["id"] == test[0]["id"])
    assert (again["label"], again["gold"]) == (1, 1)
    assert (again["predicted"], again["confidence"], again["outcome"]) == (None, None, None)


def test_another_look_at_a_test_example_tells_no_former_label(ws, keto, run):
    one = ws.read.examples.ids(keto.id, ["test"])[0]
    other = ws.read.examples.ids(keto.id, ["train"])[0]
    for by in ("Ada", "Bo"):
        said = [Decision(example_id=i, label="keto") for i in (one, other)]
        correct_labels(ws, keto.id, said, by=by)
    change_labels(ws, keto.id, Rename(label="keto", to="low", meaning_changed=True), by="Ada")
    task, sight = ws.read.tasks.get(keto.id), Sight(run_id=run.id, filter=GridFilter(relook=True))

    def shown(person, example_id):
        page = read_page(ws, task, person, sight, GridState())
        cells = frame(task, page.rows, sight).set_index("id").loc[example_id]
        return cells["label"], cells["gold"], page.mine

    assert shown("Ada", one) == ("", "", 2)
    assert shown("Cy", one) == ("", "", 0)
    assert shown("Ada", other) == ("1", "", 2)
    told = grid_paste._told(
        Page(ws=ws, chosen=task, person="Ada"),
        read_page(ws, task, "Ada", sight, GridState()).rows,
    )
    assert told == {other: "low"}, "nor does the table to paste into"
    correct_labels(ws, keto.id, [Decision(example_id=one, label="low")], by="Ada")
    rows = ws.read.label_sets.waiting(keto.id, [one, other])
    assert rows == {other}
    undo_correction(ws, keto.id, by="Ada")
    assert shown("Ada", one) == ("", "", 2)


def test_undo_is_an_event_of_its_own_and_never_done_twice(ws, keto, open_app):
    at = open_app("label")
    one = ws.read.examples.all(keto.id)[0].id
    log = [label(one, 1), label(one, 2), {"do": "undo", "id": one, "n": 1}]
    for _ in range(3):
        send(at, *log)
    stored = events(ws, keto)
    assert [c.label_id for c in stored] == [1, 2, 1]
    assert stored[-1].undoes == stored[1].id
    assert "took back the label not\\_keto" in said(at)
    assert "saved" not in said(at)
    at.button(key="label_undo").click().run()
    assert [c.label_id for c in events(ws, keto)] == [1, 2, 1, None]
    assert state_of(at).revision == 1


def test_an_undo_of_what_the_browser_did_not_expect_draws_the_grid_anew(ws, keto, open_app):
    one, two = (e.id for e in ws.read.examples.all(keto.id)[:2])
    correct_labels(ws, keto.id, [Decision(example_id=two, label="keto")], by="Ada")
    at = open_app("label")
    send(at, {"do": "undo", "id": None})
    assert events(ws, keto)[-1].example_id == two
    assert state_of(at).revision == 1
    assert one not in [c.example_id for c in events(ws, keto)]


def test_labels_sent_together_with_a_filter_change_are_kept(ws, keto, open_app):
    at = open_app("label")
    one = ws.read.examples.all(keto.id)[0].id
    at.session_state["label_show_blind"] = "todo"
    send(at, label(one, 2))
    assert [c.example_id for c in events(ws, keto)] == [one]
    assert "0** of 786" in said(at)


def test_pages_turn_by_cursor_and_skip_nothing(ws, keto, open_app):
    at = open_app("label")
    ids = [e.id for e in ws.read.examples.all(keto.id)]
    at.session_state["label_show_blind"] = "todo"
    at.run()
    send(at, label(ids[0], 1), label(ids[1], 1), {"do": "next"})
    assert "51–100" in said(at)
    assert state_of(at).cursors == [None, (0.0, ids[49])]
    at.button(key="label_previous").click().run()
    assert "1–50" in said(at)


def test_examples_sent_by_another_page(ws, keto, open_app):
    at = open_app("home")
    ids = [e.id for e in ws.read.examples.all(keto.id)][3:8]
    at.session_state["label_ids"] = ids
    at.session_state["label_ids_from"] = "run 1: gold keto, said not_keto"
    at.switch_page("pages/label.py").run()
    assert not at.exception
    assert "5 examples from run 1" in said(at)
    assert "of 5 labeled by you" in said(at)
    at.button(key="label_forget").click().run()
    assert "of 787 labeled by you" in said(at)


def test_examples_named_in_the_address(ws, keto, open_app):
    at = open_app("home")
    ids = [e.id for e in ws.read.examples.all(keto.id)][:2]
    at.switch_page("pages/label.py")
    at.query_params["examples"] = ",".join(map(str, ids))
    at.run()
    assert "of 2 labeled by you" in said(at)


def test_why_asks_for_a_reason_for_the_label_just_given(ws, keto, open_app):
    at = open_app("label")
    example = next(e for e in ws.read.examples.all(keto.id) if e.split == "train")
    send(at, label(example.id, 2), {"do": "why", "id": example.id}, focus=example.id)
    assert not at.exception
    assert at.text_area[0].label == "Because"
    assert next(s for s in at.selectbox if s.label == "It speaks for").value == "not_keto"
    assert example.text in [t.value for t in at.text]


def test_what_cannot_be_stored_is_said_and_tried_again(ws, keto, open_app, monkeypatch):
    from studio.errors import WorkspaceError
    from studio.ui import grid_store

    at = open_app("label")
    one = ws.read.examples.all(keto.id)[0].id
    store = grid_store.correct_labels

    def fail(*args, **kwargs):
        raise WorkspaceError("The disk is full.", next_step="Free some space.")

    monkeypatch.setattr(grid_store, "correct_labels", fail)
    send(at, label(one, 1))
    assert "Not saved yet: The disk is full." in said(at)
    monkeypatch.setattr(grid_store, "correct_labels", store)
    send(at, label(one, 1))
    assert len(events(ws, keto)) == 1
    assert "Not saved" not in said(at)


def test_what_a_session_before_left_in_the_browser_is_stored_without_its_undos(ws, keto, open_app):
    at = open_app("label")
    one, two = (e.id for e in ws.read.examples.all(keto.id)[:2])
    log = [label(one, 1), {"do": "undo", "id": one, "n": 1}, label(two, 2)]
    send(at, *log[:2])
    key = state_of(at).mount.key
    del at.session_state["label_grid"]
    at.session_state[key] = {
        "instance": "browser-1", "who": known_as(), "seq": 3,
        "log": [{**entry, "seq": seq} for seq, entry in enumerate(log, 1)],
    }  # fmt: skip
    at.run()
    assert not at.exception
    assert [(c.example_id, c.label_id) for c in events(ws, keto)] == [
        (one, 1), (one, None), (two, 2),
    ]  # fmt: skip
    assert state_of(at).revision == 1


def test_two_people_on_one_example_nothing_is_overwritten_silently(ws, keto, open_app):
    ada, bob = open_app("label"), open_app("label", person="Bob")
    one, two = (e.id for e in ws.read.examples.all(keto.id)[:2])
    send(bob, label(one, 2), label(two, 2), instance="browser-2")
    assert "while you looked" not in said(bob)
    send(ada, label(one, 1), label(two, 1))
    assert "**Bob** gave **not\\_keto** to" in said(ada)
    assert "1 more after this" in said(ada)
    ada.button(key="label_crossed_take").click().run()
    assert [(c.example_id, c.label_id) for c in events(ws, keto)] == [(one, 1), (two, 1), (one, 2)]
    assert [c.origin for c in events(ws, keto)] == ["blind", "blind", "assisted"]
    assert "1 more after this" not in said(ada)
    send(ada, label(one, 1), label(two, 1), {"do": "keep"})
    assert "while you looked" not in said(ada)
    assert len(events(ws, keto)) == 3


def test_what_others_decided_in_one_task_is_not_asked_about_in_another(ws, keto, open_app):
    ada, bob = open_app("label"), open_app("label", person="Bob")
    one = ws.read.examples.all(keto.id)[0].id
    send(bob, label(one, 2), instance="browser-2")
    send(ada, label(one, 1))
    assert "while you looked" in said(ada)
    other = create_task(ws, name="other", labels=["a", "b"], by="Ada")
    import_examples(
        ws,
        other.id,
        data=b"id,text\n1,x\n2,y",
        filename="a.csv",
        columns=Columns(id="id"),
        by="Ada",
    )
    ada.run()
    ada.sidebar.selectbox(key=TASK).set_value("other").run()
    assert not ada.exception
    assert "while you looked" not in said(ada)


def test_an_undo_that_a_change_of_the_labels_forbids_is_not_shown_as_done(ws, keto, open_app):
    change_labels(ws, keto.id, Add(name="third"), by="Ada")
    at = open_app("label")
    one = ws.read.examples.all(keto.id)[0].id
    third = ws.read.tasks.get(keto.id).label("third").id
    send(at, label(one, third))
    change_labels(ws, keto.id, Merge(label="third", into="keto"), by="Bob")
    send(at, label(one, third), {"do": "undo", "id": one, "n": 1})
    assert state_of(at).revision == 1
    (toast,) = at.toast
    assert toast.value.replace("\\", "").endswith("is undone: “third” was merged into “keto”.")
    undo_label_change(ws, keto.id, by="Bob")
    at.button(key="label_undo").click().run()
    assert ws.read.labels.current(keto.id) == {}


def test_marks_and_many_at_once_come_from_the_browser_and_go_by_one_undo(ws, keto, open_app):
    at = open_app("label")
    one, two = (e.id for e in ws.read.examples.all(keto.id)[:2])
    log = [
        {"do": "flag", "id": one, "on": True},
        {"do": "note", "id": one, "on": True, "text": " odd "},
        {"do": "skip", "id": two, "on": True},
        {"do": "bulk", "given": [[one, "1"], [two, "2"]], "ms": 700},
        {"do": "undo", "id": one, "n": 2},
        {"do": "redo", "id": one, "n": 2},
    ]
    for upto in (2, 2, 4, 6, 6):
        send(at, *log[:upto])
    assert not at.exception
    assert ws.read.marks.of(keto.id, [one, two], "Ada") == {
        one: {"flag": "", "note": "odd"},
        two: {"skip": ""},
    }
    assert [(c.example_id, c.label_id) for c in events(ws, keto)][:2] == [(one, 1), (two, 2)]
    assert [c.seconds for c in events(ws, keto)][:2] == [0.7, 0.7]
    assert len(events(ws, keto)) == 6
    assert "2** of 787 labeled by you" in said(at)
    at.button(key="label_undo").click().run()
    assert "0** of 787 labeled by you" in said(at)


def test_all_that_fit_are_labeled_once_the_count_is_confirmed(ws, keto, run, open_app):
    from studio.actions.bulk import bulk_count
    from studio.ui.grid_bulk import said_of

    found = bulk_count(
        ws, keto.id, GridFilter(search="cheese"), label="keto", run_id=run.id, by="Ada"
    )
    assert said_of(found)[0] == f"**{found.n} examples** would get a label from you."
    assert any("test examples stay out" in line for line in said_of(found))


def test_nothing_fits_and_all_done(ws, keto, open_app):
    at = open_app("label")
    at.session_state["label_search"] = "no dish has these words"
    at.run()
    assert "No example fits" in said(at)
    at.session_state["label_show_blind"] = "todo"
    at.session_state["label_search"] = "Green Shakshuka"
    at.run()
    found = [e.id for e in ws.read.examples.all(keto.id) if "Green Shakshuka" in e.text]
    send(at, *[label(i, 1) for i in found])
    at.run()
    assert "Nothing is left to do here" in said(at)


def test_a_person_sees_only_their_own_labels(ws, keto, open_app):
    one = ws.read.examples.all(keto.id)[0].id
    correct_labels(ws, keto.id, [Decision(example_id=one, label="keto")], by="Ada")
    assert "1** of 787" in said(open_app("label"))
    assert "0** of 787" in said(open_app("label", person="Bob"))


def test_what_kind_a_confidence_is_stands_in_the_header_of_the_grid(ws, keto, run):
    def sure_help(split: str) -> str:
        sight = Sight(filter=GridFilter(splits=(split,)), run_id=run.id, size=50)
        page = read_page(ws, keto, "Ada", sight, GridState())
        (sure,) = [c for c in page.options["columnDefs"] if c.get("field") == "confidence"]
        return sure["headerTooltip"]

    assert sure_help("train").endswith("probability from the tokens the model wrote")
    assert sure_help("test") == "How sure the model is of its label", "test shows nothing of it"
