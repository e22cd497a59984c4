/* Type to find a label: Enter gives the first one that fits, arrows choose another. */
function (desk) {
  const context = desk.context;
  const most = 8;

  const fold = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  /* Names that begin so, then those with a word that does, then those that hold it. */
  const find = function (typed) {
    const wanted = fold(typed.trim());
    const rank = function (label) {
      const name = fold(context.names[label]);
      if (name.startsWith(wanted)) {
        return 0;
      }
      return name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)) ? 1
        : name.includes(wanted) ? 2 : 3;
    };
    return context.order
      .map((label) => [rank(label), label])
      .filter(([place]) => place < 3)
      .sort((one, other) => one[0] - other[0])
      .map(([, label]) => label);
  };

  desk.openFinder = function () {
    let found = [];
    let at = 0;
    let list = null;

    const give = function (label) {
      desk.closeQuestion();
      if (label) {
        desk.giveOrAsk(label);
      }
    };

    const draw = function () {
      list.textContent = "";
      const first = Math.max(0, at - most + 1);
      found.slice(first, first + most).forEach(function (label, index) {
        const button = desk.labelButton(list, label, "", () => give(label));
        button.classList.toggle("desk-here", first + index === at);
      });
      if (found.length === 0) {
        desk.part(list, "span", "", "No label has these letters. Escape leaves.");
      }
    };

    const input = desk.openField("Find a label", "", 100, function (event) {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (step) {
        at = Math.max(0, Math.min(at + step, found.length - 1));
        draw();
      } else if (event.key === "Enter") {
        /* What was typed a moment ago may not have been searched for yet. */
        give(found[at]);
      } else if (event.key === "Escape") {
        give(null);
      }
      return Boolean(step) || event.key === "Enter" || event.key === "Escape";
    });
    list = desk.part(input.parentNode, "span", "desk-found", "");
    const search = function () {
      found = find(input.value);
      at = 0;
      draw();
    };
    input.addEventListener("input", search);
    search();
  };
}
