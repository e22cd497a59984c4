function (params) {
  const row = params.data;
  const said = [row.flag ? "Flagged" : "", row.skip && !row.label ? "Skipped" : "", row.note || ""];
  return said.filter(Boolean).join("\n");
}
