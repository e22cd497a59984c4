"""What a grid can ask of an example, each as one SQL condition on its id.

`{id}` stands for the example; `{open}` holds if what a model and others said of it may be told.
"""

from __future__ import annotations

from studio.store.grid_filter import ANYBODY, GridFilter
from studio.store.search import Search
from studio.store.waiting import AGAIN

BY_PEOPLE = "{of}.origin NOT IN ('imported', 'computed')"
OWN = (
    "EXISTS (SELECT 1 FROM current_label o WHERE o.example_id = {id} AND o.person = :person"
    " AND o.label_id IS NOT NULL)"
)
# Without a confidence that may be shown: these come after all others.
UNSURE = (
    "NOT ({open} AND EXISTS (SELECT 1 FROM prediction u WHERE u.run_id = :run AND u.example_id = {id}"
    " AND u.confidence IS NOT NULL))"
)
_SAID = "EXISTS (SELECT 1 FROM prediction s WHERE s.run_id = :run AND s.example_id = {id} AND "
_TERMS = {
    # One byte an id: looked up as fast as a column, however many they are. The plus leaves the index
    # to where the page goes on.
    "among": "+{id} BETWEEN :first AND :last AND substr(:among, {id} - :first + 1, 1) = x'01'",
    "match": "{id} IN (SELECT rowid FROM example_fts WHERE example_fts MATCH :match)",
    "like": "(SELECT t.text FROM example t WHERE t.id = {id}) LIKE :like ESCAPE '\\'",
    "label": f"{{open}} AND {_SAID}s.label_id = :label)",
    "confidence": f"{{open}} AND {_SAID}s.confidence BETWEEN :low AND :high)",
    "outcome": f"{{open}} AND {_SAID}s.outcome = :outcome)",
    "differs": f"{{open}} AND {_SAID}EXISTS (SELECT 1 FROM prediction t WHERE t.run_id = :other"
    " AND t.example_id = s.example_id AND t.label_id IS NOT s.label_id))",
    "gold": "{open} AND EXISTS (SELECT 1 FROM gold k WHERE k.example_id = {id} AND k.label_id = :gold)",
    "origin": "{open} AND EXISTS (SELECT 1 FROM gold k WHERE k.example_id = {id} AND k.origin = :origin)",
    "people": "{open} AND (SELECT min(w.label_id) < max(w.label_id) FROM current_label w"
    f" WHERE w.example_id = {{id}} AND {BY_PEOPLE.format(of='w')})",
    "own": "EXISTS (SELECT 1 FROM current_label o WHERE o.example_id = {id} AND o.person = :person"
    " AND o.label_id = :own)",
    "assigned": "EXISTS (SELECT 1 FROM assignment a JOIN assignment_round r ON r.id = a.round_id"
    " WHERE a.task_id = :task AND a.person = :person AND a.example_id = {id} AND r.closed_at IS NULL)",
    "relook": "EXISTS (SELECT 1 FROM label_change c CROSS JOIN relook r ON r.task_id = :task"
    " AND r.change_id = c.id AND r.example_id = {id} WHERE c.task_id = :task AND c.undone_at IS NULL"
    f" AND NOT {AGAIN.format(after='c.after_event')})",
    "errors": "{open} AND EXISTS (SELECT 1 FROM run_error x WHERE x.run_id = :run AND x.example_id = {id})",
    "mine": OWN,
    "todo": f"NOT {OWN}",
}  # fmt: skip


def terms(filter: GridFilter, search: Search, *, among: bool) -> dict[str, str]:
    """Return what a filter asks of each example, by name.

    Args:
        filter: The filter.
        search: Its search.
        among: Whether it asks for examples of a set.
    """
    asked = {
        "among": among, "match": search.match, "like": search.like, filter.show: filter.show != "all",
        "label": filter.label_id is not None, "confidence": filter.confidence,
        "outcome": filter.outcome, "differs": filter.differs_from is not None,
        "gold": filter.gold_label_id is not None, "origin": filter.gold_origin,
        "people": filter.people_differ, "own": filter.own_label_id is not None,
        "assigned": filter.assigned, "relook": filter.relook,
    }  # fmt: skip
    found = {name: _TERMS[name] for name, is_asked in asked.items() if is_asked}
    if filter.tells:  # also where a way keeps the condition that tells
        found["open"] = "{open}"
    if filter.dated:
        found["dated"] = dated(filter)
    if filter.mark:
        by = "" if filter.marked_by == ANYBODY else " AND m.person = :marker"
        found["mark"] = (
            "EXISTS (SELECT 1 FROM mark m WHERE m.task_id = :task AND m.kind = :mark"
            f" AND m.example_id = {{id}}{by})"
        )
    return found


def dated(filter: GridFilter, *, more: str = "") -> str:
    """Return the condition that the person asked for, or anybody, has decided when it is asked.

    Args:
        filter: Whose decisions count.
        more: A further condition on the decision `w`.
    """
    by = "" if filter.by in (None, ANYBODY) else " AND w.person = :by"
    return (
        "EXISTS (SELECT 1 FROM current_label w WHERE w.example_id = {id} AND w.label_id IS NOT NULL"
        f" AND {BY_PEOPLE.format(of='w')}{by} AND w.event_id >= :since AND w.event_id < :until{more})"
    )
