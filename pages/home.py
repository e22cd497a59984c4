"""Home: where the task stands, and the next useful step."""

import streamlit as st

from studio.domain.next_step import next_step
from studio.ui.charts import interval_chart, is_dark, show_chart
from studio.ui.figures import metric_name
from studio.ui.overview import draw_counts, draw_next_step, draw_open_jobs, draw_runs
from studio.ui.page import open_page
from studio.ui.standing import standing

page = open_page("Home", "Where the task stands, and the one next step that helps most.")
task, now = page.task, standing(page.ws, page.task)
draw_next_step(next_step(now))
draw_open_jobs(page.ws, task)
draw_counts(now)

if now.measured:
    st.subheader("How well it is told so far", anchor=False)
    criterion = task.criterion
    best = now.measured[0]
    spec = interval_chart(
        tuple((f"{m.title} · run {m.run_id}", m.figure) for m in now.measured),
        metric=metric_name(best.metric),
        threshold=criterion.threshold if criterion else None,
        majority=best.majority if best.metric == "accuracy" else None,
        dark=is_dark(),
    )
    # The axis takes its share of the height.
    show_chart(
        spec | {"height": 34 * len(now.measured) + 74},
        key="home_intervals",
        alt="Validation figures of the latest runs",
    )
    st.caption("On validation, with 95 % intervals. Test stays locked until the report.")
draw_runs(page.ws, task, now)
