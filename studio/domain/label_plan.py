"""What a change of the label set means for each label, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from studio.domain.label_change import Add, ChangeKind, Deed, Merge, Rename, Reorder, Retire, Split
from studio.domain.label_names import joined_definition
from studio.domain.task import Task, check_label_names
from studio.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A label as it is to be. `id` is None for a new one."""

    id: int | None
    name: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deed means for the labels.

    Attributes:
        kind: What is done.
        text: It in a sentence, as the history tells it.
        labels: All labels there are to be, in order.
        gone: The label that is given up; None without one.
        into: What says it from now on; None where nothing does.
        again: Labels whose gold is queued for another look, by their ids before.
        affected: Labels whose meaning changes; rules that speak of them are marked.
    """

    kind: ChangeKind
    text: str
    labels: tuple[Planned, ...]
    gone: int | None = None
    into: int | None = None
    again: tuple[int, ...] = ()
    affected: tuple[int, ...] = ()


def plan_change(task: Task, deed: Deed) -> Plan:
    """Return what a deed means for the labels of a task.

    Raises:
        InputError: If a name cannot be used, or a label is unknown.

    >>> from studio.domain.task import Label
    >>> labels = tuple(Label(id=i, name=n, definition="", position=i) for i, n in enumerate("abc"))
    >>> plan = plan_change(Task(id=1, name="t", labels=labels), Merge(label="a", into="c"))
    >>> plan.text, [label.name for label in plan.labels], plan.gone, plan.into
    ('“a” was merged into “c”', ['b', 'c'], 0, 2)
    """
    makers: dict[type, Callable[..., Plan]] = {
        Rename: _rename, Merge: _merge, Split: _split, Add: _add, Retire: _retire,
        Reorder: _reorder,
    }  # fmt: skip
    plan = makers[type(deed)](task, deed)
    check_label_names([label.name for label in plan.labels])
    before = {label.id: label.name for label in task.labels}
    for label in plan.labels:
        if before.get(label.id or 0) != label.name:
            _check_free(task, label)
    return plan


def _rename(task: Task, deed: Rename) -> Plan:
    label, to = task.label(deed.label), _clean(deed.to)
    if to == label.name:
        raise InputError(f"The label is called {to!r} already.", next_step="Give another name.")
    changed = (label.id,) if deed.meaning_changed else ()
    return Plan(
        kind=ChangeKind.RENAME,
        text=f"“{label.name}” was renamed “{to}”"
        + (", which means something else" if deed.meaning_changed else ""),
        labels=_with(task, {label.id: (to, label.definition)}),
        again=changed,
        affected=changed,
    )


def _merge(task: Task, deed: Merge) -> Plan:
    gone, kept = task.label(deed.label), task.label(deed.into)
    if gone.id == kept.id:
        raise InputError(
            f"The label {gone.name!r} cannot be merged with itself.",
            next_step=f"Name two of {', '.join(task.label_names)}.",
        )
    _check_two_stay(task, gone.name)
    to = _clean(deed.to) or kept.name
    again = (gone.id,) if deed.look_again else ()
    text = f"“{gone.name}” was merged into “{kept.name}”"
    text += "" if to == kept.name else f", now “{to}”"
    if to == gone.name:  # the other way round, with the names as wished
        gone, kept = kept, gone
        again = (kept.id,) if deed.look_again else ()
        text = f"“{gone.name}” was merged into “{kept.name}”"
    told = joined_definition(kept.definition, gone.definition)
    definition = told if deed.definition is None else _clean(deed.definition)
    return Plan(
        kind=ChangeKind.MERGE,
        text=text,
        labels=_with(task, {kept.id: (to, definition)}, without=gone.id),
        gone=gone.id,
        into=kept.id,
        again=again,
        affected=(gone.id, kept.id),
    )


def _split(task: Task, deed: Split) -> Plan:
    label = task.label(deed.label)
    parts = [(_clean(name), _clean(told)) for name, told in deed.parts]
    if len(parts) < 2:
        raise InputError(
            f"The label {label.name!r} is split into two labels or more.",
            next_step="Name what it stays and what is new.",
        )
    (first, told), *new = parts
    names = " and ".join(f"“{name}”" for name, _ in parts)
    return Plan(
        kind=ChangeKind.SPLIT,
        text=f"“{label.name}” was split into {names}",
        labels=(
            *_with(task, {label.id: (first, told or label.definition)}),
            *(_new(task, name, definition) for name, definition in new),
        ),
        again=(label.id,),
        affected=(label.id,),
    )


def _add(task: Task, deed: Add) -> Plan:
    name = _clean(deed.name)
    return Plan(
        kind=ChangeKind.ADD,
        text=f"“{name}” was added",
        labels=(*_with(task, {}), _new(task, name, _clean(deed.definition))),
        again=tuple(dict.fromkeys(task.label(other).id for other in deed.look_again)),
    )


def _retire(task: Task, deed: Retire) -> Plan:
    label = task.label(deed.label)
    _check_two_stay(task, label.name)
    return Plan(
        kind=ChangeKind.RETIRE,
        text=f"“{label.name}” was given up",
        labels=_with(task, {}, without=label.id),
        gone=label.id,
    )


def _reorder(task: Task, deed: Reorder) -> Plan:
    ids = [task.label(name).id for name in deed.names]
    if sorted(ids) != sorted(label.id for label in task.labels):
        raise InputError(
            "The order does not name each label once.",
            next_step=f"The labels are {', '.join(task.label_names)}.",
        )
    if ids == [label.id for label in task.labels]:
        raise InputError("The labels are in this order already.")
    place = {label_id: i for i, label_id in enumerate(ids)}
    ordered = sorted(_with(task, {}), key=lambda label: place[label.id or 0])
    names = ", ".join(label.name for label in ordered)
    return Plan(kind=ChangeKind.REORDER, text=f"The order became {names}", labels=tuple(ordered))


def _with(
    task: Task, changed: Mapping[int, tuple[str, str]], without: int | None = None
) -> tuple[Planned, ...]:
    return tuple(
        Planned(id=label.id, name=name, definition=definition)
        for label in task.labels
        if label.id != without
        for name, definition in [changed.get(label.id, (label.name, label.definition))]
    )


def _new(task: Task, name: str, definition: str) -> Planned:
    """Return a label that is new, or one that was given up under this name and comes back."""
    for old in task.retired:
        if old.name.casefold() == name.casefold():
            return Planned(id=old.id, name=name, definition=definition)
    return Planned(id=None, name=name, definition=definition)


def _check_two_stay(task: Task, name: str) -> None:
    if len(task.labels) < 3:
        raise InputError(
            f"The label {name!r} cannot be given up: a label set needs two.",
            next_step="Add another label first.",
        )


def _check_free(task: Task, label: Planned) -> None:
    """Refuse a name that other labels had: what is stored under it means one label only."""
    for former in task.former:
        means_other = former.is_held and former.label_id != label.id
        if means_other and former.name.casefold() == label.name.casefold():
            comes_back = any(old.id == label.id for old in task.retired)
            if comes_back:
                continue
            now = task.name_of(former.label_id)
            raise InputError(
                f"“{label.name}” was a name of the label {now!r}, by which prompts and models made "
                "before still know it.",
                next_step="Choose another name.",
            )


def _clean(text: str) -> str:
    return " ".join(text.split())
