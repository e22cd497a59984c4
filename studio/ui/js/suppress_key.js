/* Our keys must not open the cell's editor; without this a digit would. */
function (params) {
  const desk = window.studioDesk;
  return !params.editing && Boolean(desk) && desk.deedOf(params.event) !== null;
}
