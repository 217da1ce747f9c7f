"""What a web proxy is asked."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.errors import StateError
from causeway.transport.proxy import ProxyRefused, WebProxy, check_answer, connect_request


def test_a_proxy_is_asked_for_the_gateway_by_name(tmp_path: Path) -> None:
    assert connect_request(WebProxy("proxy"), "gw.example", 10124) == (
        b"CONNECT gw.example:10124 HTTP/1.1\r\nHost: gw.example:10124\r\n\r\n"
    )
    assert connect_request(WebProxy("proxy"), "2001:db8::1", 1).startswith(b"CONNECT [2001:db8::1]:1 ")
    password = tmp_path / "password"
    password.write_text("pa:ss wörd\n")
    asked = connect_request(WebProxy("proxy", user="us€r", password_file=password), "gw", 1)
    assert b"\r\nProxy-Authorization: Basic dXPigqxyOnBhOnNzIHfDtnJk\r\n\r\n" in asked
    password.write_text("two\nlines\n")
    with pytest.raises(StateError, match="expected one line with the proxy's password"):
        connect_request(WebProxy("proxy", user="u", password_file=password), "gw", 1)


PROXY = WebProxy("proxy")


def test_only_a_tunnel_is_taken_and_nothing_may_come_with_it() -> None:
    check_answer(PROXY, b"HTTP/1.0 200 Connection established\r\n\r\n")
    check_answer(PROXY, b"HTTP/1.1 200\r\nVia: x\r\n\r\n")
    for answer in (b"HTTP/1.1 200 OK\r\n\r\nx", b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"\r\n\r\n"):
        with pytest.raises(ProxyRefused):
            check_answer(PROXY, answer)


def test_a_refusal_says_with_what_the_proxy_would_be_content() -> None:
    answer = (
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n"
        b'proxy-authenticate:Basic realm="Basic NTLM"\r\n\r\n'
    )
    with pytest.raises(ProxyRefused, match=r"the proxy proxy:3128 refused: HTTP/1\.1 407 Proxy Auth") as caught:
        check_answer(PROXY, answer)
    assert (caught.value.status, caught.value.schemes) == (407, ("Negotiate", "Basic"))


@given(st.one_of(st.binary(), st.binary().map(b"HTTP/1.1 ".__add__)))
def test_whatever_a_proxy_answers_is_a_tunnel_or_a_refusal(answer: bytes) -> None:
    with contextlib.suppress(ProxyRefused):
        check_answer(PROXY, answer)
        assert answer.endswith(b"\r\n\r\n")
