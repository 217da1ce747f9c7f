"""Where a domain's controllers are: asked of the DNS, as members of the domain ask."""

import dns.asyncresolver
import dns.exception

from causeway.directory.errors import DirectoryUnreachable

MOST_CONTROLLERS = 8
"""So many are looked at; a domain may have hundreds."""


def record(domain: str) -> str:
    """The SRV record that names a domain's controllers (MS-ADTS 6.3.2.3)."""
    return f"_ldap._tcp.dc._msdcs.{domain}"


async def controllers(domain: str, *, timeout_s: float) -> tuple[str, ...]:
    """The names of a domain's controllers, in the order in which they are to be tried (RFC 2782).

    Raises:
        DirectoryUnreachable: the DNS does not know any.
    """
    name = record(domain)
    try:
        found = await dns.asyncresolver.Resolver().resolve(name, "SRV", lifetime=timeout_s, search=False)
    except (dns.exception.DNSException, OSError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise DirectoryUnreachable(f"the DNS names no domain controller: {first}") from error
    ordered = sorted(found, key=lambda each: (each.priority, -each.weight, each.target.to_text()))
    names = (each.target.to_text(omit_final_dot=True).lower() for each in ordered)
    return tuple(dict.fromkeys(name for name in names if name))[:MOST_CONTROLLERS]
