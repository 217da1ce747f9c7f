"""Which places revocation lists are wanted from."""

from collections.abc import Iterable

from cryptography import x509

from causeway.identity.examination import extension_of
from causeway.pki.issuers import is_root
from causeway.pki.revocation_list import urls_of
from causeway.pki.unreadable import UNREADABLE
from causeway.site.config import RevocationConfig


def wanted_sources(
    config: RevocationConfig, authorities: Iterable[x509.Certificate], freshest: Iterable[str]
) -> list[str]:
    """Files and URLs: those of the configuration, those that intermediates name, and deltas to the lists there are.

    Args:
        config: the operator's.
        authorities: the trusted ones; an intermediate names where the list of the authority above it is.
        freshest: where the lists that are known say that deltas to them are.
    """
    found = [*map(str, config.list_files), *config.list_urls]
    for authority in authorities:
        if is_root(authority):
            continue
        try:
            points = extension_of(authority, x509.CRLDistributionPoints)
        except UNREADABLE:
            continue  # gateways refuse what is below it, and say why
        found += urls_of(points) if points is not None else ()
    return list(dict.fromkeys([*found, *freshest]))
