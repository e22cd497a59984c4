"""What a training does, from the files to the model and its result files."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from studio.embedded.cache import VectorCache
from studio.embedded.disk import write_bytes, write_json
from studio.embedded.encoder import Encoder, Matrix, load_encoder
from studio.embedded.features import Vocabulary
from studio.embedded.fitting import (
    Crossed,
    Floats,
    Ints,
    Material,
    cross_validate,
    deal_folds,
    figures,
    fit,
    log_loss,
    logits_of,
    softmax,
)
from studio.embedded.folds import FoldsOnDisk
from studio.embedded.head import Head, HeadFacts
from studio.embedded.reading import Line, read_prompt
from studio.embedded.training import FOLDS, PHASE, Diary
from studio.embedded.training_data import (
    TrainingExample,
    TrainingFileError,
    main_prompt,
    normalised,
    read_training_file,
    warnings_about,
)
from studio.embedded.weights import file_sha256

CURVE = (0.1, 0.2, 0.4, 0.7, 1.0)
CHECKPOINTS = (0.4, 0.7)
CHUNK = 256


@dataclass
class Bench:
    """Everything a training works with."""

    task: dict[str, Any]
    folder: Path
    diary: Diary
    encoder: Encoder
    cache: VectorCache
    examples: list[TrainingExample]
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    system: str
    vocabulary: Vocabulary
    material: Material
    line_vectors: Matrix
    data_sha256: str

    @property
    def out(self) -> Path:
        """Return where the model and its result files go."""
        return self.folder / "out"

    @property
    def truth(self) -> Ints:
        """Return the label's number of each example."""
        return self.material.target[: self.material.count]


def train(task: dict[str, Any], folder: Path, diary: Diary) -> dict[str, Any]:
    """Train one model and write everything a user may ask for; return the facts of it.

    Raises:
        TrainingFileError: A file cannot be used.
    """
    _phase(folder, "validating_files")
    diary.say("Validating training file")
    training = read_training_file(Path(task["training"]))
    validation = _validation(task)
    if len({example.label for example in training}) < 2:
        raise TrainingFileError("The file names one label only; at least two are needed.")
    if len({normalised(example.text) for example in training}) < 2:
        raise TrainingFileError(
            "All its texts are the same; at least two different texts are needed."
        )
    for warning in warnings_about(training, validation):
        diary.say(warning, "warn")
    diary.say("Files validated, moving job to queued state")
    _phase(folder, "running")
    diary.say("Fine-tuning job started", examples=len(training))
    shutil.rmtree(folder / "out", ignore_errors=True)
    bench = _prepare(task, folder, diary, training)
    try:
        return _train(bench, validation)
    finally:
        bench.cache.close()


def _validation(task: dict[str, Any]) -> list[TrainingExample]:
    path = task.get("validation")
    return read_training_file(Path(path), "validation_file") if path else []


def _prepare(
    task: dict[str, Any], folder: Path, diary: Diary, training: list[TrainingExample]
) -> Bench:
    encoder = load_encoder()
    if encoder.note:
        diary.say(encoder.note, "warn")
    cache = VectorCache(Path(task["vectors"]), encoder)
    labels = tuple(sorted({example.label for example in training}))
    system = main_prompt(training)
    lines = tuple(line for line in read_prompt(system, labels).lines if line.kind != "name")
    words = [example.text for example in training]
    vectors = _vectors(cache, [*words, *(line.embedded for line in lines)], diary)
    vocabulary = Vocabulary.learn(words)
    terms = vocabulary.matrix([*words, *(line.text for line in lines)])
    place = {label: number for number, label in enumerate(labels)}
    spoken = [*(one.label for one in training), *(line.label for line in lines)]
    target = np.array([place[label] for label in spoken], dtype=np.int64)
    material = Material(vectors.astype(np.float64), terms, target, len(lines), len(labels))
    return Bench(
        task, folder, diary, encoder, cache, training, labels, lines, system, vocabulary, material,
        vectors[len(words) :], file_sha256(Path(task["training"])),
    )  # fmt: skip


