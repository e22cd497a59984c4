"""What business users ask of a prompt before they try it: advice, and lines worth adding."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.analysis.advice_reading import Copied, Known
from studio.analysis.copied_text import find_copied, probes
from studio.analysis.plain_yaml import load_yaml
from studio.analysis.prompt_advice import advise
from studio.analysis.prompt_ideas import FEWEST, Mistake, label_cues, suggest_lines
from studio.analysis.prompt_tour import Tour, likely_kind, tour_of
from studio.analysis.slices import metadata_slices
from studio.analysis.telling_columns import tells_label
from studio.config import data_folder
from studio.domain.advice import Advice
from studio.domain.correction import Origin
from studio.domain.example import Split
from studio.domain.gold import GoldLabel
from studio.domain.prompt import PromptText, render_system
from studio.domain.run import ClassifierKind, Run
from studio.domain.task import Task
from studio.domain.variables import is_usable, usable
from studio.errors import StudioError
from studio.workspace import Workspace

_EMBEDDED = "embedded"
_MOST_TEXTS = 2_000
"""Words are learnt from so many examples of train; more would only make people wait."""
_CANDIDATES = 100


_READ = ("label definitions", "rationales", "few-shots", "256 word pieces of the text")
_CHAT_ONLY = ("instructions in prose", "conditions", "counting and dates", "columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a prompt, as far as that is known before it is tried.

    Attributes:
        name: What people call it.
        is_chat: Whether it follows prose.
        reads: What it can use.
        chat_only: What only chat models can use, in words.
        lines: Lines of this very prompt that it cannot use.
        columns: Columns that this prompt names and it does not read.
    """

    name: str
    is_chat: bool
    reads: tuple[str, ...] = ()
    chat_only: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def reader_of(ws: Workspace, task: Task, body: PromptText, *, provider: str = "") -> Reader:
    """Return who will read a prompt and what of it; nothing is asked of a model.

    Args:
        ws: The workspace.
        task: The task.
        body: The prompt, saved or not.
        provider: Who will read it; the default one where none is named.
    """
    reads, model, _ = _reader(ws, provider)
    if reads != "encoder":
        return Reader(name=model or provider or ws.default_provider, is_chat=True)
    return Reader(
        name="the embedded encoder", is_chat=False, reads=_READ, chat_only=_CHAT_ONLY,
        lines=_unused(body, task.label_names), columns=body.variables,
    )  # fmt: skip


def guided_tour(ws: Workspace, task: Task, kind: str = "") -> tuple[dict[str, str], Tour]:
    """Return the types of task there are lessons for, and those of one.

    Args:
        ws: The workspace.
        task: The task; its own labels stand in the lessons where they can teach.
        kind: The type; what the labels look like when empty.
    """
    tours = _tours()
    chosen = kind or likely_kind(tours, task.label_names, task.question)
    train = _texts(ws, task, _gold_of_train(ws, task.id))
    names = {label.id: label.name for label in task.labels}
    told = next(one for one in tours if one["kind"] == chosen)
    tour = tour_of(
        told, task.label_names, {label.name: label.definition for label in task.labels},
        label_cues(names, ws.read.rationales.all(task.id), train), task.question,
    )  # fmt: skip
    return {one["kind"]: one["title"] for one in tours}, tour


@functools.cache
def _tours() -> list[dict[str, Any]]:
    text = (data_folder() / "prompt_tour.yaml").read_text(encoding="utf-8")
    told: list[dict[str, Any]] = load_yaml(text)
    return told


def advise_prompt(
    ws: Workspace, task_id: int, body: PromptText, *, provider: str = ""
) -> list[Advice]:
    """Return what could be better about a prompt, the worst first, then lines worth adding.

    Nothing is asked of a model and nothing is written. Of texts of the test split it only says
    that they are there.

    Args:
        ws: The workspace.
        task_id: The task.
        body: The prompt, saved or not.
        provider: Who will read it; the default one where none is named.
    """
    task = ws.read.tasks.get(task_id)
    gold = _gold_of_train(ws, task_id)
    train = _texts(ws, task, gold)
    rationales = ws.read.rationales.all(task_id)
    names = {label.id: label.name for label in task.labels}
    reads, model, models = _reader(ws, provider)
    columns = ws.read.examples.columns(task_id)
    known = Known(
        labels=task.label_names,
        question=task.question,
        definitions={label.name: label.definition for label in task.labels if label.definition},
        cues=label_cues(names, rationales, train),
        columns=tuple(usable(columns)),
        unusable=tuple(column for column in columns if not is_usable(column)),
        telling=_telling(ws, task, body, gold),
        copied=_copied(ws, task_id, body),
        reads=reads,
        unused=_unused(body, task.label_names) if reads == "encoder" else (),
        model=model,
        models=models,
    )
    ideas = suggest_lines(
        body,
        names,
        rationales=rationales,
        guidelines=ws.read.guidelines.all(task_id),
        mistakes=_mistakes(ws, task, body, gold),
        texts=train,
        reads=reads,
    )
    return [*advise(body, known), *ideas]


