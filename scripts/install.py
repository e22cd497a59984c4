"""Make `.venv` in the checkout and install the studio into it; touch nothing else.

    python3.11 -m scripts.install run       what the app needs
    python3.11 -m scripts.install dev       the same and what the tests and checks need

A stamp in `.venv` remembers what was installed, so a second call returns at once. Packages come
through uv when it can be had (several times faster than pip, see docs/install.md), else
through pip; both take their index and certificates from the machine's own pip configuration.
Only the standard library is used: this file runs before anything is installed.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST = (3, 11)

# What pip calls a setting, what uv calls it, and what stands between several values.
UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}


class SetupError(Exception):
    """One sentence for the person at the keyboard."""


def main(argv: Sequence[str]) -> int:
    """Set up the environment named by the one argument, `run` or `dev`."""
    if len(argv) != 1 or argv[0] not in ("run", "dev"):
        sys.stderr.write("Use: python -m scripts.install run|dev\n")
        return 2
    try:
        set_up(argv[0])
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def set_up(group: str) -> None:
    """Bring `.venv` to what pyproject.toml and constraints.txt ask for."""
    wanted = stamp_text()
    stamps = [VENV / f".studio-{name}" for name in (("dev",) if group == "dev" else ("run", "dev"))]
    if any(s.is_file() and s.read_text() == wanted for s in stamps) and PYTHON.exists():
        return
    started = time.perf_counter()
    make_venv(wanted)
    uv = None if os.environ.get("INSTALLER") == "pip" else get_uv()
    say(f"Installing into {VENV.name} with {'uv' if uv else 'pip'} ...")
    if uv is None or not install_with_uv(uv, group):
        install_with_pip(group)
    (VENV / f".studio-{group}").write_text(wanted)
    say(f"The environment is ready after {time.perf_counter() - started:.0f} s.")


def stamp_text() -> str:
    """Return what an installation depends on: place, Python, declared and pinned packages."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", CONSTRAINTS):
        digest.update(path.read_bytes())
    return f"{ROOT}\n{digest.hexdigest()}\n"


def make_venv(wanted: str) -> None:
    """Make `.venv`, unless a working one stands there already."""
    if works() and not moved(wanted):
        return
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"Python 3.11 or newer is needed, this is {version}: "
            "install it, or name it with `make setup PYTHON=/path/to/python3.11`."
        )
    if not has_venv():
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"This Python cannot make environments: install the package {package} "
            f"(`apt-get install {package}` on Debian and Ubuntu) and try again."
        )
    if VENV.exists():
        say(f"{VENV.name} does not work any more and is made anew.")
        shutil.rmtree(VENV)
    call([sys.executable, "-m", "venv", str(VENV)])


def has_venv() -> bool:
    """Whether this Python brings venv and the pip to put into it."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def works() -> bool:
    """Whether `.venv` holds a Python that starts, is new enough and has pip."""
    if not PYTHON.exists():
        return False
    test = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([PYTHON, "-c", test], capture_output=True, check=False).returncode == 0


def moved(wanted: str) -> bool:
    """Whether the checkout stood elsewhere when `.venv` was made: its programs point there."""
    for stamp in VENV.glob(".studio-*"):
        if stamp.read_text().splitlines()[:1] != wanted.splitlines()[:1]:
            return True
    return False


def get_uv() -> Path | None:
    """Return the pinned uv inside `.venv`, installed if need be; None when it cannot be had."""
    uv = VENV / "bin" / "uv"
    pin = re.search(r"^uv==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE)
    asked = f"uv=={pin[1]}" if pin else "uv"
    if pin and list(VENV.glob(f"lib/python*/site-packages/uv-{pin[1]}.dist-info")) and uv.exists():
        return uv
    done = subprocess.run([*pip(), "install", "--quiet", asked], capture_output=True, check=False)
    return uv if done.returncode == 0 and uv.exists() else None


def install_with_uv(uv: Path, group: str) -> bool:
    """Install with uv; False when it could not, so that pip may try."""
    command = [str(uv), "pip", "install", "--python", str(PYTHON)]
    command += ["--constraints", str(CONSTRAINTS), "--build-constraints", str(CONSTRAINTS)]
    command += ["--editable", str(ROOT), *(["--group", "dev"] if group == "dev" else [])]
    if not sys.stderr.isatty():
        command.append("--quiet")
    if "UV_CACHE_DIR" in os.environ:
        command += ["--link-mode", "copy"]
    else:
        # Nothing stays outside .venv: files come from a temporary folder and are linked.
        command.append("--no-cache")
    settings = uv_settings(pip_configuration(), os.environ)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False)
    if done.returncode:
        say("uv could not install; trying pip.")
    return done.returncode == 0


def install_with_pip(group: str) -> None:
    """Install with pip, first bringing it to a version that knows dependency groups."""
    pins = ["--constraint", str(CONSTRAINTS)]
    call([*pip(), "install", "--quiet", "--upgrade", *pins, "pip"])
    extra = ["--group", "dev"] if group == "dev" else []
    call([*pip(), "install", "--quiet", *pins, "--editable", str(ROOT), *extra])


def pip() -> list[str]:
    """Return the command that starts the environment's own pip."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]


def pip_configuration() -> dict[str, str]:
    """Return pip's settings on this machine: environment first, then files."""
    done = subprocess.run([*pip(), "config", "list"], capture_output=True, text=True, check=False)
    return read_configuration(done.stdout)


def read_configuration(listing: str) -> dict[str, str]:
    r"""Return the settings that `pip config list` printed, the strongest of each name.

    >>> read_configuration("global.index-url='https://a'\n:env:.index-url='https://b'")
    {'index-url': 'https://b'}
    """
    strength = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        match = re.match(r"^(:env:|global|install)\.([a-z-]+)=(.*)$", line)
        if match is None:
            continue
        place, name, value = match.groups()
        try:
            text = str(ast.literal_eval(value))
        except (SyntaxError, ValueError):
            text = value
        if name not in found or strength[place] >= found[name][0]:
            found[name] = (strength[place], text)
    return {name: text for name, (_, text) in found.items()}


def uv_settings(configuration: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    r"""Return pip's settings as uv's environment variables; what is set already stays.

    >>> uv_settings({"extra-index-url": "https://a\nhttps://b"}, {})["UV_INDEX"]
    'https://a https://b'
    """
    settings = {
        # pip takes the best version of any index, uv by default the first index that has the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "" if sys.stderr.isatty() else "1",
    }
    for name, (variable, between) in UV_NAMES.items():
        if values := configuration.get(name, "").split():
            settings[variable] = between.join(values)
    return {name: value for name, value in settings.items() if value and name not in environ}


def call(command: list[str]) -> None:
    """Run a command; its own output tells what went wrong, we tell where."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SetupError(
            f"Setting up failed at `{' '.join(command[:6])} ...`; the lines above say why."
        )


def say(sentence: str) -> None:
    """Print to standard error, so that standard output stays the program's."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
