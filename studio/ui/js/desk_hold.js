/*
 The page sends what it heard of a desk with its next timer. A click before that would go along as if
 it were one of the desk: a choice outside would do nothing. So it waits until then.
*/
function holdClicks(desk) {
  const page = desk.page;
  let leaving = null;
  let held = null;

  const release = function () {
    const target = held;
    leaving = held = null;
    if (target && target.isConnected) {
      const how = { bubbles: true, cancelable: true, composed: true, view: page };
      target.dispatchEvent(new page.MouseEvent("click", how));
    }
  };

  /* To be called as soon as something was told to the page. */
  desk.told = function () {
    page.clearTimeout(leaving);
    leaving = page.setTimeout(release, 0);
  };

  desk.holdBack = function (event) {
    if (leaving !== null) {
      event.preventDefault();
      event.stopImmediatePropagation();
      held = event.composedPath()[0];
    }
  };
}
