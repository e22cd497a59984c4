"""The schema's sixth step: what rules say of examples, and what else is paid for than runs.

A row of `firing` holds 65,536 example ids of one key; `studio.store.firings` reads and writes the
body. A call that no run makes names its job; a price is of one kind: chat, decisions or training.
"""

M006 = """
CREATE TABLE firing (
  task_id INTEGER NOT NULL REFERENCES task(id), key TEXT NOT NULL, chunk INTEGER NOT NULL,
  kind TEXT NOT NULL, made_by TEXT NOT NULL DEFAULT '', body BLOB NOT NULL,
  PRIMARY KEY (task_id, key, chunk)
) STRICT;
ALTER TABLE ledger ADD COLUMN job_id INTEGER REFERENCES job(id);
CREATE TABLE price_of_kind (
  provider TEXT NOT NULL, model TEXT NOT NULL, kind TEXT NOT NULL, input_usd REAL NOT NULL,
  output_usd REAL NOT NULL, batch_input_usd REAL, batch_output_usd REAL, source TEXT NOT NULL,
  as_of TEXT NOT NULL, set_by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (provider, model, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO price_of_kind SELECT provider, model, 'chat', input_usd, output_usd, batch_input_usd,
  batch_output_usd, source, as_of, set_by, at FROM price;
DROP TABLE price;
ALTER TABLE price_of_kind RENAME TO price;
"""
