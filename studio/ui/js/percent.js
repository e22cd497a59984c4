function (params) {
  return params.value == null ? "" : Math.round(100 * params.value) + " %";
}
