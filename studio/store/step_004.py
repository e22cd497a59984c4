"""The schema's fourth step: by which path a provider is asked, and where probabilities come from.

Of what was stored before, only our own server told its engine; all other probabilities were read
off tokens.
"""

M004 = """
ALTER TABLE provider ADD COLUMN wire TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE response ADD COLUMN method TEXT NOT NULL DEFAULT '';
UPDATE response SET method = iif(json_extract(detail, '$.engine') IS NULL, 'logprobs', 'server')
  WHERE probabilities != '{}';
"""
