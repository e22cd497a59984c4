"""What the tree promises: declared imports, small files, nothing of the machine it was made on."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 500
# Written in two halves, so that this file does not find itself.
FOREIGN = re.compile(
    "|".join(
        left + right
        for left, right in [
            (r"pypi\.", r"(?:org|io)"),
            ("python", r"hosted\.org"),
            (r"registry\.", r"npmjs"),
            (r"deb\.", r"debian\.org"),
            (r"(?<![\w.])/ro", r"ot/"),
            (r"(?<![\w.])/wo", r"rk/"),
            (r"(?<![\w.])/ho", r"me/\w"),
            (r"(?<![\w.])/Us", r"ers/\w"),
            (r"/opt/py", r"pi"),
        ]
    )
)


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [p for name in listed.stdout.split("\0") if name and (p := ROOT / name).is_file()]
    found = [p for pattern in patterns or ("*",) for p in ROOT.rglob(pattern)]
    return [p for p in found if p.is_file() and ".venv" not in p.parts]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def normal(name):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = {normal(name) for name in project["project"]["dependencies"]}
    extras = project["project"]["optional-dependencies"].values()
    extra = {normal(name) for names in extras for name in names}
    dev = {normal(name) for name in project["dependency-groups"]["dev"]}
    return run, extra, dev


def third_party(paths):
    ours = {"studio", "pages", "scripts", "tests", "benchmarks", "app", "asgi"}
    names = {name for path in paths for name in imports_of(path)}
    return names - set(sys.stdlib_module_names) - ours


def test_every_import_of_the_studio_is_declared():
    run, extra, _ = declared()
    owners = metadata.packages_distributions()
    used = third_party(tracked("studio/*.py", "pages/*.py", "app.py", "asgi.py"))
    assert used
    unknown = {
        name: owners.get(name, ["not installed"])
        for name in used
        if not {normal(o) for o in owners.get(name, [name])} & (run | extra)
    }
    assert unknown == {}


def test_every_import_of_tests_and_tools_is_declared():
    known = set.union(*declared())
    owners = metadata.packages_distributions()
    paths = tracked("tests/*.py", "scripts/*.py", "benchmarks/*.py", "data/*.py")
    # What asks by a peer runs in that peer's own environment.
    used = third_party([path for path in paths if path.parts[-3:-1] != ("benchmarks", "peers")])
    undeclared = {n for n in used if not {normal(o) for o in owners.get(n, [n])} & known}
    # Floors and peers of a benchmark are looked for, never required.
    assert {n for n in undeclared if n in owners} == set()


def test_every_dependency_is_pinned_and_explained():
    from scripts.dependencies import NOTES

    run, _, dev = declared()
    pins = {normal(p) for p in (ROOT / "constraints.txt").read_text().splitlines() if p[0] != "#"}
    assert (run | dev) - pins == set(), "run `make lock`"
    assert {normal(name) for name in NOTES} == run | dev


def test_constraints_hold_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.match(r"^(#.*|[\w.-]+==[\w.+-]+( ; .+)?)$", line), line


def test_no_file_of_code_is_longer_than_it_should():
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in tracked("*.py")}
    assert {str(p.relative_to(ROOT)): n for p, n in lengths.items() if n > LONGEST} == {}


def test_nothing_names_a_host_of_packages_or_a_place_on_a_machine():
    found = []
    for path in tracked():
        if path.suffix in {".png", ".ico", ".parquet", ".onnx", ".gz"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in FOREIGN.finditer(text)]
    assert found == []
