"""How drafts of rules and reports on rules are told on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.actions.rule_drafts import DraftedRule, doubt_about
from studio.analysis.rule_board import Board, RulePreview
from studio.analysis.rule_review import Review, RuleReview
from studio.analysis.uncovered import Gap
from studio.cli.common import table
from studio.domain.amounts import percent
from studio.domain.coded_rationale import CodedRationale, describe, rule_to_dict
from studio.domain.task import Task
from studio.workspace import Workspace

MOST_IDS = 1_000
"""Most examples named of one list; how many there are is always told."""
_SHOWN = 3
_MOST_PAIRS = 10


def external_ids(ws: Workspace, task_id: int, ids: Sequence[int]) -> list[str]:
    """Return what files call these examples, in the order given; the first thousand."""
    wanted = list(ids[:MOST_IDS])
    named = {e.id: e.external_id for e in ws.read.examples.some(task_id, wanted)}
    return [named[i] for i in wanted if i in named]


def gate_to_dict(ws: Workspace, board: Board, draft: DraftedRule) -> dict[str, Any]:
    """Return a draft, where it comes from and all its figures, as JSON."""
    preview, score = draft.preview, draft.preview.score
    lists = {
        "wrong": preview.wrong,
        "conflicting": preview.conflicting,
        "newly_decided": preview.newly_decided,
        "won": preview.won,
        "lost": preview.lost,
        "misled": preview.misled,
    }
    return {
        "rule": draft.body.name, "says": describe(draft.body), "why": draft.why,
        "body": rule_to_dict(draft.body), "looked_at": preview.looked_at, "of": preview.of,
        "fires": score.fires, "coverage": score.coverage, "overlap": score.overlap,
        "conflict": score.conflict, "accuracy": score.accuracy.to_dict(),
        "validation": draft.fresh.to_dict(),
        "examples": {
            name: {"n": len(ids), "ids": external_ids(ws, board.task.id, ids)}
            for name, ids in lists.items()
        },
        "doubt": doubt_about(board, draft), "seen": draft.seen,
    }  # fmt: skip


def gate_text(board: Board, draft: DraftedRule, number: int | None = None) -> str:
    """Return a draft and its figures as people read them."""
    preview, score = draft.preview, draft.preview.score
    head = describe(draft.body) if number is None else f"{number}. {describe(draft.body)}"
    lines = [
        f"{head}   ({draft.body.name})",
        f"   fires on {score.fires:,} of {_of(preview)} ({percent(score.coverage)}); "
        f"right {score.accuracy}; on validation gold alone {draft.fresh}",
        f"   wrong on {len(preview.wrong):,}, another rule speaks too on {percent(score.overlap)}, "
        f"against it on {len(preview.conflicting):,}; newly decides {len(preview.newly_decided):,}",
        f"   beside the rules in force wins {len(preview.won):,} and loses {len(preview.lost):,} "
        f"gold examples; {len(preview.misled):,} without a label get a wrong one",
    ]
    if draft.why:
        lines.append(f"   from {draft.why}")
    if doubt := doubt_about(board, draft):
        lines.append(f"   doubt: {doubt}")
    return "\n".join(lines)


def _of(preview: RulePreview) -> str:
    if preview.looked_at == preview.of:
        return f"{preview.of:,}"
    return f"a sample of {preview.looked_at:,} (there are {preview.of:,})"


def review_rows(review: Review, rules: Sequence[CodedRationale]) -> list[dict[str, Any]]:
    """Return the report as JSON, a rule an entry in the expert's order."""
    by_id = {rule.id: rule for rule in rules}
    opposed = {
        rule.id: [
            by_id[other].body.name
            for pair in review.contradictions
            if rule.id in pair.rule_ids
            for other in pair.rule_ids
            if other != rule.id
        ]
        for rule in rules
    }
    return [_review_row(one, by_id, opposed) for one in review.rules]


