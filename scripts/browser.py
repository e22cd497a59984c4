"""Find a Chromium for the journey tests, or install Debian's where that is allowed.

Exits 0 when there is one. When there is none and it cannot be installed, one sentence says how;
under CI=true that is a failure, elsewhere the browser tests skip themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find() -> str | None:
    """Return the browser to use: `STUDIO_CHROMIUM`, else one on the path, else macOS's own."""
    chosen = os.environ.get("STUDIO_CHROMIUM")
    if chosen:
        return chosen if Path(chosen).is_file() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((path for path in MAC if Path(path).is_file()), None)


def install() -> bool:
    """Install Debian's chromium as root or with a sudo that asks nothing; False if not allowed."""
    if not shutil.which("apt-get"):
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if not sudo or subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
            return False
        prefix = [sudo, "-n", "--preserve-env=DEBIAN_FRONTEND"]
    sys.stderr.write("Installing Debian's chromium for the browser tests ...\n")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        subprocess.run(
            [*prefix, *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
    return find() is not None


def main() -> int:
    """Return 0 when there is a browser, or when there need not be one."""
    if find() or install():
        return 0
    must = os.environ.get("CI", "").lower() in ("1", "true", "yes")
    sys.stderr.write(
        "No Chromium was found: install it (`apt-get install chromium` on Debian), or name one "
        "with STUDIO_CHROMIUM=/path; "
        + ("under CI this is a failure.\n" if must else "the browser tests are skipped.\n")
    )
    return 1 if must else 0


if __name__ == "__main__":
    sys.exit(main())
