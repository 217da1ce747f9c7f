"""Asks an OCSP responder about one certificate, bounded in size and time."""

from datetime import UTC, datetime

from cryptography import x509

from causeway.pki.ocsp import (
    MAX_ANSWER_BYTES,
    REQUEST_HEADERS,
    OcspAnswer,
    OcspAnswerInvalid,
    ocsp_request,
    read_ocsp_answer,
)
from causeway.site.config import RevocationConfig
from causeway.site.revocation.errors import OcspResponderUnreachable
from causeway.transport import fetch as transport
from causeway.transport.httpx_proxy import httpx_proxy

_LONGEST_S = 8.0


async def ask_responder(
    url: str, certificate: x509.Certificate, issuer: x509.Certificate, config: RevocationConfig
) -> OcspAnswer:
    """What the responder at ``url`` says.

    Raises:
        OcspResponderUnreachable: it does not answer in time, or not with an answer of its protocol.
        OcspAnswerInvalid: its answer cannot be relied on.
        StateError: the file with the proxy's password cannot be read.
    """
    request, nonce = ocsp_request(certificate, issuer)
    try:
        fetched = await transport.fetch(
            url,
            most_bytes=MAX_ANSWER_BYTES,
            timeout_s=min(_LONGEST_S, config.timeout_s),
            proxy=httpx_proxy(config.proxy, config.proxy_user, config.proxy_password_file),
            headers=REQUEST_HEADERS,
            content=request,
        )
    except transport.FetchedTooMuch as error:
        raise OcspAnswerInvalid(str(error)) from error
    except transport.FetchFailed as error:
        raise OcspResponderUnreachable(str(error)) from error
    return read_ocsp_answer(fetched.data or b"", certificate, issuer, nonce, now=datetime.now(UTC))
