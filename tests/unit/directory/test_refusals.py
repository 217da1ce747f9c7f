"""What refusals say: the reason, behind a semicolon the remedy, and never more than a line."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from causeway.directory.kerberos import channel_binding
from causeway.directory.messages import Done
from causeway.directory.refusals import refusal
from tests.unit.certificates import root


@pytest.mark.parametrize(
    ("code", "says", "reason", "remedy"),
    [
        (
            49,
            "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563",
            "wrong",
            "correct",
        ),
        (49, "80090308: LdapErr: DSID-0C090439, data 533, v4563", "disabled", "Enable-ADAccount"),
        (49, "80090308: LdapErr: DSID-0C090439, data 775, v4563", "locked out", "Unlock-ADAccount"),
        (49, "80090308: LdapErr: DSID-0C090439, data 80090346, v4563", "channel binding", "TLS"),
        (49, "something else", "invalidCredentials", "--directory-user"),
        (8, "00002028: LdapErr: DSID-0C09023E", "requires signing", "--directory-transport ldap"),
        (13, "", "requires TLS", "ldaps"),
        (53, "no; never", "unwillingToPerform", "event log"),
    ],
)
def test_a_refusal_has_its_reason_and_its_remedy(code: int, says: str, reason: str, remedy: str) -> None:
    what, semicolon, then = str(refusal(Done(code, says), "a question")).partition("; ")
    assert semicolon
    assert reason in what
    assert remedy in then


@given(st.integers(1, 2**31), st.text(max_size=400))
def test_whatever_a_server_says_is_one_line(code: int, says: str) -> None:
    text = str(refusal(Done(code, says), "a question"))
    assert text.isprintable()
    assert text.count(";") == 1


def test_the_binding_is_the_certificates_hash_by_the_hash_of_its_own_signature() -> None:
    """RFC 5929, 4.1."""
    for algorithm, digest in ((hashes.SHA256(), hashlib.sha256), (hashes.SHA384(), hashlib.sha384)):
        der = root(hash_algorithm=algorithm).der
        assert channel_binding(der) == b"tls-server-end-point:" + digest(der).digest()
