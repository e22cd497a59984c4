/*
 One example at a time, decided by keys or fingers. The next ones are here already, so a key moves on
 without waiting for the server. What is done is logged with numbers that grow; entries are sent
 again, and kept over a reload of the page, until the server says it has them. Texts come in through
 textContent only.
*/
export default function () {
  const code = (window.rationaleStudioQueue ??= {});
  code.draw = drawCard;
  if (code.waiting) code.waiting();
}

function drawCard({ data, parentElement, setStateValue, setTriggerValue }) {
  const card = parentElement.querySelector(".card");
  const first = !card.desk;
  const desk = (card.desk = card.desk || { version: null, front: 0, blocks: [], clock: startClock(), page: window });
  Object.assign(desk, { data, card, setStateValue, setTriggerValue });
  desk.find = (name) => parentElement.querySelector(name);
  if (first) holdClicks(desk), recall(desk);
  if (desk.version !== data.version) begin(desk), leaveSidebar(card);
  acknowledge(desk);
  receive(desk);
  drawFrame(desk);
  show(desk, desk.at);
  if (desk.blocks.some((block) => block !== desk.block && block.log.length)) again(desk, 0);
  listen(desk);
  if (first) card.focus({ preventScroll: true });
  return () => setTimeout(() => card.isConnected || desk.leave(), 0);
}

/* Whoever chose the task in the sidebar is still in that box, and keys would be typed there. */
function leaveSidebar(card) {
  const held = document.activeElement;
  const isOpen = held && held.getAttribute("aria-expanded") === "true";
  if (held && !isOpen && held.closest('[data-testid="stSidebar"]')) card.focus({ preventScroll: true });
}

/* Keys count wherever the focus is; adding a listener again that is there already changes nothing. */
function listen(desk) {
  desk.listeners = desk.listeners || [
    [window, "keydown", (event) => keyed(desk, event)],
    [window, "pointerdown", (event) => event.composedPath().includes(desk.card) || flush(desk)],
    [window, "click", desk.holdBack],
    [window, "blur", () => setTimeout(() => takeBack(desk), 0)],
  ];
  for (const [where, name, act] of desk.listeners) where.addEventListener(name, act, true);
  desk.leave = () => {
    for (const [where, name, act] of desk.listeners) where.removeEventListener(name, act, true);
  };
}

/* A grid that is on its way out, but still loading, takes the keys for itself. */
function takeBack(desk) {
  const active = document.activeElement;
  if (desk.card.isConnected && active && active.tagName === "IFRAME") desk.card.focus({ preventScroll: true });
}

/* ---- the log ---- */

const STORE = "rationale-studio-queue";
const LONGEST_PAUSE = 60000;
const SEND_EVERY = 100;
const ASK_AGAIN = 4000;
const MOST_BLOCKS = 8;

/* Take up what a page before this one did not get through. */
function recall(desk) {
  try {
    desk.blocks = JSON.parse(sessionStorage.getItem(STORE) || "[]");
  } catch (error) {
    desk.blocks = [];
  }
}

function keep(desk) {
  desk.blocks = desk.blocks.filter((one) => one.log.length || one === desk.block).slice(-MOST_BLOCKS);
  try {
    sessionStorage.setItem(STORE, JSON.stringify(desk.blocks));
  } catch (error) { /* without storage only a reload within the same blink loses something */ }
}

/* Start over with other examples, or in another way; what waits to be sent stays. */
function begin(desk) {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const instance = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const { version, who } = desk.data;
  desk.block = { version, who, instance, seq: 0, acked: 0, log: [] };
  desk.blocks.push(desk.block);
  Object.assign(desk, { version, items: [], at: 0, past: [], future: [], front: 0, open: null });
  desk.known = new Map();
  // What is under way already need not be asked once more.
  for (const block of desk.blocks) {
    if (block.who !== who || block === desk.block) continue;
    for (const entry of block.log) {
      if (entry.id && entry.do === "undo") desk.known.delete(entry.id);
      else if (entry.do === "label" || entry.do === "skip") desk.known.set(entry.id, null);
    }
  }
}

function acknowledge(desk) {
  for (const block of desk.blocks) {
    block.acked = Math.max(block.acked, desk.data.ack[block.instance] || 0);
    block.log = block.log.filter((entry) => entry.seq > block.acked);
  }
  keep(desk);
}

