"""Report: the verdict, with figure, money and minutes."""

import streamlit as st

from studio.analysis.report_html import render_report
from studio.ui.page import open_page
from studio.ui.report_view import (
    draw_arms,
    draw_figure,
    draw_missing,
    draw_numbers,
    draw_verdict,
    draw_weak_spots,
    read_report,
)

page = open_page("Report", "Whether to go on: the verdict, what it rests on, and what it costs.")
report = read_report(page.ws, page.task, page.person)
draw_verdict(report)
title = f"{page.task.name}: {report.decision.verdict.value}"
st.download_button(
    "Download the report",
    render_report(report, title=title),
    file_name=f"report-{page.task.id}.html",
    mime="text/html",
    key="report_html",
    type="primary",
    help="One file that opens anywhere, for people who do not use this app.",
)
draw_figure(report)
draw_numbers(report)
draw_arms(report)
draw_weak_spots(report)
draw_missing(report)
