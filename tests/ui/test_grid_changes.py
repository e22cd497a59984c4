"""Whatever slices of a log arrive, each decision counts once and in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studio.ui.grid_changes import MAX_ENTRIES, Deed, read_before, read_changes

ENTRIES = st.lists(
    st.one_of(
        st.builds(
            lambda i, label: {"do": "label", "id": i, "label": label},
            st.integers(1, 9),
            st.sampled_from(["", "1", "2"]),
        ),
        st.builds(lambda i: {"do": "undo", "id": i}, st.one_of(st.none(), st.integers(1, 9))),
        st.just({"do": "why", "id": 3}),
        st.just({"do": "next"}),
    ),
    min_size=1,
    max_size=40,
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["instance", "seq", "log", "do", "id", "label", "focus"]), inner
        )
    ),
    max_leaves=12,
)


def numbered(entries):
    return [{**entry, "seq": seq} for seq, entry in enumerate(entries, 1)]


def applied_in(messages):
    """Play a session: apply what is new of every message, and remember how far one is."""
    applied, done, missing = {}, [], 0
    for message in messages:
        changes = read_changes(message, applied)
        missing += changes.missing
        for change in changes.new:
            done.append(change)
            applied[changes.instance] = change.seq
    return done, missing


@given(grids=st.lists(ENTRIES, min_size=1, max_size=3), data=st.data())
def test_any_resend_of_cumulative_logs_gives_each_entry_once_in_order(grids, data):
    logs = {f"instance-{n}": numbered(entries) for n, entries in enumerate(grids)}
    sent = data.draw(
        st.lists(
            st.sampled_from(sorted(logs)).flatmap(
                lambda name: st.tuples(st.just(name), st.integers(0, len(logs[name])))
            ),
            max_size=25,
        )
    )
    # The last message of each grid always arrives: the browser keeps it until it does.
    sent += [(name, len(log)) for name, log in logs.items()]
    messages = [
        {"instance": name, "seq": upto, "log": logs[name][:upto][-MAX_ENTRIES:]}
        for name, upto in sent
    ]
    done, missing = applied_in(messages)
    assert missing == 0
    assert len({c.client for c in done}) == len(done)
    for name, log in logs.items():
        mine = [c for c in done if c.client.startswith(f"{name}:")]
        assert [c.seq for c in mine] == [entry["seq"] for entry in log]
        assert [c.deed for c in mine] == [Deed(entry["do"]) for entry in log]
        assert [c.label_id for c in mine if c.deed is Deed.LABEL] == [
            int(e["label"]) if e["label"] else None for e in log if e["do"] == "label"
        ]


@given(length=st.integers(1, 900), stops=st.lists(st.integers(1, 900), max_size=6))
def test_what_fell_out_of_the_window_is_counted_as_missing(length, stops):
    log = numbered([{"do": "label", "id": 1, "label": "1"}] * length)
    messages = [
        {"instance": "instance-0", "seq": n, "log": log[:n][-MAX_ENTRIES:]}
        for n in [min(s, length) for s in stops] + [length]
    ]
    done, missing = applied_in(messages)
    assert len(done) + missing == length
    assert [c.seq for c in done] == sorted({c.seq for c in done})


@given(value=JUNK)
def test_junk_is_never_a_change_that_cannot_be_stored(value):
    changes = read_changes(value, {})
    for change in changes.new:
        assert change.example_id is None or 0 < change.example_id < 2**63
        assert change.label_id is None or 0 < change.label_id < 2**63


@given(entry=JUNK)
def test_junk_beside_a_good_entry_does_not_hide_it(entry):
    good = {"seq": 10**9, "do": "label", "id": 4, "label": "2"}
    changes = read_changes({"instance": "instance-0", "log": [entry, good]}, {})
    assert changes.new[-1].example_id == 4


def test_labels_are_read_strictly():
    def read(**entry):
        return read_changes({"instance": "instance-0", "log": [{"seq": 1, **entry}]}, {}).new

    assert read(do="label", id=4, label="")[0].label_id is None
    assert read(do="label", id=4, label="x") == ()
    assert read(do="label", id=True, label="1") == ()
    assert read(do="label", label="1") == ()
    assert read(do="drop table", id=4) == ()
    assert read_changes({"instance": "<b>", "log": []}, {}).instance == ""
    assert read(do="label", id=4, label="1", ms=1500)[0].seconds == 1.5
    assert read(do="label", id=4, label="1", ms="long")[0].seconds is None
    assert read(do="flag", id=4, on=1)[0].on is False
    assert len(read(do="note", id=4, text="x" * 9000, on=True)[0].text) == 500
    assert read(do="bulk", given=[[4, "1"], ["5", ""]])[0].given == ((4, 1), (5, None))
    for given_ in ([], [[4, "x"]], [[0, "1"]], [4], "4", [[4, "1"]] * 201):
        assert read(do="bulk", given=given_) == ()


def test_what_a_grid_before_wrote_comes_first_and_the_oldest_before_that():
    def log(instance, *ids):
        entries = [{"do": "label", "id": i, "label": "1"} for i in ids]
        return {"instance": instance, "log": numbered(entries), "run": 3, "server": "s"}

    value = log("instance-2", 9) | {"before": [log("instance-1", 5, 6), log("instance-0", 4), "?"]}
    before = read_before(value, {"instance-1": 1})
    assert [[c.example_id for c in b.changes.new] for b in before] == [[4], [6]]
    assert [(b.run_id, b.server) for b in before] == [(3, "s"), (3, "s")]
    assert read_before(value, {"instance-1": 2, "instance-0": 1}) == []
    assert read_before({"before": {"instance": "x"}}, {}) == []