def _vectors(cache: VectorCache, texts: Sequence[str], diary: Diary) -> Matrix:
    found = []
    for start in range(0, len(texts), CHUNK):
        found += [known.vector for known in cache.look_up(texts[start : start + CHUNK])]
        done = min(start + CHUNK, len(texts))
        if done % (CHUNK * 8) == 0 and done < len(texts):
            diary.say(f"Read {done} of {len(texts)} texts", done=done, total=len(texts))
    return np.vstack(found)


def _train(bench: Bench, validation: list[TrainingExample]) -> dict[str, Any]:
    material, diary = bench.material, bench.diary
    groups = [normalised(example.text) for example in bench.examples]
    folds = deal_folds(groups, bench.truth.tolist(), bench.task["seed"])
    crossed = _cross(bench, folds)
    measured = figures(crossed.chances, bench.truth, bench.labels)
    diary.measure(
        f"Out of fold: macro-F1 {measured['macro_f1']:.3f}, accuracy {measured['accuracy']:.3f}",
        kind="out_of_fold", c=crossed.c, temperature=round(crossed.temperature, 3), **measured,
    )  # fmt: skip
    steps, checkpoints = _curve(bench, folds, crossed)
    fitted = fit(material, np.arange(material.count), crossed.c)
    head = _head(bench, fitted, crossed, measured, material.count)
    if validation:
        measured = measured | {"validation": _on_validation(bench, head, validation)}
        head = _head(bench, fitted, crossed, measured, material.count)
    head.save(bench.out / "head")
    _write_results(bench, folds, crossed, measured, steps)
    tokens = sum(bench.encoder.count_tokens(example.content) for example in bench.examples)
    return {"trained_tokens": tokens, "metrics": measured, "checkpoints": checkpoints}


def _cross(bench: Bench, folds: Ints) -> Crossed:
    truth, facts = bench.truth, [bench.data_sha256, bench.task["seed"], bench.encoder.fingerprint]
    disk = FoldsOnDisk(bench.folder / FOLDS, json.dumps(facts))
    known = disk.load()
    done = sum(len(fold.logits) for fold in known.values())
    if done:
        bench.diary.say(f"Going on behind the {done} trainings done before", done=done)

    def told(fold: int, of: int, c: float) -> None:
        disk.save(fold, known[fold])
        found = figures(softmax(known[fold].logits[c]), truth[folds == fold], bench.labels)
        found.pop("labels")
        bench.diary.measure(
            f"Fold {fold + 1} of {of} at C={c:g}: macro-F1 {found['macro_f1']:.3f}",
            kind="fold", fold=fold + 1, c=c, **found,
        )  # fmt: skip

    return cross_validate(bench.material, folds, told, known)


