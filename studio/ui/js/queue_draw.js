/* ---- drawing; only here is the page touched ---- */

function part(kind, name, text) {
  const element = document.createElement(kind);
  element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

function say(desk, words) {
  desk.find(".said").textContent = words;
}

/* The buttons; they stay while examples come and go. */
function drawFrame(desk) {
  const wanted = JSON.stringify([desk.data.labels, desk.data.assisted]);
  if (desk.framed === wanted) return;
  desk.framed = wanted;
  desk.card.setAttribute("aria-label", desk.data.label);
  const labels = desk.find(".labels");
  labels.replaceChildren();
  desk.buttons = new Map();
  desk.data.labels.forEach((label, i) => {
    const button = part("button", "label");
    button.type = "button";
    button.style.setProperty("--colour", label.colour);
    button.append(part("kbd", "", i < 9 ? String(i + 1) : ""), part("i", "dot"), part("span", "name", label.name));
    button.onclick = () => press(desk, () => give(desk, label.id));
    if (i < 9) labels.append(button);
    desk.buttons.set(label.id, button);
  });
  const tools = [["S", "skip", "skip"], ["F", "flag", "flag"], ["T", "note", "note"],
    ["U", "undo", "undo"], ["R", "redo", "redo"], ["W", "why", "why"], ["?", "keys", "help"]];
  if (desk.data.labels.length > 9) tools.unshift(["/", "find a label", "find"]);
  if (desk.data.assisted) tools.unshift(["A", "accept", "accept"]);
  const row = desk.find(".tools");
  row.replaceChildren();
  for (const [key, words, deed] of tools) {
    const button = part("button", `tool does-${deed}`);
    button.type = "button";
    button.append(part("kbd", "", key), part("span", "", words));
    button.onclick = () => press(desk, () => DEEDS[deed](desk));
    row.append(button);
  }
}

/* A button that was pressed gives the keys back to the card. */
function press(desk, act) {
  act();
  if (!desk.open) desk.card.focus({ preventScroll: true });
}

function show(desk, at) {
  const changed = desk.shown !== `${desk.version} ${(desk.items[at] || {}).id}`;
  desk.at = at;
  const item = desk.items[at];
  desk.card.classList.toggle("empty", !item);
  desk.find(".why").textContent = item ? item.why : "";
  desk.find(".facts").textContent = item ? item.facts : "";
  const text = desk.find(".text");
  if (item) text.textContent = item.text;
  else text.textContent = desk.data.ended || "The next ones are coming …";
  if (changed) {
    desk.shown = `${desk.version} ${(item || {}).id}`;
    text.scrollTop = 0;
    text.classList.toggle("long", text.textContent.length > 420);
    closeLine(desk);
  }
  const marks = item ? [item.flag && "⚑ flagged", item.note && `✎ ${item.note}`, item.skip && "skipped"] : [];
  desk.find(".marks").textContent = marks.filter(Boolean).join(" · ");
  drawSaid(desk, item);
  drawProgress(desk);
  desk.find(".does-flag").classList.toggle("on", Boolean(item && item.flag));
}

function drawSaid(desk, item) {
  const said = item && desk.buttons.has(item.said) ? item.said : null;
  for (const [id, button] of desk.buttons) {
    button.classList.toggle("given", Boolean(item) && item.given === id);
    button.classList.toggle("pre", said === id && !item.given);
    button.disabled = !item;
  }
  const name = said && desk.data.labels.find((label) => label.id === said).name;
  const sure = item && item.sure !== null && item.sure !== undefined ? `, ${Math.round(100 * item.sure)} % sure` : "";
  desk.find(".model").textContent = said ? `${desk.data.assisted} says ${name}${sure}. Enter accepts.` : "";
}

function drawProgress(desk) {
  const goal = desk.data.goal;
  const given = settled(desk);
  const over = desk.data.ended && !desk.items[desk.at];
  const ahead = over ? 0 : Math.max(0, goal - given);
  desk.find(".count").textContent = ahead ? `${given} done, ${ahead} ahead` : `${given} done`;
  desk.find(".bar i").style.width = `${Math.min(100, (100 * given) / Math.max(goal, 1))}%`;
}

/* ---- the line for a note, and the one that finds a label ---- */

function fold(text) {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}

/* Names that begin so, then those with a word that does, then those that hold it. */
function matching(labels, typed) {
  const wanted = fold(typed.trim());
  const rank = (name) =>
    name.startsWith(wanted) ? 0
      : name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)) ? 1
        : name.includes(wanted) ? 2 : 3;
  return labels
    .map((label) => [rank(fold(label.name)), label])
    .filter(([place]) => place < 3)
    .sort((one, other) => one[0] - other[0])
    .map(([, label]) => label);
}

function closeLine(desk) {
  if (!desk.open) return;
  desk.open = null;
  desk.find(".line").replaceChildren();
  desk.card.focus({ preventScroll: true });
}

/* Who goes on by a button means what is written all the same. */
function keepNote(desk) {
  if (desk.open === "note") mark(desk, "note", true, desk.find(".line input").value.trim());
}

function openLine(desk, what) {
  const line = desk.find(".line");
  desk.open = what;
  line.replaceChildren();
  const input = part("input", "field");
  const found = part("div", "found");
  const is = { at: 0, list: [] };
  input.maxLength = what === "note" ? 2000 : 100;
  input.placeholder = what === "note" ? "A note on this example; Enter keeps it" : "Type to find a label";
  input.setAttribute("aria-label", input.placeholder);
  input.value = what === "note" ? here(desk).note || "" : "";
  const search = () => {
    if (what !== "find") return;
    is.list = matching(desk.data.labels, input.value).slice(0, 8);
    is.at = Math.min(is.at, Math.max(0, is.list.length - 1));
    found.replaceChildren(...is.list.map((label, i) => {
      const button = part("button", i === is.at ? "label here" : "label");
      button.style.setProperty("--colour", label.colour);
      button.append(part("i", "dot"), part("span", "name", label.name));
      button.onclick = () => (closeLine(desk), give(desk, label.id));
      return button;
    }));
    if (!is.list.length) found.append(part("span", "facts", "No label has these letters. Escape leaves."));
  };
  input.oninput = () => ((is.at = 0), search());
  input.onkeydown = (event) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) is.at = Math.max(0, is.at + step);
    else if (event.key === "Enter") {
      const chosen = what === "find" && matching(desk.data.labels, input.value)[is.at];
      const text = input.value.trim();
      closeLine(desk);
      if (what === "note") mark(desk, "note", true, text);
      else if (chosen) give(desk, chosen.id);
    } else if (event.key === "Escape") closeLine(desk);
    else return;
    event.preventDefault();
    search();
  };
  line.append(input, found);
  search();
  input.focus({ preventScroll: true });
}
