/*
 The labeling desk of one drawn grid, put together of the parts that the server names: each adds its
 functions to the desk. Texts of people come in through textContent only.
*/
function (params) {
  const desk = { api: params.api, context: params.context, page: window.parent };
  DESK_PARTS.forEach((part) => part(desk));
  window.studioDesk = desk;
}
