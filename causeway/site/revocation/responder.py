"""Asks an OCSP responder about one certificate, bounded in size and time."""

import asyncio
import ssl
from datetime import UTC, datetime

import httpx
from cryptography import x509

from causeway import __version__
from causeway.pki.ocsp import MAX_ANSWER_BYTES, OcspAnswer, OcspAnswerInvalid, ocsp_request, read_ocsp_answer
from causeway.site.config import RevocationConfig
from causeway.site.revocation.errors import OcspResponderUnreachable
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
    timeout_s = min(_LONGEST_S, config.timeout_s)
    headers = {
        "User-Agent": f"causeway/{__version__}",
        "Accept-Encoding": "identity",
        "Content-Type": "application/ocsp-request",
    }
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(
                verify=ssl.create_default_context(),
                trust_env=False,
                proxy=httpx_proxy(config.proxy, config.proxy_user, config.proxy_password_file),
                timeout=timeout_s,
                headers=headers,
            ) as client,
            client.stream("POST", url, content=request) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise OcspResponderUnreachable(f"the answer is {response.status_code} {response.reason_phrase[:100]}")
            data = bytearray()
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > MAX_ANSWER_BYTES:
                    raise OcspAnswerInvalid(f"it has more than {MAX_ANSWER_BYTES} bytes")
    except TimeoutError as error:
        raise OcspResponderUnreachable(f"it did not answer within {timeout_s:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise OcspResponderUnreachable(str(error)[:200] or type(error).__name__) from error
    return read_ocsp_answer(bytes(data), certificate, issuer, nonce, now=datetime.now(UTC))
