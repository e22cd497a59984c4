"""The schema's fifth step: what tests of providers found, and consent that was withdrawn."""

M005 = """
CREATE TABLE capability (
  provider TEXT PRIMARY KEY, body TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
ALTER TABLE consent ADD COLUMN withdrawn_by TEXT NOT NULL DEFAULT '';
ALTER TABLE consent ADD COLUMN withdrawn_at TEXT NOT NULL DEFAULT '';
"""
