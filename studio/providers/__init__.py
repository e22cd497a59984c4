"""The only place with HTTP calls and the openai package."""
