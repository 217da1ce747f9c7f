"""The same through the real gateway, tunnel and connection point, to nginx as the site system."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

from tests.system.data_path.path import DataPath, endpoint
from tests.system.differential import nginx as nginx_server
from tests.system.differential.forwarding import EXTERNAL, INTERNAL
from tests.system.differential.generated import METHODS, Generated, Generator
from tests.system.differential.kept import exchange
from tests.system.differential.nginx import Reading
from tests.system.processes import free_ports

SEED = 20261124
REQUESTS = 1000
_A_CONNECTION = 40


async def test_odd_requests_through_real_processes_are_read_by_nginx_as_they_were_sent(tmp_path: Path) -> None:
    generator = Generator(SEED)
    sent = [generator.valid(least_minor=1) for _ in range(REQUESTS)]
    port = free_ports()
    async with nginx_server.running(listen=f"listen 127.0.0.1:{port};") as nginx:
        with DataPath(tmp_path).running() as path:
            upstream = f"http://127.0.0.1:{port}{INTERNAL.decode()}"
            methods = [method.decode() for method in METHODS]
            path.publish_also(endpoint("files", EXTERNAL.decode(), upstream, methods=methods))
            passed = await pass_all(path, sent)
    assert len(passed) > REQUESTS / 2
    assert sorted(nginx.order) == sorted(passed)
    for request_id, one in passed.items():
        assert_it_is_what_was_sent(one, nginx.readings[request_id])


async def pass_all(path: DataPath, sent: Sequence[Generated]) -> dict[bytes, Generated]:
    """Send all, many on one connection, and a new one after a refusal that ends it.

    Returns:
        those that nginx answered, by request id.
    """
    context = ssl.create_default_context(cafile=path.certificates.root)
    passed: dict[bytes, Generated] = {}
    position = 0
    while position < len(sent):
        batch = sent[position : position + _A_CONNECTION]
        connection = await asyncio.open_connection(
            "127.0.0.1", path.port, ssl=context, server_hostname="localhost", limit=1 << 20
        )
        answers = await exchange(connection, [one.raw for one in batch], [method_of(one) for one in batch])
        for one, answer in zip(batch, answers, strict=False):
            headers = dict(answer.headers)
            if b"x-read" in headers:
                # What nginx calls it is what the gateway calls it: no answer of one request is another's.
                assert headers[b"x-read"] == headers[b"x-request-id"]
                passed[headers[b"x-read"]] = one
            else:
                assert answer.status >= 400
        assert answers
        position += len(answers)
    return passed


def method_of(one: Generated) -> bytes:
    return one.head.split(b" ", 1)[0]


def assert_it_is_what_was_sent(sent: Generated, reading: Reading) -> None:
    target = sent.head.split(b" ")[1]
    start = target.lower().index(EXTERNAL)
    assert reading.method == method_of(sent)
    assert reading.target == INTERNAL + target[start + len(EXTERNAL) :]
    assert reading.body == sent.content
    names = [name for name, _ in reading.headers]
    assert names.count(b"x-forwarded-for") == names.count(b"x-forwarded-proto") == 1
    assert (b"x-forwarded-for", b"127.0.0.1") in reading.headers
