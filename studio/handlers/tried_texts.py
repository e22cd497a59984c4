"""What previews keep with their runs: the text that was tried, and on which sample."""

from __future__ import annotations

from studio.domain.prompt import PromptText
from studio.workspace import Workspace

PARAM = "preview"
"""Name of what the run of a draft keeps of its preview: sample, seed, looks, the run before."""


def previewed(ws: Workspace, run_id: int) -> PromptText:
    """Return the text that a preview's run tries."""
    return PromptText.from_dict(ws.read.runs.params(run_id).get("body", {}))
