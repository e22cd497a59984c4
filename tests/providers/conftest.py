"""What one test learns of a service no other test knows."""

import pytest

from studio.providers import decisions


@pytest.fixture(autouse=True)
def _no_shape_is_known():
    decisions._found.clear()
