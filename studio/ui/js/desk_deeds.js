/*
 What can be done to rows, and taken back. A step remembers what each row held before and after, so
 that undo and redo show at once what the server will make of the same entries.
*/
function (desk) {
  const api = desk.api;
  const past = [];
  const future = [];

  const show = function (node, what, value) {
    if (what === "label") {
      node.setDataValue("label", value, "desk");
    } else {
      node.data[what] = value;
      api.refreshCells({ rowNodes: [node], columns: ["marks"], force: true });
    }
  };

  const step = function (what, rows, entry) {
    past.push({ what: what, rows: rows });
    future.length = 0;
    desk.write(entry);
    desk.count();
  };

  desk.record = function (id, before, after) {
    desk.worked();
    const entry = { do: "label", id: id, label: after, ms: desk.looked() };
    step("label", [{ id: id, before: before, after: after }], entry);
  };

  desk.give = function (node, label) {
    const before = node.data.label || "";
    if (before !== label) {
      show(node, "label", label);
      desk.record(node.data.id, before, label);
    }
  };

  desk.giveAndGo = function (node, label, column) {
    desk.give(node, label);
    desk.just = { id: node.data.id, at: desk.go(node, column, 1) };
  };

  /* One entry, one step back: [node, label] of each row. */
  desk.giveMany = function (pairs) {
    const rows = pairs
      .map(([node, label]) => ({ node: node, before: node.data.label || "", after: label }))
      .filter((row) => row.before !== row.after);
    if (rows.length > 0) {
      rows.forEach((row) => show(row.node, "label", row.after));
      const all = rows.map((row) => ({ id: row.node.data.id, before: row.before, after: row.after }));
      const given = all.map((row) => [row.id, row.after]);
      step("label", all, { do: "bulk", given: given, ms: Math.round(desk.worked() / rows.length) });
    }
  };

  /* Flag and skip are there or not, a note is its words. */
  desk.mark = function (node, what, value) {
    const before = node.data[what];
    if (before !== value) {
      show(node, what, value);
      const entry = { do: what, id: node.data.id, on: Boolean(value), text: value || "" };
      step(what, [{ id: node.data.id, before: before, after: value }], entry);
    }
  };

  const replay = function (from, to, deed, side) {
    const last = from.pop();
    if (last) {
      to.push(last);
      const nodes = last.rows.map((row) => api.getRowNode(String(row.id)));
      last.rows.forEach((row, index) => nodes[index] && show(nodes[index], last.what, row[side]));
      if (nodes[0]) {
        desk.go(nodes[0], "label", 0);
      }
    }
    desk.write({ do: deed, id: last ? last.rows[0].id : null, n: last ? last.rows.length : 0 });
    desk.count();
  };
  desk.undo = () => replay(past, future, "undo", "before");
  desk.redo = () => replay(future, past, "redo", "after");
}
