"""The filter of the Label page: by link, by widget, by chip; kept, and never telling of test."""

from __future__ import annotations

import pytest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.samples import load_sample
from studio.domain.run import Answer, ClassifierKind, Outcome, Run
from studio.store.runs import Result


@pytest.fixture
def keto(ws):
    return load_sample(ws, "keto", by="Ada")


@pytest.fixture
def run(ws, keto):
    """A finished run: of each ten, one refused, the others keto, more and more sure."""
    ids = ws.read.examples.ids(keto.id)
    run_id = ws.store.runs.create(
        Run(id=0, task_id=keto.id, kind=ClassifierKind.PROMPT, title="first", splits=("train",)),
        example_ids=ids, finetune_id=None, params={},
    )  # fmt: skip
    said = keto.label("keto")
    results = []
    for i in ids:
        sure = {"keto": 0.5 + i % 10 / 20}
        answer = Answer(outcome=Outcome.OK, label="keto", probabilities=sure)
        if i % 10 == 0:
            answer = Answer(outcome=Outcome.REFUSED)
        label_id = said.id if answer.label else None
        results.append(Result(example_id=i, label_id=label_id, answer=answer))
    ws.store.runs.commit(ws.store.runs.get(run_id), results, at=ws.now())
    return ws.store.runs.get(run_id)


def fitting(at):
    """Return how many examples the line of chips says fit."""
    (said,) = [e.value for e in at.markdown if str(e.value).endswith(" fit")]
    return int(said.removesuffix(" fit").replace(",", "").rstrip("+"))


def chips(at):
    return [b.label for b in at.button if str(b.key).startswith("label_drop_")]


def open_with(open_app, **address):
    at = open_app("label")
    for name, value in address.items():
        at.query_params[name] = value
    return at.run()


def test_without_a_filter_there_are_no_chips(ws, keto, run, open_app):
    at = open_app("label")
    assert not at.exception
    assert chips(at) == []
    assert at.query_params.get("run") in (str(run.id), [str(run.id)])


def test_a_link_brings_its_filter_and_chips_take_it_away(ws, keto, run, open_app):
    at = open_with(open_app, outcome="refused", split="train,validation")
    assert not at.exception
    wanted = [i for i in ws.read.examples.ids(keto.id, ["train", "validation"]) if i % 10 == 0]
    assert fitting(at) == len(wanted)
    assert len(chips(at)) == 2
    at.button(key="label_drop_split").click().run()
    assert chips(at) == ["model refused"]
    assert "split" not in at.query_params
    at.button(key="label_drop_outcome").click().run()
    assert chips(at) == []
    assert "outcome" not in at.query_params


def test_clear_all_shows_everything_again(ws, keto, run, open_app):
    at = open_with(open_app, sure="50-60", order="most sure first", said="keto")
    assert len(chips(at)) == 3
    at.button(key="label_drop").click().run()
    assert not at.exception
    assert chips(at) == []


def test_a_link_with_what_there_is_no_more_is_no_error(ws, keto, run, open_app):
    at = open_with(
        open_app, said="nobody", sure="90-10", since="soon", rule="gone", slice="x", order="up",
        outcome="refused",
    )  # fmt: skip
    assert not at.exception
    assert chips(at) == ["model refused"]


@pytest.mark.parametrize(
    "address",
    [
        {"until": "9999-12-31"}, {"since": "0001-01-01"}, {"sure": "9" * 5000 + "-1"},
        {"run": "9" * 5000}, {"examples": "1,999999999999999999"},
    ],
    ids=lambda address: next(iter(address)),
)  # fmt: skip
def test_a_link_with_what_cannot_be_is_no_error(ws, keto, run, open_app, address):
    assert not open_with(open_app, **address).exception


def test_the_address_tells_what_was_chosen(ws, keto, run, open_app):
    at = open_app("label")
    at.selectbox(key="label_outcome").set_value("refused").run()
    at.session_state["label_show_run"] = "todo"
    at.run()
    told = {name: at.query_params.get(name) for name in ("outcome", "show")}
    assert [str(v[0] if isinstance(v, list) else v) for v in told.values()] == ["refused", "todo"]


def test_addresses_that_are_behind_take_no_choice_back(ws, keto, run, open_app):
    at = open_app("label")
    at.selectbox(key="label_outcome").set_value("refused").run()
    first = dict(at.query_params)
    del at.query_params["outcome"]  # the browser has not followed yet while more is chosen
    at.selectbox(key="label_outcome").set_value("ok").run()
    at.query_params = first | {"outcome": "refused"}
    at.run()
    assert at.selectbox(key="label_outcome").value == "ok"
    assert at.query_params["outcome"] in ("ok", ["ok"])
    at.run()
    at.query_params["outcome"] = "refused"  # it has; now somebody came back by the browser
    at.run()
    assert at.selectbox(key="label_outcome").value == "refused"


@pytest.mark.parametrize(
    "address",
    [
        {"outcome": "refused"}, {"said": "keto"}, {"sure": "0-99"}, {"gold": "keto"},
        {"origin": "imported"}, {"show": "errors"}, {"people": "yes"},
    ],
    ids=str,
)  # fmt: skip
def test_no_choice_tells_of_test_before_the_decision(ws, keto, run, open_app, address):
    at = open_with(open_app, split="test", **address)
    assert not at.exception
    assert fitting(at) == 0
    assert "No example fits" in " ".join(str(e.value) for e in at.info)


def test_blind_work_knows_no_model(ws, keto, run, open_app):
    at = open_with(open_app, run="none", outcome="refused", order="least sure first")
    assert not at.exception
    assert chips(at) == []
    assert "label_outcome" not in {w.key for w in at.selectbox}


def test_rules_slices_and_people_narrow_together(ws, keto, run, open_app):
    some = ws.read.examples.ids(keto.id, ["train"])[:40]
    decisions = [Decision(example_id=i, label="keto") for i in some]
    correct_labels(ws, keto.id, decisions, by="Bo")
    at = open_with(open_app, by="Bo")
    assert fitting(at) == 40
    at.query_params["rule"] = "none votes"
    at.run()
    silent = fitting(at)
    assert 0 < silent <= 40
    name = at.selectbox(key=f"label_slice_{keto.id}").options[0]
    at.selectbox(key=f"label_slice_{keto.id}").set_value(name).run()
    assert not at.exception
    assert fitting(at) <= silent


def test_columns_and_rows_a_page_are_kept_for_the_person(ws, keto, open_app):
    name = ws.read.examples.columns(keto.id)[0]
    at = open_app("label")
    at.multiselect(key=f"label_columns_{keto.id}").set_value([name]).run()
    at.session_state[f"label_size_{keto.id}"] = 25
    at.run()
    again = open_app("label")
    assert again.multiselect(key=f"label_columns_{keto.id}").value == [name]
    assert again.session_state[f"label_size_{keto.id}"] == 25
