/*
 The line above the rows: labels with their keys, what other keys do, and in their place the question
 that is open: a confirmation, a note, a label to find. `desk.asking` takes all keys while it is.
*/
function (desk) {
  const context = desk.context;
  const api = desk.api;
  desk.asking = null;
  desk.movedTo = null;

  const part = function (parent, tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    parent.appendChild(element);
    return element;
  };
  desk.part = part;

  desk.labelButton = function (parent, label, key, does) {
    const button = part(parent, "button", "desk-label", "");
    button.type = "button";
    button.tabIndex = -1;
    button.style.setProperty("--chip", context.colours[label]);
    if (key) {
      part(button, "kbd", "", key);
    }
    part(button, "span", "", context.names[label]);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", does);
    return button;
  };

  const container = document.getElementById("gridContainer");
  const line = document.createElement("div");
  line.className = "desk-line";
  const usual = part(line, "div", "desk-usual", "");
  const question = part(line, "div", "desk-usual", "");
  question.hidden = true;
  context.order.slice(0, 9).forEach((label, index) =>
    desk.labelButton(usual, label, String(index + 1), () => desk.giveOrAsk(label))
  );
  const hints = part(usual, "span", "desk-hints", "");
  context.legend.forEach(function (hint) {
    const item = part(hints, "span", "desk-key", "");
    part(item, "kbd", "", hint.key);
    part(item, "span", "", hint.does);
  });
  const tally = part(line, "span", "desk-tally", "");
  tally.setAttribute("role", "status");
  container.insertBefore(line, container.firstChild);

  /* Where labels leave no room for what other keys do, there are two lines. */
  const least = 160;
  let fitted = false;
  const fit = function () {
    if (!usual.hidden) {
      line.classList.remove("desk-two");
      line.classList.toggle("desk-two", hints.clientWidth < least);
    }
  };
  window.addEventListener("resize", fit);

  let done = 0;
  let all = 0;
  desk.count = function () {
    done = 0;
    all = 0;
    api.forEachNode(function (node) {
      all += 1;
      done += node.data.label ? 1 : 0;
    });
    desk.said();
    if (!fitted) { /* not after every key: the rows must not move under somebody's hands */
      fitted = true;
      fit();
    }
  };

  desk.said = function () {
    const chosen = api.getSelectedNodes().length;
    tally.textContent =
      chosen > 1 ? chosen + " chosen" : done + " of " + all + " on this page";
  };

  desk.openQuestion = function (draw, onKey) {
    question.textContent = "";
    usual.hidden = true;
    question.hidden = false;
    desk.asking = onKey;
    draw(question);
  };

  desk.closeQuestion = function () {
    desk.asking = null;
    desk.movedTo = null;
    question.hidden = true;
    usual.hidden = false;
    desk.back();
  };

  /* name: of the label; "" takes back, null accepts what the model says. */
  desk.askMany = function (pairs, name) {
    const changed = pairs.filter(([node, label]) => (node.data.label || "") !== label);
    const given = changed.filter(([node]) => node.data.label).length;
    const n = changed.length + (changed.length === 1 ? " example" : " examples");
    const what =
      name === "" ? "Take back your label of " + n + "?"
      : name === null ? "Accept the model's label of " + n + "?"
      : "Label " + n + " " + name + "?";
    const also = name !== "" && given > 0 ? " " + given + " of them you labeled otherwise." : "";
    const finish = function (yes) {
      if (yes) {
        desk.giveMany(changed);
        desk.selectOne(desk.focusedNode());
      }
      desk.closeQuestion();
      desk.said();
    };
    desk.openQuestion(function (place) {
      part(place, "strong", "desk-ask", what + also);
      [["y", "yes", true], ["n", "no", false]].forEach(function ([key, says, yes]) {
        const button = part(place, "button", "desk-label", "");
        button.type = "button";
        part(button, "kbd", "", key);
        part(button, "span", "", says);
        button.addEventListener("click", () => finish(yes));
      });
    }, function (event) {
      const key = event.key.toLowerCase();
      if (event.ctrlKey || event.metaKey) {
        return;
      }
      event.preventDefault();
      if (key === "y" || key === "enter") {
        finish(changed.length > 0);
      } else if (key === "n" || key === "escape") {
        finish(false);
      }
    });
  };

  /*
   A field in the line. Keys that come before it has the focus are written into it all the same:
   `onKey` says which keys it takes for itself.
  */
  desk.openField = function (caption, value, most, onKey) {
    let input = null;
    desk.openQuestion(function (place) {
      part(place, "label", "", caption);
      input = part(place, "input", "desk-input", "");
      input.type = "text";
      input.dir = "auto";
      input.maxLength = most;
      input.value = value;
      input.setAttribute("aria-label", caption);
      input.focus();
    }, function (event) {
      if (onKey(event)) {
        event.preventDefault();
      } else if (document.activeElement !== input && event.key.length === 1 && !event.ctrlKey) {
        input.value += event.key;
        input.focus();
        input.dispatchEvent(new Event("input"));
        event.preventDefault();
      }
    });
    return input;
  };

  desk.openNote = function (node) {
    const keep = function () {
      const text = input.value.trim();
      if (text !== (node.data.note || "")) {
        desk.mark(node, "note", text);
      }
      desk.closeQuestion();
    };
    const input = desk.openField("Note", node.data.note || "", 500, function (event) {
      if (event.key === "Enter") {
        keep();
      } else if (event.key === "Escape") {
        desk.closeQuestion();
      }
      return event.key === "Enter" || event.key === "Escape";
    });
    part(input.parentNode, "span", "", "Enter saves, Escape leaves it as it was");
    /* Who clicks another row goes on there; what is written is about this one. */
    desk.movedTo = (other) => other === node || keep();
  };
}
