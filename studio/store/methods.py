"""Where a stored confidence comes from."""

from __future__ import annotations

# Rules make no response, and what they say is a probability where it was fitted on gold
# (`Joining.confidence`); an answer that was stored without a method told none.
METHOD = (
    "CASE WHEN p.confidence IS NULL THEN NULL WHEN p.response_id IS NULL THEN coalesce("
    "(SELECT 'weighed' FROM run WHERE id = p.run_id AND params ->> '$.joining.method' <> 'expert'"
    " AND params ->> '$.joining.gold' >= 50), 'rules')"
    " WHEN (SELECT CASE kind WHEN 'joined' THEN params ->> '$.rules_and_text.way' END"
    "  FROM run WHERE id = p.run_id) IN ('joined', 'weighed') THEN 'joined'"
    " ELSE coalesce(nullif(s.method, ''), 'unknown') END"
)
"""SQL for the method behind a prediction `p`, whose response, if any, is `s`."""
