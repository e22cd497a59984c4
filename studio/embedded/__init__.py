"""The embedded server: an OpenAI-compatible service on this machine, with no key and no network.

It reads prompts with a small sentence encoder, trains classifiers on the expert's labels, and
speaks the OpenAI protocol, so that local and hosted models share one client path. It knows no
workspace and keeps its own files in a folder given to it.
"""

from studio.embedded.server import Address, EmbeddedServer, find, serve

__all__ = ["Address", "EmbeddedServer", "find", "serve"]
