"""Whether texts may leave this machine: asked once for a task and host, and kept."""

from __future__ import annotations

from studio.domain.estimate import Estimate
from studio.errors import ConsentNeededError
from studio.providers.base import Provider
from studio.workspace import Workspace


def check_consent(
    ws: Workspace,
    task_id: int,
    service: Provider,
    told: Estimate,
    *,
    what: str,
    consent: bool,
    by: str,
) -> None:
    """Let nothing leave the machine before somebody agreed; keep who did and what was shown.

    Who agreed to send texts did not agree to send another column as well: that is asked anew.

    Args:
        ws: The workspace.
        task_id: The task whose texts would be sent.
        service: Where.
        told: What would be asked, and its cost.
        what: What would send them, as a sentence begins.
        consent: Whether the person agrees now.
        by: Who.

    Raises:
        ConsentNeededError: If texts would leave the machine and nobody agreed.
    """
    if service.is_local or ws.store.providers.has_consent(task_id, service.host, told.columns):
        return
    if not consent:
        raise ConsentNeededError(
            told.consent_text(what),
            next_step="Agree with --yes, or on the page; it is asked once for a task and host.",
        )
    ws.store.providers.record_consent(
        task_id, provider=service.name, host=service.host, person=by, at=ws.now(),
        shown=told.to_dict(),
    )  # fmt: skip
