"""The files of a batch: questions out, answers back. What comes back is untrusted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from studio.domain.run import Answer, Outcome, Question
from studio.errors import BadReplyError, InputError
from studio.providers.base import MOST_IN_BATCH, BatchState, BatchStatus
from studio.providers.chat import Bodies
from studio.providers.failures import told_by
from studio.providers.replies import read_json, read_reply, whole_characters, without_secrets
from studio.providers.sampling import Sampling

ENDPOINT: Final = "/v1/chat/completions"
MOST_BYTES = 200_000_000
"""Largest file of questions that services take."""

_LONGEST_LINE = 16 * 2**20
_MOST_ANSWER_BYTES = 8 * 2**30
_NEVER_REACHED = frozenset({"batch_expired", "batch_cancelled"})


def write_questions(questions: Mapping[str, Question], sampling: Sampling) -> bytes:
    r"""Return the file of a batch: each line holds the body that asking at once would send.

    Args:
        questions: Custom id to question.
        sampling: What is wished beside them.

    Raises:
        InputError: If no service would take them as one batch.

    >>> hi = Question(model="m", messages=({"role": "user", "content": "hi"},), label_names=("a",))
    >>> write_questions({"1": hi}, Sampling())[:76]
    b'{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model'
    """
    _check(questions)
    bodies, file = Bodies(), bytearray()
    for custom_id, question in questions.items():
        body = bodies.encode(question, sampling.options(question.model, question.sample))
        file += b'{"custom_id":%b,"method":"POST","url":"%b","body":%b}\n' % (
            json.dumps(custom_id).encode(),
            ENDPOINT.encode(),
            body,
        )
        if len(file) > MOST_BYTES:
            raise InputError(
                f"The questions of this batch take more than {MOST_BYTES // 10**6} MB.",
                next_step="Send fewer of them at once.",
            )
    return bytes(file)


def _check(questions: Mapping[str, Question]) -> None:
    models = {question.model for question in questions.values()}
    if not questions or len(questions) > MOST_IN_BATCH:
        raise InputError(
            f"A batch takes 1 to {MOST_IN_BATCH:,} questions; these are {len(questions):,}.",
            next_step="Send them in several batches.",
        )
    if len(models) > 1:
        raise InputError(
            f"A batch asks one model; these questions name {len(models)}.",
            next_step="Send a batch for each model.",
        )


class AnswerFiles:
    """Gathers what stands in the files of one batch, piece by piece; the first answer counts.

    Args:
        label_names: The allowed answers.
        is_local: Whether the service is this machine.
        secrets: What no sentence may repeat.

    Attributes:
        answers: Custom id to answer.
    """

    def __init__(
        self, label_names: Sequence[str], *, is_local: bool = False, secrets: Collection[str] = ()
    ) -> None:
        self._label_names = label_names
        self._is_local = is_local
        self._secrets = secrets
        self._rest = b""
        self._is_skipping = False
        self._bytes = 0
        self.answers: dict[str, Answer] = {}

    def feed(self, piece: bytes) -> None:
        """Read on.

        Raises:
            BadReplyError: If the file does not seem to end.
        """
        self._bytes += len(piece)
        if self._bytes > _MOST_ANSWER_BYTES:
            raise BadReplyError(
                "The file of answers is larger than any batch's could be.",
                next_step="Look at the batch at the service itself.",
            )
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if not self._is_skipping:
                self._read(line)
            self._is_skipping = False
        if len(self._rest) > _LONGEST_LINE:
            self._rest, self._is_skipping = b"", True

    def end(self) -> None:
        """Read the last line, and be ready for another file."""
        self.feed(b"\n")

    def _read(self, line: bytes) -> None:
        told = read_json(without_secrets(line, self._secrets))
        custom_id = told.get("custom_id") if isinstance(told, Mapping) else None
        if not isinstance(custom_id, str) or custom_id in self.answers:
            return
        if len(self.answers) == MOST_IN_BATCH or _error_code(told) in _NEVER_REACHED:
            return
        self.answers[custom_id] = self._answer(told)

    def _answer(self, told: Mapping[str, Any]) -> Answer:
        response = told.get("response")
        status = response.get("status_code") if isinstance(response, Mapping) else None
        body = response.get("body") if isinstance(response, Mapping) else None
        if status == 200:
            return read_reply(body, self._label_names, is_local=self._is_local)
        error = body.get("error", body) if isinstance(body, Mapping) else told.get("error")
        shown = f" (HTTP {status})" if isinstance(status, int) and 0 <= status < 1000 else ""
        why = f"The service failed on this line{shown}.{told_by(error, self._secrets)}"
        return Answer(outcome=Outcome.ERROR, detail={"error": why})


def _error_code(told: Mapping[str, Any]) -> str:
    error = told.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, str) else ""


def read_batch(told: Any, secrets: Collection[str] = ()) -> BatchState:
    """Return where a batch stands.

    Args:
        told: The decoded JSON of a service's batch.
        secrets: What no sentence may repeat.

    Raises:
        ValueError: If it is no batch.

    >>> read_batch({"id": "b", "status": "completed", "output_file_id": "f"}).output_file
    'f'
    """
    if not isinstance(told, Mapping) or not isinstance(told.get("id"), str) or not told["id"]:
        raise ValueError("no batch")
    counts = told.get("request_counts")
    counts = counts if isinstance(counts, Mapping) else {}
    return BatchState(
        remote_id=told["id"],
        status=BatchStatus(str(told.get("status"))),
        total=_count(counts.get("total")),
        done=_count(counts.get("completed")),
        failed=_count(counts.get("failed")),
        output_file=_text(told.get("output_file_id")),
        error_file=_text(told.get("error_file_id")),
        error=_why(told.get("errors"), secrets),
    )


def _why(errors: Any, secrets: Collection[str]) -> str:
    """Return the first error of a failed batch with its line, and how many more there are."""
    listed = errors.get("data") if isinstance(errors, Mapping) else None
    known = [e for e in listed if isinstance(e, Mapping)] if isinstance(listed, list) else []
    if not known:
        return ""
    line = _count(known[0].get("line"))
    where = f"It stopped at line {line}." if line else "It was not begun."
    others = len(known) - 1
    more = f" {others} more line{'s' * (others > 1)} failed too." if others else ""
    return f"{where}{told_by(known[0], secrets)}{more}"


def _count(value: Any) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value < 2**53 else 0


def _text(value: Any) -> str:
    return whole_characters(value) if isinstance(value, str) else ""
