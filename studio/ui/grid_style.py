"""How the labeling grid looks: constants only, on the colours of Streamlit's theme.

Inside its frame the component sets the theme's colours as `--background-color`, `--text-color` and
`--primary-color`, so light and dark need no code here. `js/label_style.js` hands in `--chip`.
"""

from __future__ import annotations

LINE_PX, HEADER_PX, ROW_PX, MOST_PX = 46, 34, 50, 640
BARE_PX = LINE_PX + HEADER_PX + 3
_FONT = "var(--font)"


def _chips(inside: str) -> str:
    return ", ".join(
        f'.ag-cell[col-id="{name}"]{inside}' for name in ("predicted", "label", "gold")
    )


# The component forgets what its own theme was told when light and dark are switched.
_THEME = {
    "background-color": "var(--background-color)",
    "foreground-color": "var(--text-color)",
    "accent-color": "var(--primary-color)",
    "header-background-color": "var(--background-color)",
    "header-text-color": "var(--faint)",
    "header-font-weight": "500",
    "border-color": "var(--line)",
    "row-hover-color": "color-mix(in srgb, var(--text-color) 3%, transparent)",
    "selected-row-background-color": "color-mix(in srgb, var(--primary-color) 9%, transparent)",
    "font-family": _FONT,
    "font-size": "14px",
    "cell-horizontal-padding": "10px",
    "wrapper-border-radius": "6px",
    "tooltip-background-color": "var(--background-color)",
    "tooltip-text-color": "var(--text-color)",
}
CSS: dict[str, dict[str, str]] = {
    ":root": {
        "--faint": "color-mix(in srgb, var(--text-color) 64%, transparent)",
        "--line": "color-mix(in srgb, var(--text-color) 16%, transparent)",
    },
    '[class*="ag-theme-"]': {
        f"--ag-{name}": f"{value} !important" for name, value in _THEME.items()
    },
    "#gridContainer": {"display": "flex", "flex-direction": "column", "overflow": "hidden"},
    "#gridContainer > div:last-child": {"flex": "1 1 auto", "min-height": "0"},
    ".desk-line": {
        "display": "flex", "align-items": "center", "gap": "6px 14px", "height": f"{LINE_PX}px",
        "padding": "0 2px", "font": f"13px {_FONT}", "color": "var(--faint)",
        "white-space": "nowrap", "overflow": "hidden", "flex": "0 0 auto",
    },
    ".desk-usual": {
        "display": "flex", "align-items": "center", "gap": "6px 14px", "flex": "1 1 0",
        "min-width": "0", "overflow": "hidden",
    },
    ".desk-two": {"height": f"{LINE_PX + 30}px"},
    ".desk-two .desk-usual": {
        "flex-wrap": "wrap", "align-content": "flex-start", "max-height": "60px",
    },
    ".desk-two .desk-hints": {"flex": "1 1 160px"},
    ".desk-two .desk-found": {"flex": "1 1 100%"},
    ".desk-usual[hidden]": {"display": "none"},
    ".desk-ask": {"color": "var(--text-color)", "overflow": "hidden", "text-overflow": "ellipsis"},
    ".desk-input": {
        "font": f"14px {_FONT}", "color": "var(--text-color)", "background": "transparent",
        "border": "1px solid var(--primary-color)", "border-radius": "6px", "padding": "4px 8px",
        "flex": "1 1 180px", "min-width": "120px", "max-width": "420px", "outline": "none",
    },
    ".desk-found": {"display": "flex", "gap": "6px", "flex": "3 1 0", "overflow": "hidden"},
    ".desk-line label": {"margin": "0", "font": "inherit"},
    ".desk-here": {"outline": "2px solid var(--primary-color)", "outline-offset": "-1px"},
    ".desk-line kbd": {
        "font": f"600 11px {_FONT}", "border": "1px solid var(--line)", "border-radius": "4px",
        "padding": "1px 5px", "margin-right": "5px", "color": "var(--text-color)",
        "background": "transparent", "box-shadow": "none",
    },
    ".desk-label": {
        "font": "inherit", "color": "var(--text-color)", "cursor": "pointer",
        "border-radius": "6px",
        "border": "1px solid color-mix(in srgb, var(--chip, var(--faint)) 55%, transparent)",
        "background": "color-mix(in srgb, var(--chip, transparent) 14%, transparent)",
        "padding": "4px 10px 4px 6px",
    },
    ".desk-label:hover": {"background": "color-mix(in srgb, var(--chip) 28%, transparent)"},
    ".desk-label kbd": {"border-color": "color-mix(in srgb, var(--chip) 60%, transparent)"},
    ".desk-hints": {
        "display": "flex", "gap": "12px 14px", "flex": "1 1 0", "min-width": "0", "padding": "0",
        "flex-wrap": "wrap", "height": "24px", "overflow": "hidden", "line-height": "24px",
    },
    ".desk-tally": {"flex": "0 0 auto", "font-variant-numeric": "tabular-nums"},
    ".ag-cell": {"line-height": "20px", "display": "flex", "align-items": "center"},
    ".ag-cell-wrapper": {"width": "100%", "align-items": "center"},
    ".ag-cell:not(.ag-cell-auto-height) > .ag-cell-wrapper": {"height": "100%"},
    '.ag-cell[col-id="text"] .ag-cell-value': {
        "display": "-webkit-box", "-webkit-box-orient": "vertical", "overflow": "hidden",
        "-webkit-line-clamp": "var(--lines, 2)", "unicode-bidi": "plaintext", "text-align": "start",
        "overflow-wrap": "anywhere", "max-height": "40px", "flex": "1 1 auto",
        "white-space": "normal", "height": "auto", "align-self": "center",
    },
    '.ag-cell[col-id="text"].ag-cell-auto-height .ag-cell-value': {
        "display": "block", "max-height": "none", "padding": "5px 0", "white-space": "pre-line",
    },
    '.desk-open .ag-cell[col-id="text"] .ag-cell-value': {
        "display": "block", "max-height": "none", "white-space": "pre-wrap",
    },
    '.ag-cell[col-id^="meta"] .ag-cell-value': {"unicode-bidi": "plaintext"},
    '.ag-cell[col-id="marks"]': {"padding": "0 4px", "letter-spacing": "1px"},
    _chips(" .ag-cell-value"): {
        "background": "color-mix(in srgb, var(--chip) 16%, transparent)",
        "color": "var(--chip-text)", "border-radius": "5px", "padding": "1px 8px",
        "flex": "0 1 auto",
        "box-shadow": "inset 3px 0 0 var(--chip)",
    },
    '.ag-cell[col-id="label"] .ag-cell-value': {"font-weight": "600"},
    '.ag-cell[col-id="confidence"] .ag-cell-value': {
        "font-variant-numeric": "tabular-nums", "padding-bottom": "3px",
        "background": "linear-gradient(var(--bar), var(--bar)) no-repeat left bottom",
        "background-size": "var(--sure) 3px",
    },
    '.ag-cell[col-id="split"], .ag-cell[col-id="external"]': {
        "color": "var(--faint)", "font-size": "13px",
    },
    ".ag-tooltip": {
        "max-width": "560px", "white-space": "pre-wrap", "line-height": "1.45",
        "padding": "10px 12px",
        "unicode-bidi": "plaintext", "max-height": "60vh", "overflow": "hidden",
    },
}  # fmt: skip
