/* A label chosen from the list; keyed ones write their own entry. */
function (params) {
  const desk = window.studioDesk;
  if (desk && params.source === "edit" && params.column.getColId() === "label") {
    desk.record(params.data.id, params.oldValue || "", params.newValue || "");
  }
}
