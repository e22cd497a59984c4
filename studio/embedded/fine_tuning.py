"""The fine-tuning jobs of one server: one training at a time, in a process of its own.

Everything is on disk, so jobs survive a restart: a training whose process still lives is waited
for, one that was cut off or paused goes on behind its last fold (it gives the same model), and one
cut off three times fails.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.embedded.disk import read_json, read_lines, write_json
from studio.embedded.files import Files
from studio.embedded.jobs import Job, new_job
from studio.embedded.models import Models
from studio.embedded.protocol import ApiError
from studio.embedded.training import EVENTS, FOLDS, OUTCOME, PHASE, Diary
from studio.errors import NotFoundError

ATTEMPTS = 3
PAUSE = 0.05
RETRY = 5.0
_LOG = logging.getLogger(__name__)
RESULTS = ("results.csv", "per_label.csv", "out_of_fold.json")


class FineTuning:
    """Creates, runs and remembers jobs.

    Args:
        folder: The server's folder.
        files: Where training files come from and result files go.
        models: Where finished models go.
    """

    def __init__(self, folder: Path, files: Files, models: Models) -> None:
        self._root = folder / "jobs"
        self._root.mkdir(parents=True, exist_ok=True)
        self._vectors, self._files, self._models = folder, files, models
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="fine-tuning", daemon=True)

    def start(self) -> None:
        """Take up the jobs found on disk and begin to work."""
        for path in sorted(self._root.glob("*/job.json")):
            try:
                job = Job.load(path.parent)
            except (OSError, ValueError, KeyError):
                _LOG.warning("the job in %s cannot be read", path.parent)
                continue
            self._jobs[job.id] = job
            begun = (job.folder / PHASE).exists() and not (job.folder / OUTCOME).exists()
            if job.wanted and begun:
                Diary(job.folder).say("The server was restarted; the training goes on", "warn")
        self._thread.start()

    def stop(self) -> None:
        """End the running training; it starts again with the next server."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """File a job and return its object.

        Raises:
            ApiError: The request cannot be served.
        """
        job, warned = new_job(body, self._files, self._root)
        shown = job.shown
        job.folder.mkdir(parents=True)
        validation = shown["validation_file"]
        task = {
            "training": str(self._copy(shown["training_file"], job.folder / "training.jsonl")),
            "validation": validation
            and str(self._copy(validation, job.folder / "validation.jsonl")),
            "seed": shown["seed"],
            "vectors": str(self._vectors.resolve()),
        }
        write_json(job.folder / "task.json", task)
        diary = Diary(job.folder)
        diary.say(f"Created fine-tuning job: {job.id}")
        for warning in warned:
            diary.say(warning, "warn")
        with self._lock:
            job.save()
            self._jobs[job.id] = job
            shown = self._shown(job)
        self._wake.set()
        return shown

    def get(self, number: str) -> dict[str, Any]:
        """Return a job's object.

        Raises:
            NotFoundError: There is no such job.
        """
        return self._shown(self._job(number))

    def newest(self) -> list[dict[str, Any]]:
        """Return all jobs, the newest first."""
        with self._lock:
            return [self._shown(self._jobs[number]) for number in sorted(self._jobs, reverse=True)]

    def events(self, number: str) -> list[dict[str, Any]]:
        """Return what a job has said, the newest first."""
        return read_lines(self._job(number).folder / EVENTS)[::-1]

    def checkpoints(self, number: str) -> list[dict[str, Any]]:
        """Return a job's checkpoints, the newest first: models trained on fewer examples."""
        job = self._job(number)
        if job.shown["status"] != "succeeded":
            return []
        return [_checkpoint(job, step) for step in _outcome(job).get("checkpoints", [])][::-1]

    def cancel(self, number: str) -> dict[str, Any]:
        """Stop a job.

        Raises:
            NotFoundError: There is no such job.
            ApiError: It has ended already.
        """
        job = self._job(number)
        with self._lock:
            if not job.active:
                raise ApiError(
                    f"Job {number} has already {job.shown['status']}.", code="job_not_cancellable"
                )
            self._end(job, "cancelled")
            Diary(job.folder).say("The job was cancelled")
        return self._shown(job)

    def pause(self, number: str) -> dict[str, Any]:
        """Let a job rest: its training ends, what it has found is kept; others take its turn.

        Raises:
            NotFoundError: There is no such job.
            ApiError: It has ended already.
        """
        return self._rest(number, True, "The job was paused")

    def resume(self, number: str) -> dict[str, Any]:
        """Let a paused job go on behind its last fold.

        Raises:
            NotFoundError: There is no such job.
            ApiError: It has ended already.
        """
        return self._rest(number, False, "The job was resumed")

    def _rest(self, number: str, paused: bool, said: str) -> dict[str, Any]:
        job = self._job(number)
        with self._lock:
            if not job.active:
                verb = "pausable" if paused else "resumable"
                message = f"Job {number} has already {job.shown['status']}."
                raise ApiError(message, code=f"job_not_{verb}")
            if job.paused != paused:
                job.paused = paused
                job.save()
                Diary(job.folder).say(said)
        self._wake.set()
        return self._shown(job)

    def _job(self, number: str) -> Job:
        with self._lock:
            if number not in self._jobs:
                raise NotFoundError(f"Could not find fine tune: {number}")
            return self._jobs[number]

    def _shown(self, job: Job) -> dict[str, Any]:
        shown = {**job.shown, "studio": {"paused": job.paused and job.active}}
        if job.wanted and job.attempts:
            try:
                shown["status"] = read_json(job.folder / PHASE)["status"]
            except (OSError, ValueError, KeyError):
                shown["status"] = "validating_files"
        return shown

    def _copy(self, number: str, path: Path) -> Path:
        shutil.copyfile(self._files.path(number), path)
        return path.resolve()

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                waiting = [job for _, job in sorted(self._jobs.items()) if job.wanted]
            if waiting:
                self._try(waiting[0])
            else:
                self._wake.wait(1.0)
                self._wake.clear()

    def _try(self, job: Job) -> None:
        """Advance a job; what goes wrong on the way ends this job, never the work on others."""
        try:
            self._advance(job)
        except Exception as error:
            _LOG.exception("job %s could not be brought forward", job.id)
            with contextlib.suppress(OSError):
                why = f"The server could not go on with it: {type(error).__name__}: {error}"
                self._fail(job, "server_error", why)
            if job.active:
                self._stop.wait(RETRY)

    def _advance(self, job: Job) -> None:
        """Bring one job to its end, or leave it as it is when the server stops."""
        ended = "is still to begin"
        if not (job.folder / OUTCOME).exists():
            if job.training_lives():
                self._wait_for(job, None)
            elif job.attempts >= ATTEMPTS:
                return self._fail(job, "training_interrupted", f"It was cut off {ATTEMPTS} times.")
            else:
                ended = self._train(job)
        if self._stop.is_set() or not job.wanted or job.training_lives():
            return None
        outcome = _outcome(job)
        if outcome.get("ok"):
            return self._succeed(job, outcome)
        if outcome:
            found = outcome["error"]
            return self._fail(job, found["code"], found["message"], found["param"])
        if ended == "is still to begin":
            return None
        return self._fail(job, "training_stopped", f"The training process {ended}.")

    def _train(self, job: Job) -> str:
        """Run the training process; return how it ended."""
        with self._lock:
            if not job.wanted:
                return "is still to begin"
            job.attempts += 1
            job.save()
        source = str(Path(__file__).resolve().parents[2])
        paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        # -P: the folder we were started in holds people's files, not modules.
        module = ["-P", "-m", "studio.embedded.training"]
        command = [sys.executable, *module, str(job.folder.resolve())]
        with (job.folder / "stderr.txt").open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 (our own module)
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                env=environment, start_new_session=True,
            )  # fmt: skip
            by_us = self._wait_for(job, process)
        with self._lock:
            if by_us and job.active and not (job.folder / OUTCOME).exists():
                job.attempts -= 1
                job.save()
                return "is still to begin"
        return _how_it_ended(process.returncode, job.folder / "stderr.txt")

    def _wait_for(self, job: Job, process: subprocess.Popen[bytes] | None) -> bool:
        """Wait for a training, ours or one left over; end it, and say so, when it is not wanted."""
        by_us = False
        while process.poll() is None if process else job.training_lives():
            if self._stop.is_set() or not job.wanted:
                by_us = True
                _terminate(job, process)
            time.sleep(PAUSE)
        return by_us

    def _succeed(self, job: Job, outcome: dict[str, Any]) -> None:
        out, diary = job.folder / "out", Diary(job.folder)
        now = int(time.time())
        facts = {"job": job.id, "metrics": outcome["metrics"]}
        facts["head_sha256"] = read_json(out / "head" / "head.json")["sha256"]
        self._models.publish(job.model, out, now, facts)
        made = [
            self._files.add(f"{job.id}-{name}", (out / name).read_bytes(), "fine-tune-results")
            for name in RESULTS
        ]
        for step in outcome["checkpoints"]:
            diary.say(f"Checkpoint created at step {step['step']}")
        diary.say(f"New fine-tuned model created: {job.model}", model=job.model)
        diary.say("The job has successfully completed")
        with self._lock:
            if not job.active:
                return self._models.delete(job.model)
            job.shown |= {
                "fine_tuned_model": job.model,
                "result_files": [one["id"] for one in made],
                "trained_tokens": outcome["trained_tokens"],
            }
            self._end(job, "succeeded")
        shutil.rmtree(out, ignore_errors=True)

    def _fail(self, job: Job, code: str, message: str, param: str | None = None) -> None:
        with self._lock:
            if not job.active:
                return
            Diary(job.folder).say(f"The job failed: {message}", "error")
            job.shown["error"] = {"code": code, "message": message, "param": param}
            self._end(job, "failed")

    def _end(self, job: Job, status: str) -> None:
        job.shown |= {"status": status, "finished_at": int(time.time())}
        job.save()
        shutil.rmtree(job.folder / FOLDS, ignore_errors=True)
        for copy in ("training.jsonl", "validation.jsonl"):
            (job.folder / copy).unlink(missing_ok=True)


def _outcome(job: Job) -> dict[str, Any]:
    try:
        return read_json(job.folder / OUTCOME)
    except (OSError, ValueError):
        return {}


def _checkpoint(job: Job, step: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt-{job.id[6:]}-{step['step']}",
        "created_at": job.shown["finished_at"],
        "fine_tuned_model_checkpoint": f"{job.model}:ckpt-step-{step['step']}",
        "step_number": step["step"],
        "metrics": step,
        "fine_tuning_job_id": job.id,
    }


def _terminate(job: Job, process: subprocess.Popen[bytes] | None) -> None:
    """End a training process: our own by its handle, one left over by the number it wrote."""
    if process:
        process.kill()
        return
    try:
        number = int((job.folder / "pid").read_text())
        if job.training_lives():
            os.kill(number, signal.SIGKILL)
    except (OSError, ValueError):
        return


def _how_it_ended(code: int, errors: Path) -> str:
    if code < 0:
        return f"was ended from outside by signal {-code}"
    lines = errors.read_text(errors="replace").strip().splitlines()
    return f"ended with code {code}" + (f": {lines[-1][:300]}" if lines else "")
