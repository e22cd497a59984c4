/*
 The labeling desk of one drawn grid: keys, the log of what was done, the line above the rows.
 Entries get numbers from 1 and stay in the log, of which the last 300 are sent with every message,
 so a message that is dropped on the way is repaired by the next one. Texts come in through
 textContent only.
*/
function (params) {
  const api = params.api;
  const context = params.context;
  const random = crypto.getRandomValues(new Uint8Array(12));
  const desk = {
    instance: Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    seq: 0,
    log: [],
    past: [],
    just: null,
    stamp: 0,
    sentSeq: 0,
    sentFocus: null,
    timer: null,
    holding: null,
  };

  desk.focusedNode = function () {
    const cell = api.getFocusedCell();
    return cell ? api.getDisplayedRowAtIndex(cell.rowIndex) || null : null;
  };

  /* The example a reason would be about: the one just labeled until the person moves on. */
  desk.subject = function () {
    const node = desk.focusedNode();
    if (!node) {
      return null;
    }
    return desk.just && desk.just.at === node.rowIndex ? desk.just.id : node.data.id;
  };

  desk.value = function () {
    return { instance: desk.instance, seq: desk.seq, log: desk.log, focus: desk.subject() };
  };

  desk.write = function (entry) {
    desk.seq += 1;
    entry.seq = desk.seq;
    desk.log.push(entry);
    if (desk.log.length > 300) {
      desk.log.shift();
    }
    if (desk.timer === null) {
      desk.timer = setTimeout(desk.send, 80);
    }
  };

  /* On the wire the component itself uses, at once and without touching a cell. */
  desk.post = function () {
    const type = "streamlit:setComponentValue";
    const message = { isStreamlitMessage: true, type: type, value: desk.value(), dataType: "json" };
    window.parent.postMessage(message, window.location.origin);
  };

  desk.send = function () {
    clearTimeout(desk.timer);
    desk.timer = null;
    desk.sentSeq = desk.seq;
    desk.sentFocus = desk.subject();
    const any = api.getDisplayedRowAtIndex(0);
    if (any && api.getEditingCells().length === 0) {
      desk.stamp += 1;
      any.setDataValue("sent", desk.stamp, "desk");
    } else {
      /* Writing a cell would close the list of labels somebody has just opened. */
      desk.post();
    }
  };

  desk.record = function (id, before, after) {
    desk.past.push({ id: id, before: before });
    desk.write({ do: "label", id: id, label: after });
    desk.count();
  };

  desk.give = function (node, label) {
    const before = node.data.label || "";
    if (before !== label) {
      node.setDataValue("label", label, "desk");
      desk.record(node.data.id, before, label);
    }
  };

  /* A cell that is not drawn yet cannot take the keyboard's focus: ask again until it does. */
  desk.holdFocus = function (tries) {
    clearTimeout(desk.holding);
    desk.holding = setTimeout(function () {
      const cell = api.getFocusedCell();
      const inCell = document.activeElement && document.activeElement.closest(".ag-cell, .ag-popup");
      if (cell && !inCell && tries > 0 && api.getEditingCells().length === 0) {
        api.setFocusedCell(cell.rowIndex, cell.column);
        desk.holdFocus(tries - 1);
      }
    }, 50);
  };

  desk.go = function (node, column, step) {
    const index = Math.max(0, Math.min(node.rowIndex + step, api.getDisplayedRowCount() - 1));
    api.ensureIndexVisible(index);
    api.setFocusedCell(index, column || "label");
    desk.holdFocus(20);
    return index;
  };

  desk.giveAndGo = function (node, label, column) {
    desk.give(node, label);
    desk.just = { id: node.data.id, at: desk.go(node, column, 1) };
  };

  desk.undo = function () {
    const last = desk.past.pop();
    const node = last ? api.getRowNode(String(last.id)) : null;
    if (node) {
      node.setDataValue("label", last.before, "desk");
      desk.go(node, "label", 0);
    }
    desk.write({ do: "undo", id: last ? last.id : null });
    desk.count();
  };

  /* What a key asks for: {deed, label}, or null when it is not one of ours. */
  desk.deedOf = function (event) {
    const key = event.key;
    if (event.ctrlKey || event.metaKey) {
      return key.toLowerCase() === "z" && !event.shiftKey ? { deed: "undo" } : null;
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
    const deeds = {
      " ": "skip", s: "skip", a: "accept", Enter: "accept", u: "undo",
      w: "why", n: "next", p: "previous", "?": "help", ArrowDown: "skip", ArrowUp: "back",
    };
    const name = key.length === 1 ? key.toLowerCase() : key;
    return Object.hasOwn(deeds, name) ? { deed: deeds[name] } : null;
  };

  /*
   The grid's own idea of the focused cell, not the cell the event came from: when keys come faster
   than the screen is drawn, the focus on screen lags behind, and a label would hit the row before.
  */
  desk.onKey = function (event) {
    const asked = desk.deedOf(event);
    const node = desk.focusedNode();
    if (asked === null || node === null) {
      return;
    }
    const column = api.getFocusedCell().column;
    event.preventDefault();
    if (event.repeat && asked.deed !== "skip" && asked.deed !== "back") {
      return;
    }
    if (asked.deed === "label") {
      desk.giveAndGo(node, asked.label, column);
    } else if (asked.deed === "accept") {
      if (context.names[node.data.predicted]) {
        desk.giveAndGo(node, node.data.predicted, column);
      }
    } else if (asked.deed === "clear") {
      desk.give(node, "");
    } else if (asked.deed === "skip" || asked.deed === "back") {
      desk.just = null;
      desk.go(node, column, asked.deed === "skip" ? 1 : -1);
    } else if (asked.deed === "undo") {
      desk.undo();
    } else if (asked.deed === "why") {
      desk.write({ do: "why", id: desk.subject() });
    } else if (asked.deed !== "none") {
      desk.write({ do: asked.deed });
    }
  };

  const part = function (parent, tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    parent.appendChild(element);
    return element;
  };

  const container = document.getElementById("gridContainer");
  const line = document.createElement("div");
  line.className = "desk-line";
  context.order.slice(0, 9).forEach(function (label, index) {
    const button = part(line, "button", "desk-label", "");
    button.type = "button";
    button.tabIndex = -1;
    button.style.setProperty("--chip", context.colours[label]);
    part(button, "kbd", "", String(index + 1));
    part(button, "span", "", context.names[label]);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", function () {
      const node = desk.focusedNode();
      if (node) {
        desk.giveAndGo(node, label, "label");
      }
    });
  });
  const hints = part(line, "span", "desk-hints", "");
  context.legend.forEach(function (hint) {
    const item = part(hints, "span", "desk-key", "");
    part(item, "kbd", "", hint.key);
    part(item, "span", "", hint.does);
  });
  const tally = part(line, "span", "desk-tally", "");
  container.insertBefore(line, container.firstChild);

  desk.count = function () {
    let done = 0;
    let all = 0;
    api.forEachNode(function (node) {
      all += 1;
      done += node.data.label ? 1 : 0;
    });
    tally.textContent = done + " of " + all + " on this page";
  };

  api.addEventListener("cellFocused", function () {
    const node = desk.focusedNode();
    if (node) {
      node.setSelected(true, true);
    }
  });
  /* Keys that reach the frame while no cell holds the focus count as well. */
  document.addEventListener("keydown", function (event) {
    const target = event.target;
    const elsewhere = target === document.body || target === document.documentElement;
    if (elsewhere && api.getEditingCells().length === 0) {
      desk.onKey(event);
    }
  });

  /*
   Whoever clicks outside may be about to make this grid disappear, and the grid's own events come
   a moment later: so what is not sent yet goes out at once.
  */
  const sendRest = function () {
    if (desk.sentSeq !== desk.seq || desk.sentFocus !== desk.subject()) {
      clearTimeout(desk.timer);
      desk.timer = null;
      desk.sentSeq = desk.seq;
      desk.sentFocus = desk.subject();
      desk.post();
    }
  };
  window.addEventListener("blur", function () {
    clearTimeout(desk.holding);
    sendRest();
  });
  window.addEventListener("pagehide", sendRest);

  const begin = function () {
    if (desk.begun || api.getDisplayedRowCount() === 0) {
      return;
    }
    desk.begun = true;
    desk.count();
    let first = context.focus ? api.getRowNode(String(context.focus)) || null : null;
    api.forEachNodeAfterFilterAndSort(function (node) {
      if (first === null && !node.data.label) {
        first = node;
      }
    });
    desk.go(first || api.getDisplayedRowAtIndex(0), "label", 0);
  };
  api.addEventListener("firstDataRendered", begin);
  setTimeout(begin, 0);

  window.studioDesk = desk;
}
