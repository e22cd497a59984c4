"""A draft is tried on a fair sample; its lists, figures and cost are told as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.actions.evaluations import evaluate_run
from studio.actions.label_sets import change_labels
from studio.actions.preview_results import last_preview, preview_result
from studio.actions.previews import (
    estimate_more,
    estimate_preview,
    preview_more,
    preview_prompt,
)
from studio.actions.prompt_matrix import prompt_matrix, versions_tried
from studio.actions.prompts import save_prompt
from studio.actions.rules import read_rule, save_rule
from studio.actions.runs import Choice, estimate_run, start_run, steer_run
from studio.domain.job import Want
from studio.domain.label_change import Rename
from studio.domain.prompt import FewShot, PromptText
from studio.domain.run import Answer, Outcome
from studio.errors import InputError
from studio.providers.scripted import ScriptedProvider

BEFORE, DRAFT = PromptText(instructions="Is it?"), PromptText(instructions="Is it? GUESS.")


def answer(question):
    """Say what the text says; a draft that says GUESS calls all of validation ham."""
    text = question.messages[-1]["content"]
    is_draft = "GUESS" in question.messages[0]["content"]
    label = "ham" if is_draft and " va " in text else "spam" if "spam" in text else "ham"
    odds = {label: 0.9 if " tr " in text else 0.6}
    return Answer(outcome=Outcome.OK, label=label, probabilities=odds, model="m")


@pytest.fixture
def service():
    return ScriptedProvider(answer, name="embedded")


@pytest.fixture
def ws(open_studio, service):
    return open_studio(provider=service)


def previewed(ws, work, task, **more):
    filed = preview_prompt(
        ws, task.id, **{"body": DRAFT, "before": BEFORE, "n": 12, "by": "Ada"} | more
    )
    work(ws)
    return filed, preview_result(ws, filed.run_id)


def test_what_changed_fixed_and_broke_comes_with_its_examples(ws, fill, work, service):
    task = fill(ws, train=30, validation=20)
    save_prompt(ws, task.id, name="first", body=BEFORE, by="Ada")
    filed, told = previewed(ws, work, task, n=30)
    assert told.before == "first v1"
    assert len(told.rows) == told.asked == 30
    broke = told.of("broke")
    assert broke == told.of("changed") == told.of("wrong")
    assert all((row.before, row.now, row.gold) == ("spam", "ham", "spam") for row in broke)
    assert told.of("fixed") == []
    assert told.then.value == 1 > told.now.value
    assert told.comparison.difference.value == pytest.approx(told.now.value - 1)
    assert told.majority == ("ham", pytest.approx(0.5))
    assert (told.calls, told.cost_usd, told.expected["questions"]) == (service.calls, 0.0, 60)
    assert told.seconds >= 0
    assert last_preview(ws, task.id, "Ada") == filed.run_id
    assert last_preview(ws, task.id, "Bo") is None
    splits = {e.split for e in ws.read.examples.some(task.id, filed.example_ids)}
    assert splits <= {"train", "validation"}


def test_hard_ones_are_those_known_runs_erred_on_or_differ_on(ws, fill, work):
    task = fill(ws, train=60, validation=40)
    draft = save_prompt(ws, task.id, name="draft", body=DRAFT, by="Ada")
    rule = read_rule("{name: all, label: spam, any: [{regex: 'number tr [0-9]$'}]}")
    save_rule(ws, task.id, rule, by="Ada")
    for choice in (Choice(prompt=str(draft.id)), Choice(rules=True)):
        start_run(ws, task.id, choice=choice, by="Ada")
        work(ws)
    _, told = previewed(ws, work, task, body=BEFORE, before=DRAFT, n=30)
    assert len(told.of("hard")) >= 10
    reasons = {row.hard for row in told.of("hard")}
    assert reasons >= {"draft v1 got it wrong", "draft v1 and the rules differ"}
    assert {row.hard for row in told.of("fixed")} >= {"draft v1 got it wrong"}
    assert told.by_chance == told.now.n == 20


def test_a_grown_preview_asks_only_what_is_new_and_trusts_itself_less(ws, fill, work, service):
    task = fill(ws, train=60, validation=40)
    filed, told = previewed(ws, work, task, n=12)
    asked = service.calls
    expected = estimate_more(ws, filed.run_id, more=20)
    assert expected.examples == 2 * 32
    more = preview_more(ws, filed.run_id, more=20, by="Ada")
    work(ws)
    grown = preview_result(ws, more.run_id)
    assert {*filed.example_ids} <= {*more.example_ids}
    assert (grown.asked, grown.looks, grown.before_id) == (32, 2, more.before_id)
    assert service.calls - asked == 40
    assert grown.text == told.text == DRAFT.hash
    with pytest.raises(InputError, match="no further example"):
        preview_more(ws, preview_all(ws, work, task), more=5, by="Ada")
    with pytest.raises(InputError, match="no preview"):
        preview_more(ws, more.before_id, more=5, by="Ada")
    with pytest.raises(InputError, match="at least 1"):
        preview_more(ws, more.run_id, more=0, by="Ada")


def test_another_sample_of_the_same_two_texts_is_a_further_look(ws, fill, work):
    task = fill(ws, train=60, validation=40)
    first, told = previewed(ws, work, task)
    assert (told.looks, told.samples) == (1, 1)
    _, same = previewed(ws, work, task, by="Bo")
    assert (same.looks, same.samples) == (1, 1)
    _, other = previewed(ws, work, task, seed=1, by="Bo")
    assert (other.looks, other.samples) == (2, 2)
    preview_more(ws, first.run_id, more=20, by="Ada")
    work(ws)
    grown = preview_result(ws, last_preview(ws, task.id, "Ada"))
    assert (grown.looks, grown.samples) == (3, 2)
    _, reworded = previewed(ws, work, task, body=PromptText(instructions="Is it so?"), seed=2)
    assert (reworded.looks, reworded.samples) == (1, 1)


def test_a_preview_nothing_came_of_is_no_look(ws, fill, work):
    task = fill(ws, train=60, validation=40)
    filed = preview_prompt(ws, task.id, body=DRAFT, before=BEFORE, n=12, by="Ada")
    for run_id in (filed.run_id, filed.before_id):
        steer_run(ws, run_id, Want.CANCEL)
    work(ws)
    _, told = previewed(ws, work, task, seed=1)
    assert (told.looks, told.samples) == (1, 1)


def preview_all(ws, work, task):
    filed = preview_prompt(ws, task.id, body=DRAFT, n=200, by="Ada")
    work(ws)
    assert len(filed.example_ids) == 100
    return filed.run_id


def test_without_gold_the_changed_labels_are_shown_and_no_figure(ws, fill, work):
    task = fill(ws, train=30, validation=20, gold=False)
    _, told = previewed(ws, work, task)
    assert (told.now, told.then, told.comparison, told.by_chance) == (None, None, None, 0)
    assert told.asked == len(told.rows) == 12
    assert told.of("changed")
    assert told.to_dict()["difference"] is None


def test_rows_come_in_while_it_works_and_figures_only_at_its_end(ws, fill, work, quick):
    task = fill(ws, train=30, validation=20)
    filed = preview_prompt(ws, task.id, body=DRAFT, before=BEFORE, n=20, by="Ada")
    told = preview_result(ws, filed.run_id)
    assert (told.is_open, told.rows, told.now, told.seconds) == (True, (), None, None)
    steer_run(ws, filed.before_id, Want.CANCEL)
    work(ws)
    told = preview_result(ws, filed.run_id)
    assert not told.is_open
    assert len(told.rows) == 20
    assert (told.now, told.comparison) == (None, None)  # half of a sample is no sample


def test_the_estimate_knows_what_was_answered_before(ws, fill, work, service):
    from dataclasses import replace

    task = fill(ws, train=30, validation=20)
    start_run(ws, task.id, choice=Choice(), by="Ada")
    work(ws)
    asked = {"body": DRAFT, "before": BEFORE, "n": 12}
    assert estimate_preview(ws, task.id, **asked).known is None
    here = replace(ws, engine=lambda: {"engine": "e", "version": "1"})

    async def engine():
        return "e 1"

    service.engine = engine
    preview_prompt(ws, task.id, body=BEFORE, n=12, by="Ada")
    work(ws)
    assert estimate_preview(here, task.id, **asked).questions == 12
    start_run(ws, task.id, choice=Choice(), by="Ada")
    work(ws)
    whole = estimate_run(here, task.id, choice=Choice())
    assert (whole.known, whole.questions) == (50, 0)


def test_what_a_prompt_shows_with_its_label_does_not_count_for_it(ws, fill, work):
    task = fill(ws, train=20, validation=0)
    train = ws.read.examples.all(task.id, ["train"])
    by_id = FewShot(text=train[1].text, label="spam", example_id=train[1].id)
    by_words = FewShot(text=train[3].text.upper(), label="spam")
    draft = replace(BEFORE, few_shots=(by_id, by_words))
    _, told = previewed(ws, work, task, body=draft, n=20)
    assert told.now.n == told.then.n == told.by_chance == 18
    assert told.comparison.n == 18
    assert {row.example_id for row in told.rows if row.gold is None} == {train[1].id, train[3].id}
    save_prompt(ws, task.id, name="first", body=draft, by="Ada")
    run = start_run(ws, task.id, choice=Choice(prompt="first"), by="Ada")
    work(ws)
    assert evaluate_run(ws, run.id, split="train", by="Ada").n == 18
    assert prompt_matrix(ws, task.id).rows[0].cells[0].accuracy.n == 18
    assert versions_tried(ws, task.id).accuracy.n == 18


def test_versions_that_were_tried_otherwise_count_too(ws, fill, work):
    task = fill(ws, train=30, validation=20)
    save_prompt(ws, task.id, name="seen", body=BEFORE, by="Ada")
    previewed(ws, work, task)  # of a draft beside a version that was never run on all
    body = PromptText(instructions="Is it so?")
    save_prompt(ws, task.id, name="run", body=body, by="Ada")
    start_run(ws, task.id, choice=Choice(prompt="run"), by="Ada")
    work(ws)
    assert versions_tried(ws, task.id).tried == 3
    save_prompt(ws, task.id, name="broken", body=replace(body, instructions="Is it?!"), by="Ada")
    broken = start_run(ws, task.id, choice=Choice(prompt="broken"), by="Ada")
    work(ws)
    with ws.store.transaction() as conn:
        conn.execute(
            "UPDATE job SET status = 'cancelled' WHERE id = ?",
            (ws.read.runs.get(broken.id).job_id,),
        )
    assert ws.read.runs.get(broken.id).status == "cancelled"
    assert versions_tried(ws, task.id).tried == 4
    change_labels(ws, task.id, Rename(label="spam", to="junk"), by="Ada")
    assert versions_tried(ws, task.id).tried == 4


def test_two_columns_that_read_alike_are_one_heading(ws, fill, work):
    task = fill(ws, train=40)
    with ws.store.transaction() as conn:
        conn.execute(
            "UPDATE example SET metadata = CASE id % 2 WHEN 0 THEN ? ELSE ? END",
            ('{"a": "b = c"}', '{"a = b": "c"}'),
        )
    save_prompt(ws, task.id, name="first", body=BEFORE, by="Ada")
    start_run(ws, task.id, choice=Choice(prompt="first"), by="Ada")
    work(ws)
    names = [part.name for part in prompt_matrix(ws, task.id).columns]
    assert len(names) == len(set(names))
