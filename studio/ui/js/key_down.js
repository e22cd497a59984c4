function (params) {
  const desk = window.studioDesk;
  if (desk && params.event && params.api.getEditingCells().length === 0) {
    desk.onKey(params.event);
  }
}
