"""An address is where texts and keys go."""

import pytest

from studio.errors import InputError
from studio.providers.base_url import read_base_url


@pytest.mark.parametrize(
    ("text", "host", "is_local"),
    [
        ("https://api.openai.com/v1", "api.openai.com", False),
        (" https://api.openai.com/v1/ ", "api.openai.com", False),
        ("https://localhost:8443/v1", "localhost:8443", True),
        ("http://localhost:11434/v1", "localhost:11434", True),
        ("http://127.0.0.1:1/v1", "127.0.0.1:1", True),
        ("http://127.9.9.9/v1", "127.9.9.9", True),
        ("http://[::1]:8000/v1", "[::1]:8000", True),
        ("http://[::ffff:127.0.0.1]/v1", "[::ffff:127.0.0.1]", True),
        ("http://192.168.1.5:8000/v1", "192.168.1.5:8000", False),
        ("http://10.0.0.5/v1", "10.0.0.5", False),
        ("http://[fd00::1]/v1", "[fd00::1]", False),
    ],
)
def test_these_may_be_spoken_to(text, host, is_local):
    url = read_base_url(text)
    assert (url.host, url.is_local) == (host, is_local)
    assert not url.url.endswith("/")
    assert read_base_url(url.url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.openai.com/v1",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "http://api.openai.com/v1",
        "http://8.8.8.8/v1",
        "http://gpu-box:8000/v1",
        "http://localhost.evil.example/v1",
        "http://169.254.169.254/latest",
        "http://0.0.0.0:8000/v1",
        "http://[::ffff:8.8.8.8]/v1",
        "http://[fe80::1]/v1",
        "http://2130706433/v1",
        "https://user:secret@api.openai.com/v1",
        "https://api.openai.com/v1?key=secret",
        "https://api.openai.com/v1#x",
        "http://[::1/v1",
        "https://host:99999999/v1",
    ],
)
def test_these_may_not(text):
    with pytest.raises(InputError) as caught:
        read_base_url(text)
    assert caught.value.next_step
    assert "secret" not in str(caught.value)
