"""Pin every package, direct or not, that the studio and its tests need, in constraints.txt.

One file serves Python 3.11 and newer on every system. It holds names and versions only: no hosts,
no paths.
"""

from __future__ import annotations

import os
import subprocess
import sys

from scripts.install import CONSTRAINTS, PYTHON, ROOT, get_uv, pip_configuration, uv_settings

# Needed to install, though no dependency of the studio.
TOOLS = "uv\nhatchling\n"
HEADER = "# Every package that `make setup` may install, pinned. Made by `make lock`.\n"


def main() -> int:
    """Write constraints.txt anew."""
    uv = get_uv()
    if uv is None:
        sys.stderr.write("uv could not be installed, so nothing was pinned.\n")
        return 1
    command = [str(uv), "pip", "compile", "pyproject.toml", "-", "--group", "dev"]
    command += ["--extra", "auth", "--extra", "dask", "--universal", "--python", str(PYTHON)]
    command += ["--python-version", "3.11", "--no-header", "--no-annotate", "--quiet"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    environ = {**os.environ, **uv_settings(pip_configuration(), os.environ)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, input=TOOLS, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        return 1
    CONSTRAINTS.write_text(HEADER + done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
