"""``GET /SMS_MP/.sms_aut?…``: management points, certificates and keys, for everybody."""

from urllib.parse import unquote

from causeway.messaging.keyinfo import (
    KeyInfoVerb,
    ManagementPoint,
    MPCertificates,
    MPKeyInformation,
    MPList,
    SignedHex,
    SiteSigningCertificate,
    TrustedRootKey,
    parse_key_info_query,
)
from causeway.messaging.signatures import encode_certificate, encode_public_key, sign
from causeway.site.context import InForce
from causeway.site.management_point.location_manager import BUILD, HTTPS_CAPABILITIES


def answer(in_force: InForce, query: bytes) -> str:
    """Return the XML that answers a query such as ``MPLIST2&PS1``.

    Raises:
        UnsupportedError: a query that is not served.
    """
    asked = parse_key_info_query(unquote(query.decode("latin-1")))
    match asked.verb:
        case KeyInfoVerb.MP_LIST:
            return _list(in_force)
        case KeyInfoVerb.MP_CERTIFICATE:
            return MPCertificates(_certificate(in_force)).to_xml()
        case KeyInfoVerb.MP_CERTIFICATES:
            return MPCertificates(_certificate(in_force), _site_signing(in_force)).to_xml()
        case KeyInfoVerb.MP_KEY_INFORMATION:
            return _key_information(in_force)
        case KeyInfoVerb.SITE_SIGNING_CERTIFICATE:
            return SiteSigningCertificate(encode_certificate(in_force.site_signing.certificate)).to_xml()
        case KeyInfoVerb.TRUSTED_ROOT_KEY:
            return TrustedRootKey(_trusted_root_key(in_force)).to_xml()


def _list(in_force: InForce) -> str:
    config = in_force.config
    point = ManagementPoint(
        config.management_point.name, config.server.public_name, config.site.code, BUILD, HTTPS_CAPABILITIES
    )
    return MPList((point,)).to_xml()


def _key_information(in_force: InForce) -> str:
    config = in_force.config
    root_key = _trusted_root_key(in_force)
    return MPKeyInformation(
        machine_name=config.management_point.name,
        fqdn=config.server.public_name,
        site_code=config.site.code,
        certificate=_certificate(in_force),
        trusted_root_key=_signed(in_force, root_key),
    ).to_xml()


def _certificate(in_force: InForce) -> SignedHex:
    return _signed(in_force, encode_certificate(in_force.server_certificate))


def _site_signing(in_force: InForce) -> SignedHex:
    return _signed(in_force, encode_certificate(in_force.site_signing.certificate))


def _trusted_root_key(in_force: InForce) -> str:
    return encode_public_key(in_force.site_signing.key.public_key())


def _signed(in_force: InForce, value: str) -> SignedHex:
    # What the product's signature covers is not published; Causeway signs the bytes that the hex stands for.
    return SignedHex(value, sign(in_force.site_signing.key, bytes.fromhex(value)))
