"""The schema's seventh step: what people do together, in bulk, and to the label set itself.

Decisions of one deed are taken back together. Marks are appended as decisions are, and what holds
now stands beside them; `after_event`, the number of the last decision before, gives both histories
one order, so that one key undoes either. A change of the label set keeps what it moved, so that it can be undone.
"""

M007 = """
ALTER TABLE label_event ADD COLUMN mode TEXT NOT NULL DEFAULT '';
ALTER TABLE label_event ADD COLUMN seconds REAL;
ALTER TABLE label_event ADD COLUMN deed TEXT;
CREATE INDEX label_event_deed ON label_event (deed) WHERE deed IS NOT NULL;
CREATE INDEX label_event_undoes ON label_event (undoes) WHERE undoes IS NOT NULL;
CREATE TABLE mark_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, task_id INTEGER NOT NULL REFERENCES task(id),
  example_id INTEGER NOT NULL REFERENCES example(id), person TEXT NOT NULL, kind TEXT NOT NULL,
  present INTEGER NOT NULL, text TEXT NOT NULL DEFAULT '', client TEXT, at TEXT NOT NULL,
  undoes INTEGER REFERENCES mark_event(id), after_event INTEGER NOT NULL, UNIQUE (client)
) STRICT;
CREATE INDEX mark_event_person ON mark_event (task_id, person, id);
CREATE INDEX mark_event_example ON mark_event (example_id, kind, person, id);
CREATE INDEX mark_event_undoes ON mark_event (undoes) WHERE undoes IS NOT NULL;
CREATE TRIGGER mark_event_no_update BEFORE UPDATE ON mark_event
  BEGIN SELECT raise(ABORT, 'the history of marks is append-only'); END;
CREATE TRIGGER mark_event_no_delete BEFORE DELETE ON mark_event
  BEGIN SELECT raise(ABORT, 'the history of marks is append-only'); END;
CREATE TABLE mark (
  task_id INTEGER NOT NULL REFERENCES task(id), kind TEXT NOT NULL,
  example_id INTEGER NOT NULL REFERENCES example(id), person TEXT NOT NULL,
  text TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (task_id, kind, example_id, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX mark_example ON mark (example_id);
CREATE TRIGGER mark_event_current AFTER INSERT ON mark_event BEGIN
  DELETE FROM mark WHERE task_id = new.task_id AND kind = new.kind AND example_id = new.example_id
    AND person = new.person;
  INSERT INTO mark (task_id, kind, example_id, person, text, at)
    SELECT new.task_id, new.kind, new.example_id, new.person, new.text, new.at WHERE new.present;
END;
CREATE TABLE assignment_round (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), name TEXT NOT NULL,
  people TEXT NOT NULL, overlap REAL NOT NULL, body TEXT NOT NULL DEFAULT '{}',
  created_by TEXT NOT NULL, created_at TEXT NOT NULL, closed_at TEXT
) STRICT;
CREATE TABLE assignment (
  task_id INTEGER NOT NULL REFERENCES task(id), person TEXT NOT NULL,
  example_id INTEGER NOT NULL REFERENCES example(id),
  round_id INTEGER NOT NULL REFERENCES assignment_round(id), PRIMARY KEY (task_id, person, example_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX assignment_of_round ON assignment (round_id, example_id);
CREATE TABLE guideline (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id),
  label_id INTEGER REFERENCES label(id), other_label_id INTEGER REFERENCES label(id),
  example_id INTEGER REFERENCES example(id), text TEXT NOT NULL, author TEXT NOT NULL,
  at TEXT NOT NULL, retired_at TEXT
) STRICT;
CREATE INDEX guideline_task ON guideline (task_id, id);
ALTER TABLE label ADD COLUMN retired_at TEXT;
CREATE TABLE label_change (
  id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task(id), kind TEXT NOT NULL,
  body TEXT NOT NULL, after_event INTEGER NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL,
  undone_by TEXT NOT NULL DEFAULT '', undone_at TEXT
) STRICT;
CREATE INDEX label_change_task ON label_change (task_id, id);
CREATE TABLE label_move (
  change_id INTEGER NOT NULL REFERENCES label_change(id), kind TEXT NOT NULL,
  subject_id INTEGER NOT NULL, example_id INTEGER NOT NULL DEFAULT 0, label_id INTEGER,
  PRIMARY KEY (change_id, kind, subject_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE relook (
  task_id INTEGER NOT NULL REFERENCES task(id), change_id INTEGER NOT NULL REFERENCES label_change(id),
  example_id INTEGER NOT NULL REFERENCES example(id), PRIMARY KEY (task_id, change_id, example_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prediction_outcome ON prediction (run_id, split, outcome, example_id)
  WHERE outcome != 'ok';
"""
