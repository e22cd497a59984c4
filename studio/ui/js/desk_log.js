/*
 What was done, on its way to the server. Entries get numbers from 1 and stay in the log, of which the
 last 300 are sent with every message, so a message that is dropped on the way is repaired by the next
 one. What a grid drawn shortly before wrote in this tab goes along: a reload may have cut it off. On
 other pages the carrier sends it.
*/
function (desk) {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const shelf = "rationale-studio-grid:" + desk.context.who + ":" + desk.context.task;
  const most = 300;
  const fresh = 600000;
  const page = desk.page;
  let timer = null;
  let sentSeq = 0;
  let sentFocus = null;

  desk.instance = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  desk.seq = 0;
  desk.log = [];

  const kept = function () {
    try {
      return JSON.parse(window.sessionStorage.getItem(shelf)) || [];
    } catch (error) {
      return [];
    }
  };

  const keep = function () {
    const node = desk.focusedNode();
    const mine = {
      instance: desk.instance, who: desk.context.who, task: desk.context.task,
      run: desk.context.run, server: desk.context.server, log: desk.log, at: Date.now(),
      row: node ? node.data.id : null,
    };
    try {
      window.sessionStorage.setItem(shelf, JSON.stringify([mine, ...desk.before]));
    } catch (error) {
      /* A full or forbidden storage takes only the safety net away. */
    }
  };

  const isLate = function (one) {
    const heard = desk.context.heard[one.instance] || 0;
    return Date.now() - one.at < fresh && one.log.some((entry) => entry.seq > heard);
  };
  desk.before = kept().filter(isLate).slice(0, 3);

  desk.value = function () {
    const node = desk.focusedNode();
    return {
      instance: desk.instance, who: desk.context.who, seq: desk.seq, log: desk.log,
      focus: desk.subject(), at: node ? node.data.id : null, before: desk.before,
    };
  };

  desk.write = function (entry) {
    desk.seq += 1;
    entry.seq = desk.seq;
    desk.log.push(entry);
    if (desk.log.length > most) {
      desk.log.shift();
    }
    keep();
    if (timer === null) {
      timer = setTimeout(desk.send, 80);
    }
  };

  /*
   On the wire the component itself uses, but heard before this returns: the grid's own events and
   messages between windows come a moment later, and a click on Undo would overtake the label before.
  */
  desk.send = function () {
    const type = "streamlit:setComponentValue";
    const data = { isStreamlitMessage: true, type: type, value: desk.value(), dataType: "json" };
    const said = { data: data, origin: window.location.origin, source: window };
    clearTimeout(timer);
    timer = null;
    sentSeq = desk.seq;
    sentFocus = desk.subject();
    keep();
    page.dispatchEvent(new page.MessageEvent("message", said));
    desk.told();
  };

  page.addEventListener("click", desk.holdBack, true);
  window.addEventListener("pagehide", () => page.removeEventListener("click", desk.holdBack, true));

  /* Whoever clicks outside may be about to make this grid disappear, or to take a label back. */
  desk.sendRest = function () {
    if (sentSeq !== desk.seq || sentFocus !== desk.subject()) {
      desk.send();
    }
  };
  window.addEventListener("blur", desk.sendRest);
  window.addEventListener("pagehide", desk.sendRest);
  if (desk.before.length > 0) {
    timer = setTimeout(desk.send, 80);
  }
}
