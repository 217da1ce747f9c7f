"""The documents within messages: each reader takes or refuses, and what it takes can be written and read again."""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from causeway.messaging import keyinfo, location
from causeway.messaging.assignments import body_target, parse_assignments_reply, parse_assignments_request
from causeway.messaging.client_auth import parse_client_token
from causeway.messaging.content_location import (
    parse_content_location_reply,
    parse_location_request,
    parse_update_location_reply,
)
from causeway.messaging.errors import MessagingError
from causeway.messaging.header import header_to_xml, parse_header
from causeway.messaging.policy import ClientSettings, PolicyBody, check_hash, hash_body, parse_policy_body
from causeway.messaging.registration import (
    RegistrationRequest,
    parse_registration_request,
    parse_registration_response,
)
from causeway.messaging.reports import parse_report
from causeway.messaging.signatures import decode_certificate, decode_public_key, rsa_key_of

_MAX_BYTES = 256 * 1024


class Reader(NamedTuple):
    """A parser, and what writes its values; None where there is no writer."""

    parse: Callable[[str], Any]
    write: Callable[[Any], str] | None = None


def _written(value: Any) -> str:
    text: str = value.to_xml()
    return text


def _bytes_reader(parse: Callable[[bytes], Any]) -> Reader:
    return Reader(lambda text: parse(text.encode("utf-8")), _written)


def _registration(text: str) -> RegistrationRequest:
    request = parse_registration_request(text)
    assert request.data_xml in text
    with contextlib.suppress(MessagingError):
        request.verify()
    return request


def _policy_body(text: str) -> PolicyBody:
    data = text.encode("utf-8")
    body = parse_policy_body(data, max_bytes=_MAX_BYTES)
    check_hash(data, hash_body(data))
    assert parse_policy_body(body.to_bytes()) == body
    with contextlib.suppress(MessagingError):
        ClientSettings.from_body(body)
    return body


def _location(text: str) -> str:
    target = body_target(text)
    assert target.startswith("/")
    assert not set(target) & set("\r\n ")
    return target


TEXT_READERS = {
    "registration": Reader(_registration),
    "registration-response": Reader(parse_registration_response, _written),
    "assignments-request": Reader(parse_assignments_request, _written),
    "assignments-reply": Reader(parse_assignments_reply, _written),
    "location-request": Reader(parse_location_request, _written),
    "report": Reader(parse_report, _written),
}
READERS = {
    **TEXT_READERS,
    "header": Reader(parse_header, header_to_xml),
    "policy": Reader(_policy_body, _written),
    "content-location-reply": Reader(parse_content_location_reply, _written),
    "update-location-reply": Reader(parse_update_location_reply, _written),
    "site-information-reply": Reader(location.parse_site_information_reply, _written),
    "assigned-site-reply": Reader(location.parse_assigned_site_reply, _written),
    "mp-location-reply": Reader(location.parse_mp_location_reply, _written),
    "mp-list": _bytes_reader(keyinfo.parse_mp_list),
    "mp-certificates": _bytes_reader(keyinfo.parse_mp_certificates),
    "mp-key-information": _bytes_reader(keyinfo.parse_mp_key_information),
    "site-signing-certificate": _bytes_reader(keyinfo.parse_site_signing_certificate),
    "trusted-root-key": _bytes_reader(keyinfo.parse_trusted_root_key),
    "key-info-query": Reader(keyinfo.parse_key_info_query),
    "client-token": Reader(parse_client_token, str),
    "policy-location": Reader(_location),
    "public-key": Reader(decode_public_key),
    "certificate": Reader(lambda text: rsa_key_of(decode_certificate(text))),
}


def check(data: bytes) -> bool:
    """The first line says which document the rest is, in UTF-8."""
    name, _, document = data.partition(b"\n")
    reader = READERS.get(name.decode("latin-1"))
    try:
        return reader is not None and reads(reader, document.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def reads(reader: Reader, text: str) -> bool:
    """Read ``text``; what is taken is written and read again, and then stays as it is."""
    try:
        value = reader.parse(text)
    except MessagingError:
        return False
    if reader.write is not None:
        try:
            written = reader.write(value)
        except MessagingError:
            return True  # a name that can be read and cannot be written, such as one beyond ASCII
        again = reader.parse(written)
        assert reader.write(again) == written, (written, value, again)
    return True
