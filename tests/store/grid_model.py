"""What a grid must show, told by reading the parts of a small workspace one by one in Python."""

import itertools
import math
import re
import unicodedata
from dataclasses import dataclass, field

from hypothesis import strategies as st

from studio.domain.correction import FROM_FILES
from studio.domain.example import Split
from studio.store.grid_filter import ANYBODY, GridFilter, IdSet, Order

SPLITS = ("train", "validation", "test")
WORDS = ("alpha", "beta 50%", "gamma_x", "Ünïcode שלום", "plain")
SEARCHES = (
    "", "", "", "ALPHA", "alph 1", "50%", "gamma_", "_", "%", "'", '"; DROP', "שלום", "unico",
    "ÜNI", "lain", "面", "の面", '" OR text:* NEAR(a b) -"', "1 2", "x",
)  # fmt: skip
PEOPLE = ("Ada", "Bo", "Cy")
DAYS = tuple(f"2026-01-0{day}T00:00:00+00:00" for day in range(1, 7))


@dataclass
class Seen:
    """What there is to know of an example, and of it what this person may be told."""

    id: int
    split: str
    text: str
    label: int | None = None
    gold: int | None = None
    gold_origin: str | None = None
    predicted: int | None = None
    confidence: float | None = None
    outcome: str | None = None
    method: str | None = None
    other: tuple = ()
    said: dict = field(default_factory=dict)
    marks: set = field(default_factory=set)
    assigned: bool = False
    relook: bool = False

    @property
    def told(self):
        """Whether a model and others may be shown."""
        return self.split != Split.TEST or self.label is not None

    def decisions(self, f):
        """Return the events of people's decisions that a filter speaks of."""
        return [
            e.id
            for e in self.said.values()
            if e.label_id is not None
            and e.origin not in FROM_FILES
            and f.by in (None, ANYBODY, e.person)
            and (not f.since or e.at >= f.since)
            and (not f.until or e.at < f.until)
        ]


def stands(event, history):
    """Whether a person decided this, and it is not undone, or its undo is."""
    if event.undoes is not None or event.mode == "label_change":
        return False
    undos = [e for e in history if e.undoes == event.id]
    return all(any(e.undoes == undo.id for e in history) for undo in undos)


def read_all(store, task, run, person, *, other=None):
    """Return what there is to know of every example, by id."""
    history = store.labels.history(task.id)
    gold = store.labels.gold(task.id)
    said = {p.example_id: p for p in store.runs.predictions(run.id)} if run else {}
    before = {p.example_id: p for p in store.runs.predictions(other.id)} if other else {}
    seen = {e.id: Seen(e.id, e.split.value, e.text) for e in store.examples.all(task.id)}
    for event in history:
        seen[event.example_id].said[event.person] = event
    for row in store.db.read("SELECT * FROM mark WHERE task_id = ?", (task.id,)):
        seen[row["example_id"]].marks.add((row["kind"], row["person"]))
    rounds = {r["id"]: r["closed_at"] for r in store.db.read("SELECT * FROM assignment_round")}
    for row in store.db.read("SELECT * FROM assignment WHERE task_id = ?", (task.id,)):
        if row["person"] == person and rounds[row["round_id"]] is None:
            seen[row["example_id"]].assigned = True
    standing = {(e.example_id, e.person): e for e in history if stands(e, history)}
    changes = {r["id"]: r for r in store.db.read("SELECT * FROM label_change")}
    for row in store.db.read("SELECT * FROM relook WHERE task_id = ?", (task.id,)):
        change = changes[row["change_id"]]
        again = [
            e
            for (example_id, _), e in standing.items()
            if example_id == row["example_id"]
            and e.id > change["after_event"]
            and e.label_id is not None
            and e.origin not in FROM_FILES
        ]
        if change["undone_at"] is None and not again:
            seen[row["example_id"]].relook = True
    for s in seen.values():
        s.label = s.said[person].label_id if person in s.said else None
        if s.id in gold:
            s.gold, s.gold_origin = gold[s.id].label_id, gold[s.id].origin.value
        if s.told and s.id in said:
            p = said[s.id]
            s.predicted, s.confidence, s.outcome = p.label_id, p.confidence, p.outcome.value
            s.method = p.method.value if p.method else None
            s.other = (before[s.id].label_id,) if s.id in before else ()
    return seen


def plain(text):
    kept = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(kept).casefold()


def found(text, search):
    """Tell whether each word of a search begins a word of the text, or it stands there as is."""
    words = re.findall(r"[^\W_]+", plain(search))
    if not words or "面" in search:
        return search.strip().casefold() in text.casefold()
    return all(any(w.startswith(v) for w in re.findall(r"[^\W_]+", plain(text))) for v in words)


