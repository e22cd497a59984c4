"""Few generated cases and no deadline: first imports and a busy machine are not what they test."""

from hypothesis import settings

settings.register_profile("calm", deadline=None, max_examples=60)
settings.load_profile("calm")
