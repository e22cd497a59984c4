"""What is being decided, by which labels, and what was promised about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.errors import InputError, NotFoundError

METRICS = ("accuracy", "macro_f1")
_CRITERION = re.compile(
    r"^\s*(?P<metric>[a-z0-9_]+)\s*>=\s*(?P<threshold>\d*\.?\d+)\s*(?P<percent>%?)\s*$"
)
_NEGATION = re.compile(r"^(not|non|no|without)[\s_-]+", re.IGNORECASE)
MAX_LABELS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One allowed answer.

    Attributes:
        id: Stable for ever; renaming keeps it.
        name: What people and models write.
        definition: When this label applies, in a sentence; may be empty.
        position: 0-based place in the label set; decides key and colour.
    """

    id: int
    name: str
    definition: str
    position: int

    @property
    def is_negation(self) -> bool:
        """Whether the name only negates another label, so that it cannot be read by itself.

        >>> Label(id=1, name="not_keto", definition="", position=0).is_negation
        True
        >>> Label(id=2, name="nothing", definition="", position=1).is_negation
        False
        """
        return bool(_NEGATION.match(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """The task's promise: the figure that blind test gold must reach.

    Attributes:
        metric: `accuracy` or `macro_f1`.
        threshold: In (0, 1].
    """

    metric: str
    threshold: float

    @classmethod
    def parse(cls, text: str) -> Criterion:
        """Read a criterion as people write it.

        Raises:
            InputError: If it is not `METRIC>=FIGURE` with a known metric and a figure in (0, 1].

        >>> Criterion.parse("macro_f1>=0.85")
        Criterion(metric='macro_f1', threshold=0.85)
        >>> Criterion.parse("accuracy >= 90%").threshold
        0.9
        """
        match = _CRITERION.match(text)
        hint = "Write it like macro_f1>=0.85."
        if match is None:
            raise InputError(f"The criterion {text!r} cannot be read.", next_step=hint)
        metric = match["metric"]
        if metric not in METRICS:
            raise InputError(
                f"{metric!r} is not a metric of a criterion.",
                next_step=f"Use one of {', '.join(METRICS)}.",
            )
        threshold = float(match["threshold"]) / (100 if match["percent"] else 1)
        if not 0 < threshold <= 1:
            raise InputError(
                f"The figure {threshold:g} of the criterion is not between 0 and 1.", next_step=hint
            )
        return cls(metric=metric, threshold=threshold)

    def __str__(self) -> str:
        return f"{self.metric}>={self.threshold:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerName:
    """A name that a label had; what was stored under it is read as the label of now.

    Attributes:
        name: The name.
        label_id: The present label that it means.
        is_held: Whether no other label may be called so: false where only a change that was taken
            back gave it.
    """

    name: str
    label_id: int
    is_held: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredLabel:
    """A label that is in use no more.

    Attributes:
        id, name: As they were.
        into: The present label that it was merged into; None where there is none.
    """

    id: int
    name: str
    into: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One classification question with its labels.

    Attributes:
        id: Stable.
        name: Unique in the workspace.
        question: What an expert is asked, e.g. "Is this dish keto?"; may be empty.
        labels: At least two, by position; those in use.
        criterion: The promise, if one was made.
        fallback_label_id: What rules say of an example on which none of them votes; None abstains.
        champion: The classifier used now: "prompt:3", "rules", "model:5"; may be empty.
        revision: Grows with every write to the task's data; caches key on it.
        former: Names that labels had before the label set was changed.
        retired: Labels that are in use no more.
    """

    id: int
    name: str
    question: str = ""
    labels: tuple[Label, ...]
    criterion: Criterion | None = None
    fallback_label_id: int | None = None
    champion: str = ""
    revision: int = 0
    former: tuple[FormerName, ...] = ()
    retired: tuple[RetiredLabel, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names in order of position."""
        return tuple(label.name for label in self.labels)

    @property
    def written(self) -> dict[str, Label]:
        """Names as files may write them, case folded, former ones too, to the label they mean."""
        former = {f.name.casefold(): self.label_of(f.label_id) for f in self.former}
        return former | {label.name.casefold(): label for label in self.labels}

    def label(self, name: str) -> Label:
        """Return the label of this name, or the one that a former name means now.

        Raises:
            NotFoundError: If the task has no such label.
        """
        for label in self.labels:
            if label.name == name:
                return label
        for former in self.former:
            if former.name == name:
                return self.label_of(former.label_id)
        raise NotFoundError(
            f"The task {self.name!r} has no label {name!r}.",
            next_step=f"Its labels are {', '.join(self.label_names)}.",
        )

    def label_of(self, label_id: int) -> Label:
        """Return the label of this id, or the one it was merged into.

        Raises:
            NotFoundError: If the task has no such label.
        """
        moved = {label.id: label.into for label in self.retired}
        wanted = moved.get(label_id) or label_id
        for label in self.labels:
            if label.id == wanted:
                return label
        raise NotFoundError(f"The task {self.name!r} has no label of the number {label_id}.")

    def name_of(self, label_id: int | None) -> str | None:
        """Return the name of a label id; of one that was merged, the name it goes by now.

        None for None, for ids of other tasks and for labels that were given up.
        """
        if label_id is None:
            return None
        try:
            return self.label_of(label_id).name
        except NotFoundError:
            return None


def check_label_names(names: list[str]) -> tuple[str, ...]:
    """Return label names fit for a task.

    Raises:
        InputError: If there are fewer than two, more than 255, an empty or a repeated one.

    >>> check_label_names([" keto", "not_keto "])
    ('keto', 'not_keto')
    """
    clean = [" ".join(name.split()) for name in names]
    if any(not name for name in clean):
        raise InputError("A label has no name.", next_step="Give every label a name.")
    folded: dict[str, str] = {}
    for name in clean:
        if name.casefold() in folded:
            raise InputError(
                f"The label {name!r} stands twice in the label set.",
                next_step="Give every label a name of its own.",
            )
        folded[name.casefold()] = name
    if len(clean) < 2:
        raise InputError(
            "A label set needs at least two labels.",
            next_step="Name what else a text can be, e.g. --labels keto,not_keto.",
        )
    if len(clean) > MAX_LABELS:
        raise InputError(
            f"A label set holds at most {MAX_LABELS} labels, not {len(clean)}.",
            next_step="Merge labels that are rare or decided alike.",
        )
    return tuple(clean)
