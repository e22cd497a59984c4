/* The rows: which one has the focus, which are chosen, and which of them is opened to its whole text. */
function (desk) {
  const api = desk.api;
  const low = 50;
  let holding = null;
  let anchor = null;
  let shown = null;
  let modified = false;
  let at = null;
  desk.just = null;

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

  /* A cell that is not drawn yet cannot take the keyboard's focus: ask again until it does. */
  const holdFocus = function (tries) {
    clearTimeout(holding);
    holding = setTimeout(function () {
      const cell = api.getFocusedCell();
      const at = document.activeElement;
      const inside = at && at.closest(".ag-cell, .ag-popup, .desk-input");
      if (cell && !inside && tries > 0 && api.getEditingCells().length === 0) {
        api.setFocusedCell(cell.rowIndex, cell.column);
        holdFocus(tries - 1);
      }
    }, 50);
  };
  window.addEventListener("blur", () => clearTimeout(holding));

  const selectRange = function (from, to) {
    const nodes = [];
    for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) {
      nodes.push(api.getDisplayedRowAtIndex(index));
    }
    api.deselectAll();
    api.setNodesSelected({ nodes: nodes.filter(Boolean), newValue: true });
  };

  desk.go = function (node, column, step, extend) {
    const index = Math.max(0, Math.min(node.rowIndex + step, api.getDisplayedRowCount() - 1));
    at = index;
    api.ensureIndexVisible(index);
    api.setFocusedCell(index, column || "label");
    if (extend) {
      selectRange(anchor === null ? node.rowIndex : anchor, index);
    } else {
      desk.selectOne(api.getDisplayedRowAtIndex(index));
    }
    holdFocus(20);
    return index;
  };

  desk.back = function () {
    const node = desk.focusedNode();
    if (node) {
      desk.go(node, api.getFocusedCell().column, 0, desk.chosen().length > 1);
    }
  };

  /* The rows that a key is about when several are chosen, in the order they stand. */
  desk.chosen = function () {
    return api.getSelectedNodes().sort((one, other) => one.rowIndex - other.rowIndex);
  };

  desk.selectOne = function (node) {
    anchor = node.rowIndex;
    const chosen = api.getSelectedNodes();
    if (chosen.length !== 1 || chosen[0] !== node) {
      node.setSelected(true, true);
    }
  };

  desk.selectAll = function () {
    selectRange(0, api.getDisplayedRowCount() - 1);
  };

  /* A row at the height of its whole text, and back. */
  desk.toggleOpen = function (node) {
    node.data.open = !node.data.open;
    const row = document.querySelector('.ag-row[row-id="' + node.id + '"]');
    if (row) {
      row.classList.toggle("desk-open", node.data.open);
      const text = row.querySelector('[col-id="text"] .ag-cell-value');
      const high = node.data.open && text ? text.scrollHeight + 14 : low;
      node.setRowHeight(Math.max(low, high));
      api.onRowHeightChanged();
      api.ensureIndexVisible(node.rowIndex);
    }
  };

  api.addEventListener("cellFocused", function () {
    const node = desk.focusedNode();
    if (node && node !== shown) {
      shown = node;
      desk.newLook();
    }
    /* A step of ours has chosen its rows before this event comes. */
    if (node && node.rowIndex !== at && !modified) {
      desk.selectOne(node);
    }
    at = node ? node.rowIndex : null;
    if (node && desk.movedTo) {
      desk.movedTo(node);
    }
    desk.said();
  });

  const rowAt = function (event) {
    const row = event.target.closest(".ag-row");
    return row ? api.getRowNode(row.getAttribute("row-id")) || null : null;
  };

  /*
   With shift or control a click chooses rows instead of moving on to one. Else the choice ends here, not
   when the grid tells of the new focus: a key may come before that.
  */
  document.addEventListener("mousedown", function (event) {
    const node = rowAt(event);
    modified = node !== null && (event.shiftKey || event.ctrlKey || event.metaKey);
    if (modified && event.shiftKey) {
      event.preventDefault();
    } else if (node && !modified) {
      desk.selectOne(node);
    }
  }, true);
  document.addEventListener("click", function (event) {
    const node = modified ? rowAt(event) : null;
    if (node && event.shiftKey) {
      selectRange(anchor === null ? node.rowIndex : anchor, node.rowIndex);
    } else if (node) {
      node.setSelected(!node.isSelected(), false);
    }
    desk.said();
  }, true);

  /* Copying without a choice of words takes the whole texts of the rows chosen. */
  document.addEventListener("copy", function (event) {
    const typing = event.target.closest && event.target.closest("input, textarea");
    if (!typing && String(window.getSelection()) === "") {
      event.clipboardData.setData("text/plain", desk.chosen().map((n) => n.data.text).join("\n"));
      event.preventDefault();
    }
  });

  /*
   Shows what the grid before gave and the server had not heard of when it read these rows: else the
   next key would hit a row that was done. Returns the row after the last of it. Only labels are
   shown so; where something else was done since, the server shows it in a moment.
  */
  const recall = function () {
    let last = null;
    desk.before.slice().reverse().forEach(function (block) {
      const known = desk.context.heard[block.instance] || 0;
      const fresh = block.log.filter((entry) => entry.seq > known);
      if (block.server !== desk.context.server || fresh.some((entry) => entry.do !== "label")) {
        return;
      }
      fresh.forEach(function (entry) {
        const node = api.getRowNode(String(entry.id));
        if (node) {
          node.setDataValue("label", entry.label || "", "desk");
          last = node;
        }
      });
    });
    return last ? api.getDisplayedRowAtIndex(last.rowIndex + 1) || last : null;
  };

  /* Whoever chose the task in the sidebar is still in that box, and keys would be typed there. */
  const leaveSidebar = function () {
    const held = window.parent.document.activeElement;
    const isOpen = held && held.getAttribute("aria-expanded") === "true";
    if (held && !isOpen && held.closest('[data-testid="stSidebar"]')) {
      window.frameElement.focus();
    }
  };

  const begin = function () {
    if (desk.begun || api.getDisplayedRowCount() === 0) {
      return;
    }
    desk.begun = true;
    const next = recall();
    desk.count();
    const focus = next ? next.data.id : desk.context.focus;
    let first = focus ? api.getRowNode(String(focus)) || null : null;
    api.forEachNodeAfterFilterAndSort(function (node) {
      if (first === null && !node.data.label) {
        first = node;
      }
    });
    desk.go(first || api.getDisplayedRowAtIndex(0), "label", 0);
    leaveSidebar();
  };
  api.addEventListener("firstDataRendered", begin);
  setTimeout(begin, 0);
}
