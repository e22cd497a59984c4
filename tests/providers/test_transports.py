"""Two ways to ask a question, one meaning: whatever bytes a service sends, both give the same."""

import asyncio
import dataclasses
import gzip
import json
import subprocess
import sys
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.prompt import answer_schema
from studio.domain.run import Question
from studio.errors import BadReplyError, NoAnswerError, ProviderError, ProviderUnavailableError
from studio.providers import connection, decisions, plain_transport
from studio.providers.base_url import read_base_url
from studio.providers.chat import Bodies
from studio.providers.connection import http_client
from studio.providers.openai_compatible import OpenAICompatible
from studio.providers.package_transport import PackageTransport
from studio.providers.plain_transport import PlainTransport
from studio.providers.sampling import Sampling
from tests.providers.helpers import KEY, QUESTION, completion
from tests.providers.loopback import Loopback, Raw, http, ok
from tests.providers.test_failures import reachable
from tests.providers.test_replies import JSON

PATIENCE_S = 0.4


def plain(url, **options):
    return OpenAICompatible("p", url, KEY, **options)


def packaged(url, timeout_s=60.0):
    client = http_client(read_base_url(url), timeout_s)
    return OpenAICompatible("p", url, KEY, timeout_s=timeout_s, http_client=client)


async def told(provider, question=QUESTION):
    """Return all that a caller can see of one question, and of the limits told with it."""
    try:
        answer = await provider.classify(question)
    except ProviderError as error:
        names = ("message", "next_step", "retry_after_s", "parameter", "__cause__", "__context__")
        return type(error), *(getattr(error, name, None) for name in names), provider.limits
    usage = dataclasses.replace(answer.usage, latency_ms=0.0)
    return repr(dataclasses.replace(answer, usage=usage)), provider.limits


