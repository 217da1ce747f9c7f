"""An identity crosses the tunnel as it is, and reaches site systems in headers that nobody can break out of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.identity import ANONYMOUS, Identity, Kind
from causeway.tunnel.prelude import split_question

fingerprints = st.binary(min_size=32, max_size=32).map(bytes.hex)
identities = st.builds(Identity, st.just(Kind.CERTIFICATE), fingerprints, st.text(max_size=60))


@given(identities | st.just(ANONYMOUS))
def test_an_identity_is_read_as_it_was_written(identity: Identity) -> None:
    assert Identity.decode(identity.encode()) == identity


@given(st.builds(Identity, st.just(Kind.CERTIFICATE), fingerprints, st.text(min_size=200, max_size=2000)))
def test_a_subject_of_any_length_fits_the_prelude(identity: Identity) -> None:
    encoded = identity.encode()
    prelude, _ = split_question(b" mp ::1 " + encoded + b" -\r\n")
    decoded = Identity.decode(prelude.identity)
    assert decoded.fingerprint == identity.fingerprint


@given(st.binary(max_size=200) | st.text("certificate:0af%-", max_size=200).map(str.encode))
def test_any_other_bytes_are_no_identity(encoded: bytes) -> None:
    try:
        identity = Identity.decode(encoded)
    except ValueError:
        return
    assert identity is ANONYMOUS or len(identity.fingerprint) == 64


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"--",
        b"certificate",
        b"certificate:" + b"a" * 63 + b":CN=PC1",
        b"certificate:" + b"A" * 64 + b":CN=PC1",
        b"certificate:" + b"a" * 64,
        b"certificate:" + b"a" * 64 + b':CN="',
        b"certificate:" + b"a" * 64 + b":\r\n",
        b"certificate:" + b"a" * 64 + b":" + b"x" * 901,
        b"user:" + b"a" * 64 + b":CN=PC1",
        b"\xff",
    ],
)
def test_an_identity_of_another_form_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # UnicodeDecodeError is one, too
        Identity.decode(encoded)


@given(identities)
def test_no_subject_breaks_out_of_its_header(identity: Identity) -> None:
    lines = identity.headers("203.0.113.7").split(b"\r\n")
    assert lines[:2] == [b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-Proto: https"]
    assert all(line.startswith(b"X-Causeway-") for line in lines[3:-1])
    assert lines[-1] == b""
    assert lines[2].startswith(b"X-Forwarded-Client-Cert: Hash=" + identity.fingerprint.encode() + b';Subject="')
    assert lines[2].count(b'"') == 2
    assert lines[2].endswith(b'"')
    for line in lines:
        assert not set(line) & set(b"\n\r\0")


def test_an_anonymous_client_has_no_certificate_header() -> None:
    assert ANONYMOUS.headers("::1") == b"X-Forwarded-For: ::1\r\nX-Forwarded-Proto: https\r\n"


def test_a_certificate_is_told_in_the_form_that_envoy_made_common() -> None:
    identity = Identity(Kind.CERTIFICATE, "ab" * 32, "CN=PC1,O=Müller")
    assert identity.headers("192.0.2.1").decode() == (
        "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
        f'X-Forwarded-Client-Cert: Hash={"ab" * 32};Subject="CN=PC1,O=Müller"\r\n'
        "X-Causeway-Client: certificate\r\n"
        f"X-Causeway-Certificate: {'ab' * 32}\r\nX-Causeway-Subject: CN=PC1,O=Müller\r\n"
    )
