/*
 Sends what a labeling desk wrote down and could not send: its page was left, or the server went
 away. What is still there at a second look was not sent by the desk itself. A grid sends its own log
 as long as it is there. Nothing is sent while somebody clicks or types: Streamlit sends a choice
 made at the same moment as if it belonged to this component alone, and the page would not follow.
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
  // Drawn anew with other data, this runs again, and what it began before would go on with the old.
  const one = (window.rationaleStudioCarrier ??= { times: 0 });
  if (one.stop) one.stop();
  let before = "";
  let touched = 0;
  const touch = () => (touched = performance.now());
  const TOUCHES = ["pointerdown", "pointerup", "keydown"];
  const look = () => {
    if (touched && performance.now() - touched < 300) return;
    const blocks = waiting(read(CARDS), data.cards);
    const grids = waiting(shelves().flatMap(read), data.grids);
    const now = JSON.stringify([blocks, grids]);
    if (blocks.length + grids.length && now === before) {
      setStateValue("log", { blocks, grids, times: (one.times += 1) });
    }
    before = now;
  };
  TOUCHES.forEach((name) => window.addEventListener(name, touch, true));
  look();
  const timer = setInterval(look, 400);
  const stop = (one.stop = () => {
    clearInterval(timer);
    TOUCHES.forEach((name) => window.removeEventListener(name, touch, true));
  });
  return stop;
}