def _curve(
    bench: Bench, folds: Ints, crossed: Crossed
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Train on growing shares and measure on the first fold; keep two of them as checkpoints."""
    material, truth = bench.material, bench.truth
    out, rest = np.flatnonzero(folds == 0), np.flatnonzero(folds != 0)
    rest = np.random.default_rng(bench.task["seed"]).permutation(rest)
    steps: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    fitted: tuple[Floats, Floats] | None = None
    for share in CURVE:
        rows = rest[: max(2, round(share * len(rest)))]
        fitted = fit(material, rows, crossed.c, fitted)
        held = softmax(logits_of(material, fitted, out) / crossed.temperature)
        seen = softmax(logits_of(material, fitted, rows) / crossed.temperature)
        found = figures(held, truth[out], bench.labels)
        step = {
            "step": len(rows),
            "train_loss": round(log_loss(seen, truth[rows]), 4),
            "train_mean_token_accuracy": round(float((seen.argmax(1) == truth[rows]).mean()), 4),
            "valid_loss": found["log_loss"],
            "valid_mean_token_accuracy": found["accuracy"],
        }
        bench.diary.measure(
            f"Step {len(rows)}/{len(rest)}: macro-F1 {found['macro_f1']:.3f} on {len(out)}",
            kind="learning_curve", examples=len(rows), macro_f1=found["macro_f1"], **step,
        )  # fmt: skip
        steps.append(step | {"macro_f1": found["macro_f1"]})
        if share in CHECKPOINTS and len(rest) >= 40:
            _head(bench, fitted, crossed, found, len(rows)).save(bench.out / f"step-{len(rows)}")
            checkpoints.append(step)
    return steps, checkpoints


def _head(
    bench: Bench,
    fitted: tuple[Floats, Floats],
    crossed: Crossed,
    measured: dict[str, Any],
    count: int,
) -> Head:
    facts = HeadFacts(
        bench.labels, bench.system, bench.encoder.engine, bench.encoder.fingerprint,
        crossed.temperature, crossed.c, bench.task["seed"], count, bench.data_sha256, measured,
    )  # fmt: skip
    weights, bias = (part.astype(np.float32) for part in fitted)
    return Head(facts, bench.vocabulary, weights, bias, bench.lines, bench.line_vectors)


def _on_validation(bench: Bench, head: Head, validation: list[TrainingExample]) -> dict[str, Any]:
    """Measure on the validation file; a label the model has never seen counts as wrong."""
    labels = [*bench.labels, *sorted({one.label for one in validation} - set(bench.labels))]
    vectors = _vectors(bench.cache, [one.text for one in validation], bench.diary)
    chances = np.zeros((len(validation), len(labels)))
    for row, (one, vector) in enumerate(zip(validation, vectors, strict=True)):
        found = head.score(vector, one.text).probabilities
        chances[row, : len(bench.labels)] = [found[label] for label in bench.labels]
    truth = np.array([labels.index(one.label) for one in validation], dtype=np.int64)
    found = figures(chances, truth, labels)
    bench.diary.measure(
        f"Validation file: macro-F1 {found['macro_f1']:.3f}, accuracy {found['accuracy']:.3f}",
        kind="validation",
        full_valid_loss=found["log_loss"],
        full_valid_mean_token_accuracy=found["accuracy"],
        **found,
    )
    return found


def _write_results(
    bench: Bench,
    folds: Ints,
    crossed: Crossed,
    measured: dict[str, Any],
    steps: list[dict[str, Any]],
) -> None:
    """Write the three files a job lists as its results."""
    renamed = [
        [step["step"], step["train_loss"], step["train_mean_token_accuracy"], step["valid_loss"],
         step["valid_mean_token_accuracy"], step["macro_f1"]]
        for step in steps
    ]  # fmt: skip
    header = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy,valid_macro_f1"
    _write_csv(bench.out / "results.csv", header.split(","), renamed)
    rows = [[label, *found.values()] for label, found in measured["labels"].items()]
    names = ["label", "precision", "recall", "f1", "support"]
    _write_csv(bench.out / "per_label.csv", names, rows)
    chances = np.round(crossed.chances, 6).tolist()
    held_out = {
        "labels": bench.labels,
        "c": crossed.c,
        "temperature": crossed.temperature,
        "seed": bench.task["seed"],
        "metrics": measured,
        "rows": [
            {
                "line": example.line,
                "text": example.text,
                "label": example.label,
                "predicted": bench.labels[int(np.argmax(found))],
                "fold": int(fold),
                "probabilities": found,
            }
            for example, fold, found in zip(bench.examples, folds, chances, strict=True)
        ],
    }
    write_bytes(bench.out / "out_of_fold.json", json.dumps(held_out, ensure_ascii=False).encode())


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def _phase(folder: Path, status: str) -> None:
    write_json(folder / PHASE, {"status": status})