def _reader(ws: Workspace, provider: str) -> tuple[str, str, tuple[str, ...]]:
    """Return who reads the prompt, its model, and the models that service lists."""
    name = provider or ws.default_provider
    if name == _EMBEDDED:
        return "encoder", "", ()
    try:
        model = ws.provider(name).default_model
    except StudioError:  # its key may be missing; the prompt can still be read
        return "chat", "", ()
    found = ws.read.providers.capabilities(name)
    return "chat", model, tuple(m.id for m in found.models) if found else ()


def _unused(body: PromptText, names: Sequence[str]) -> tuple[str, ...]:
    from studio.embedded.reading import read_prompt

    return read_prompt(render_system(body, names), names).unused


def _copied(ws: Workspace, task_id: int, body: PromptText) -> tuple[Copied, ...]:
    rows = ws.read.examples.having(task_id, probes(body), _CANDIDATES)
    return tuple(find_copied(body, rows))


def _gold_of_train(ws: Workspace, task_id: int) -> dict[int, GoldLabel]:
    """Return gold of train, of all examples or of evenly chosen ones."""
    train = (Split.TRAIN.value,)
    counts = ws.read.labels.counts(task_id)
    if sum(row["n"] for row in counts if row["split"] in train) <= _MOST_TEXTS:
        return ws.read.labels.gold(task_id, train)
    chosen = [example.id for example in ws.read.examples.sample(task_id, train, _MOST_TEXTS)]
    return ws.read.labels.gold(task_id, train, ids=chosen)


def _texts(ws: Workspace, task: Task, gold: Mapping[int, GoldLabel]) -> list[tuple[str, str]]:
    """Return pairs of a text and its gold label's name."""
    ids = sorted(gold)
    texts = zip(ids, ws.read.examples.texts(task.id, ids), strict=True)
    return [(text, name) for i, text in texts if (name := task.name_of(gold[i].label_id))]


def _telling(
    ws: Workspace, task: Task, body: PromptText, gold: Mapping[int, GoldLabel]
) -> tuple[str, ...]:
    """Return the columns of the prompt that tell the label by themselves."""
    if not body.variables:
        return ()
    examples = ws.read.examples.some(task.id, sorted(gold))
    labels = [str(gold[example.id].label_id) for example in examples]
    return tuple(
        column
        for column in body.variables
        if tells_label([str(e.metadata.get(column, "")) for e in examples], labels)
    )


def _mistakes(
    ws: Workspace, task: Task, body: PromptText, gold: Mapping[int, GoldLabel]
) -> list[Mistake]:
    """Return the errors on gold of train of the latest run by this prompt, else by any prompt."""
    run = _latest_run(ws, task, body)
    if run is None:
        return []
    wrong = {
        p.example_id: p.label_id
        for p in ws.read.runs.predictions(run.id, example_ids=sorted(gold))
        if p.label_id is not None and p.label_id != gold[p.example_id].label_id
    }
    examples = ws.read.examples.some(task.id, sorted(wrong))
    inside = metadata_slices(examples, min_size=FEWEST)
    found = []
    for example in examples:
        right, said = task.name_of(gold[example.id].label_id), task.name_of(wrong[example.id])
        if right and said:
            found.append(
                Mistake(
                    text=example.text, gold=right, said=said,
                    corrected=gold[example.id].origin is Origin.ASSISTED,
                    slices=tuple(s.name for s in inside if example.id in s.example_ids),
                )
            )  # fmt: skip
    return found


def _latest_run(ws: Workspace, task: Task, body: PromptText) -> Run | None:
    runs = [
        run
        for run in ws.read.runs.all(task.id)
        if run.kind is ClassifierKind.PROMPT
        and run.status == "done"
        and Split.TRAIN.value in run.splits
    ]
    same = {v.id for v in ws.read.prompts.all(task.id) if v.body.hash == body.hash}
    return next((run for run in runs if run.prompt_version_id in same), next(iter(runs), None))
