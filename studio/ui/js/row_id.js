function (params) {
  return String(params.data.id);
}
