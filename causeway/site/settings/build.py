"""What the gateway settings say, from the configuration and the blocked certificates."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import TypeAdapter, ValidationError

from causeway.errors import ConfigurationError
from causeway.gateway_settings import Authentication, Endpoint, GatewaySettings, TokenHeader, sign
from causeway.gateway_settings.certificates import CertificateRulesSection, RevocationListSection, RevocationSection
from causeway.gateway_settings.document import MAX_DOCUMENT_BYTES
from causeway.gateway_settings.entra import EntraTenant, TenantTerms
from causeway.messaging.identifiers import format_timestamp
from causeway.messaging.tokens import MAX_REQUEST_BYTES as MAX_TOKEN_REQUEST_BYTES
from causeway.site.config import Ocsp, ServerAuthEndpoint, SiteConfig, Unknown
from causeway.site.settings.decisions import NOTHING_DECIDED, Decisions
from causeway.site.settings.virtual_directories import UPDATE_POINT_DIRECTORIES, is_reserved, publish
from causeway.site.trust import read_certificates

_UNVERSIONED = 1
_ADAPTER = TypeAdapter(GatewaySettings)


@dataclass(frozen=True, slots=True)
class Content:
    """Gateway settings without a version yet."""

    settings: GatewaySettings

    def digest(self, key: Ed25519PrivateKey) -> str:
        """SHA-256, in hexadecimal, of the content and of the key that signs it: when it differs, a version is due."""
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        text = json.dumps(dataclasses.asdict(self.settings), sort_keys=True)
        return hashlib.sha256(public + text.encode()).hexdigest()

    def signed(self, version: int, issued_at: datetime, key: Ed25519PrivateKey) -> bytes:
        """The document of that version, signed.

        Raises:
            ConfigurationError: it is larger than gateways take.
        """
        settings = dataclasses.replace(self.settings, version=version, issued_at=format_timestamp(issued_at))
        signed = sign(settings, key)
        if len(signed) > MAX_DOCUMENT_BYTES:
            raise ConfigurationError(
                f"the gateway settings have {len(signed)} bytes, and gateways take {MAX_DOCUMENT_BYTES}; publish less, "
                "or unblock certificates that have expired"
            )
        return signed


def build_content(config: SiteConfig, decisions: Decisions = NOTHING_DECIDED) -> Content:
    """The content for ``config`` and what the database says.

    Raises:
        OperatorError: a file of trusted roots cannot be read; two endpoints share a name or a path; an application
            takes a path of the protocol.
    """
    for application in config.application:
        if is_reserved(application.path):
            raise ConfigurationError(
                f"application {application.name}: the path {application.path} belongs to the client protocol; "
                "choose another"
            )
    roots = _pems(config.gateway.trusted_roots)
    tenants = tuple(entra_tenants(config))
    try:
        settings = GatewaySettings(
            version=_UNVERSIONED,
            issued_at="",
            site_code=config.site.code,
            service_name=config.gateway.service_name,
            endpoints=tuple(_endpoints(config)),
            trusted_roots=roots,
            entra_tenants=tenants,
            client_certificates=_certificate_rules(config),
            revocation=_revocation(config, decisions.revocation_lists, decisions.revoked_certificates),
            blocked_certificates=tuple(sorted({*config.gateway.blocked_certificates, *decisions.blocked_certificates})),
            site_tokens=decisions.site_tokens,
            token_headers=tuple(_token_header(line) for line in config.gateway.token_headers),
            blocked_devices=decisions.blocked_devices,
            blocked_names=decisions.blocked_names,
            blocked_tokens=decisions.blocked_tokens,
            # Site tokens that devices of a tenant were given for its tokens end with it, too.
            blocked_tenants=tuple(
                sorted({*decisions.blocked_tenants, *(one.tenant_id for one in tenants if not one.enabled)})
            ),
        )
        # The very check that gateways make: what they would refuse is not published.
        _ADAPTER.validate_json(json.dumps(dataclasses.asdict(settings)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"the gateway settings cannot be published: {where}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigurationError(f"the gateway settings cannot be published: {error}") from error
    return Content(settings)


def entra_tenants(config: SiteConfig) -> Iterator[EntraTenant]:
    """The onboarded Entra tenants, with the certificates that their tables name.

    Raises:
        OperatorError: a file of certificates cannot be read.
    """
    for tenant in config.entra_tenant:
        terms = {field.name: getattr(tenant, field.name) for field in dataclasses.fields(TenantTerms)}
        file = tenant.authority_file
        yield EntraTenant(**terms, authority_certificates=None if file is None else "".join(_pems([file])))


def _pems(files: Iterable[Path]) -> tuple[str, ...]:
    """The certificates in ``files``, each once."""
    return tuple(dict.fromkeys(one.public_bytes(Encoding.PEM).decode("ascii") for one in read_certificates(files)))


def _certificate_rules(config: SiteConfig) -> CertificateRulesSection:
    rules = config.client_certificates
    return CertificateRulesSection(
        min_rsa_bits=rules.min_rsa_bits,
        min_ec_bits=rules.min_ec_bits,
        hashes=rules.hashes,
        trust_list=tuple(sorted({one.fingerprint(SHA256()).hex() for one in read_certificates(rules.trust_list)})),
    )


def _revocation(
    config: SiteConfig, lists: tuple[RevocationListSection, ...], revoked: Iterable[str]
) -> RevocationSection:
    rules = config.revocation
    return RevocationSection(
        check=rules.check,
        accept_unknown_s=rules.accept_hours * 3600 if rules.unknown is Unknown.ACCEPT_FOR else 0.0,
        accept_unpublished=rules.accept_unpublished,
        revoked_certificates=tuple(sorted(revoked)) if rules.check else (),
        ask_upstream=config.gateway.upstream if rules.check else None,
        ask_always=rules.ocsp is Ocsp.ALWAYS,
        lists=lists if rules.check else (),
    )


def _endpoints(config: SiteConfig) -> Iterator[Endpoint]:
    yield from _own_management_point(config)
    for point in config.existing_management_point:
        for directory in point.mutual_auth:
            yield publish("mp", point.role_id, directory, point.url)
        for directory in point.server_auth:
            yield publish("mp", point.role_id, directory, point.url, authentication=(Authentication.NONE,))
    for update_point in config.existing_update_point:
        for directory in UPDATE_POINT_DIRECTORIES:
            yield publish("sup", update_point.role_id, directory, update_point.url)
    for application in config.application:
        yield Endpoint(
            name=application.name,
            path=application.path,
            upstream=application.upstream,
            authentication=application.authentication,
            methods=application.methods,
            max_body_bytes=application.max_body_bytes,
            connection_bound=application.connection_bound,
            upgrades=application.upgrades,
            response_timeout_s=application.response_timeout_s,
            forward_token=application.forward_token,
            sign_identity=application.sign_identity,
        )


def _token_header(line: str) -> TokenHeader:
    name, _, scheme = line.partition(": ")
    return TokenHeader(name=name, scheme=scheme)


# A client that knows only ccm_system and SMS_MP finds, without a certificate, what does not ask for one.
_SERVER_AUTH = {
    ServerAuthEndpoint.SMS_AUT: (("SMS_MP/.sms_aut", "SMS_MP/.sms_aut"),),
    ServerAuthEndpoint.SMS_POL: (
        ("SMS_MP/.sms_pol", "SMS_MP_AltAuth/.sms_pol"),
        ("SMS_MP_AltAuth/.sms_pol", "SMS_MP_AltAuth/.sms_pol"),
    ),
    ServerAuthEndpoint.CCM_SYSTEM_ALTAUTH: (
        ("ccm_system", "ccm_system_altauth"),
        ("ccm_system_altauth", "ccm_system_altauth"),
    ),
}


def _own_management_point(config: SiteConfig) -> Iterator[Endpoint]:
    point = config.management_point
    url = config.gateway.upstream
    yield publish("mp", point.role_id, "ccm_system", url, max_body_bytes=point.max_message_bytes)
    yield publish("mp", point.role_id, "SMS_MP", url)
    yield publish("mp", point.role_id, "CCM_STS", url, max_body_bytes=MAX_TOKEN_REQUEST_BYTES)
    for kind in dict.fromkeys(config.gateway.server_auth):
        if kind is ServerAuthEndpoint.TOKENS:
            yield from _by_token(config)
            continue
        if kind is not ServerAuthEndpoint.SMS_AUT and not point.altauth:
            raise ConfigurationError(
                f'gateway.server_auth publishes "{kind}", which management_point.altauth = false turns off'
            )
        messages = kind is ServerAuthEndpoint.CCM_SYSTEM_ALTAUTH
        for external, internal in _SERVER_AUTH[kind]:
            yield publish(
                "mp",
                point.role_id,
                internal,
                url,
                authentication=(Authentication.NONE,),
                external=external,
                max_body_bytes=point.max_message_bytes if messages else None,
            )


# What a token opens is the management point's to say; here it gets anybody through whose token is good.
_ANY_TOKEN = (Authentication.TOKEN, Authentication.BULK_TOKEN, Authentication.ENTRA)


def _by_token(config: SiteConfig) -> Iterator[Endpoint]:
    point = config.management_point
    for directory, max_body_bytes in (
        ("ccm_system_tokenauth", point.max_message_bytes),
        ("SMS_MP_TokenAuth", None),
        ("CCM_STS", MAX_TOKEN_REQUEST_BYTES),
    ):
        yield publish(
            "mp",
            point.role_id,
            directory,
            config.gateway.upstream,
            authentication=_ANY_TOKEN,
            max_body_bytes=max_body_bytes,
            forward_token=True,
        )
