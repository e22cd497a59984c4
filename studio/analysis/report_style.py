"""How the report looks: its colours and its style sheet, light, dark and on paper."""

from __future__ import annotations

# Okabe and Ito's colours, told apart by every kind of colour vision; one for each of 8 labels.
LABEL_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8c6d1f",
    "#6f6fb8",
)

CSS = """
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --soft: #59636e; --line: #d5dae0; --page: #ffffff; --panel: #f5f7f9;
  --accent: #0b5cad; --go: #0b5cad; --no-go: #a63c00; --not-yet: #59636e;
  --heat: 11, 92, 173;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ed; --soft: #9aa5b1; --line: #363d46; --page: #15181c; --panel: #1d2126;
    --accent: #6cb0f5; --go: #6cb0f5; --no-go: #f0955c; --not-yet: #9aa5b1;
    --heat: 108, 176, 245;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .35rem 0; max-width: 46rem; }
.soft, figcaption, caption { color: var(--soft); }
.verdict {
  display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline;
  margin: 1.25rem 0; padding: .9rem 1.1rem; background: var(--panel);
  border-left: .35rem solid var(--tone);
}
.verdict strong { font-size: 1.7rem; line-height: 1.2; color: var(--tone); }
.verdict p { flex: 1 1 24rem; }
.go { --tone: var(--go); } .no-go { --tone: var(--no-go); } .not-yet { --tone: var(--not-yet); }
dl {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr));
  gap: .75rem; margin: 1rem 0;
}
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.1rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
svg { width: 100%; height: auto; display: block; font-size: 12px; }
svg text { fill: var(--soft); }
svg .axis { stroke: var(--line); }
svg .interval { stroke: var(--accent); stroke-width: 8; stroke-linecap: butt; opacity: .45; }
svg .value { fill: var(--accent); }
svg .goal { stroke: var(--ink); stroke-width: 2; }
svg .base { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 3 3; }
svg text.strong { fill: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .35rem; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; min-width: 8rem; }
.prose th:last-child, .prose td:last-child { text-align: left; font-size: .9rem; }
td small { color: var(--soft); white-space: nowrap; }
td.cell { background: rgba(var(--heat), var(--share, 0)); }
td.hit { outline: 1px solid var(--soft); outline-offset: -2px; }
.dot {
  display: inline-block; width: .65em; height: .65em; border-radius: 50%; margin-right: .45em;
}
ul { margin: .35rem 0; padding-left: 1.2rem; }
@media print {
  :root {
    --ink: #000; --soft: #444; --line: #bbb; --page: #fff; --panel: #fff;
    --accent: #0b5cad; --go: #0b5cad; --no-go: #a63c00; --not-yet: #444; --heat: 11, 92, 173;
  }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  section, figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  td.cell, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  @page { margin: 16mm; }
}
"""
