/*
 A list of examples to read and label by keys: up and down go through it, a label's number labels the
 one in sight and goes on, U takes the last one back, Enter shows all of a text, W asks to write a
 rationale about it, E why it has its label. What is done is logged with numbers that grow and sent whole each time, so that
 what is lost on the way comes with the next key. Texts come in through textContent only.
*/
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const list = parentElement.querySelector(".list");
  const help = parentElement.querySelector(".help");
  const said = parentElement.querySelector(".said");
  const desk = (list.desk = list.desk || { version: null });
  const labels = data.labels;
  const byId = new Map(labels.map((label) => [label.id, label]));

  if (desk.version !== data.version) {
    if (desk.flush) desk.flush(); // what was typed last belongs to the list as it was
    const random = crypto.getRandomValues(new Uint8Array(12));
    desk.instance = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
    desk.version = data.version;
    desk.who = data.who;
    desk.seq = 0;
    desk.since = performance.now();
    desk.log = [];
    desk.past = [];
    desk.at = 0;
    desk.items = data.items.map((item) => ({ ...item }));
    build();
  }

  function part(kind, name, text) {
    const element = document.createElement(kind);
    element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function build() {
    list.setAttribute("aria-label", data.label);
    list.replaceChildren();
    desk.rows = desk.items.map((item, i) => {
      const row = part("div", "row");
      row.setAttribute("role", "option");
      row.id = `example-${i}`;
      const chip = part("span", "chip");
      const body = part("div", "body");
      const text = part("div", "words");
      for (const [piece, isHit] of item.pieces) {
        text.append(isHit ? part("mark", "", piece) : piece);
      }
      body.append(text);
      const facts = part("div", "facts", item.facts);
      if (item.warning) facts.prepend(part("b", "warning", `${item.warning} · `));
      body.append(part("div", "after"), facts);
      row.append(chip, body);
      row.onpointerdown = () => {
        if (desk.at === i) row.classList.toggle("open");
        show(i);
      };
      list.append(row);
      return row;
    });
    show(0, true);
    desk.rows.forEach((_, i) => paint(i));
    help.replaceChildren();
    labels.slice(0, 9).forEach((label, i) => {
      const button = part("button", "key");
      button.append(part("kbd", "", String(i + 1)), part("i", "dot"), label.name);
      button.querySelector(".dot").style.background = label.colour;
      button.onclick = () => (give(label.id), list.focus({ preventScroll: true }));
      help.append(button);
    });
    const others = [["U", "undo", undo], ["W", "say why", why]];
    if (data.explains) others.push(["E", "explain", explain]);
    for (const [key, words, act] of others) {
      const button = part("button", "key");
      button.append(part("kbd", "", key), words);
      button.onclick = () => (act(), list.focus({ preventScroll: true }));
      help.append(button);
    }
  }

  function paint(i) {
    const item = desk.items[i];
    const chip = desk.rows[i].querySelector(".chip");
    const label = byId.get(item.given) || byId.get(item.gold);
    chip.textContent = label ? label.name : "";
    chip.style.setProperty("--colour", label ? label.colour : "transparent");
    chip.classList.toggle("given", Boolean(item.given));
    desk.rows[i].querySelector(".after").textContent = item.given ? item.after : "";
    chip.title = item.given ? "your label" : label ? "gold" : "no gold yet";
  }

  function show(i, quiet) {
    desk.at = Math.max(0, Math.min(desk.rows.length - 1, i));
    desk.rows.forEach((row, n) => {
      row.classList.toggle("here", n === desk.at);
      row.setAttribute("aria-selected", String(n === desk.at));
    });
    list.setAttribute("aria-activedescendant", `example-${desk.at}`);
    if (!quiet && desk.rows[desk.at]) desk.rows[desk.at].scrollIntoView({ block: "nearest" });
  }

  function write(entry) {
    desk.seq += 1;
    const ms = Math.round(performance.now() - desk.since);
    // Who looked elsewhere for a minute did not look at the example all the while.
    desk.log.push(ms < 60_000 && !document.hidden ? { ...entry, ms, seq: desk.seq } : { ...entry, seq: desk.seq });
    desk.since = performance.now();
    if (desk.log.length > 300) desk.log.shift();
    clearTimeout(desk.timer);
    desk.flush = () => {
      clearTimeout(desk.timer);
      desk.flush = null;
      setStateValue("log", { instance: desk.instance, who: desk.who, seq: desk.seq, log: desk.log.slice() });
    };
    desk.timer = setTimeout(desk.flush, 80);
  }

  function give(id) {
    const item = desk.items[desk.at];
    if (!item) return;
    desk.past.push([desk.at, item.given]);
    item.given = id;
    paint(desk.at);
    write({ do: "label", id: item.id, label: String(id) });
    said.textContent = `${byId.get(id).name}. ${desk.past.length} labeled`;
    show(desk.at + 1);
  }

  function undo() {
    const last = desk.past.pop();
    if (!last) return;
    const [at, before] = last;
    desk.items[at].given = before;
    paint(at);
    write({ do: "undo", id: desk.items[at].id });
    said.textContent = "Taken back";
    show(at);
  }

  function why() {
    if (desk.flush) desk.flush(); // what is written may build on the label just given
    if (desk.items[desk.at]) setTriggerValue("why", desk.items[desk.at].id);
  }

  function explain() {
    if (desk.items[desk.at]) setTriggerValue("explain", desk.items[desk.at].id);
  }

  list.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !desk.rows.length) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const number = /^[1-9]$/.test(key) ? Number(key) : 0;
    if (number && number <= labels.length) give(labels[number - 1].id);
    else if (key === "ArrowDown" || key === "j") show(desk.at + 1);
    else if (key === "ArrowUp" || key === "k") show(desk.at - 1);
    else if (key === "Home") show(0);
    else if (key === "End") show(desk.rows.length - 1);
    else if (key === "Enter") desk.rows[desk.at].classList.toggle("open");
    else if (key === "u") undo();
    else if (key === "w") why();
    else if (key === "e" && data.explains) explain();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
