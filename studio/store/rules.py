"""Coded rationales ("rules"): their bodies, versions and order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from studio.domain.coded_rationale import CodedRationale, RuleBody, parse_rule, rule_to_dict
from studio.domain.label_names import read_rule
from studio.domain.task import Task
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.tasks import Tasks, bump


class Rules:
    """The coded rationales of a task, in the expert's order."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def save(
        self,
        task_id: int,
        body: RuleBody,
        *,
        label_id: int,
        rationale_id: int | None,
        by: str,
        at: str,
    ) -> CodedRationale:
        """Store a rule; one of the same name gets a new version and keeps its place."""
        text = json.dumps(rule_to_dict(body), ensure_ascii=False)
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO coded_rationale (task_id, label_id, rationale_id, name, body, position, author, at)"
                " VALUES (:task, :label, :rationale, :name, :body,"
                "  (SELECT coalesce(max(position) + 1, 0) FROM coded_rationale WHERE task_id = :task), :by, :at)"
                " ON CONFLICT (task_id, name) DO UPDATE SET label_id = excluded.label_id, body = excluded.body,"
                " rationale_id = coalesce(excluded.rationale_id, rationale_id), enabled = 1,"
                " version = version + (body != excluded.body), author = excluded.author, at = excluded.at",
                {"task": task_id, "label": label_id, "rationale": rationale_id, "name": body.name,
                 "body": text, "by": by, "at": at},
            )  # fmt: skip
            rule = self.by_name(task_id, body.name)
            conn.execute(
                "INSERT OR IGNORE INTO coded_rationale_version VALUES (?,?,?,?,?)",
                (rule.id, rule.version, text, by, at),
            )
            bump(self.db, task_id)
            return rule

    def order(self, task_id: int, rule_ids: Sequence[int]) -> None:
        """Put the rules in this order; rules not named follow in their old order."""
        with self.db.transaction() as conn:
            rest = [rule.id for rule in self.all(task_id) if rule.id not in set(rule_ids)]
            conn.executemany(
                "UPDATE coded_rationale SET position = ? WHERE id = ? AND task_id = ?",
                [(i, rule_id, task_id) for i, rule_id in enumerate([*rule_ids, *rest])],
            )
            bump(self.db, task_id)

    def enable(self, task_id: int, rule_id: int, enabled: bool) -> None:
        """Let a rule vote, or keep it silent; rules are never deleted."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE coded_rationale SET enabled = ? WHERE id = ? AND task_id = ?",
                (int(enabled), rule_id, task_id),
            )
            bump(self.db, task_id)

    def all(self, task_id: int, *, enabled_only: bool = False) -> list[CodedRationale]:
        """Return the rules in the expert's order."""
        rows = self.db.read(
            "SELECT * FROM coded_rationale WHERE task_id = ? AND (NOT ? OR enabled) ORDER BY position, id",
            (task_id, enabled_only),
        )
        task = Tasks(self.db).get(task_id)
        return [_rule(row, task) for row in rows]

    def frozen(self, task_id: int, versions: Sequence[Sequence[int]]) -> list[CodedRationale]:
        """Return rules as they were: (rule id, version) in the order wanted, all of them voting."""
        rows = self.db.read(
            "SELECT r.*, v.body AS body_then, v.version AS version_then FROM json_each(:wanted) w"
            " JOIN coded_rationale r ON r.id = w.value ->> 0 AND r.task_id = :task"
            " JOIN coded_rationale_version v ON v.coded_rationale_id = r.id AND v.version = w.value ->> 1"
            " ORDER BY w.key",
            {"task": task_id, "wanted": json.dumps([list(v) for v in versions])},
        )
        task = Tasks(self.db).get(task_id)
        found = []
        for place, row in enumerate(rows):
            body = parse_rule(json.loads(row["body_then"]))
            try:
                label = task.label(body.label)
            except NotFoundError:  # its label was given up since
                label = task.label_of(row["label_id"])
            found.append(CodedRationale(
                id=row["id"], label_id=label.id, body=read_rule(body, task, label.id),
                rationale_id=row["rationale_id"], version=row["version_then"], position=place,
            ))  # fmt: skip
        return found

    def bodies(self, task_id: int) -> list[RuleBody]:
        """Return what the rules of a task say and said in any version: runs voted by them."""
        rows = self.db.read(
            "SELECT v.body FROM coded_rationale r JOIN coded_rationale_version v"
            " ON v.coded_rationale_id = r.id WHERE r.task_id = ? ORDER BY r.id, v.version",
            (task_id,),
        )
        return [parse_rule(json.loads(row[0])) for row in rows]

    def answers(
        self,
        task_id: int,
        prompt: str,
        version: int,
        *,
        first: int,
        last: int,
        before_run: int | None = None,
    ) -> dict[int, tuple[str | None, float | None]]:
        """Return what the finished runs of a prompt version said: example to label and confidence.

        Of several runs the latest that asked about an example counts; previews never do.

        Args:
            task_id: The task.
            prompt: The prompt's name.
            version: Which of its versions.
            first: Id of the first example wanted.
            last: Id of the last one.
            before_run: Only runs before this one count.
        """
        rows = self.db.read(
            "SELECT p.example_id, l.name, p.confidence FROM prompt_version v"
            " JOIN run r ON r.prompt_version_id = v.id AND r.kind = 'prompt' AND NOT r.preview"
            " LEFT JOIN job j ON j.id = r.job_id JOIN prediction p ON p.run_id = r.id LEFT JOIN label l ON l.id = p.label_id"
            " WHERE v.task_id = :task AND v.name = :name AND v.number = :number AND coalesce(j.status, 'done') = 'done'"
            " AND (:before IS NULL OR r.id < :before) AND p.example_id BETWEEN :first AND :last ORDER BY r.id",
            {"task": task_id, "name": prompt, "number": version, "before": before_run, "first": first, "last": last},
        )  # fmt: skip
        return {row[0]: (row[1], row[2]) for row in rows}

    def by_name(self, task_id: int, name: str) -> CodedRationale:
        """Return a rule by its name.

        Raises:
            NotFoundError: If the task has none of this name.
        """
        row = self.db.one(
            "SELECT * FROM coded_rationale WHERE task_id = ? AND name = ?", (task_id, name)
        )
        if row is None:
            raise NotFoundError(
                f"There is no rule {name!r} in this task.", next_step="See `studio rule list`."
            )
        return _rule(row, Tasks(self.db).get(task_id))


def _rule(row: Row, task: Task) -> CodedRationale:
    """Return a rule with the label names of now; its body is stored as it was written."""
    return CodedRationale(
        id=row["id"],
        label_id=row["label_id"],
        body=read_rule(parse_rule(json.loads(row["body"])), task, row["label_id"]),
        rationale_id=row["rationale_id"],
        position=row["position"],
        enabled=bool(row["enabled"]),
        version=row["version"],
    )
