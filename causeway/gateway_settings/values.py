"""Values that several parts of the document have in common."""

from typing import Annotated

from cryptography import x509
from pydantic import AfterValidator


def _certificates(pem: str) -> str:
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise ValueError("expected certificates in PEM form") from error
    return pem


Certificates = Annotated[str, AfterValidator(_certificates)]
