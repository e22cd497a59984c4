"""The schema's sixth step: what rules say of examples, kept so that nothing is computed twice.

A row holds 65,536 example ids of one key; `studio.store.firings` reads and writes the body.
"""

M006 = """
CREATE TABLE firing (
  task_id INTEGER NOT NULL REFERENCES task(id), key TEXT NOT NULL, chunk INTEGER NOT NULL,
  kind TEXT NOT NULL, made_by TEXT NOT NULL DEFAULT '', body BLOB NOT NULL,
  PRIMARY KEY (task_id, key, chunk)
) STRICT;
"""
