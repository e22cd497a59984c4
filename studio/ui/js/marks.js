/* What this person marked, as signs. */
function (params) {
  const row = params.data;
  return (row.flag ? "\u2691" : "") + (row.note ? "\u270e" : "") + (row.skip && !row.label ? "\u21b7" : "");
}
