"""How well the embedded server keeps its contracts, by suites that nobody here wrote.

Each suite runs in an environment of its own (a cache folder; see --environments) against one live
server: jevcompat and jevbench's mini suite and decision-model-guard's audit on /v1/systemone, and
schemathesis on the published operations. For schemathesis the schema gets what it lacks: the ids of
objects that exist, the models served here, and the error envelope for 4xx, so that refusals are
checked too. docs/embedded.md judges what is found. Needs STUDIO_SHARED (default ../shared).

    python benchmarks/embedded_contracts.py [--only schemathesis] [--examples 15]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.environments import CACHE, NotInstalledError, make_environment  # noqa: E402
from studio.embedded import Address, find  # noqa: E402

PINS = Path(__file__).resolve().parent / "contracts"
SPEC = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared"))
SPEC = SPEC / "openapi" / "openai-22-operations.json"
NOT_POSSIBLE = 3
MODEL = "studio-encoder"
PROMPT = "Labels:\n- keto: meat and fish\n- not_keto: bread and sweets"


def main() -> None:
    """Print the Markdown of this part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, default=CACHE / "bench-contracts")
    parser.add_argument("--only", action="append", choices=SUITES)
    parser.add_argument("--examples", type=int, default=15, help="schemathesis: cases an operation")
    asked = parser.parse_args()
    if not SPEC.is_file():
        sys.stderr.write(f"There is no schema at {SPEC}: set STUDIO_SHARED.\n")
        raise SystemExit(NOT_POSSIBLE)
    for name in asked.only or SUITES:
        print(f"### {name}\n")
        try:
            environment = make_environment(PINS / f"{name}.txt", asked.environments / name)
        except NotInstalledError as error:
            print(f"Not measured: {error}.\n")
            continue
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as address:
            SUITES[name](environment, address, Path(folder), asked)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Address]:
    """Run a server of its own for a suite."""
    command = [sys.executable, "-m", "studio.embedded", "--folder", str(folder / "server")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        address = find(folder / "server")
        assert address is not None
        try:
            yield address
        finally:
            process.terminate()


def call(command: Sequence[str], home: Path, environ: Mapping[str, str] = {}) -> tuple[str, float]:
    """Run a suite's command; return what it wrote and how long it took."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=home,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr, time.monotonic() - started


def jevcompat(environment: Path, address: Address, home: Path, _: argparse.Namespace) -> None:
    """Check System One against its written specification."""
    out = home / "report.json"
    root = address.url.removesuffix("/v1")
    program = str(environment / "bin" / "jevcompat")
    said, took = call([program, "test", root, "--key-env", "KEY", "--json", str(out)], home,
                      {"KEY": address.token})  # fmt: skip
    told = json.loads(out.read_text()) if out.is_file() else None
    if told is None:
        raise SystemExit(f"jevcompat failed: {said[-500:]}")
    lines = [line for line in said.splitlines() if re.match(r"(not )?conformant|incomplete", line)]
    print(f"{lines[-1] if lines else 'no verdict'}; {took:.1f} s.\n")


def jevbench(environment: Path, address: Address, home: Path, _: argparse.Namespace) -> None:
    """Measure how coherent the answers are with one another."""
    out = home / "report.json"
    url = f"{address.url}/systemone"
    command = [str(environment / "bin" / "jevbench"), "eval", "--url", url, "--model", "jev-latest"]
    command += ["--no-cache", "--concurrency", "2", "--out", str(out)]
    said, took = call(command, home, {"JEVBENCH_API_KEY": address.token})
    if not out.is_file():
        raise SystemExit(f"jevbench failed: {said[-500:]}")
    report = json.loads(out.read_text())
    scores, result = report["scores"], report["result"]
    print(f"mini suite: overall {100 * scores['overall']:.1f} of 100 ({result['requests']} requests, "
          f"{took:.0f} s)\n")  # fmt: skip
    print("| part | score |\n|---|---|")
    for name, score in {**scores["pillars"], **scores["groups"]}.items():
        print(f"| {name} | {100 * score:.1f} |")
    print()


def guard(environment: Path, address: Address, home: Path, _: argparse.Namespace) -> None:
    """Attack the decisions and stress them."""
    config, card = home / "guard.yml", home / "card.md"
    config.write_text(
        f"model:\n  type: systemone_http\n  url: {address.url}/systemone\n"
        "  model: jev-latest\n  api_key_env: GUARD_KEY\n"
    )
    command = [str(environment / "bin" / "dmguard"), "audit", "--config", str(config), "--no-guard"]
    said, took = call([*command, "--markdown", str(card)], home, {"GUARD_KEY": address.token})
    if not card.is_file():
        raise SystemExit(f"dmguard failed: {said[-500:]}")
    lines = card.read_text().splitlines()
    print(f"decision-model-guard's audit, model alone: {lines[2]} {took:.0f} s.\n")
    print("\n".join(line for line in lines if line.startswith("|")) + "\n")


def schemathesis(
    environment: Path, address: Address, home: Path, asked: argparse.Namespace
) -> None:
    """Throw generated requests at every published operation."""
    spec, out = home / "spec.json", home / "report.json"
    spec.write_text(json.dumps(with_what_is_there(json.loads(SPEC.read_text()), seeds(address))))
    command = [str(environment / "bin" / "schemathesis"), "run", str(spec), "-u", address.url]
    command += ["-H", f"Authorization: Bearer {address.token}", "--seed", "1", "--no-shrink"]
    command += ["-n", str(asked.examples), "--phases", "examples,coverage,fuzzing"]
    command += ["--warnings", "off", "--suppress-health-check", "all", "--report", "json"]
    said, took = call([*command, "--report-json-path", str(out)], home)
    if not out.is_file():
        raise SystemExit(f"schemathesis failed: {said[-500:]}")
    sys.stderr.write(said)
    report = json.loads(out.read_text())
    cases = report["test_cases"]
    print(f"{report['operations']['tested']} operations, {cases['generated']} requests, "
          f"{cases['unique_failures']} findings, {took:.0f} s\n")  # fmt: skip
    print("| finding | times | operations |\n|---|---|---|")
    for found in report["failures"]:
        where = ", ".join(f"`{name}`" for name in found["operations"])
        print(f"| {found['code']} {found['title']} | {found['count']} | {where} |")
    print()


def seeds(address: Address) -> dict[str, dict[str, list[str]]]:
    """Make one of everything; return ids by parameter: to look at, and to delete."""
    head = {"authorization": f"Bearer {address.token}"}
    with httpx2.Client(base_url=address.url, headers=head, timeout=60) as client:

        def upload(content: str, purpose: str) -> str:
            sent = {"file": ("seed.jsonl", content.encode())}
            made = client.post("/files", files=sent, data={"purpose": purpose})
            return str(made.raise_for_status().json()["id"])

        def train() -> dict[str, Any]:
            body = {"model": MODEL, "training_file": training}
            job = client.post("/fine_tuning/jobs", json=body).raise_for_status().json()
            while job["status"] != "succeeded":
                time.sleep(0.1)
                job = client.get(f"/fine_tuning/jobs/{job['id']}").json()
            return dict(job)

        training = upload("\n".join(json.dumps(example(n)) for n in range(40)), "fine-tune")
        asked = {"model": MODEL, "messages": example(0)["messages"][:2]}
        line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": asked}
        body = {
            "input_file_id": upload(json.dumps(line), "batch"),
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        batch = client.post("/batches", json=body).raise_for_status().json()["id"]
        kept, dropped = train(), train()
        spare = upload("{}", "user_data")
    look = {
        "model": [MODEL, kept["fine_tuned_model"]],
        "file_id": [training, *kept["result_files"]],
        "fine_tuning_job_id": [kept["id"]],
        "batch_id": [batch],
    }
    return {"look": look, "delete": {"model": [dropped["fine_tuned_model"]], "file_id": [spare]}}


def example(number: int) -> dict[str, Any]:
    """Return one line of a training file."""
    keto = number % 2 == 0
    text = f"{'grilled salmon' if keto else 'white bread'} number {number}"
    return {
        "messages": [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": text},
            {"role": "assistant", "content": "keto" if keto else "not_keto"},
        ]
    }


def with_what_is_there(
    spec: dict[str, Any], ids: Mapping[str, Mapping[str, list[str]]]
) -> dict[str, Any]:
    """Return the schema with ids that exist, the models served, and the envelope of refusals."""
    envelope = {"$ref": "#/components/schemas/ErrorResponse"}
    refused = {
        "description": "A refusal",
        "content": {"application/json": {"schema": envelope}},
    }
    for item in spec["paths"].values():
        for method, operation in item.items():
            operation["responses"]["4XX"] = refused
            known = {**ids["look"], **(ids["delete"] if method == "delete" else {})}
            for parameter in operation.get("parameters", []):
                if parameter["name"] in known and parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": known[parameter["name"]]}
                    parameter.pop("example", None)
    schemas = spec["components"]["schemas"]
    for name in ("CreateEmbeddingRequest", "CreateFineTuningJobRequest"):
        schemas[name]["properties"]["model"] = {"type": "string", "enum": [MODEL]}
    return spec


SUITES: dict[str, Callable[[Path, Address, Path, argparse.Namespace], None]] = {
    "jevcompat": jevcompat,
    "jevbench": jevbench,
    "guard": guard,
    "schemathesis": schemathesis,
}


if __name__ == "__main__":
    main()
