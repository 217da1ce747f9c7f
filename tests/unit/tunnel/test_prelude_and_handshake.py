"""The prelude and the first frames: what one end writes the other reads, and nothing else is taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.tunnel.errors import TunnelError
from causeway.tunnel.handshake import (
    ConnectionPointHello,
    GatewayHello,
    GatewayStatus,
    decode_message,
    encode_message,
)
from causeway.tunnel.prelude import Prelude, split_question, split_request

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._$/-]{0,99}", fullmatch=True).map(str.encode)
preludes = st.builds(
    Prelude,
    endpoint=names,
    peer=st.ip_addresses().map(lambda address: str(address).encode()),
    identity=st.sampled_from((b"-", b"certificate:" + b"a" * 64 + b":CN=PC1")),
    binding=st.just(b"-") | st.integers(0, 2**64 - 1).map(lambda number: b"%d" % number),
)


request_ids = st.from_regex(r"[0-9a-f]{20}", fullmatch=True).map(str.encode)


@given(request_ids, preludes, st.binary(max_size=50))
def test_a_prelude_is_read_as_it_was_written(request_id: bytes, prelude: Prelude, head: bytes) -> None:
    read, question = split_request(b" ".join((request_id, *prelude)) + b"\r\n" + head)
    assert read == request_id
    assert split_question(question) == (prelude, head)


@given(st.binary(max_size=200) | st.text("ab0 -\r\n:.", max_size=80).map(str.encode))
def test_any_other_bytes_are_no_prelude(payload: bytes) -> None:
    try:
        request_id, question = split_request(payload)
        prelude, head = split_question(question)
    except TunnelError:
        return
    assert b" ".join((request_id, *prelude)) + b"\r\n" + head == payload


GOOD = b"00112233445566778899 mp 203.0.113.7 - -\r\n"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        GOOD[:-2],
        GOOD[:-2] + b"\n",
        b" " + GOOD,
        GOOD.replace(b"mp", b""),
        GOOD.replace(b"mp", b"m p"),
        GOOD.replace(b"mp", b"mp\r\nX"),
        GOOD.replace(b"mp", b"m" * 101),
        GOOD.replace(b"0011", b"00ZZ"),
        GOOD.replace(b"00112233445566778899", b"001122334455667"),
        GOOD.replace(b"00112233445566778899", b"0" * 41),
        GOOD.replace(b"00112233445566778899", b"0" * 20 + b"A"),
        GOOD.replace(b"203.0.113.7", b"gateway.example"),
        GOOD.replace(b"- -", b"- -1"),
        GOOD.replace(b"- -", b"-  -"),
        GOOD.replace(b"- -", b"\x00 -"),
        GOOD.replace(b"- -", b"x" * 1025 + b" -"),
    ],
    ids=repr,
)
def test_a_malformed_prelude_ends_the_tunnel(payload: bytes) -> None:
    assert split_question(split_request(GOOD)[1])[1] == b""
    with pytest.raises(TunnelError):
        split_question(split_request(payload + b"GET / HTTP/1.1\r\n\r\n")[1])


part_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
softwares = st.text(max_size=64)


@given(
    st.builds(ConnectionPointHello, connection_point=part_names, software=softwares, max_streams=st.integers(1, 10**6))
)
def test_a_connection_points_hello_is_read_as_it_was_written(hello: ConnectionPointHello) -> None:
    assert decode_message(encode_message(hello), ConnectionPointHello) == hello


@given(
    st.builds(
        GatewayHello,
        instance=part_names,
        worker=st.integers(0, 1023),
        workers=st.integers(1, 1024),
        software=softwares,
        settings_version=st.integers(0, 2**63),
    )
)
def test_a_gateways_hello_is_read_as_it_was_written(hello: GatewayHello) -> None:
    assert decode_message(encode_message(hello), GatewayHello) == hello


@given(st.builds(GatewayStatus, settings_version=st.integers(0, 2**63), refused=st.text(max_size=40)))
def test_a_status_is_read_as_it_was_written(status: GatewayStatus) -> None:
    assert decode_message(encode_message(status), GatewayStatus) == status


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=10,
)
keys = st.sampled_from(("connection_point", "software", "max_streams", "instance", "worker", "settings_version", "x"))


@given(
    st.binary(max_size=200)
    | values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(keys, values, max_size=7).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_message_or_a_tunnel_error(payload: bytes) -> None:
    for cls in (ConnectionPointHello, GatewayHello, GatewayStatus):
        try:
            decode_message(payload, cls)  # type: ignore[type-var]  # each of the three
        except TunnelError:
            continue


GOOD_HELLO = {"connection_point": "cp1", "software": "causeway/1", "max_streams": 10}


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"connection_point": ""},
        {"connection_point": "a b"},
        {"connection_point": "a\n"},
        {"connection_point": 'a"b'},
        {"connection_point": 7},
        {"max_streams": 0},
        {"max_streams": "10"},
        {"max_streams": 10.5},
        {"max_streams": True},
        {"max_streams": 10**7},
        {"software": "x" * 65},
        {"software": None},
    ],
    ids=repr,
)
def test_a_hello_of_another_form_ends_the_tunnel(change: dict[str, object]) -> None:
    decode_message(json.dumps(GOOD_HELLO).encode(), ConnectionPointHello)
    with pytest.raises(TunnelError, match="ConnectionPointHello"):
        decode_message(json.dumps(GOOD_HELLO | change).encode(), ConnectionPointHello)


def test_a_deeply_nested_message_is_refused() -> None:
    with pytest.raises(TunnelError):
        decode_message(b"[" * 50_000, ConnectionPointHello)
