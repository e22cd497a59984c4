/*
 Sends what a labeling desk wrote down and could not send: its page was left, or the server went
 away. What is still there at a second look was not sent by the desk itself. A grid sends its own log
 as long as it is there. Nothing is sent while somebody clicks or types: what goes out together with
 a choice on the page would make a part of the page out of it.
*/
export default function ({ data, setStateValue }) {
  const CARDS = "rationale-studio-queue";
  const GRIDS = "rationale-studio-grid:";
  const GRID = 'iframe[title*="agGrid"]';
  const read = (name) => {
    try {
      return JSON.parse(sessionStorage.getItem(name) || "[]");
    } catch (error) {
      return [];
    }
  };
  const waiting = (blocks, ack) =>
    blocks.filter(
      (one) => one.who === data.who && one.log.some((entry) => entry.seq > (ack[one.instance] || 0)),
    );
  const shelves = () =>
    document.querySelector(GRID) ? [] : Object.keys(sessionStorage).filter((name) => name.startsWith(GRIDS));
  let before = "";
  let times = 0;
  let touched = 0;
  const touch = () => (touched = performance.now());
  const TOUCHES = ["pointerdown", "pointerup", "keydown"];
  TOUCHES.forEach((name) => window.addEventListener(name, touch, true));
  const look = () => {
    if (touched && performance.now() - touched < 300) return;
    const blocks = waiting(read(CARDS), data.cards);
    const grids = waiting(shelves().flatMap(read), data.grids);
    const now = JSON.stringify([blocks, grids]);
    if (blocks.length + grids.length && now === before) {
      setStateValue("log", { blocks, grids, times: (times += 1) });
    }
    before = now;
  };
  look();
  const timer = setInterval(look, 400);
  return () => {
    clearInterval(timer);
    TOUCHES.forEach((name) => window.removeEventListener(name, touch, true));
  };
}
