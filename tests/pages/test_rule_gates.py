"""Gold on which rules are judged stays blind, and all of it is seen, also beside a sample."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from studio.actions.corrections import Decision, correct_labels
from studio.actions.rules import OPEN_SPLITS, open_board, open_corpus, read_rule, try_rule
from studio.actions.samples import load_sample
from studio.actions.tasks import create_task
from studio.domain.example import Split
from studio.handlers import boards
from studio.ui import rule_blind
from studio.ui.rule_boards import task_board
from tests.pages.test_rationales import new_yaml_rule, open_rules, said

RULE = "{name: rare, label: keto, any: [keywords: [salad]]}"


@pytest.fixture
def drawn(monkeypatch):
    """The examples of each blind check."""
    seen, real = [], rule_blind.draw_ids

    def watched(*args, **more):
        seen.append(real(*args, **more))
        return seen[-1]

    monkeypatch.setattr(rule_blind, "draw_ids", watched)
    return seen


def check_blind(at):
    return next(b for b in at.button if b.label == "Check 10 blind").click().run()


def test_what_was_labeled_beside_a_rule_is_not_asked_blind(ws, open_app, drawn):
    task = load_sample(ws, by="Ada")
    fires_on = try_rule(open_board(ws, task.id, open_corpus(ws, task.id)), read_rule(RULE)).fires_on
    beside = [Decision(example_id=i, label="keto") for i in fires_on[:-3]]
    correct_labels(ws, task.id, beside, beside_rule=True, by="Ada")
    at = check_blind(new_yaml_rule(open_rules(open_app), RULE))
    assert len(drawn[0]) == 8
    assert set(drawn[0]) & set(fires_on) == set(fires_on[-3:])
    assert not at.exception


def blind_check(path: str, example_id: int) -> None:
    """A page that is nothing but a blind check in which one example is labeled keto."""
    from pathlib import Path

    import streamlit as st

    from studio.actions.rules import read_rule
    from studio.bootstrap import open_workspace
    from studio.ui.rule_blind import BlindCheck, _dialog

    ws = open_workspace(Path(path))
    task = ws.read.tasks.all()[0]
    body = read_rule("{name: rare, label: keto, any: [keywords: [salad]]}")
    check = BlindCheck(ids=(example_id,), fires=frozenset({example_id}), body=body, number=1)
    if desk := st.session_state.get("here_blind_1_desk"):
        desk.given = {example_id: [task.label("keto").id]}
    _dialog(ws, task, "Ada", check, "here")


def test_a_blind_check_takes_no_label_once_its_verdict_was_read(ws):
    task = load_sample(ws, by="Ada")
    example_id = ws.read.examples.ids(task.id, OPEN_SPLITS)[0]
    at = AppTest.from_function(blind_check, args=(str(ws.path), example_id)).run().run()
    assert "Which label does each have?" in said(at)
    at = next(b for b in at.button if b.label == "Show how the rule did").click().run()
    assert "you agree on 1" in said(at)
    assert "Which label does each have?" not in said(at)
    assert "you agree on 1" in said(at.run())
    assert not at.exception


def test_gold_given_beside_a_sample_is_seen(ws, monkeypatch):
    monkeypatch.setattr(boards, "MOST_EXAMPLES", 50)
    task = create_task(ws, name="many", labels=["a", "b"], by="Ada")
    rows = [(f"e{i}", f"text {i}", Split.TRAIN, {}) for i in range(200)]
    ws.store.examples.add(task.id, rows, ws.now())
    board = task_board(ws, ws.store.tasks.get(task.id))
    assert (len(board.corpus.ids), board.of) == (50, 200)
    everything = ws.read.examples.ids(task.id, OPEN_SPLITS)
    other = int(np.setdiff1d(everything, board.corpus.ids)[0])
    correct_labels(ws, task.id, [Decision(example_id=other, label="a")], by="Ada")
    board = task_board(ws, ws.store.tasks.get(task.id))
    assert board.corpus.ids[board.gold != 0].tolist() == [other]
