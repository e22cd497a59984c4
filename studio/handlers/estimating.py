"""What a run or a training would ask, cost and take, told before it is started."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from studio.domain.estimate import Estimate, TrainingEstimate, likely_epochs
from studio.domain.example import Example
from studio.domain.price import TRAINING
from studio.domain.prompt import PromptText, answer_schema, training_jsonl
from studio.domain.run import Run
from studio.domain.task import Task
from studio.domain.tokens import likely_tokens
from studio.handlers.asked import body_of
from studio.handlers.asking import Asking, Open
from studio.handlers.counting import Counting, best_counting
from studio.handlers.shots import values_of
from studio.providers.base import Provider
from studio.workspace import Workspace

SAMPLE = 200
"""Most examples looked at."""
EMBEDDED = "embedded"
EMBEDDED_RATE = 40.0
"""Questions a second guessed of the embedded encoder until it was measured here.

Half of what it did in benchmarks from cold on two cores: texts may be longer, machines slower."""
AROUND_MESSAGE = 4
"""Tokens that services usually add to a message."""


def estimate(
    ws: Workspace,
    run: Run,
    service: Provider | None,
    sample: Sequence[Example],
    *,
    body: PromptText | None = None,
    again: bool = False,
    in_batch: bool = False,
    samples: int = 1,
    engine: str | None = None,
) -> Estimate:
    """Return what a run would ask, cost and take; asks nobody.

    What a sample says is scaled to the whole.

    Args:
        ws: The workspace.
        run: The run, filed or not; its total counts.
        service: Who would be asked; None for rules.
        sample: Some of its examples, at most about `SAMPLE`.
        body: What the model would be told; found by the run when None.
        again: Whether answers of before would be asked anew.
        in_batch: Whether it would be sent as a batch.
        samples: How often each example would be asked about.
        engine: What engine of this machine would answer, from `known_engine`; None where nobody
            can tell, so that nobody knows what was answered before.
    """
    lately = ws.read.prices.lately(run.kind.value, run.provider, run.model)
    # The studio's own encoder may be guessed at; of any other service nothing is known.
    guess = EMBEDDED_RATE if service is not None and service.name == EMBEDDED else None
    rate = lately.rate or guess
    told = Estimate(
        examples=run.total,
        seconds=run.total / rate if rate else None,
        is_guess=rate is not None and lately.rate is None,
        is_sampled=len(sample) < run.total,
    )
    if service is None:
        return told
    task = ws.read.tasks.get(run.task_id)
    body = body or body_of(ws, run, task)
    asking = Asking(ws, run, task, body, service, engine or "", samples)
    known, opened = asking.split(sample)
    share = len(known) / (len(known) + len(opened)) if sample else 0.0
    known_count: int | None = 0 if again else round(share * run.total * samples)
    if service.is_local and engine is None:
        known_count = None
    told = replace(
        told,
        host=service.host,
        is_local=service.is_local,
        model=run.model,
        columns=body.columns,
        known=known_count,
        price=asking.price,
        in_batch=in_batch,
        samples=samples,
    )
    if not told.questions or not opened:
        free = 0.0 if asking.price else None
        return replace(told, cost_usd=free, most_usd=0.0, seconds=0.0, is_guess=False)
    per_question = told.questions / len(opened)
    # What costs nothing here is not worth loading a tokenizer for.
    way = Counting("characters", likely_tokens) if service.is_local else best_counting()
    schema = way.count(json.dumps(answer_schema(task.label_names), ensure_ascii=False))
    sent = round(per_question * sum(_likely(one, way) + schema for one in opened))
    back = round(told.questions * (lately.output_tokens or _reply_tokens(task, way)))
    price, most = asking.price, [asking.bound(one, in_batch=in_batch) for one in opened]
    return replace(
        told,
        counted_by=way.name,
        input_tokens=sent,
        output_tokens=back,
        cost_usd=price.cost(sent, back, in_batch=in_batch) if price else None,
        most_usd=None if None in most else per_question * sum(usd or 0.0 for usd in most),
        seconds=told.questions / rate if rate and not in_batch else None,
    )


def known_engine(ws: Workspace, service: Provider) -> str | None:
    """Return what answers at a service of this machine; None where only the worker can ask it."""
    if not service.is_local:
        return ""
    found = ws.engine() if service.name == EMBEDDED else {}
    return " ".join(filter(None, (found.get("engine"), found.get("version")))) or None


def estimate_training(
    ws: Workspace, task: Task, body: PromptText, service: Provider, base_model: str,
    rows: Sequence[tuple[int, str, str]],
) -> TrainingEstimate:  # fmt: skip
    """Return what a training would send and cost; asks nobody.

    Args:
        ws: The workspace.
        task: The task.
        body: The prompt the model is trained with.
        service: Who would train.
        base_model: What it would start from.
        rows: (example id, text, label name) of all it would learn from.
    """
    way = Counting("characters", likely_tokens) if service.is_local else best_counting()
    seen = rows[:: max(1, len(rows) // SAMPLE)]
    values = values_of(ws, task.id, body, [row[0] for row in seen])
    lines = training_jsonl(body, task.label_names, seen, values).splitlines() if seen else []
    counted = sum(
        way.count(turn["content"]) + AROUND_MESSAGE
        for line in lines
        for turn in json.loads(line)["messages"]
    )
    epochs = likely_epochs(len(rows))
    return TrainingEstimate(
        examples=len(rows), host=service.host, is_local=service.is_local, model=base_model,
        epochs=epochs, tokens=round(epochs * len(rows) * counted / len(lines)) if lines else 0,
        columns=body.columns, counted_by=way.name, price=ws.price(service, base_model, TRAINING),
    )  # fmt: skip


def _likely(asked: Open, way: Counting) -> int:
    return sum(way.count(m["content"]) + AROUND_MESSAGE for m in asked.question.messages)


def _reply_tokens(task: Task, way: Counting) -> int:
    """Return the tokens of the longest answer, for a model whose replies were never seen."""
    return max(way.count(json.dumps({"label": name})) for name in task.label_names)
