"""Streamlit parts shared by pages."""
