"""The worker and its queue; knows neither actions nor SQL."""