class Pair:
    """Both ways to one server, on an event loop of their own, for many examples."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(Loopback().start())
        self.ways = [plain(self.server.url), packaged(self.server.url)]

    def ask(self, script, question=QUESTION):
        """Return what each way tells and what it sent."""
        gave = []
        for way in self.ways:
            self.server.script, self.server.requests = script, []
            way._sampling.__init__()
            way._refused.clear()
            way._line.headers = None
            decisions._found.clear()
            seen = self.loop.run_until_complete(asyncio.wait_for(told(way, question), 30))
            sent = [(first, body) for first, _, body in self.server.requests]
            gave.append((seen, sent))
        return gave

    def close(self):
        for way in self.ways:
            self.loop.run_until_complete(way.close())
        self.loop.run_until_complete(self.server.stop())
        self.loop.close()


@pytest.fixture(scope="module")
def pair():
    made = Pair()
    assert [type(way._line.transport) for way in made.ways] == [PlainTransport, PackageTransport]
    yield made
    made.close()


WORDS = st.sampled_from(["no", "sk-secret-1", f"key {KEY}", "half \ud83d", "<html>", "é", "a\n b"])
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "message": WORDS | JSON,
        "code": st.sampled_from(["insufficient_quota", "unsupported_parameter", None]) | JSON,
        "type": st.sampled_from(["quota_exceeded", "t"]) | JSON,
        "param": st.sampled_from(["logprobs", "seed", "messages", "max_completion_tokens"]) | JSON,
    },
)
ERRORS = st.fixed_dictionaries({"error": ENVELOPES | WORDS}) | st.builds(
    lambda name: {"detail": [{"loc": ["body", name]}]}, st.sampled_from(["store", "x"]) | JSON
)
TEXTS = st.sampled_from(
    ['{"label":"ham"}', '{"label":"spam"', "spam", '{"label":null}', "", " ", "```\nham```", "no"]
)
COMPLETIONS = st.builds(
    lambda content, finish, refusal, logprobs, extra: completion(
        content, finish=finish, refusal=refusal, logprobs=logprobs, **extra
    ),
    TEXTS | JSON,
    st.sampled_from(["stop", "length", "content_filter", None]),
    st.sampled_from([None, "", "I will not."]) | JSON,
    JSON,
    st.fixed_dictionaries({}, optional={"studio": JSON, "usage": JSON, "choices": JSON}),
)


def encoded(value, how):
    """Return JSON in one of the ways in which services write it; halves of characters too."""
    text = json.dumps(value, ensure_ascii=how == "ascii")
    return text.encode("utf-8" if how == "ascii" else how, "surrogatepass")


BODIES = st.builds(
    encoded,
    COMPLETIONS | ERRORS | JSON,
    st.sampled_from(["ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]),
) | st.sampled_from(
    [
        *(
            b"",
            b"{",
            b"<html>",
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b"1" * 5_000,
            b"NaN",
            b'"\\ud83d"',
        ),
        b'{"choices":[{"message":{"content":"\xed\xa0\xbd"}}],"usage":{"prompt_tokens":1e999}}',
    ]
)
NUMBERS = [b"1", b"0", b"-1", b"1s", b"6m0s", b"20ms", b"1.5", b"nan", b"1e3", b"1, 2", b"9" * 30]
ODDITIES = [
    b"",
    b"Wed, 21 Oct 2026 07:28:00 GMT",
    b"\xff",
    b"3\x85",
    "٣".encode(),
    b"1d2h",
    b"\t7 ",
]
VALUES = st.sampled_from([*NUMBERS, *ODDITIES, b"a=\xd9\xa3", b"text/html; charset=latin-1"])
LIMITS = [
    f"x-ratelimit-{what}-{of}"
    for what in ("limit", "remaining", "reset")
    for of in ("requests", "tokens")
]
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["Retry-After", "retry-after-ms", "Content-Type", "Set-Cookie", "Location", *LIMITS]
        ),
        VALUES,
    ),
    max_size=6,
)
STATUSES = st.sampled_from(
    [200] * 8
    + [201, 301, 307, 400, 401, 402, 403, 404, 408, 409, 418, 422, 429, 429, 500, 503, 529]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    status=STATUSES,
    headers=HEADERS,
    body=BODIES,
    framing=st.sampled_from(["length", "length", "chunked", "close"]),
    squeezed=st.booleans(),
)
def test_any_reply_means_the_same(pair, status, headers, body, framing, squeezed):
    if squeezed:
        headers = [*headers, ("Content-Encoding", b"gzip")]
        body = gzip.compress(body)
    raw = Raw([http(status, body, headers=headers, framing=framing)])
    raw.end = "close" if framing == "close" else "keep"
    ours, theirs = pair.ask(lambda _: raw)
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(
    status=STATUSES,
    body=BODIES,
    framing=st.sampled_from(["length", "chunked"]),
    cut=st.integers(1, 40),
    end=st.sampled_from(["close", "reset"]),
)
def test_a_reply_that_breaks_off_means_the_same(pair, status, body, framing, cut, end):
    whole = http(status, body, framing=framing)
    ours, theirs = pair.ask(lambda _: Raw([whole[:-cut]], end=end))
    assert ours == theirs


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (Raw(end="close"), "broke before"),
        (Raw(end="reset"), "broke before"),
        (Raw([http(200, b"x" * 99, cut=9)], end="close"), "broke before"),
        (Raw([http(200, b"x" * 99, cut=9)], end="reset"), "broke before"),
        (Raw([http(200, b"x" * 99, framing="chunked", cut=9)], end="close"), "broke before"),
        (Raw([http(200, b"no", headers=[("Content-Encoding", b"gzip")])]), "broke before"),
        (Raw([b"this is no HTTP\r\n\r\n"], end="close"), "does not hold to the OpenAI protocol"),
        (Raw([b"HTTP/1.1 abc\r\n\r\n"], end="close"), "does not hold to the OpenAI protocol"),
        (Raw([b"HTTP/1.1 200 OK\r\nx: " + b"y" * 99_999], end="close"), "does not hold"),
    ],
)
def test_a_broken_connection_means_the_same(pair, raw, words):
    (ours, sent), (theirs, _) = pair.ask(lambda _: raw)
    assert ours == theirs
    assert words in ours[1]
    assert ours[0] in (NoAnswerError, BadReplyError)  # it may have worked, and charge for it
    assert len(sent) == 1


@pytest.mark.parametrize(
    "raw",
    [
        Raw(end="hang"),
        Raw([http(200, b"x" * 99, cut=9)], end="hang"),
        Raw([http(500, b"x" * 99, cut=9)], end="hang"),
        Raw([http(200, b"x" * 99, cut=60), *[b"x"] * 60], pause_s=PATIENCE_S / 8),
    ],
    ids=["silent", "half", "half an error", "a byte now and then"],
)
def test_nobody_is_waited_for_longer_than_the_setting_says(raw):
    async def main():
        async with Loopback(lambda _: raw) as server:
            gave = []
            for make in (plain, packaged):
                provider = make(server.url, timeout_s=PATIENCE_S)
                gave.append(await told(provider))
                await provider.close()
            return gave

    ours, theirs = asyncio.run(main())
    assert ours == theirs
    assert ours[:2] == (NoAnswerError, ours[1])  # it may have worked, and charge for it
    assert "did not answer in time" in ours[1]


QUESTIONS = st.builds(
    lambda model, texts, names, sample: Question(
        model=model,
        messages=tuple({"role": "user", "content": text} for text in texts),
        label_names=tuple(names),
        sample=sample,
    ),
    st.text(max_size=5),
    st.lists(st.text(st.characters()), min_size=1, max_size=4),
    st.lists(st.text(max_size=5), max_size=3),
    st.integers(0, 3),
)


@given(questions=st.lists(QUESTIONS, min_size=1, max_size=5), rounds=st.integers(1, 2))
def test_what_questions_share_is_encoded_once_and_truly(questions, rounds):
    bodies, sampling = Bodies(), Sampling()
    for question in questions * rounds:
        wishes = sampling.options(question.model, question.sample)
        body = {
            "model": question.model,
            "messages": list(question.messages),
            "response_format": answer_schema(question.label_names),
            **wishes,
        }
        whole = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        assert json.loads(bodies.encode(question, wishes)) == json.loads(whole)


def test_a_message_changed_in_place_is_not_taken_for_the_old_one():
    bodies, shot = Bodies(), {"role": "user", "content": "old"}
    question = dataclasses.replace(QUESTION, messages=(shot, *QUESTION.messages))
    bodies.encode(question, {})
    shot["content"] = "new"
    assert json.loads(bodies.encode(question, {}))["messages"][0]["content"] == "new"


def asked(do, script, make=plain):
    """Run `do(provider)` against a loopback server; return what it gives, and the server."""

    async def main():
        async with Loopback(script) as server:
            provider = make(server.url)
            try:
                return await do(provider), server
            finally:
                await provider.close()

    return asyncio.run(main())


def test_the_plain_way_sends_key_and_json_and_nothing_of_other_accounts(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "someone-elses")
    _, server = asked(lambda p: p.classify(QUESTION), lambda _: ok(completion()))
    first, headers, body = server.requests[0]
    assert first == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["messages"] == list(QUESTION.messages)
    assert "someone-elses" not in str(server.requests)


def test_the_plain_way_tells_openai_the_account(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.delenv("OPENAI_PROJECT_ID", raising=False)
    told = plain("https://api.openai.com/v1")._line.transport._account()
    assert told == {"OpenAI-Organization": "org-1"}


def test_a_proxy_is_taken_from_the_environment_but_never_for_this_machine(monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # nobody listens there
    service = "https://api.example.com/v1"
    assert plain(service)._line.transport._proxy() == "http://proxy.example:3128"
    answer, _ = asked(lambda p: p.classify(QUESTION), lambda _: ok(completion()))
    assert answer.label == "ham"
    monkeypatch.setenv("no_proxy", "example.com")
    assert plain(service)._line.transport._proxy() is None


@pytest.mark.parametrize(
    ("url", "raw"),
    [
        ("https://api.example.com/v1", Raw([http(407, b"who are you?")])),
        ("https://api.example.com/v1", Raw([b"HTTP/1.1 200 OK\r\n\r\n"], end="close")),
        ("https://api.example.com/v1", Raw(end="close")),
        ("http://10.255.255.1/v1", ok(completion())),
        ("http://10.255.255.1/v1", Raw([http(502, b"")])),
    ],
)
def test_a_proxy_means_the_same_to_both(monkeypatch, url, raw):
    async def main():
        async with Loopback(lambda _: raw) as server:
            for name in ("http_proxy", "https_proxy"):
                monkeypatch.setenv(name, server.url.removesuffix("/v1"))
            gave = []
            for make in (plain, packaged):
                provider = make(url)
                gave.append(await told(provider))
                await provider.close()
            return gave, server.requests

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for module in (connection, plain_transport):  # a machine under load is no proxy that is gone
        monkeypatch.setattr(module, "CONNECT_S", 30.0)
    (ours, theirs), requests = asyncio.run(main())
    assert ours == theirs
    assert len(requests) == 2


def test_a_proxy_of_another_kind_is_told(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ProviderUnavailableError, match="cannot be reached by the proxy"):
        asyncio.run(plain("https://api.example.com/v1").classify(QUESTION))


def test_a_connection_that_comes_to_nothing_means_the_same_to_both(monkeypatch):
    """The server waits for the end of a request that is the beginning of a TLS connection."""
    for module in (connection, plain_transport):
        monkeypatch.setattr(module, "CONNECT_S", 0.2)

    async def main():
        async with Loopback() as server:
            gave = []
            for make in (plain, packaged):
                provider = make(server.url.replace("http:", "https:"))
                gave.append(await told(provider))
                await provider.close()
            return gave

    ours, theirs = asyncio.run(main())
    assert ours == theirs
    assert "cannot be reached" in ours[1]


def test_a_redirect_of_the_plain_way_is_not_followed():
    moved = http(307, headers=[("Location", b"/v1/elsewhere")])
    seen, server = asked(told, lambda _: Raw([moved]))
    assert "points to another address" in seen[1]
    assert len(server.requests) == 1


def test_many_are_asked_at_once_over_connections_that_are_kept():
    """The replies wait for all to be asked: with fewer connections nothing would come."""
    many, came = 256, []

    async def crowd(provider):
        for _ in range(2):
            came.extend(await asyncio.gather(*(provider.classify(QUESTION) for _ in range(many))))

    class Gate(Loopback):
        async def _answer(self, reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.requests.append(head)
            while len(self.requests) < many:
                await asyncio.sleep(0.005)
            writer.write(http(200, json.dumps(completion()).encode()))
            return True

    async def main():
        async with Gate() as server:
            provider = plain(server.url)
            await crowd(provider)
            await provider.close()
            return server.connections

    assert asyncio.run(main()) == many
    assert {answer.label for answer in came} == {"ham"}


@pytest.mark.parametrize("end", ["close", "reset"])
def test_no_key_is_kept_where_the_plain_way_fails(end, caplog):
    async def failing(provider):
        with pytest.raises(ProviderUnavailableError) as caught:
            await provider.classify(QUESTION)
        return caught.value

    failure, _ = asked(failing, lambda _: Raw(end=end))
    text = reachable(failure) + "".join(traceback.format_exception(failure)) + caplog.text
    assert KEY not in text


def test_a_provider_stays_on_its_event_loop_and_opens_again_after_closing():
    async def twice(provider):
        await provider.classify(QUESTION)
        await provider.close()
        return await provider.classify(QUESTION)

    answer, _ = asked(twice, lambda _: ok(completion()))
    assert answer.label == "ham"
    provider = plain("http://127.0.0.1:1/v1")

    async def once():
        with pytest.raises(ProviderUnavailableError):
            await provider.classify(QUESTION)
        return provider._line.transport._session

    session = asyncio.run(once())
    with pytest.raises(RuntimeError, match="event loop"):
        asyncio.run(provider.classify(QUESTION))
    asyncio.run(session.close())


def test_asking_a_question_does_not_wait_for_the_package():
    script = """
import asyncio, sys
from studio.domain.run import Question
from studio.errors import ProviderUnavailableError
from studio.providers.openai_compatible import OpenAICompatible
async def ask():
    provider = OpenAICompatible("p", "http://127.0.0.1:1/v1")
    try:
        await provider.engine()
        await provider.classify(Question(model="m", messages=({"content": ""},), label_names=()))
    except ProviderUnavailableError:
        await provider.close()
asyncio.run(ask())
print("openai" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert ran.stdout == "False\n"