def is_wanted(s, f):
    """Tell whether a filter shows an example, one condition after the other."""
    people = {e.label_id for e in s.said.values() if e.origin not in FROM_FILES} - {None}
    wrong = s.gold is not None and s.outcome is not None and s.gold != s.predicted
    shown = {"all": True, "todo": s.label is None, "mine": s.label is not None, "errors": wrong}
    return all(
        (
            not f.splits or s.split in f.splits,
            found(s.text, f.search),
            f.label_id is None or s.predicted == f.label_id,
            not f.confidence
            or (s.confidence is not None and f.confidence[0] <= s.confidence <= f.confidence[1]),
            not f.outcome or s.outcome == f.outcome,
            f.differs_from is None
            or (s.outcome is not None and bool(s.other) and s.other[0] != s.predicted),
            f.gold_label_id is None or (s.told and s.gold == f.gold_label_id),
            not f.gold_origin or (s.told and s.gold_origin == f.gold_origin),
            f.own_label_id is None or s.label == f.own_label_id,
            not f.people_differ or (s.told and len(people) > 1),
            not f.dated or bool(s.decisions(f)),
            not f.mark or any(k == f.mark and f.marked_by in (ANYBODY, who) for k, who in s.marks),
            not f.relook or s.relook,
            not f.assigned or s.assigned,
            f.ids is None or s.id in f.ids,
            f.among is None or s.id in f.among.ids,
            shown[f.show],
        )
    )


def expected(seen, f, *, with_run=True):
    """Return the ids a filter shows, in its order."""

    def place(s):
        last = max(s.decisions(f), default=None)
        if f.order is Order.LATEST:
            return (math.inf, s.id) if last is None else (-last, s.id)
        if f.order is Order.IMPORTED or not with_run:
            return (0, s.id)
        if s.confidence is None:
            return (math.inf, s.id)
        return (s.confidence, s.id) if f.order is Order.LEAST_SURE else (-s.confidence, -s.id)

    return [s.id for s in sorted((s for s in seen.values() if is_wanted(s, f)), key=place)]


def walk(store, task, run, person, filter, limit):
    """Return all rows, page after page."""
    rows, after = [], None
    while page := store.examples.grid(
        task.id, run_id=run.id if run else None, person=person, filter=filter, after=after,
        limit=limit,
    ):  # fmt: skip
        assert len(page) <= limit
        rows += page
        after = page[-1]["cursor"]
    return rows


def check(store, task, run, other, person, f, limit):
    """Compare all pages of a filter, and its ids and count, with what the model wants."""
    seen = read_all(store, task, run, person, other=other)
    wanted = expected(seen, f, with_run=run is not None)
    rows = walk(store, task, run, person, f, limit)
    assert [row["id"] for row in rows] == wanted
    names = ("split", "text", "label", "gold", "predicted", "confidence", "outcome", "method")
    for row in rows:
        assert {k: row[k] for k in names} == {k: getattr(seen[row["id"]], k) for k in names}
    asked = {"run_id": run.id if run else None, "person": person, "filter": f}
    assert store.examples.grid_ids(task.id, **asked) == sorted(wanted)
    own = sum(seen[i].label is not None for i in wanted)
    assert store.examples.grid_count(task.id, **asked, limit=1_000) == (len(wanted), own)


def filters(labels, ids, other):
    """Return filters over a task with these labels and examples, and another run than is shown."""
    label = st.one_of(st.none(), st.none(), st.sampled_from(labels))
    some = st.lists(st.sampled_from([*ids, 1, 10**9]), max_size=30)
    spans = [tuple(sorted(pair)) for pair in itertools.product([0.0, 0.4, 0.5, 1.0], repeat=2)]
    rare = {
        "label_id": label,
        "confidence": st.sampled_from([None, None, *spans]),
        "outcome": st.sampled_from(["", "", "ok", "error", "abstained"]),
        "differs_from": st.sampled_from([None, None, other.id if other else None]),
        "gold_label_id": label,
        "gold_origin": st.sampled_from(["", "", "blind", "assisted", "imported", "adjudicated"]),
        "own_label_id": label,
        "people_differ": st.booleans(),
        "by": st.sampled_from([None, ANYBODY, *PEOPLE, "file.csv"]),
        "since": st.sampled_from(["", *DAYS]),
        "until": st.sampled_from(["", *DAYS]),
        "mark": st.sampled_from(["", "flag", "note", "skip"]),
        "marked_by": st.sampled_from([ANYBODY, *PEOPLE]),
        "relook": st.booleans(),
        "assigned": st.booleans(),
        "ids": st.one_of(st.none(), some.map(tuple)),
        "among": st.one_of(st.none(), some.map(IdSet.of)),
    }
    common = {
        "splits": st.lists(st.sampled_from(SPLITS), unique=True).map(tuple),
        "search": st.sampled_from(SEARCHES),
        "show": st.sampled_from(["all", "all", "todo", "mine", "errors"]),
        "order": st.sampled_from(Order),
    }
    # Few at a time: of all conditions at once nothing is ever found.
    few = st.lists(st.sampled_from(sorted(rare)), max_size=3, unique=True)
    return few.flatmap(
        lambda names: st.builds(GridFilter, **common, **{name: rare[name] for name in names})
    )
