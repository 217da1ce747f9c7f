"""What a token of Entra ID must say to be believed, step by step, in the order of Microsoft's claims reference.

The steps are data, so that the gateway, which stops at the first that fails, and ``causeway identity explain``, which
shows them all, cannot differ. What a step says of a failure names claims and never their values: it goes to the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from causeway.gateway_settings.entra import EntraTenant, TokenUser, TokenVersion
from causeway.identity.denial import EXPIRED, INVALID, NOT_YET_VALID, Denied
from causeway.identity.entra.documents import TenantKeys, VersionKeys
from causeway.identity.identity import Identity, Kind
from causeway.identity.jwt import KeyRing, Token

INSUFFICIENT = "CMGService_TokenInsufficient"
NOT_ONBOARDED = "CMGService_TenantNotOnboarded"
NO_KEYS = "CMGService_TenantKeysUnavailable"

SKEW_S = 60
_ALGORITHM = "RS256"
_MAX_VALUE = 128
_MAX_TIME = 2**53

_FORGED = "Genuine tokens never look so. Where this comes again, look at who sends it: the log has the address."
_APPLICATION = (
    "Compare the server and client applications in Entra ID with the tenant's table in the site's configuration."
)


@dataclass(frozen=True, slots=True)
class Case:
    """One token under examination, with all that the steps look at."""

    token: Token
    tenant: EntraTenant
    keys: TenantKeys
    now: float

    def text(self, name: str) -> str:
        """A claim that is a string; empty where it is missing or something else."""
        value = self.token.claims.get(name)
        return value if isinstance(value, str) else ""

    @property
    def version_keys(self) -> VersionKeys | None:
        """Issuer and keys of the version that the token says it is of."""
        return self.keys.versions.get(self.text("ver"))

    @property
    def ring(self) -> KeyRing:
        """The keys of that version; of any where it says none, so that the step for versions can tell of it."""
        versions = [self.version_keys] if self.version_keys else [*self.keys.versions.values()]
        return next((one.keys for one in versions if one.keys.knows(self.token.key_id)), versions[0].keys)

    @property
    def user(self) -> TokenUser:
        """For whom the token is: only users' tokens have scopes."""
        is_users = "scp" in self.token.claims or self.text("idtyp") == "user"
        return TokenUser.USER if is_users else TokenUser.DEVICE

    @property
    def identity(self) -> Identity:
        """Whom the token names, for when every step has passed."""
        is_users = self.user is TokenUser.USER
        device = self.text(self.tenant.device_claim)
        return Identity(
            Kind.ENTRA_USER if is_users else Kind.ENTRA_DEVICE,
            device=device.lower() if _is_id(device) else "",
            tenant=self.tenant.tenant_id,
            user=self.text("oid").lower() if is_users else "",
        )


