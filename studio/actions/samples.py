"""Loads the worked example, so that a newcomer has something real to look at."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from studio.analysis.plain_yaml import load_yaml
from studio.analysis.votes import check_rule
from studio.config import data_folder
from studio.domain.coded_rationale import parse_rule
from studio.domain.correction import Origin
from studio.domain.example import Example, Split
from studio.domain.prompt import PromptText
from studio.domain.rationale import Evidence, find_evidence
from studio.domain.task import Criterion, Task
from studio.errors import NotFoundError
from studio.store.labels import NewLabel
from studio.workspace import Workspace

AUTHOR = "keto sample"
QUESTION = "Is this dish keto?"
DEFINITIONS = {
    "keto": "At most 5 g of net carbohydrate in 100 g of the dish.",
    "not_keto": "More than 5 g of net carbohydrate in 100 g of the dish.",
}
CRITERION = Criterion(metric="macro_f1", threshold=0.8)
_HIDDEN = ("id", "text", "label", "split", "net_carbs_g")


def load_sample(ws: Workspace, name: str = "keto", *, with_knowledge: bool = True, by: str) -> Task:
    """Create the keto task with its examples, gold and, if wished, rationales, rules and prompts.

    The gold labels are computed from the dishes' ingredients; see data/keto/README.md.

    Args:
        ws: The workspace.
        name: What to call the task.
        with_knowledge: Whether the rationales, rules and prompts come with it.
        by: Who loads it.

    Raises:
        NotFoundError: If the sample's files are not installed.
        ConflictError: If a task of this name exists.
    """
    folder = data_folder() / "keto"
    if not (folder / "examples.csv").exists():
        raise NotFoundError(
            "The keto sample is not installed.", next_step="Install the studio again."
        )
    with ws.store.transaction():
        task = ws.store.tasks.create(
            name=name,
            question=QUESTION,
            labels=list(DEFINITIONS.items()),
            criterion=CRITERION,
            by=by,
            at=ws.now(),
        )
        text = (folder / "examples.csv").read_text(encoding="utf-8")
        # The file goes by cuisine; the ids are hashes, and their order mixes the dishes.
        rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["id"])
        _add_examples(ws, task, rows)
        if with_knowledge:
            add_rationales(ws, task, _yaml("rationales.yaml")["rationales"], by=AUTHOR)
            add_rules(ws, task, _yaml("rules.yaml"), by=AUTHOR)
            for draft in sample_prompts(task):
                ws.store.prompts.save(
                    task.id, name=draft[0], body=draft[2], author=AUTHOR, note=draft[1], at=ws.now()
                )
    return ws.store.tasks.get(task.id)


def sample_prompts(task: Task) -> list[tuple[str, str, PromptText]]:
    """Return the sample's prompts as (name, note, body), the first and a better one."""
    rationales = {r["id"]: r for r in _yaml("rationales.yaml")["rationales"]}
    prompts = []
    for item in _yaml("prompts.yaml"):
        chosen = list(rationales) if item["rationales"] == "all" else item["rationales"]
        body = PromptText(
            instructions=item["instructions"],
            definitions={
                name: " ".join(text.split()) for name, text in item["definitions"].items()
            },
            reasons=tuple(
                (rationales[i]["label"], " ".join(rationales[i]["text"].split())) for i in chosen
            ),
        )
        prompts.append((str(item["name"]), str(item["note"]), body))
    return prompts


def add_rationales(ws: Workspace, task: Task, items: Sequence[dict[str, Any]], *, by: str) -> None:
    """Store the sample's rationales, each with the first example it was said about."""
    by_dish = {e.text.split(". ")[0]: e for e in ws.store.examples.all(task.id)}
    for item in items:
        example: Example | None = None
        evidence: tuple[Evidence, ...] = ()
        for said in item.get("examples", [])[:1]:
            example = by_dish.get(said["dish"])
            # A rationale about a test dish would carry test text into prompts.
            if example is not None and example.split is not Split.TEST:
                evidence = find_evidence(example.text, said["evidence"])
            else:
                example = None
        ws.store.rationales.add(
            task.id,
            label_id=task.label(item["label"]).id,
            text=" ".join(item["text"].split()),
            example_id=example.id if example else None,
            evidence=evidence,
            author=by,
            at=ws.now(),
            external_id=item["id"],
        )


def add_rules(ws: Workspace, task: Task, data: dict[str, Any], *, by: str) -> None:
    """Store the sample's rules in their order, with what they answer when none votes."""
    known = ws.store.rationales.by_external_id(task.id)
    for item in data["rules"]:
        body = parse_rule(item)
        check_rule(body)
        ws.store.rules.save(
            task.id,
            body,
            label_id=task.label(body.label).id,
            rationale_id=known.get(body.rationale),
            by=by,
            at=ws.now(),
        )
    ws.store.tasks.set_fallback(task.id, task.label(data["fallback"]).id)


def _add_examples(ws: Workspace, task: Task, rows: list[dict[str, str]]) -> None:
    ids = ws.store.examples.add(
        task.id,
        [
            (
                row["id"],
                row["text"],
                Split(row["split"]),
                {key: value for key, value in row.items() if key not in _HIDDEN},
            )
            for row in rows
        ],
        ws.now(),
    )
    gold = [
        NewLabel(
            example_id=i,
            label_id=task.label(row["label"]).id,
            person="computed from ingredients",
            origin=Origin.COMPUTED,
        )
        for i, row in zip(ids, rows, strict=True)
        if i is not None
    ]
    ws.store.labels.append(task.id, gold, ws.now())


def _yaml(name: str) -> Any:
    return load_yaml((data_folder() / "keto" / name).read_text(encoding="utf-8"))
