"""What comes to the site system has one reading: ours, h11's and nginx's are the same, thousands of times."""

import asyncio

from fuzz.data_path import DataPath
from fuzz.wire import ReadRequest, responses_in
from tests.system.differential.forwarding import EXTERNAL, INTERNAL, INTERNAL_HOST, Forwarded, forward
from tests.system.differential.generated import Generated, Generator
from tests.system.differential.kept import exchange
from tests.system.differential.nginx import Nginx, Reading

SEED = 20261123
VALID, NEARLY = 5000, 5000
_CANARY = b"GET /files/canary HTTP/1.1\r\nHost: canary.example\r\nX-Twice: canary\r\n\r\n"
PASSED = 204
_FRAMING = (b"content-length", b"transfer-encoding", b"host", b"expect")


async def test_odd_requests_that_are_valid_are_read_alike_by_h11_and_nginx(path: DataPath, nginx: Nginx) -> None:
    generator = Generator(SEED)
    passed: list[Forwarded] = []
    refused = 0
    for _ in range(VALID):
        sent = generator.valid()
        outcome = await forward(path, generator.cuts(sent.raw))
        if outcome.refused:
            refused += 1
            assert not outcome.requests
            continue
        assert_it_is_what_was_sent(sent, outcome)
        passed.append(outcome)
    assert refused < VALID / 4
    await assert_nginx_reads_the_same(nginx, passed)


async def test_what_is_nearly_a_request_is_refused_or_read_alike(path: DataPath, nginx: Nginx) -> None:
    generator = Generator(SEED + 1)
    passed = []
    refused = 0
    for _ in range(NEARLY):
        raw = generator.nearly()
        outcome = await forward(path, generator.cuts(raw + _CANARY))
        refused += outcome.refused
        passed.append(outcome)
    assert NEARLY / 4 < refused < NEARLY
    await assert_nginx_reads_the_same(nginx, passed)


async def test_requests_on_one_connection_pass_one_after_another_however_they_are_cut(path: DataPath) -> None:
    generator = Generator(SEED + 2)
    compared = 0
    for _ in range(700):
        # HTTP/1.0 would end the connection.
        sent = [generator.valid(least_minor=1) for _ in range(4)]
        outcome = await forward(path, generator.cuts(b"".join(one.raw for one in sent)))
        methods = [one.head.split(b" ", 1)[0] for one in sent]
        answers, rest = responses_in(outcome.answered, methods, closed=True)
        assert not rest
        passed = [one for one, answer in zip(sent, answers, strict=False) if answer.status == PASSED]
        assert len(passed) == len(outcome.readings)
        for one, reading in zip(passed, outcome.readings, strict=True):
            assert one.head.startswith(reading.method + b" ")
            assert (reading.body, reading.trailers) == (one.content, one.trailers)
        compared += len(passed)
    assert compared > 1000


def assert_it_is_what_was_sent(sent: Generated, outcome: Forwarded) -> None:
    (reading,) = outcome.readings
    line = sent.head.split(b"\r\n", 1)[0]
    method, target, _ = line.split(b" ")
    assert reading.method == method
    start = target.lower().index(EXTERNAL)
    assert reading.target == INTERNAL + target[start + len(EXTERNAL) :]
    assert (reading.body, reading.trailers) == (sent.content, sent.trailers)
    assert reading.header(b"host") == INTERNAL_HOST


async def assert_nginx_reads_the_same(nginx: Nginx, passed: list[Forwarded]) -> None:
    """On one kept connection; after each request the next one is answered as itself."""
    requests = [request for outcome in passed for request in outcome.requests]
    readings = [reading for outcome in passed for reading in outcome.readings]
    ids = [reading.header(b"x-request-id") or b"" for reading in readings]
    assert len(set(ids)) == len(ids)
    position = 0
    while position < len(requests):
        connection = await asyncio.open_unix_connection(nginx.socket)
        answers = await exchange(connection, requests[position:], [one.method for one in readings[position:]])
        for reading, request_id, answer in zip(readings[position:], ids[position:], answers, strict=False):
            if answer.status == 400:
                assert nginx_refuses(reading.target), reading
            else:
                assert (b"x-read", request_id) in answer.headers, (reading, answer)
                assert_read_alike(reading, nginx.readings[request_id])
        assert answers
        position += len(answers)
    assert len(nginx.order) == len(nginx.readings)


def nginx_refuses(target: bytes) -> bool:
    """What nginx answers with 400 though it is a target: a percent sign without two hexadecimal digits in the path."""
    path = target.partition(b"?")[0]
    pieces = path.split(b"%")[1:]
    return any(len(piece) < 2 or set(piece[:2].lower()) - set(b"0123456789abcdef") for piece in pieces)


def assert_read_alike(ours: ReadRequest, theirs: Reading) -> None:
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    assert theirs.host == ours.header(b"host")
    headers = [(name, value.strip(b" \t")) for name, value in ours.headers if name not in _FRAMING]
    assert [(name, value.strip(b" \t")) for name, value in theirs.headers] == headers
