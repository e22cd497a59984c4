"""Settings: who you are, providers, the embedded server, the worker, where things are kept."""

from studio.ui.page import open_page
from studio.ui.price_view import draw_prices
from studio.ui.provider_view import draw_consents, draw_providers
from studio.ui.settings_view import (
    draw_engine,
    draw_person,
    draw_settings,
    draw_storage,
    draw_worker,
)

page = open_page(
    "Settings", "Who you are, what answers and trains, and where everything is kept.",
    needs_task=False,
)  # fmt: skip
draw_person(page.person)
draw_worker(page.ws)
draw_engine(page.ws)
draw_providers(page.ws, page.person)
draw_prices(page.ws, page.person)
draw_consents(page.ws, page.person)
draw_storage(page.ws)
draw_settings(page.ws)