class KeyMissing(Denied):
    """The key of a token is not known now. Fetching the keys of the tenant again may help."""

    def __init__(self, word: str, details: str, remedy: str, *, tenant_id: str) -> None:
        super().__init__(word, details, remedy)
        self.tenant_id = tenant_id


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must hold.

    Attributes:
        name: as ``identity explain`` calls it.
        claims: the claims, and members of the header, that it looks at.
        check: raises ``Denied`` where it does not hold.
    """

    name: str
    claims: tuple[str, ...]
    check: Callable[[Case], None]


def _algorithm(case: Case) -> None:
    if case.token.header.get("alg") != _ALGORITHM:
        raise Denied(INVALID, f"its algorithm is not {_ALGORITHM}, the only one that Entra ID signs with", _FORGED)


def _key(case: Case) -> None:
    if not case.ring.knows(case.token.key_id):
        raise KeyMissing(
            INVALID,
            "its key (kid) is not among those that the tenant publishes for tokens of its version",
            "Where Entra ID has just changed its keys, they are fetched again within the cool-down. Otherwise the "
            "token is of another tenant or cloud, or forged.",
            tenant_id=case.tenant.tenant_id,
        )


def _signature(case: Case) -> None:
    case.ring.verify(case.token, case.now)


def _times(case: Case) -> None:
    claims = case.token.claims
    expires, begins = _time(claims.get("exp")), _time(claims.get("nbf", claims.get("iat")))
    if expires is None or begins is None:
        raise Denied(INVALID, "exp, or nbf and iat, are missing or no times", _FORGED)
    if case.now >= expires + SKEW_S:
        raise Denied(EXPIRED, "it has expired (exp)", "Have the client fetch a new token; check the clocks.")
    if case.now < begins - SKEW_S:
        raise Denied(
            NOT_YET_VALID, "it is not valid yet (nbf)", "Check the gateway's clock.", retry_after=begins - SKEW_S
        )


def _audience(case: Case) -> None:
    if case.text("aud") not in case.tenant.audiences:
        raise Denied(INSUFFICIENT, "its audience (aud) is none of the tenant's audiences", _APPLICATION)


def _issuer(case: Case) -> None:
    keys = case.version_keys
    if keys is None or case.text("iss") != keys.issuer:
        raise Denied(INVALID, "its issuer (iss) is not the one that the tenant's metadata names", _FORGED)


def _tenant(case: Case) -> None:
    if case.text("tid").lower() != case.tenant.tenant_id:
        raise Denied(INVALID, "its tenant (tid) is another than its issuer's", _FORGED)


def _version(case: Case) -> None:
    if case.text("ver") not in case.tenant.versions:
        raise Denied(INSUFFICIENT, "its version (ver) is none of those that the tenant's table takes", _APPLICATION)


def _client(case: Case) -> None:
    name = "appid" if case.text("ver") == TokenVersion.V1 else "azp"
    if case.text(name).lower() not in case.tenant.client_app_ids:
        raise Denied(
            INSUFFICIENT, f"the application that asked for it ({name}) is none of client_app_ids", _APPLICATION
        )


def _kind(case: Case) -> None:
    if case.user not in case.tenant.accept:
        raise Denied(
            INSUFFICIENT,
            f"it is a {case.user}'s token, and the tenant's table does not accept those",
            f'Add "{case.user}" to accept where such tokens are to be believed.',
        )
    idtyp = case.token.claims.get("idtyp")
    if idtyp is not None and (idtyp == "user") is not (case.user is TokenUser.USER):
        raise Denied(INVALID, "its idtyp contradicts its other claims", _FORGED)


def _permission(case: Case) -> None:
    if case.user is TokenUser.USER:
        if not set(case.text("scp").split(" ")) & set(case.tenant.scopes):
            raise Denied(INSUFFICIENT, "none of its scopes (scp) is one of the tenant's scopes", _APPLICATION)
    elif case.tenant.roles and not set(_strings(case.token.claims.get("roles"))) & set(case.tenant.roles):
        raise Denied(INSUFFICIENT, "none of its roles (roles) is one of the tenant's roles", _APPLICATION)


def _who(case: Case) -> None:
    if case.user is TokenUser.USER and not _is_id(case.text("oid")):
        raise Denied(INSUFFICIENT, "it names no user (oid)", _APPLICATION)
    claim = case.tenant.device_claim
    if case.user is TokenUser.DEVICE and not _is_id(case.text(claim)):
        raise Denied(
            INSUFFICIENT,
            f"it names no device ({claim})",
            "Have Entra ID put the device's id into the token, or name the claim that has it in device_claim.",
        )


STEPS = (
    Step("algorithm", ("alg",), _algorithm),
    Step("key", ("kid", "ver"), _key),
    Step("signature", (), _signature),
    Step("times", ("nbf", "exp"), _times),
    Step("audience", ("aud",), _audience),
    Step("issuer", ("iss",), _issuer),
    Step("tenant", ("tid",), _tenant),
    Step("version", ("ver",), _version),
    Step("client application", ("appid", "azp"), _client),
    Step("kind", ("idtyp",), _kind),
    Step("permission", ("scp", "roles"), _permission),
    Step("identity", ("oid",), _who),
)
"""In the order in which they are taken."""


def _time(value: Any) -> float | None:
    is_time = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MAX_TIME
    return float(value) if is_time else None


def _is_id(value: str) -> bool:
    return 0 < len(value) <= _MAX_VALUE and value.isascii() and value.isprintable() and " " not in value


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
