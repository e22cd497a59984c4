/*
 How long the example in focus was looked at: while the page is visible, and of a pause without any
 movement at most a minute.
*/
function (desk) {
  const longest = 60000;
  let spent = 0;
  let whole = 0;
  let last = performance.now();

  const tick = function () {
    const now = performance.now();
    const passed = document.hidden ? 0 : Math.min(now - last, longest);
    last = now;
    spent += passed;
    whole += passed;
  };

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) {
      const now = performance.now();
      spent += Math.min(now - last, longest);
      whole += Math.min(now - last, longest);
      last = now;
    } else {
      last = performance.now();
    }
  });
  ["keydown", "mousemove", "wheel", "touchstart"].forEach(function (name) {
    document.addEventListener(name, tick, { capture: true, passive: true });
  });

  /* Milliseconds since this example came into focus, or since it was decided last. */
  desk.looked = function () {
    tick();
    const result = Math.round(spent);
    spent = 0;
    return result;
  };

  /* Milliseconds since the last decision on this page, which is what one on many rows took. */
  desk.worked = function () {
    tick();
    const result = Math.round(whole);
    whole = 0;
    return result;
  };

  desk.newLook = function () {
    tick();
    spent = 0;
  };
}