function write(desk, entry) {
  desk.block.seq += 1;
  desk.block.log.push({ ...entry, seq: desk.block.seq });
  keep(desk);
  if (desk.timer) return;
  const wait = Math.max(0, SEND_EVERY - (performance.now() - (desk.sent || 0)));
  desk.timer = setTimeout(() => send(desk), wait);
}

function send(desk) {
  clearTimeout(desk.timer);
  desk.timer = null;
  desk.sent = performance.now();
  const blocks = desk.blocks.filter((block) => block.who === desk.data.who);
  desk.times = (desk.times || 0) + 1;
  desk.setStateValue("log", {
    times: desk.times,
    blocks: blocks.map((block) => ({ ...block, log: block.log.map((entry) => ({ ...entry })) })),
  });
  desk.told();
  blocks.forEach((block) => block.log.forEach((entry) => (entry.sent = true)));
  keep(desk);
  again(desk, ASK_AGAIN);
}

/* Send what was not heard of: it may have gone to a server that is no more. */
function again(desk, wait) {
  clearTimeout(desk.repeat);
  desk.repeat = setTimeout(() => {
    const waits = desk.blocks.some((block) => block.who === desk.data.who && block.log.length);
    if (waits && desk.card.isConnected) send(desk);
  }, wait);
}

function flush(desk) {
  if (desk.timer) send(desk);
}

/* Milliseconds of looking: while the page is seen, of a pause without a movement a minute at most. */
function startClock() {
  const clock = { spent: 0, last: performance.now() };
  clock.tick = () => {
    const now = performance.now();
    if (!clock.hidden) clock.spent += Math.min(now - clock.last, LONGEST_PAUSE);
    clock.last = now;
    clock.hidden = document.hidden;
  };
  clock.take = () => {
    clock.tick();
    const spent = Math.round(clock.spent);
    clock.spent = 0;
    return spent;
  };
  document.addEventListener("visibilitychange", clock.tick);
  for (const name of ["keydown", "pointermove", "wheel", "touchstart"]) {
    document.addEventListener(name, clock.tick, { capture: true, passive: true });
  }
  return clock;
}

/* ---- examples ---- */

function receive(desk) {
  const wanted = new Set(desk.data.items.map((item) => item.id));
  desk.items = desk.items.filter((item, i) => i <= desk.at || item.given || item.skip || wanted.has(item.id));
  for (const item of desk.data.items) {
    if (desk.known.has(item.id)) continue;
    desk.known.set(item.id, item);
    desk.items.push({ ...item });
  }
  const front = desk.data.front;
  if (front && front.n > desk.front) {
    desk.front = front.n;
    const at = desk.items.findIndex((item) => item.id === front.item.id);
    if (at < 0) desk.items.splice(desk.at, 0, { ...front.item });
    else Object.assign(desk.items[(desk.at = at)], front.item);
    desk.known.set(front.item.id, front.item);
    desk.past = [];
    desk.future = [];
  }
}

function here(desk) {
  return desk.items[desk.at];
}

function go(desk, at) {
  desk.clock.take();
  show(desk, Math.max(0, Math.min(desk.items.length, at)));
}

/* ---- deeds ---- */

function done(desk, item, what, after, entry) {
  const step = { what, id: item.id, before: item[what], after };
  desk.past.push(step);
  desk.future = [];
  item[what] = after;
  write(desk, { id: item.id, ms: desk.clock.take(), more: more(step, 1), ...entry });
}

/* By how much a step, or the way back, changes how many were decided. */
function more(step, way) {
  return step.what === "given" && !step.before ? way : 0;
}

function give(desk, id) {
  const item = here(desk);
  if (!item) return;
  keepNote(desk);
  const name = desk.data.labels.find((label) => label.id === id).name;
  if (item.given !== id) done(desk, item, "given", id, { do: "label", label: String(id) });
  say(desk, `${name}. ${settled(desk)} done`);
  go(desk, desk.at + 1);
}

function mark(desk, what, on, text) {
  const item = here(desk);
  const after = what === "note" ? text : on;
  if (!item || (item[what] || "") === (after || "")) return;
  done(desk, item, what, after, { do: what, on: Boolean(after), text: text || "" });
  show(desk, desk.at);
}

