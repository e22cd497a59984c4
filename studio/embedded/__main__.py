"""`python -m studio.embedded --folder F --port N`: the server alone."""

from __future__ import annotations

import argparse
import sys

from studio.embedded.server import serve
from studio.errors import StudioError


def main() -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m studio.embedded", description=__doc__)
    parser.add_argument("--folder", required=True, help="where the server keeps its files")
    parser.add_argument("--port", type=int, default=0, help="port of 127.0.0.1; 0 takes a free one")
    given = parser.parse_args()
    try:
        serve(given.folder, given.port)
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
