"""Which examples wait for another look after a change of the label set."""

from studio.store.standing import UNDONE

# A person has decided on it after the change, and that decision stands: whatever was decided later
# and undone, and whichever label a later change made of it. Most often it is the latest event.
AGAIN = f"""
EXISTS (
  SELECT 1 FROM current_label n JOIN label_event v ON v.id = n.event_id
  WHERE n.example_id = r.example_id AND n.event_id > {{after}} AND n.label_id IS NOT NULL
    AND n.origin NOT IN ('imported', 'computed')
    AND (v.undoes IS NULL AND v.mode != 'label_change' OR EXISTS (
      SELECT 1 FROM label_event d
      WHERE d.example_id = n.example_id AND d.person = n.person AND d.id > {{after}}
        AND d.undoes IS NULL AND d.mode != 'label_change'
        AND NOT {UNDONE.format(table="label_event", of="d")})))
"""
WAITING = f"""
JOIN label_change c ON c.id = r.change_id AND c.undone_at IS NULL
WHERE NOT {AGAIN.format(after="c.after_event")}
"""
