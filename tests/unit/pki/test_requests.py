"""Requests, the INF for certreq, and the recipe of a certificate."""

from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from causeway.configuration import parse, to_toml
from causeway.errors import OperatorError
from causeway.pki.adcs.certreq import Enrolment, inf
from causeway.pki.errors import CertificateFileError
from causeway.pki.keys import new_p256_key
from causeway.pki.recipe import Recipe, Source
from causeway.pki.requests import ServerNames, key_kind, names_in, new_key, new_request, read_request, request_pem
from causeway.plan.values import KeyType

NAMES = ServerNames("gateway.contoso.com", "Contoso", ("gateway.contoso.com", "10.0.0.1"))


@pytest.mark.parametrize("kind", [KeyType.RSA_2048, KeyType.P256, KeyType.P384])
def test_a_request_holds_each_name_once_and_reads_back(kind: KeyType) -> None:
    key = new_key(kind)
    assert key_kind(key) == kind.label
    request = read_request(request_pem(new_request(NAMES, key)), "x.csr")
    alternative = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names_in(alternative)) == ["gateway.contoso.com", "10.0.0.1"]
    assert request.subject.rfc4514_string() == "CN=gateway.contoso.com,O=Contoso"


def test_a_name_longer_than_a_common_name_may_be_stands_among_the_alternative_names_alone() -> None:
    long = f"{'a' * 60}.contoso.com"
    request = new_request(ServerNames(long), new_p256_key())
    assert request.subject.rfc4514_string() == ""
    assert long in names_in(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


@given(st.binary(max_size=200))
def test_any_bytes_that_are_no_request_are_refused_with_their_name(data: bytes) -> None:
    with pytest.raises(CertificateFileError, match=r"^x\.csr: "):
        read_request(data, "x.csr")


def test_a_request_whose_signature_does_not_hold_is_refused() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    der = bytearray(new_request(NAMES, new_p256_key()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    with pytest.raises(CertificateFileError):
        read_request(bytes(der), "x.csr")


def test_an_inf_has_the_key_s_algorithm_and_every_name() -> None:
    text = inf(NAMES, KeyType.P256, Enrolment("CausewayGateway"))
    assert "KeyAlgorithm = ECDSA_P256" in text
    assert "KeyUsage = 0x80" in text
    assert '_continue_ = "dns=gateway.contoso.com&"' in text
    assert '_continue_ = "ipaddress=10.0.0.1&"' in text
    assert 'Subject = "CN=gateway.contoso.com,O=Contoso"' in text


@pytest.mark.parametrize("name", ['x" & calc', "a\nb", "x;y", "$(x)", "`x`"])
def test_names_that_would_break_a_command_line_are_refused(name: str) -> None:
    with pytest.raises(OperatorError):
        Enrolment(name)
    with pytest.raises(OperatorError):
        Enrolment("ok", name)


@pytest.mark.parametrize("source", list(Source))
def test_a_recipe_reads_back_as_it_was_written(source: Source) -> None:
    recipe = Recipe(source=source, common_name="gw.contoso.com", organisation="Contoso, Ltd.", key=KeyType.P384)
    path = Path("/x/recipe.toml")
    again = parse(to_toml(recipe, "heading"), Recipe, path)
    assert again.names == recipe.names
    assert (again.source, again.key) == (source, KeyType.P384)
