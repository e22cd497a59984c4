"""How names from before a change of the label set are read now.

Prompts, rules, files and what models answer hold names of labels. A former name belongs to its
label, so that it means one label only; a present name goes before a former one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from studio.domain.coded_rationale import RuleBody
from studio.domain.conditions import Answer as Said
from studio.domain.conditions import Condition
from studio.domain.prompt import PromptText
from studio.domain.run import Answer
from studio.domain.task import FormerName, Label, RetiredLabel, Task
from studio.errors import NotFoundError


def joined_definition(*definitions: str) -> str:
    """Return when one of two labels applies, as a definition of both.

    >>> joined_definition("It asks for money back.", "", "It is about a bill.")
    'It asks for money back. Or: It is about a bill.'
    """
    told = list(dict.fromkeys(text for text in definitions if text.strip()))
    return " Or: ".join(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """Which names and numbers a change gave or took, as the store kept them.

    Attributes:
        names: (label id, name) of every name it gave or took.
        gone, into: As in `Plan`.
        holds: False where the change was taken back.
    """

    names: tuple[tuple[int, str], ...]
    gone: int | None
    into: int | None
    holds: bool


def read_names(
    present: Iterable[Label], retired: Sequence[tuple[int, str]], changes: Sequence[Renaming]
) -> tuple[tuple[FormerName, ...], tuple[RetiredLabel, ...]]:
    """Return what former names and labels mean now.

    Args:
        present: The labels in use.
        retired: (id, name) of those that are not.
        changes: All changes, oldest first.

    Returns:
        Former names, none of them a present one; and the retired labels.

    >>> spam = Label(id=1, name="spam", definition="", position=0)
    >>> was = Renaming(names=((1, "junk"), (1, "spam")), gone=2, into=1, holds=True)
    >>> former, retired = read_names([spam], [(2, "ad")], [was])
    >>> [(f.name, f.label_id) for f in former], retired[0].into
    ([('ad', 1), ('junk', 1)], 1)
    """
    live = {label.id for label in present}
    present_names = {label.name for label in present}
    moved = {c.gone: c.into for c in changes if c.holds and c.gone and c.into}

    def now(label_id: int) -> int | None:
        seen: set[int] = set()
        while label_id not in live:
            if label_id in seen or label_id not in moved:
                return None
            seen.add(label_id)
            label_id = moved[label_id] or 0
        return label_id

    found: dict[str, FormerName] = {}
    told = [(pair, False) for c in changes if not c.holds for pair in c.names]
    told += [(pair, True) for pair in retired]
    told += [(pair, True) for c in changes if c.holds for pair in c.names]
    for (label_id, name), is_held in told:
        meant = now(label_id)
        if meant is not None and name not in present_names:
            found[name] = FormerName(name=name, label_id=meant, is_held=is_held)
    return (
        tuple(found.values()),
        tuple(RetiredLabel(id=i, name=name, into=now(i)) for i, name in retired),
    )


def read_prompt(body: PromptText, task: Task) -> PromptText:
    """Return a prompt with the label names of now; what it says of labels given up is left out.

    Of labels that are one now, both definitions stand, joined.

    >>> spam = Label(id=1, name="spam", definition="", position=0)
    >>> ham = Label(id=2, name="ham", definition="", position=1)
    >>> former = (FormerName(name="junk", label_id=1),)
    >>> task = Task(id=1, name="mail", labels=(spam, ham), former=former)
    >>> read_prompt(PromptText(instructions="", definitions={"junk": "Sells."}), task).definitions
    {'spam': 'Sells.'}
    """
    names = [*body.definitions, *(name for name, _ in body.reasons)]
    names += [shot.label for shot in body.few_shots]
    if set(names) <= set(task.label_names):
        return body
    now = {name: _name_now(task, name) for name in names}
    definitions: dict[str, str] = {}
    for name, told in body.definitions.items():
        if known := now[name]:
            definitions[known] = joined_definition(definitions.get(known, ""), told)
    return replace(
        body,
        definitions=definitions,
        reasons=tuple((known, line) for name, line in body.reasons if (known := now[name])),
        few_shots=tuple(
            replace(shot, label=known) for shot in body.few_shots if (known := now[shot.label])
        ),
    )


def read_rule(body: RuleBody, task: Task, label_id: int) -> RuleBody:
    """Return a rule with the label names of now, also where it asks what a prompt answered.

    Args:
        body: What the rule says.
        task: Its task.
        label_id: The label it speaks of.
    """
    return replace(
        body,
        label=task.name_of(label_id) or body.label,
        all=_read_conditions(body.all, task),
        any=_read_conditions(body.any, task),
        none=_read_conditions(body.none, task),
    )


def _read_conditions(conditions: tuple[Condition, ...], task: Task) -> tuple[Condition, ...]:
    return tuple(
        replace(c, labels=tuple(dict.fromkeys(_name_now(task, n) or n for n in c.labels)))
        if isinstance(c, Said)
        else c
        for c in conditions
    )


def read_answer(answer: Answer, task: Task, asked: Mapping[str, int] | None = None) -> Answer:
    """Return an answer in the label names of now.

    Where labels became one, their probabilities are added up, and the most probable label is said.

    Args:
        answer: What a model said.
        task: The task.
        asked: Label name to label id as the model was asked; by default as names mean now.
    """
    told = {*answer.probabilities, *([answer.label] if answer.label else [])}
    now = {
        name: task.name_of(asked[name]) if asked and name in asked else _name_now(task, name)
        for name in told
    }
    if all(name == known for name, known in now.items()):
        return answer
    chances: dict[str, float] = {}
    for name, chance in answer.probabilities.items():
        if known := now[name]:
            chances[known] = chances.get(known, 0.0) + chance
    label = now[answer.label] if answer.label else None
    if label in chances:
        label = max(chances, key=lambda name: (chances[name], name == label))
    return replace(answer, label=label, probabilities=chances)


def _name_now(task: Task, name: str) -> str | None:
    try:
        return task.label(name).name
    except NotFoundError:
        return None
