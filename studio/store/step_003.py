"""The schema's third step: what a page, a search and a count of a million examples need.

Whatever a screen walks carries the split, so that no model is read beside a test example to find
out that it must not be shown. Triggers keep it and the counts in the writer's own transaction, so
no writer can forget them; `studio.store.recount` tells whether they hold. New texts are put into
the index of words by `Examples.add`: a trigger has SQLite write its index at each row, which made
an import twice as slow.
"""

M003 = """
ALTER TABLE gold ADD COLUMN split TEXT;
UPDATE gold SET split = (SELECT e.split FROM example e WHERE e.id = gold.example_id);
DROP INDEX gold_task;
CREATE INDEX gold_split ON gold (task_id, split, label_id, example_id);
ALTER TABLE current_label ADD COLUMN task_id INTEGER REFERENCES task(id);
ALTER TABLE current_label ADD COLUMN split TEXT;
UPDATE current_label SET (task_id, split) =
  (SELECT e.task_id, e.split FROM example e WHERE e.id = current_label.example_id);
CREATE INDEX current_label_person ON current_label (task_id, person, split, example_id)
  WHERE label_id IS NOT NULL;
ALTER TABLE prediction ADD COLUMN split TEXT;
UPDATE prediction SET split = (SELECT e.split FROM example e WHERE e.id = prediction.example_id);
DROP INDEX prediction_confidence;
CREATE INDEX prediction_sure ON prediction (run_id, split, confidence, example_id);
CREATE INDEX prediction_label ON prediction (run_id, split, label_id, example_id);
CREATE INDEX prediction_label_sure ON prediction (run_id, split, label_id, confidence, example_id);
CREATE INDEX prediction_example ON prediction (example_id);
CREATE TABLE run_error (
  run_id INTEGER NOT NULL REFERENCES run(id), example_id INTEGER NOT NULL REFERENCES example(id),
  split TEXT NOT NULL, confidence REAL, PRIMARY KEY (run_id, example_id)
) STRICT, WITHOUT ROWID;
INSERT INTO run_error SELECT p.run_id, p.example_id, g.split, p.confidence
  FROM gold g JOIN prediction p ON p.example_id = g.example_id WHERE p.label_id IS NOT g.label_id;
CREATE INDEX run_error_split ON run_error (run_id, split, example_id);
CREATE INDEX run_error_sure ON run_error (run_id, split, confidence, example_id);
CREATE INDEX run_error_example ON run_error (example_id);
CREATE INDEX test_look_task ON test_look (task_id);
CREATE TABLE example_count (
  task_id INTEGER NOT NULL REFERENCES task(id), split TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (task_id, split)
) STRICT, WITHOUT ROWID;
INSERT INTO example_count SELECT task_id, split, count(*) FROM example GROUP BY 1, 2;
CREATE TABLE gold_count (
  task_id INTEGER NOT NULL REFERENCES task(id), split TEXT NOT NULL,
  label_id INTEGER NOT NULL, origin TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (task_id, split, label_id, origin)
) STRICT, WITHOUT ROWID;
INSERT INTO gold_count SELECT task_id, split, label_id, origin, count(*) FROM gold GROUP BY 1, 2, 3, 4;
CREATE VIRTUAL TABLE example_fts USING fts5(
  text, content='example', content_rowid='id', detail=none, columnsize=0, prefix='1 2 3',
  tokenize="unicode61 remove_diacritics 2"
);
INSERT INTO example_fts (example_fts, rank) VALUES ('hashsize', 33554432);
INSERT INTO example_fts (example_fts) VALUES ('rebuild');
CREATE TRIGGER example_added AFTER INSERT ON example BEGIN
  INSERT INTO example_count VALUES (new.task_id, new.split, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER example_removed AFTER DELETE ON example BEGIN
  INSERT INTO example_fts (example_fts, rowid, text) VALUES ('delete', old.id, old.text);
  UPDATE example_count SET n = n - 1 WHERE task_id = old.task_id AND split = old.split;
END;
CREATE TRIGGER example_reworded AFTER UPDATE OF text ON example BEGIN
  INSERT INTO example_fts (example_fts, rowid, text) VALUES ('delete', old.id, old.text);
  INSERT INTO example_fts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER example_moved AFTER UPDATE OF split ON example WHEN new.split IS NOT old.split BEGIN
  UPDATE example_count SET n = n - 1 WHERE task_id = old.task_id AND split = old.split;
  INSERT INTO example_count VALUES (new.task_id, new.split, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE gold SET split = new.split WHERE example_id = new.id;
  UPDATE current_label SET split = new.split WHERE example_id = new.id;
  UPDATE prediction SET split = new.split WHERE example_id = new.id;
  UPDATE run_error SET split = new.split WHERE example_id = new.id;
END;
DROP TRIGGER label_event_current;
CREATE TRIGGER label_event_current AFTER INSERT ON label_event BEGIN
  INSERT INTO current_label (example_id, person, label_id, origin, event_id, task_id, split)
  VALUES (new.example_id, new.person, new.label_id, new.origin, new.id, new.task_id,
    (SELECT split FROM example WHERE id = new.example_id))
  ON CONFLICT (example_id, person) DO UPDATE
  SET label_id = excluded.label_id, origin = excluded.origin, event_id = excluded.event_id;
END;
CREATE TRIGGER gold_added AFTER INSERT ON gold BEGIN
  UPDATE gold SET split = (SELECT split FROM example WHERE id = new.example_id)
    WHERE example_id = new.example_id AND new.split IS NULL;
  INSERT INTO gold_count
    SELECT task_id, split, label_id, origin, 1 FROM gold WHERE example_id = new.example_id
    ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO run_error SELECT p.run_id, p.example_id, e.split, p.confidence
    FROM prediction p JOIN example e ON e.id = p.example_id
    WHERE p.example_id = new.example_id AND p.label_id IS NOT new.label_id;
END;
CREATE TRIGGER gold_removed AFTER DELETE ON gold BEGIN
  UPDATE gold_count SET n = n - 1 WHERE task_id = old.task_id AND split = old.split
    AND label_id = old.label_id AND origin = old.origin;
  DELETE FROM run_error WHERE example_id = old.example_id;
END;
CREATE TRIGGER gold_changed AFTER UPDATE OF label_id, origin, split ON gold
WHEN old.split IS NOT NULL BEGIN
  UPDATE gold_count SET n = n - 1 WHERE task_id = old.task_id AND split = old.split
    AND label_id = old.label_id AND origin = old.origin;
  INSERT INTO gold_count VALUES (new.task_id, new.split, new.label_id, new.origin, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER gold_relabeled AFTER UPDATE OF label_id ON gold WHEN new.label_id IS NOT old.label_id BEGIN
  DELETE FROM run_error WHERE example_id = new.example_id;
  INSERT INTO run_error SELECT p.run_id, p.example_id, new.split, p.confidence
    FROM prediction p WHERE p.example_id = new.example_id AND p.label_id IS NOT new.label_id;
END;
CREATE TRIGGER prediction_placed AFTER INSERT ON prediction WHEN new.split IS NULL BEGIN
  UPDATE prediction SET split = (SELECT split FROM example WHERE id = new.example_id)
    WHERE run_id = new.run_id AND example_id = new.example_id;
END;
CREATE TRIGGER prediction_wrong AFTER INSERT ON prediction
WHEN EXISTS (SELECT 1 FROM gold WHERE example_id = new.example_id AND label_id IS NOT new.label_id) BEGIN
  INSERT INTO run_error
    SELECT new.run_id, new.example_id, split, new.confidence FROM example WHERE id = new.example_id;
END;
CREATE TRIGGER prediction_removed AFTER DELETE ON prediction BEGIN
  DELETE FROM run_error WHERE run_id = old.run_id AND example_id = old.example_id;
END;
"""
