/* The keys. A name in `deeds` is what `act` knows, or what the server is asked for. */
function (desk) {
  const api = desk.api;
  const context = desk.context;
  const deeds = {
    " ": "skip", s: "skip", a: "accept", Enter: "accept", u: "undo", r: "redo", f: "flag",
    t: "note", m: "note", x: "open", w: "why", n: "next", p: "previous", k: "keep", h: "take",
    "?": "help", "/": "find", l: "find", Escape: "one", ArrowDown: "down", ArrowUp: "up",
  };
  const withControl = { z: "undo", y: "redo", a: "all" };

  /* What a key asks for: {deed, label}, or null when it is not one of ours. */
  desk.deedOf = function (event) {
    const key = event.key;
    const name = key.length === 1 ? key.toLowerCase() : key;
    if (event.ctrlKey || event.metaKey) {
      const deed = name === "z" && event.shiftKey ? "redo" : withControl[name];
      return deed ? { deed: deed } : null;
    }
    if (event.altKey) {
      return null;
    }
    const place = /^(Digit|Numpad)([0-9])$/.exec(event.code || "");
    const digit = /^[0-9]$/.test(key) ? key : place && !event.shiftKey ? place[2] : null;
    if (digit !== null && digit !== "0") {
      const label = context.order[Number(digit) - 1];
      return label ? { deed: "label", label: label } : { deed: "none" };
    }
    if (digit === "0" || key === "Delete" || key === "Backspace") {
      return { deed: "clear" };
    }
    return Object.hasOwn(deeds, name) ? { deed: deeds[name] } : null;
  };

  const accept = function (node, column) {
    if (context.names[node.data.predicted]) {
      desk.giveAndGo(node, node.data.predicted, column);
    }
  };

  const skip = function (node, column, again) {
    if (!again && !node.data.label && !node.data.skip) {
      desk.mark(node, "skip", true);
    }
    desk.just = null;
    desk.go(node, column, 1);
  };

  const act = {
    label: (node, column, asked) => desk.giveAndGo(node, asked.label, column),
    accept: accept,
    clear: (node) => desk.give(node, ""),
    skip: (node, column, asked, event) => skip(node, column, event.repeat),
    down: (node, column, asked, event) => move(node, column, 1, event.shiftKey),
    up: (node, column, asked, event) => move(node, column, -1, event.shiftKey),
    undo: () => desk.undo(),
    redo: () => desk.redo(),
    flag: (node) => desk.mark(node, "flag", !node.data.flag),
    note: (node) => desk.openNote(node),
    find: (node) => desk.openFinder(node),
    open: (node) => desk.toggleOpen(node),
    one: (node) => desk.selectOne(node),
    all: () => desk.selectAll(),
    why: () => desk.write({ do: "why", id: desk.subject() }),
    none: () => undefined,
  };

  const move = function (node, column, by, extend) {
    desk.just = null;
    desk.go(node, column, by, extend);
  };

  /* Of several chosen rows a label is asked for first. */
  const many = function (asked) {
    const rows = desk.chosen();
    if (rows.length < 2) {
      return false;
    }
    if (asked.deed === "label") {
      desk.askMany(rows.map((node) => [node, asked.label]), context.names[asked.label]);
    } else if (asked.deed === "clear") {
      desk.askMany(rows.map((node) => [node, ""]), "");
    } else if (asked.deed === "accept") {
      const said = rows.filter((node) => context.names[node.data.predicted]);
      desk.askMany(said.map((node) => [node, node.data.predicted]), null);
    } else {
      return false;
    }
    return true;
  };

  desk.giveOrAsk = function (label) {
    const node = desk.focusedNode();
    if (node && !many({ deed: "label", label: label })) {
      desk.giveAndGo(node, label, "label");
    }
  };

  /*
   The grid's own idea of the focused cell, not the cell the event came from: when keys come faster
   than the screen is drawn, the focus on screen lags behind, and a label would hit the row before.
  */
  const onKey = function (event) {
    const asked = desk.deedOf(event);
    const node = desk.focusedNode();
    if (asked === null || node === null) {
      return;
    }
    event.preventDefault();
    const moves = asked.deed === "skip" || asked.deed === "down" || asked.deed === "up";
    if ((event.repeat && !moves) || many(asked)) {
      return;
    }
    if (act[asked.deed]) {
      act[asked.deed](node, api.getFocusedCell().column, asked, event);
    } else {
      desk.write({ do: asked.deed });
    }
    desk.said();
  };

  /*
   All keys come by here before the grid sees them: what it does with one depends on where the focus on
   screen is, which lags behind. While a list of labels is open or a field of ours, keys are theirs.
  */
  window.addEventListener("keydown", function (event) {
    if (event.isComposing || api.getEditingCells().length > 0) {
      return;
    }
    if (desk.asking) {
      desk.asking(event);
    } else if (desk.deedOf(event) !== null) {
      onKey(event);
    } else {
      return;
    }
    event.stopPropagation();
  }, true);
}
