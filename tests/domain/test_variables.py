"""Columns whose names cannot stand between two pairs of braces are known as such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.variables import columns_named, is_usable, unusable_in, usable, variable

NAMES = ["price {EUR}", "{", "a}}", "a\nb", "x" * 101, " a", "", "text"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_prompt_can_say_is_no_variable(name):
    assert not is_usable(name)
    assert usable([name, "brand"]) == ["brand"]


@given(st.text(max_size=120))
def test_a_usable_column_is_sent_and_another_one_is_told(name):
    said = f"Mind {variable(name)} here."
    if is_usable(name):
        assert columns_named([said]) == (name,)
        assert unusable_in(said, [name]) == []
    elif name not in columns_named([said]) and name.strip() not in ("", "text"):
        assert (name, 5, 5 + len(variable(name))) in unusable_in(said, [name])


def test_a_variable_that_means_another_column_is_left_alone():
    assert unusable_in("{{text }} {{ brand }}", ["text ", "brand", "brand "]) == []
    assert unusable_in("{{price {EUR}}}", ["price {EUR}"]) == [("price {EUR}", 0, 15)]


def test_looking_takes_no_time():
    assert unusable_in("{{" + " " * 100_000, [" x" * 500]) == []