function skip(desk) {
  const item = here(desk);
  if (!item) return;
  keepNote(desk);
  if (item.skip || item.given) write(desk, { do: "next", id: item.id, more: 0 });
  else mark(desk, "skip", true);
  go(desk, desk.at + 1);
}

function replay(desk, from, to, deed, side) {
  const last = from.pop();
  if (last) {
    to.push(last);
    const at = desk.items.findIndex((item) => item.id === last.id);
    desk.items[at][last.what] = last[side];
    const goesOn = deed === "redo" && (last.what === "given" || last.what === "skip");
    go(desk, goesOn ? at + 1 : at);
  }
  const change = last ? more(last, deed === "undo" ? -1 : 1) : 0;
  write(desk, { do: deed, id: last ? last.id : null, n: last ? 1 : 0, more: change });
  say(desk, deed === "undo" ? "Taken back" : "Put back");
}

const DEEDS = {
  skip,
  accept: (desk) => here(desk) && here(desk).said && give(desk, here(desk).said),
  undo: (desk) => replay(desk, desk.past, desk.future, "undo", "before"),
  redo: (desk) => replay(desk, desk.future, desk.past, "redo", "after"),
  flag: (desk) => here(desk) && mark(desk, "flag", !here(desk).flag),
  note: (desk) => here(desk) && openLine(desk, "note"),
  find: (desk) => here(desk) && openLine(desk, "find"),
  back: (desk) => go(desk, desk.at - 1),
  forward: (desk) => here(desk) && (here(desk).given || here(desk).skip) && go(desk, desk.at + 1),
  why: (desk) => ask(desk, "why", here(desk) || desk.items[desk.at - 1]),
  behind: (desk) => ask(desk, "behind", lastDecided(desk)),
  help: (desk) => ask(desk, "help", { id: 0 }),
  keep: (desk) => ask(desk, "crossed", { id: "keep" }),
  take: (desk) => ask(desk, "crossed", { id: "take" }),
};

const KEYS = {
  " ": "skip", s: "skip", a: "accept", Enter: "accept", u: "undo", r: "redo", f: "flag", t: "note",
  m: "note", w: "why", b: "behind", "?": "help", "/": "find", l: "find", k: "keep", h: "take",
  ArrowLeft: "back", ArrowRight: "forward",
};

/* A question to the server goes after what was decided before it. */
function ask(desk, what, item) {
  if (!item) return;
  flush(desk);
  desk.setTriggerValue(what, item.id);
}

function lastDecided(desk) {
  const last = desk.past.filter((step) => step.what === "given").pop();
  return last && desk.items.find((item) => item.id === last.id && item.given);
}

/* How many were decided: what the server counted, and what is on its way there. */
function settled(desk) {
  return desk.block.log.reduce((sum, entry) => sum + (entry.more || 0), desk.data.done);
}

function keyed(desk, event) {
  const target = event.composedPath()[0];
  if (!desk.card.isConnected || event.defaultPrevented || elsewhere(desk, event, target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let act = null;
  if (event.ctrlKey || event.metaKey) {
    const deed = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
    act = deed && DEEDS[deed];
  } else if (!event.altKey) {
    const place = /^(?:Digit|Numpad)([1-9])$/.exec(event.code || "");
    const digit = /^[1-9]$/.test(key) ? key : place && !event.shiftKey ? place[1] : null;
    const label = digit && desk.data.labels[Number(digit) - 1];
    if (digit) act = () => label && give(desk, label.id);
    else act = Object.hasOwn(KEYS, key) ? DEEDS[KEYS[key]] : null;
  }
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act(desk);
}

/* Whether a key belongs to something else: a field, a dialog, a list, or a button being pressed. */
function elsewhere(desk, event, target) {
  if (document.querySelector('[role="dialog"]')) return true;
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    return target.type !== "radio" && target.type !== "checkbox";
  }
  const inside = event.composedPath().filter((one) => one.matches);
  const lists = '[role="listbox"],[role="menu"],[data-testid="stPopoverBody"]';
  if (inside.some((one) => one.matches(lists))) return true;
  const presses = event.key === "Enter" || event.key === " " || event.key.startsWith("Arrow");
  const ours = inside.includes(desk.card);
  if (ours) return presses && event.key !== "ArrowLeft" && event.key !== "ArrowRight" && target.tagName === "BUTTON";
  return presses && inside.some((one) => one.matches("a,button,input,summary,[role=radio],[role=tab]"));
}
