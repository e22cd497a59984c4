"""What the tests of fine-tunes share."""

import pytest

from tests.handlers.trainer import Trainer


@pytest.fixture
def trainer():
    return Trainer()


@pytest.fixture
def far(trainer):
    """The trainer on another machine."""
    trainer.is_local, trainer.host = False, "api.example.com"
    return trainer
