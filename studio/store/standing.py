"""Which decision of each person stands, whatever was undone or moved since."""

# An event that undoes another brings back what stood before that one; one that undoes an undo
# brings back the decision itself. A change of the label set says another label of a decision that
# stays what it was.
STANDING = """
WITH RECURSIVE standing (example_id, person, label_id, id, undoes, changed) AS (
  SELECT c.example_id, c.person, c.label_id, v.id, v.undoes, v.mode = 'label_change'
  FROM json_each(?) j CROSS JOIN current_label c ON c.example_id = j.value
  JOIN label_event v ON v.id = c.event_id
  UNION ALL
  SELECT s.example_id, s.person, s.label_id, e.id, e.undoes, e.mode = 'label_change'
  FROM standing s LEFT JOIN label_event t ON t.id = s.undoes
  JOIN label_event e ON e.id = coalesce(t.undoes, (
    SELECT max(b.id) FROM label_event b WHERE b.example_id = s.example_id
      AND b.person = s.person AND b.id < coalesce(s.undoes, s.id)))
  WHERE s.undoes IS NOT NULL OR s.changed
)
SELECT v.*, s.label_id AS said FROM standing s JOIN label_event v ON v.id = s.id
WHERE s.undoes IS NULL AND NOT s.changed
"""
