"""Whether a client's certificate is good: dates, key, use, chain, revocation. Pure; one decision and its steps.

OpenSSL has verified the chain in the handshake. What it does not look at is looked at here, and all of it again for
connections that stand while the settings change.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.gateway_settings import GatewaySettings
from causeway.gateway_settings.status import CertificateStatus, Standing
from causeway.identity.denial import Denial, Denied
from causeway.identity.examination import (
    Case,
    CertificateRules,
    dates,
    in_time,
    is_signed_well,
    is_strong,
    key,
    places_of,
    read,
    responders_of,
    usage,
)
from causeway.identity.revocation import KnownList, RevocationRules, RevokedSerials
from causeway.observability.checks import CheckResult, Status
from causeway.pki.fingerprints import fingerprints_of
from causeway.pki.issuers import Authorities, is_root, issuer_id

_UNTRUSTED = "CMGService_ClientCertificateUntrusted"
_REVOKED = "CMGService_ClientCertificateRevoked"
_UNKNOWN = "CMGService_ClientCertificateRevocationUnknown"

_NEW_ONE = "issue a new one to a device that is to come back"

_REFUSED_S = 60.0  # a refusal is looked at again, since dates and clocks move
_MOST_REMEMBERED = 8192


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a certificate.

    Attributes:
        denial: why it is refused; None where it is good.
        good_until: when it has to be decided anew, in seconds since 1970.
        unchecked: it is accepted although nobody can tell whether it is revoked.
        asks: the site may know more, and has not been asked.
    """

    denial: Denial | None
    good_until: float
    unchecked: bool = False
    asks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ClientTrust:
    """All that one version of the settings says of client certificates.

    Attributes:
        authorities: roots and intermediates.
        rules: for keys, signatures and chains.
        revocation: the lists, and what is made of them.
        unknown_since: by issuer, since when nobody can tell of its certificates; outlives the settings.
    """

    authorities: Authorities
    rules: CertificateRules = field(default_factory=CertificateRules)
    revocation: RevocationRules = field(default_factory=RevocationRules)
    unknown_since: dict[str, float] = field(default_factory=dict)
    _decisions: dict[tuple[bytes, CertificateStatus | None], Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: GatewaySettings, unknown_since: dict[str, float]) -> "ClientTrust":
        """What ``settings`` say."""
        certificates, revocation = settings.client_certificates, settings.revocation
        pems = "\n".join(settings.trusted_roots).encode()
        lists: dict[str, tuple[KnownList, ...]] = {}
        for one in revocation.lists:
            known = KnownList(
                one.issuer, one.next_update, RevokedSerials(one.revoked), frozenset(one.points), one.users_only
            )
            lists[one.issuer] = (*lists.get(one.issuer, ()), known)
        return cls(
            Authorities(x509.load_pem_x509_certificates(pems) if pems else ()),
            CertificateRules(
                certificates.min_rsa_bits,
                certificates.min_ec_bits,
                frozenset(certificates.hashes),
                frozenset(certificates.trust_list),
            ),
            RevocationRules(
                revocation.check,
                revocation.accept_unknown_s,
                revocation.accept_unpublished,
                frozenset(revocation.revoked_certificates),
                revocation.ask_upstream is not None,
                revocation.ask_always,
                lists,
            ),
            unknown_since,
        )

    def decide(self, certificate: bytes, now: float, answer: CertificateStatus | None = None) -> Decision:
        """Decide on a certificate (DER) at ``now`` (seconds since 1970). Devices come back, so it is remembered.

        Args:
            certificate: of the client.
            now: the time.
            answer: what the site says of it, where it was asked and the answer holds.
        """
        key = certificate, answer
        known = self._decisions.get(key)
        if known is not None and now < known.good_until:
            return known
        decision = self._decide(certificate, now, answer)
        if len(self._decisions) >= _MOST_REMEMBERED:
            self._decisions.clear()
        self._decisions[key] = decision
        return decision

    def _decide(self, certificate: bytes, now: float, answer: CertificateStatus | None) -> Decision:
        case: Case | None = None
        try:
            case = read(certificate, now)
            case.answer = answer
            for _, step in self._steps():
                step(case)
        except Denied as denied:
            again = now + _REFUSED_S if answer is None else min(now + _REFUSED_S, answer.until)
            return Decision(denied.denial, again, asks=case is not None and case.asks)
        return Decision(None, case.good_until, case.unchecked, case.asks)

    def explain(self, certificate: bytes, now: float) -> Iterator[CheckResult]:
        """The same decision step by step; the first failure is the last step."""
        name, target = "readable", "client certificate"
        try:
            case = read(certificate, now)
            target = case.certificate.subject.rfc4514_string() or target
            yield CheckResult(name, target, Status.PASS, f"serial number {case.certificate.serial_number:x}")
            for name, step in self._steps():
                yield CheckResult(name, target, Status.PASS, step(case))
        except Denied as denied:
            why = denied.denial
            yield CheckResult(name, target, Status.FAIL, f"{why.word}: {why.details}", why.remedy)

    def _steps(self) -> tuple[tuple[str, Callable[[Case], str]], ...]:
        """In order; each says what it saw, or fails."""
        return (
            ("dates", partial(dates, self.rules)),
            ("key", partial(key, self.rules)),
            ("usage", partial(usage, self.rules)),
            ("chain", self._chain),
            ("revocation", self._revocation),
        )

    def _chain(self, case: Case) -> str:
        authorities = self.authorities
        chains = authorities.chains_of(case.certificate)
        if not chains:
            missing = authorities.top_of(case.certificate)
            raise Denied(
                _UNTRUSTED,
                f"it does not lead to a trusted root: the certificate of {missing} is missing",
                f"add the certificate of {missing} to gateway.trusted_roots, or give the device another certificate",
            )
        failure: Denied | None = None
        for chain in chains:
            try:
                for authority in chain:
                    who = authority.subject.rfc4514_string()
                    in_time(authority, case, f"the certificate of {who}", "renew it, and trust the new one")
                    is_strong(self.rules, authority, f"the certificate of {who}")
                    if not is_root(authority):  # nobody relies on the signature of a root
                        is_signed_well(self.rules, authority, f"the certificate of {who}")
                self._is_on_trust_list(chain)
            except Denied as denied:
                failure = failure or denied
                continue
            case.chain = chain
            return " ← ".join(authority.subject.rfc4514_string() for authority in chain)
        assert failure is not None
        raise failure

    def _is_on_trust_list(self, chain: tuple[x509.Certificate, ...]) -> None:
        wanted = self.rules.trust_list
        if wanted and not wanted & {authority.fingerprint(SHA256()).hex() for authority in chain}:
            raise Denied(
                _UNTRUSTED,
                f"none of its authorities is on the certificate trust list; its issuer is "
                f"{chain[0].subject.rfc4514_string()}",
                "add one of them to client_certificates.trust_list, or give the device another certificate",
            )

    def _revocation(self, case: Case) -> str:
        if not self.revocation.check:
            return "not looked at: revocation.check is false"
        links = [case.certificate, *(authority for authority in case.chain if not is_root(authority))]
        seen = [self._is_not_revoked(link, issuer, case) for link, issuer in zip(links, case.chain, strict=False)]
        return "; ".join(dict.fromkeys(seen))

    def _is_not_revoked(self, certificate: x509.Certificate, issuer: x509.Certificate, case: Case) -> str:
        who = issuer.subject.rfc4514_string()
        is_client = certificate is case.certificate
        what = "it" if is_client else f"the certificate of {certificate.subject.rfc4514_string()}"
        rules, issuer_key, answer = self.revocation, issuer_id(issuer), case.answer if is_client else None
        lists = rules.lists.get(issuer_key, ())
        places = places_of(certificate)
        covering = [
            one for one in lists if (not one.points or one.points & places) and (is_client or not one.users_only)
        ]
        if any(certificate.serial_number in one.revoked for one in covering):
            raise Denied(_REVOKED, f"{what} was revoked by {who}", _NEW_ONE)
        if is_client and rules.revoked & fingerprints_of(certificate.public_bytes(Encoding.DER)):
            raise Denied(_REVOKED, f"{what} was revoked by {who}, as its responder says", _NEW_ONE)
        if answer is not None:
            case.good_until = min(case.good_until, answer.until)
            if answer.standing is Standing.REVOKED:
                raise Denied(_REVOKED, f"{what} was revoked by {who}: {answer.details}", _NEW_ONE)
            if answer.standing is Standing.GOOD:
                return f"good: {answer.details}"
        until = max((one.next_update for one in covering), default=0.0)
        is_current = case.now < until
        is_unpublished = not lists and not places and rules.accept_unpublished
        if is_client and rules.asks and answer is None:
            case.asks = not (is_current or is_unpublished) or (rules.asks_always and bool(responders_of(certificate)))
        if is_current:
            case.good_until = min(case.good_until, until)
            return f"not on the list of {who}"
        if is_unpublished:
            return f"{who} publishes no revocation list"
        reason = f"the list of {who} has ended" if until else f"there is no list of {who}"
        if answer is not None:
            reason += f", and {answer.details}"
        return self._nobody_can_tell(until or self.unknown_since.setdefault(issuer_key, case.now), reason, case)

    def _nobody_can_tell(self, since: float, reason: str, case: Case) -> str:
        accept_until = since + self.revocation.accept_unknown_s
        if case.now >= accept_until:
            raise Denied(
                _UNKNOWN,
                f"nobody can tell whether it is revoked: {reason}",
                "look at `causeway site revocation list`: the site has to reach the distribution points",
            )
        case.good_until = min(case.good_until, accept_until)
        case.unchecked = True
        return f"accepted although {reason}"
