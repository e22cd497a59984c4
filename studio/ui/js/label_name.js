/* The name of a label id; what is not a label id (an outcome) is shown as it is. */
function (params) {
  const value = params.value;
  return value ? params.context.names[value] || value : "";
}
