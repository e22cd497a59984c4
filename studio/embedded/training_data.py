"""Reading a fine-tuning file: OpenAI's chat JSONL, with errors that name the line."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.embedded.conversation import Turn, label_of, parse_json, read_turns, user_text
from studio.errors import InputError

LEAST = 10


class TrainingFileError(InputError):
    """A training or validation file cannot be used."""

    code = "invalid_file_format"

    def __init__(self, message: str, param: str = "training_file") -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class TrainingExample:
    """One line of a fine-tuning file.

    Attributes:
        line: Its number in the file, from 1.
        system: The prompt it was written with.
        text: What was judged.
        label: The answer.
        content: Every message's words, to count tokens.
    """

    line: int
    system: str
    text: str
    label: str
    content: str


def read_training_file(path: Path, param: str = "training_file") -> list[TrainingExample]:
    """Return the examples of a file.

    Raises:
        TrainingFileError: A line cannot be read, or there are fewer than ten examples (a
            validation file may have one).
    """
    examples: list[TrainingExample] = []
    wrong: list[tuple[int, str]] = []
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise TrainingFileError(f"The file is not UTF-8: {error.reason}.", param) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            examples.append(_example(number, line))
        except (ValueError, RecursionError) as error:
            wrong.append((number, str(error)))
    _refuse(wrong, param)
    least = LEAST if param == "training_file" else 1
    if len(examples) < least:
        raise TrainingFileError(
            f"The file has {len(examples)} examples; at least {least} are needed.", param
        )
    return examples


def main_prompt(examples: Sequence[TrainingExample]) -> str:
    """Return the prompt most examples were written with."""
    return Counter(example.system for example in examples).most_common(1)[0][0]


def normalised(text: str) -> str:
    """Return a text without case, spacing, punctuation and digits' values: near copies are equal.

    >>> normalised("Fried  rice, 2 cups!") == normalised("fried rice 3 cups")
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"\d+", "0", plain)
    return " ".join(re.findall(r"\w+", plain)) or plain.strip()


def warnings_about(
    training: Sequence[TrainingExample], validation: Sequence[TrainingExample]
) -> list[str]:
    """Return what is odd about the files, a sentence each."""
    said = []
    answers: dict[str, set[str]] = {}
    for example in training:
        answers.setdefault(normalised(example.text), set()).add(example.label)
    twice = len(training) - len(answers)
    if twice:
        said.append(f"{twice} training examples repeat another one; copies share a fold.")
    torn = sum(len(labels) > 1 for labels in answers.values())
    if torn:
        said.append(f"{torn} texts carry two labels in the training file.")
    shared = [example.line for example in validation if normalised(example.text) in answers]
    if shared:
        said.append(
            f"{len(shared)} validation examples are also in the training file (first: line "
            f"{shared[0]}); figures on them are too good."
        )
    new = {example.label for example in validation} - {example.label for example in training}
    if new:
        said.append(f"Labels only in the validation file: {', '.join(sorted(new))}.")
    for label, count in Counter(example.label for example in training).items():
        if count < 5:
            said.append(f"The label {label} has {count} training examples; give it at least 5.")
    if len({example.system for example in training}) > 1:
        said.append("The lines carry different prompts; the most frequent one is used.")
    return said


def _example(number: int, line: str) -> TrainingExample:
    try:
        given = parse_json(line)
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error
    if not isinstance(given, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 (one family for every bad line)
    if "messages" not in given:
        if "prompt" in given:
            raise ValueError("is in the old prompt/completion form; write it as messages")
        raise ValueError('has no "messages"')
    turns = _turns(given["messages"])
    label, text = label_of(turns[-1].text), user_text(turns[-2].text)[0]
    if not label:
        raise ValueError("names no label in its assistant message")
    if not text.strip():
        raise ValueError("has an empty user message")
    system = "\n".join(turn.text for turn in turns if turn.role in ("system", "developer"))
    return TrainingExample(number, system, text, label, "\n".join(turn.text for turn in turns))


def _turns(messages: object) -> list[Turn]:
    turns = read_turns(messages)
    if turns[-1].role != "assistant":
        raise ValueError("does not end with an assistant message")
    if len(turns) < 2 or turns[-2].role != "user":
        raise ValueError("has no user message before its answer")
    return turns


def _refuse(wrong: Sequence[tuple[int, str]], param: str) -> None:
    if not wrong:
        return
    number, reason = wrong[0]
    more = ", ".join(str(other) for other, _ in wrong[1:11])
    rest = f" Also wrong: line {more}{' ...' if len(wrong) > 11 else ''}." if more else ""
    raise TrainingFileError(f"Line {number} {reason.rstrip('.')}.{rest}", param)
