/*
 The rules in the expert's order: dragged by the handle or moved with Alt and an arrow, switched on
 and off, opened. Texts come in through textContent only.
*/
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".list");
  const said = parentElement.querySelector(".said");
  const desk = (list.desk = list.desk || { version: null });
  desk.send = setTriggerValue;
  if (desk.version === data.version) return;
  desk.version = data.version;
  const held = parentElement.activeElement || document.activeElement;
  const focused = held && held.closest ? held.closest(".row") : null;
  const focusedId = focused ? focused.dataset.id : null;

  function part(kind, name, text) {
    const element = document.createElement(kind);
    element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function bar(share) {
    const cell = part("div", "share");
    if (share === null || share === undefined) return cell;
    const inner = part("i", "bar");
    inner.style.width = `${Math.max(1, Math.min(100, share * 100))}%`;
    cell.append(part("span", "", `${(share * 100).toFixed(1)} %`), inner);
    return cell;
  }

  const order = () => Array.from(list.querySelectorAll(".row"), (row) => Number(row.dataset.id));

  function moved(row) {
    const ids = order();
    said.textContent = `${row.dataset.name} is now number ${ids.indexOf(Number(row.dataset.id)) + 1}`;
    number();
    desk.send("order", { before: data.rules.map((rule) => rule.id), after: ids });
  }

  function number() {
    list.querySelectorAll(".row").forEach((row, i) => {
      row.querySelector(".number").textContent = i + 1;
    });
  }

  list.replaceChildren();
  const head = part("div", "head");
  data.columns.forEach(([name, help]) => {
    const cell = part("div", "", name);
    cell.title = help;
    head.append(cell);
  });
  list.append(head);

  for (const rule of data.rules) {
    const row = part("div", rule.on ? "row" : "row off");
    row.tabIndex = 0;
    row.dataset.id = rule.id;
    row.dataset.name = rule.name;
    const handle = part("div", "handle");
    handle.append(part("span", "grip", "⠿"), part("span", "number"));
    handle.title = "Drag to move it; Alt with an arrow key does the same";
    const on = part("input", "on");
    on.type = "checkbox";
    on.checked = rule.on;
    on.setAttribute("aria-label", `${rule.name} votes`);
    on.onchange = () => desk.send("switch", [rule.id, on.checked]);
    const name = part("div", "name");
    const open = part("button", "open", rule.name);
    open.title = "Open the rule";
    open.onclick = () => desk.send("open", rule.id);
    name.append(open, part("div", "condition", rule.condition));
    const says = part("div", "says", rule.says);
    says.style.setProperty("--colour", rule.colour);
    const decides = part("div", rule.decisive ? "decides alone" : "decides", rule.decides);
    const accuracy = part("div", "accuracy", rule.accuracy);
    const conflict = bar(rule.conflict);
    accuracy.append(part("div", "note", rule.note));
    row.append(handle, on, name, says, decides, accuracy, bar(rule.coverage), bar(rule.overlap), conflict);
    row.onkeydown = (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.target === row && event.key === "Enter") desk.send("open", rule.id);
      else if (event.target === row && event.key === " ") on.click();
      else if (step && event.altKey) {
        const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
        if (!other || !other.classList.contains("row")) return;
        if (step < 0) other.before(row);
        else other.after(row);
        row.focus();
        moved(row);
      } else if (step && event.target === row) {
        const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
        if (other && other.classList.contains("row")) other.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    };
    /* Listened to on the window: an element that is moved in the page loses a captured pointer. */
    handle.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      const before = order().join();
      row.classList.add("dragged");
      const drag = (move) => {
        const above = Array.from(list.querySelectorAll(".row")).filter((other) => {
          const box = other.getBoundingClientRect();
          return other !== row && box.top + box.height / 2 < move.clientY;
        });
        const last = above[above.length - 1] || head;
        if (last.nextElementSibling !== row) last.after(row);
        number();
      };
      const drop = () => {
        for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, drop);
        window.removeEventListener("pointermove", drag);
        row.classList.remove("dragged");
        if (order().join() !== before) moved(row);
      };
      window.addEventListener("pointermove", drag);
      for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, drop);
    };
    list.append(row);
    if (String(rule.id) === focusedId) row.focus({ preventScroll: true });
  }
  number();
}
