"""Where a stored confidence comes from."""

from __future__ import annotations

# Rules make no response; an answer that was stored without a method told none.
METHOD = (
    "CASE WHEN p.confidence IS NULL THEN NULL WHEN p.response_id IS NULL THEN 'rules'"
    " ELSE coalesce(nullif(s.method, ''), 'unknown') END"
)
"""SQL for the method behind a prediction `p`, whose response, if any, is `s`."""
