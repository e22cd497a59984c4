"""The same actions from a terminal."""
