"""The server certificate that a plan asks for, and whether a public authority can issue it."""

from dataclasses import dataclass

from causeway.plan.document import Plan
from causeway.plan.fact import Fact
from causeway.plan.names import azure_suffix
from causeway.plan.values import CertificateSource, KeyType, Target

TOPIC = "Server certificate"
SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"
"""The extended key usage that the certificate must hold (RFC 5280, 4.2.1.12)."""

_NOT_PUBLIC = (
    "local",
    "localhost",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "test",
    "invalid",
    "onion",
)
_ALLOWED_KEYS = {
    # Microsoft documents 2048 and 4096 bit RSA for its gateway and nothing else.
    Target.CONFIGMGR: frozenset({KeyType.RSA_2048, KeyType.RSA_4096}),
    Target.CAUSEWAY: frozenset(KeyType),
}


@dataclass(frozen=True, slots=True)
class CertificateNeed:
    """What the server certificate must be.

    Attributes:
        common_name: of the subject, its case included.
        organisation: of the subject.
        alternative_names: DNS names it must be for.
        key: of the plan.
        allowed_keys: that the target takes.
        exportable: whether the key must be at hand as a file (PFX).
        public_refusal: why no public authority can issue it; None where one can.
    """

    common_name: str
    organisation: str
    alternative_names: tuple[str, ...]
    key: KeyType
    allowed_keys: frozenset[KeyType]
    exportable: bool
    public_refusal: str | None


def public_refusal(name: str) -> str | None:
    """Why no public authority can issue a certificate for ``name``; None where one can."""
    if suffix := azure_suffix(name):
        return (
            f"{suffix} is Microsoft's domain: an authority asks its owner for proof, and nobody else can give it. Use "
            "a name of your own domain with a CNAME record, or your own PKI"
        )
    last = name.lower().rpartition(".")[2]
    if last in _NOT_PUBLIC:
        return f'".{last}" is no public domain, so no authority can verify who owns it. Use a public domain'
    return None


def certificate_need(plan: Plan) -> CertificateNeed:
    """The certificate for the service name, or for all names of its domain."""
    name = plan.names.service_name
    if plan.certificate.wildcard:
        name = f"*.{name.partition('.')[2]}"
    return CertificateNeed(
        common_name=name,
        organisation=plan.organisation,
        alternative_names=(name,),
        key=plan.certificate.key,
        allowed_keys=_ALLOWED_KEYS[plan.target],
        exportable=True,
        public_refusal=public_refusal(plan.names.service_name),
    )


def facts(plan: Plan) -> tuple[Fact, ...]:
    """The certificate's names, key and source, and why."""
    need = certificate_need(plan)
    found = [
        Fact(
            TOPIC,
            "Subject",
            f"CN={need.common_name}, O={need.organisation}",
            "Microsoft's gateway reads the service name from the common name, and compares its case on renewal."
            if plan.target is Target.CONFIGMGR
            else "The common name repeats the first alternative name, for programs that still look there.",
        ),
        Fact(
            TOPIC,
            "Alternative names",
            ", ".join(need.alternative_names),
            "Clients compare the name they connect to with these, and no longer with the common name.",
        ),
        Fact(
            TOPIC,
            "Key",
            f"{need.key.upper()}, exportable, for server authentication ({SERVER_AUTHENTICATION})",
            "Microsoft's gateway takes RSA of 2048 or 4096 bits, as a PFX file with its private key."
            if plan.target is Target.CONFIGMGR
            else "Our gateway takes RSA and elliptic keys; P-256 costs the least at each handshake.",
        ),
    ]
    if need.public_refusal:
        found.append(Fact(TOPIC, "A public authority", "cannot issue it", f"{need.public_refusal}."))
    else:
        found.append(
            Fact(
                TOPIC,
                "A public authority",
                "can issue it",
                "The name is of a public domain of your own. Public certificates live at most 200 days (100 from "
                "15 March 2027, 47 from 15 March 2029: CA/Browser Forum ballot SC-081v3), so make renewal a routine.",
            )
        )
    if plan.certificate.source is CertificateSource.OWN_PKI:
        found.append(
            Fact(
                TOPIC,
                "Trust",
                "every device needs your root",
                "A certificate of your own PKI is worth nothing to a device that does not have its root, and its "
                "revocation list should be reachable from the internet.",
            )
        )
    return tuple(found)
