"""Few-shots are held against the test split as it is now, without reading it again each time."""

from unittest import mock

import pytest

from studio.domain.example import Split
from studio.domain.prompt import FewShot, PromptText
from studio.errors import InputError
from studio.handlers.prompt_checks import check_shots
from studio.store.examples import Examples

TYPED = PromptText(
    instructions="Is it?", few_shots=(FewShot(text="SPAM number, tr 1!", label="spam"),)
)


def test_test_is_read_once_and_again_when_an_example_comes_or_goes(ws, fill):
    task = fill(ws)
    twin = ws.store.examples.ids(task.id, ["train"])[1]
    with mock.patch.object(Examples, "all", autospec=True, side_effect=Examples.all) as read:
        for _ in range(3):
            check_shots(ws, task, TYPED)
        assert read.call_count == 1
        ws.store.examples.set_splits(task.id, {twin: Split.TEST})
        for _ in range(2):
            with pytest.raises(InputError, match="Example tr1 is of the locked test split"):
                check_shots(ws, task, TYPED)
        ws.store.examples.set_splits(task.id, {twin: Split.TRAIN})
        check_shots(ws, task, TYPED)
        assert read.call_count == 3


def test_another_task_has_its_own_test(ws, fill):
    task, other = fill(ws), fill(ws, "post", test=0)
    twin = ws.store.examples.ids(task.id, ["train"])[1]
    ws.store.examples.set_splits(task.id, {twin: Split.TEST})
    check_shots(ws, other, TYPED)
    with pytest.raises(InputError, match="locked test split"):
        check_shots(ws, task, TYPED)
