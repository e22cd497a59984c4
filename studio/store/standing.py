"""Which decision of each person stands, whatever was undone or moved since, and what stood before."""

OF_CHANGE = "label-change:"
"""What the deeds of a change of the label set begin with; its number follows."""

# What was done was undone, and that not redone.
UNDONE = (
    "EXISTS (SELECT 1 FROM {table} u WHERE u.undoes = {of}.id"
    " AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.undoes = u.id))"
)
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
# The change of the label set that wrote an event was taken back.
TAKEN_BACK = (
    "EXISTS (SELECT 1 FROM label_change g WHERE g.undone_at IS NOT NULL"
    f" AND g.id = CAST(substr({{of}}.deed, {len(OF_CHANGE) + 1}) AS INTEGER))"
)
# The event `v` says what another one said: it undoes one, or a change moved it that was taken back.
# Where a split was, its parts say the whole since: that is no return to what they said before.
GOES_BACK = (
    "(v.undoes IS NOT NULL OR v.mode = 'label_change' AND v.deed NOT LIKE '%:undo'"
    f" AND {TAKEN_BACK.format(of='v')})"
)
BEFORE = (
    "(SELECT max(p.id) FROM label_event p"
    " WHERE p.example_id = {of}.example_id AND p.person = {of}.person AND p.id < {than})"
)
# Along what each event goes back to; `w` is the way so far, of which this is the next step.
NEXT = (
    f"coalesce(t.undoes, {BEFORE.format(of='v', than='coalesce(v.undoes, v.id)')})"
    " FROM way w CROSS JOIN label_event v ON v.id = w.id"
    f" LEFT JOIN label_event t ON t.id = v.undoes WHERE {GOES_BACK}"
)
