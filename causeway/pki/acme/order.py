"""One order: the names proved one after another, the request handed in, the chain fetched."""

import datetime as dt
from collections.abc import Callable, Sequence

from acme import challenges, client, messages
from cryptography import x509

from causeway.pki.acme.account import talking_to
from causeway.pki.acme.challenge import Record, Responder, presented
from causeway.pki.acme.propagation import wait_for
from causeway.pki.errors import AuthorityError
from causeway.pki.requests import request_pem


def obtain(
    authority: client.ClientV2,
    request: x509.CertificateSigningRequest,
    responder: Responder,
    *,
    directory: str,
    servers: Sequence[str] = (),
    propagation_s: float = 300.0,
    issue_s: float = 180.0,
    report: Callable[[str], None] = lambda _text: None,
) -> tuple[x509.Certificate, ...]:
    """The certificate for ``request`` and its chain, the certificate first.

    Args:
        authority: an account.
        request: for DNS names only.
        responder: puts the records of the challenges into the zone.
        directory: named in errors.
        servers: to ask whether a record is there, instead of the zone's own.
        propagation_s: how long the records may take.
        issue_s: how long the authority may take to verify and to issue.
        report: takes a line about what goes on.

    Raises:
        AuthorityError: the authority refused, or a record did not appear.
    """
    with talking_to(directory):
        order = authority.new_order(request_pem(request))
        proofs = [_proof(one, authority) for one in order.authorizations if one.body.status != messages.STATUS_VALID]
    records = [record for _, _, record in proofs]
    with presented(responder, records):
        wait_for(records, servers=servers, timeout_s=propagation_s, report=report)
        with talking_to(directory):
            for challenge, response, record in proofs:
                report(f"the authority looks for {record.name}")
                authority.answer_challenge(challenge, response)
            # The library compares with this machine's own clock, without a zone.
            order = authority.poll_and_finalize(order, dt.datetime.now() + dt.timedelta(seconds=issue_s))  # noqa: DTZ005
            return tuple(x509.load_pem_x509_certificates(order.fullchain_pem.encode()))


def _proof(
    authorization: messages.AuthorizationResource, authority: client.ClientV2
) -> tuple[messages.ChallengeBody, challenges.DNS01Response, Record]:
    name = authorization.body.identifier.value
    for body in authorization.body.challenges:
        if isinstance(body.chall, challenges.DNS01):
            key = authority.net.key
            response, value = body.chall.response_and_validation(key)
            return body, response, Record(body.chall.validation_domain_name(name), value)
    raise AuthorityError(f"{name}: the authority offers no DNS-01 challenge")
