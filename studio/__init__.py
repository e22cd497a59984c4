"""Rationale Studio: an expert's reasons become a measured text classifier and a decision."""

__version__ = "0.1.0"
