/* Unsure is warm, sure is quiet: the eye finds what is worth a look. */
function (params) {
  if (params.value == null) {
    return { "--sure": "0%" };
  }
  const doubt = Math.max(0, Math.min(1, 2 * (1 - params.value)));
  return {
    "--sure": Math.round(100 * params.value) + "%",
    "--bar": "color-mix(in srgb, #d98a00 " + Math.round(100 * doubt) + "%, #7d8794)",
  };
}
