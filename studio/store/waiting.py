"""Which examples wait for another look after a change of the label set."""

# A person has decided on it after the change, and that decision stands.
AGAIN = """
EXISTS (
  SELECT 1 FROM current_label n JOIN label_event v ON v.id = n.event_id
  WHERE n.example_id = r.example_id AND n.event_id > {after} AND n.label_id IS NOT NULL
    AND v.mode != 'label_change' AND v.note != 'undo' AND n.origin NOT IN ('imported', 'computed'))
"""
WAITING = f"""
JOIN label_change c ON c.id = r.change_id AND c.undone_at IS NULL
WHERE NOT {AGAIN.format(after="c.after_event")}
"""
