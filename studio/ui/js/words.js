/*
 A text whose words can be marked, by dragging or by keys alone: arrows go from word to word, Shift
 and an arrow chooses, Enter or Space marks or takes a mark back. Words come in as numbers and texts,
 and go out as numbers; the texts come in through textContent only.
*/
export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".text");
  const said = parentElement.querySelector(".said");
  const desk = (box.desk = box.desk || { version: null });
  if (desk.version === data.version) return;
  desk.version = data.version;
  desk.marks = (data.marks || []).map((mark) => mark.slice());
  desk.cursor = desk.marks.length ? desk.marks[0][0] : 0;
  desk.anchor = desk.cursor;
  desk.spans = [];
  desk.gaps = [];
  box.setAttribute("aria-label", data.label);
  box.replaceChildren();
  for (const [piece, isWord] of data.pieces) {
    const span = document.createElement("span");
    if (!isWord) {
      span.textContent = piece;
      desk.gaps.push([desk.spans.length, span]);
      box.append(span);
      continue;
    }
    span.className = "word";
    span.textContent = piece;
    span.dataset.number = desk.spans.length;
    desk.spans.push(span);
    box.append(span);
  }

  const last = () => desk.spans.length - 1;
  const range = () => [Math.min(desk.anchor, desk.cursor), Math.max(desk.anchor, desk.cursor)];
  const touching = (low, high) => desk.marks.filter(([a, b]) => a <= high && b >= low);
  const words = (low, high) =>
    desk.spans.slice(low, high + 1).map((span) => span.textContent).join(" ");

  function draw() {
    const [low, high] = range();
    desk.spans.forEach((span, i) => {
      const mark = desk.marks.find(([a, b]) => a <= i && i <= b);
      span.classList.toggle("marked", Boolean(mark));
      span.classList.toggle("first", Boolean(mark) && mark[0] === i);
      span.classList.toggle("last", Boolean(mark) && mark[1] === i);
      span.classList.toggle("chosen", Boolean(desk.using) && i >= low && i <= high);
    });
    for (const [next, gap] of desk.gaps) {
      gap.classList.toggle("marked", desk.marks.some(([a, b]) => a < next && next <= b));
    }
  }

  function send(sentence) {
    said.textContent = sentence;
    setStateValue("marks", desk.marks.map((mark) => mark.slice()));
  }

  /* What is chosen becomes one mark; a mark chosen again is taken back. */
  function toggle(low, high) {
    const there = touching(low, high);
    desk.marks = desk.marks.filter((mark) => !there.includes(mark));
    const back = there.length && there.every(([a, b]) => a <= low && b >= high);
    if (!back) {
      desk.marks.push([low, high]);
      desk.marks.sort((a, b) => a[0] - b[0]);
    }
    desk.anchor = desk.cursor;
    draw();
    send(`${back ? "Not marked" : "Marked"}: ${words(low, high)}`);
  }

  function go(to, choosing) {
    desk.cursor = Math.max(0, Math.min(last(), to));
    if (!choosing) desk.anchor = desk.cursor;
    draw();
    desk.spans[desk.cursor].scrollIntoView({ block: "nearest" });
    said.textContent = words(...range());
  }

  function line(step) {
    const here = desk.spans[desk.cursor].getBoundingClientRect();
    const middle = here.left + here.width / 2;
    let best = desk.cursor;
    let least = Infinity;
    desk.spans.forEach((span, i) => {
      const at = span.getBoundingClientRect();
      const lines = Math.round((at.top - here.top) / here.height);
      if (Math.sign(lines) !== step) return;
      const far = Math.abs(lines) * 10000 + Math.abs(at.left + at.width / 2 - middle);
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  box.onkeydown = (event) => {
    if (!desk.spans.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = {
      ArrowRight: () => desk.cursor + 1,
      ArrowLeft: () => desk.cursor - 1,
      ArrowDown: () => line(1),
      ArrowUp: () => line(-1),
      Home: () => 0,
      End: () => last(),
    }[event.key];
    if (to) go(to(), event.shiftKey);
    else if (event.key === "Enter" || event.key === " ") toggle(...range());
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  box.onfocus = () => ((desk.using = true), draw());
  box.onblur = () => ((desk.using = false), draw());

  const numberAt = (event) => {
    const at = parentElement.elementFromPoint
      ? parentElement.elementFromPoint(event.clientX, event.clientY)
      : document.elementFromPoint(event.clientX, event.clientY);
    return at && at.dataset && at.dataset.number ? Number(at.dataset.number) : null;
  };
  box.onpointerdown = (event) => {
    const number = numberAt(event);
    if (number === null || event.button) return;
    desk.drag = desk.anchor = desk.cursor = number;
    box.focus({ preventScroll: true });
    draw();
    event.preventDefault();
  };
  box.onpointermove = (event) => {
    if (desk.drag === undefined || desk.drag === null) return;
    const number = numberAt(event);
    if (number !== null && number !== desk.cursor) {
      desk.cursor = number;
      draw();
    }
  };
  box.onpointerup = () => {
    if (desk.drag === undefined || desk.drag === null) return;
    desk.drag = null;
    toggle(...range());
  };
  box.onpointerleave = () => (desk.drag = null);
  draw();
}
