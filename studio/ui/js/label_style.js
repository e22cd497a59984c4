/* Hands the label's colour to the style sheet, which draws the chip. */
function (params) {
  const colour = params.context.colours[params.value];
  return { "--chip": colour || "transparent", "--chip-text": colour ? "inherit" : "var(--faint)" };
}
