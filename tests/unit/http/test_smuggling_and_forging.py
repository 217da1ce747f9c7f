"""Probes of request smuggling and header forging, each with its answer: refused, or read in one way only."""

from typing import NamedTuple

import pytest

from causeway.http import BadRequest, RequestHead, is_identity_header, parse_request_head
from causeway.http.headers import IDENTITY, IDENTITY_PREFIXES


class Probe(NamedTuple):
    name: str
    head: bytes


def probe(name: str, lines: bytes, *, line: bytes = b"POST /x HTTP/1.1", host: bytes = b"Host: a\r\n") -> Probe:
    return Probe(name, line + b"\r\n" + host + lines + b"\r\n")


LENGTH = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED = [
    # Two framings, or one that somebody may not understand.
    probe("length_and_chunks", LENGTH + CHUNKED),
    probe("chunks_and_length", CHUNKED + LENGTH),
    probe("two_codings_headers", CHUNKED + CHUNKED),
    probe("coding_identity", b"Transfer-Encoding: identity\r\n"),
    probe("coding_gzip_chunked", b"Transfer-Encoding: gzip, chunked\r\n"),
    probe("coding_chunked_twice", b"Transfer-Encoding: chunked, chunked\r\n"),
    probe("coding_chunked_identity", b"Transfer-Encoding: chunked, identity\r\n"),
    probe("coding_quoted", b'Transfer-Encoding: "chunked"\r\n'),
    probe("coding_with_parameter", b"Transfer-Encoding: chunked;q=1\r\n"),
    probe("coding_with_comma", b"Transfer-Encoding: ,chunked\r\n"),
    probe("coding_misspelt", b"Transfer-Encoding: xchunked\r\n"),
    probe("coding_empty", b"Transfer-Encoding:\r\n"),
    probe("coding_with_vertical_tab", b"Transfer-Encoding: \x0bchunked\r\n"),
    probe("coding_with_form_feed", b"Transfer-Encoding: chunked\x0c\r\n"),
    probe("coding_with_nul", b"Transfer-Encoding: chunked\x00\r\n"),
    probe("coding_in_http_1_0", CHUNKED, line=b"POST /x HTTP/1.0"),
    probe("coding_before_colon_space", b"Transfer-Encoding : chunked\r\n"),
    probe("coding_before_colon_tab", b"Transfer-Encoding\t: chunked\r\n"),
    probe("coding_folded_name", b"Transfer-Encoding:\r\n chunked\r\n"),
    probe("coding_leading_space", b" Transfer-Encoding: chunked\r\n"),
    probe("coding_behind_bare_cr", b"X: y\rTransfer-Encoding: chunked\r\n"),
    probe("coding_behind_bare_lf", b"X: y\nTransfer-Encoding: chunked\r\n"),
    probe("two_equal_lengths", LENGTH + LENGTH),
    probe("two_different_lengths", LENGTH + b"Content-Length: 6\r\n"),
    probe("length_list", b"Content-Length: 5, 5\r\n"),
    probe("length_plus", b"Content-Length: +5\r\n"),
    probe("length_minus", b"Content-Length: -5\r\n"),
    probe("length_hexadecimal", b"Content-Length: 0x5\r\n"),
    probe("length_fraction", b"Content-Length: 5.0\r\n"),
    probe("length_underscore", b"Content-Length: 1_0\r\n"),
    probe("length_space_within", b"Content-Length: 1 0\r\n"),
    probe("length_empty", b"Content-Length:\r\n"),
    probe("length_beyond_64_bits", b"Content-Length: 18446744073709551617\r\n"),
    probe("length_arabic_digits", "Content-Length: \u0665\r\n".encode()),
    # Lines that are no header lines, or that somebody reads as two.
    probe("folded_line", b"X: y\r\n z\r\n"),
    probe("folded_line_tab", b"X: y\r\n\tz\r\n"),
    probe("bare_lf", b"X: y\nZ: w\r\n"),
    probe("bare_cr", b"X: y\rZ: w\r\n"),
    probe("cr_at_line_end", b"X: y\r\r\n"),
    probe("nul_in_value", b"X: y\x00z\r\n"),
    probe("nul_in_name", b"X\x00: y\r\n"),
    probe("control_in_value", b"X: y\x01\r\n"),
    probe("delete_in_value", b"X: y\x7f\r\n"),
    probe("space_before_colon", b"X : y\r\n"),
    probe("space_in_name", b"X Y: z\r\n"),
    probe("no_colon", b"X\r\n"),
    probe("empty_name", b": y\r\n"),
    probe("name_with_bracket", b"X[1]: y\r\n"),
    probe("name_not_ascii", b"X\xe9: y\r\n"),
    # Whose request is it.
    probe("no_host", b"", host=b""),
    probe("empty_host", b"", host=b"Host:\r\n"),
    probe("two_hosts", b"Host: b\r\n"),
    probe("two_equal_hosts", b"Host: a\r\n"),
    probe("host_list", b"", host=b"Host: a, b\r\n"),
    probe("host_with_path", b"", host=b"Host: a/b\r\n"),
    probe("host_with_user", b"", host=b"Host: u@a\r\n"),
    probe("host_with_space", b"", host=b"Host: a b\r\n"),
    probe("host_port_no_number", b"", host=b"Host: a:b\r\n"),
    probe("absolute_target_of_another_host", b"", line=b"GET http://b/x HTTP/1.1"),
    probe("absolute_target_with_user", b"", line=b"GET http://u@a/x HTTP/1.1"),
    probe("absolute_target_with_port", b"", line=b"GET http://a:80/x HTTP/1.1"),
    probe("authority_target", b"", line=b"CONNECT a:443 HTTP/1.1"),
    probe("asterisk_target", b"", line=b"OPTIONS * HTTP/1.1"),
    probe("other_scheme", b"", line=b"GET ftp://a/x HTTP/1.1"),
    # Request lines.
    probe("no_version", b"", line=b"GET /x"),
    probe("version_0_9", b"", line=b"GET /x HTTP/0.9"),
    probe("version_2", b"", line=b"GET /x HTTP/2.0"),
    probe("version_1_2", b"", line=b"GET /x HTTP/1.2"),
    probe("version_1_10", b"", line=b"GET /x HTTP/1.10"),
    probe("version_lower_case", b"", line=b"GET /x http/1.1"),
    probe("two_spaces", b"", line=b"GET  /x HTTP/1.1"),
    probe("tab_for_space", b"", line=b"GET\t/x HTTP/1.1"),
    probe("space_in_target", b"", line=b"GET /x y HTTP/1.1"),
    probe("space_at_line_end", b"", line=b"GET /x HTTP/1.1 "),
    probe("space_at_line_start", b"", line=b" GET /x HTTP/1.1"),
    probe("fragment", b"", line=b"GET /x#y HTTP/1.1"),
    probe("not_ascii_in_target", b"", line=b"GET /\xe9 HTTP/1.1"),
    probe("nul_in_target", b"", line=b"GET /\x00 HTTP/1.1"),
    probe("method_with_colon", b"", line=b"GE:T /x HTTP/1.1"),
    probe("method_too_long", b"", line=b"G" * 33 + b" /x HTTP/1.1"),
    probe("relative_target", b"", line=b"GET x HTTP/1.1"),
    probe("bare_lf_after_request_line", b"", line=b"GET /x HTTP/1.1\nX: y"),
    Probe("nothing", b"\r\n\r\n"),
    Probe("a_second_request_in_the_head", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Probe("a_tls_record", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
]


@pytest.mark.parametrize("probe", REFUSED, ids=lambda probe: probe.name)
def test_a_request_with_two_readings_is_refused(probe: Probe) -> None:
    with pytest.raises(BadRequest):
        parse_request_head(probe.head)


def read(lines: bytes) -> RequestHead:
    return parse_request_head(probe("", lines).head)


def test_the_case_of_the_coding_does_not_matter() -> None:
    assert read(b"transfer-encoding:  Chunked \r\n").chunked


def test_a_length_may_have_leading_zeroes_and_is_written_anew() -> None:
    assert read(b"Content-Length: 0005\r\n").content_length == 5


def test_framing_headers_with_underscores_never_pass() -> None:
    parsed = read(b"Transfer_Encoding: chunked\r\nContent_Length: 5\r\nX-A: b\r\n")
    assert (parsed.chunked, parsed.content_length, parsed.fields) == (False, None, b"X-A: b\r\n")
    assert parsed.forged == (b"transfer_encoding", b"content_length")


def test_naming_a_framing_header_in_connection_does_not_take_it_away() -> None:
    parsed = read(b"Connection: content-length, host\r\nContent-Length: 5\r\n")
    assert (parsed.content_length, parsed.host) == (5, b"a")


def test_headers_that_connection_names_are_dropped() -> None:
    parsed = read(b"Connection: x-hop, close\r\nX-Hop: 1\r\nX-Keep: 2\r\nconnection: X-Also\r\nx-also: 3\r\n")
    assert (parsed.fields, parsed.closes) == (b"X-Keep: 2\r\n", True)


def test_hop_by_hop_headers_are_dropped() -> None:
    lines = b"TE: trailers\r\nTrailer: X\r\nKeep-Alive: 5\r\nProxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\n"
    assert read(lines + b"HTTP2-Settings: AAMAAABk\r\n").fields == b""


IDENTITY_NAMES = sorted(IDENTITY) + [prefix + b"anything" for prefix in IDENTITY_PREFIXES]


@pytest.mark.parametrize("name", IDENTITY_NAMES, ids=bytes.decode)
def test_a_forged_identity_header_is_dropped_and_named(name: bytes) -> None:
    for disguise in (name, name.upper(), name.title(), name.replace(b"-", b"_"), name.replace(b"-", b"_", 1)):
        parsed = read(disguise + b": CN=administrator\r\nX-A: b\r\n")
        assert parsed.fields == b"X-A: b\r\n"
        assert parsed.forged == (disguise.lower(),)


def test_headers_that_only_look_like_identity_pass() -> None:
    lines = b"X-Forward: 1\r\nAuthorization: Bearer x\r\nCCMClientID: GUID:1\r\nX-SSLike: 1\r\nCookie: a=b\r\n"
    assert read(lines).fields == lines


def test_an_identity_header_is_known_by_its_lower_case_name() -> None:
    assert is_identity_header(b"x-forwarded-client-cert")
    assert not is_identity_header(b"accept")
