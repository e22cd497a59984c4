from hypothesis import assume, given
from hypothesis import strategies as st

from studio.domain.arranging import rearranged

lists = st.permutations(range(7))


@given(before=lists, after=lists)
def test_alone_somebody_gets_what_was_wanted(before, after):
    assert rearranged(before, before, after) == list(after)
    assert rearranged(after, before, after) == list(after)  # the same again changes nothing


@given(now=lists, before=lists)
def test_who_moved_nothing_changes_nothing(now, before):
    assert rearranged(now, before, before) == list(now)


@given(now=st.lists(st.integers(0, 9), unique=True), before=lists, after=lists)
def test_nothing_is_lost_or_added(now, before, after):
    assert sorted(rearranged(now, before, after)) == sorted(now)


@given(data=st.data(), before=lists)
def test_two_people_who_move_one_each_both_get_their_wish(data, before):
    """Each moves one to an end of the list: both stand there afterwards, whoever came first."""
    one, two = data.draw(st.permutations(before))[:2]
    # Neighbours that change places: either may be the one that was moved.
    assume([two, one] not in (before[:2], before[-2:]))
    up = [one, *(i for i in before if i != one)]
    down = [*(i for i in before if i != two), two]
    for first, second in ((up, down), (down, up)):
        both = rearranged(rearranged(before, before, first), before, second)
        assert both == [one, *(i for i in before if i not in (one, two)), two]