def _review_row(
    one: RuleReview, by_id: dict[int, CodedRationale], opposed: dict[int, list[str]]
) -> dict[str, Any]:
    score, body = one.score, by_id[one.score.rule_id].body
    age = one.freshness
    return {
        "rule": body.name, "label": body.label, "against": body.against,
        "decisive": body.decisive, "fires": score.fires, "coverage": score.coverage,
        "overlap": score.overlap, "conflict": score.conflict,
        "accuracy": score.accuracy.to_dict(), "wrong": len(score.wrong),
        "alone": len(score.alone), "won": len(one.won), "lost": len(one.lost),
        "dead": score.fires == 0, "stale": age.fires_less or age.errs_more,
        "duplicates": [by_id[i].body.name for i in one.duplicates],
        "contradicts": opposed[score.rule_id], "advice": list(one.advice),
    }  # fmt: skip


def review_text(review: Review, rows: Sequence[dict[str, Any]]) -> str:
    """Return the report as people read it: figures, then what to do."""
    shown = [
        {
            "rule": row["rule"], "votes": ("not " if row["against"] else "") + row["label"],
            "coverage": row["coverage"], "overlap": row["overlap"], "conflict": row["conflict"],
            "accuracy": str(one.score.accuracy), "won": row["won"], "lost": row["lost"],
        }
        for one, row in zip(review.rules, rows, strict=True)
    ]  # fmt: skip
    advice = [f"{row['rule']}: {said}" for row in rows for said in row["advice"]]
    lists = [b.says for b in review.buckets if b.example_ids and b.name != "only"]
    parts = [table(shown, "No rule yet. Add one with `studio rule add`.")]
    if rows:
        parts += ["\n".join(part) for part in (advice, lists) if part]
    return "\n\n".join(parts)


def bucket_rows(
    ws: Workspace, task: Task, review: Review, rules: Sequence[CodedRationale]
) -> dict[str, Any]:
    """Return the lists of examples worth opening, and the pairs that contradict, as JSON."""
    names = {rule.id: rule.body.name for rule in rules}
    return {
        "buckets": [
            {"bucket": b.name, "rule": names.get(b.rule_id or 0), "says": b.says,
             "n": len(b.example_ids), "ids": external_ids(ws, task.id, b.example_ids)}
            for b in review.buckets
        ],
        "contradictions": [
            {"rules": [names[i] for i in c.rule_ids], "n": len(c.example_ids),
             "judged": c.judged, "right": list(c.right),
             "ids": external_ids(ws, task.id, c.example_ids)}
            for c in review.contradictions
        ],
    }  # fmt: skip


def bucket_text(data: dict[str, Any]) -> str:
    """Return these lists as people read them, with the first ids of each."""
    lines = [f"{b['says']}\n   {_first(b)}" for b in data["buckets"] if b["n"]]
    pairs = data["contradictions"]
    lines += [f"{_opposed(c)}\n   {_first(c)}" for c in pairs[:_MOST_PAIRS]]
    if (more := len(pairs) - _MOST_PAIRS) > 0:
        lines.append(f"{more:,} more pairs contradict each other on fewer: see --json.")
    return "\n".join(lines) or "Nothing to open: add a rule or label examples blind first."


def _opposed(pair: dict[str, Any]) -> str:
    said = f"{' and '.join(pair['rules'])} contradict each other on {pair['n']:,}"
    if not pair["judged"]:
        return said
    first, second = pair["right"]
    return f"{said}; of {pair['judged']:,} with gold {first:,} and {second:,} are right"


def _first(entry: dict[str, Any]) -> str:
    return ", ".join(entry["ids"][:10]) + (", …" if entry["n"] > 10 else "")


def gap_rows(ws: Workspace, task: Task, gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """Return the groups no rule speaks of as JSON, each with typical examples."""
    return [
        {
            "about": gap.name, "n": gap.size, "likely": task.name_of(gap.likely),
            "gold": {task.name_of(i) or str(i): n for i, n in gap.gold.items()},
            "question": gap.question,
            "typical": [
                {"id": e.external_id, "text": e.text}
                for e in ws.read.examples.some(task.id, gap.typical)
            ],
        }
        for gap in gaps
    ]  # fmt: skip


def gap_text(rows: Sequence[dict[str, Any]]) -> str:
    """Return these groups as people read them."""
    lines = []
    for row in rows:
        lines.append(row["question"])
        lines += [f"   {e['id']}: {_short(e['text'])}" for e in row["typical"][:_SHOWN]]
    return "\n".join(lines) or "No group of alike examples is without a rule."


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 100 else flat[:99] + "…"
