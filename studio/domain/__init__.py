"""What the business says: frozen dataclasses on the standard library."""
