"""A site as location replies describe it: its version, its default management point, how to speak to it.

Source: 2007 SDK, Management Point Message Schema ("Site Information Reply").
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from causeway.messaging.safe_xml import Markup, child_text, element, integer, required_text


@dataclass(frozen=True, slots=True)
class SecurityConfiguration:
    """How the site's clients have to speak to it. ``site_signing_certificate`` is hex of its DER, or empty."""

    http_port: int = 80
    https_port: int = 443
    security_mode_mask: int = 0
    security_mode_mask_ex: int = 0
    select_first_certificate: bool = True
    certificate_selection_criteria: str = ""
    certificate_store_name: str = ""
    site_signing_certificate: str = ""

    def to_xml(self) -> Markup:
        """Return the ``<SecurityConfiguration>`` element."""
        return element(
            "SecurityConfiguration",
            element("SecurityModeMask", str(self.security_mode_mask)),
            element("SecurityModeMaskEx", str(self.security_mode_mask_ex)),
            element("HTTPPort", str(self.http_port)),
            element("HTTPSPort", str(self.https_port)),
            element("CertificateStoreName", self.certificate_store_name),
            element("CertificateSelectionCriteria", self.certificate_selection_criteria),
            element("SelectFirstCertificate", str(int(self.select_first_certificate))),
            element("SiteSigningCert", self.site_signing_certificate),
        )

    @classmethod
    def from_element(cls, node: Element) -> "SecurityConfiguration":
        """Read the element; what is left out has its default.

        Raises:
            FieldError: a number that is none.
        """
        return cls(
            http_port=integer(child_text(node, "HTTPPort") or "80", "HTTPPort", minimum=0, maximum=65535),
            https_port=integer(child_text(node, "HTTPSPort") or "443", "HTTPSPort", minimum=0, maximum=65535),
            security_mode_mask=integer(child_text(node, "SecurityModeMask") or "0", "SecurityModeMask"),
            security_mode_mask_ex=integer(child_text(node, "SecurityModeMaskEx") or "0", "SecurityModeMaskEx"),
            select_first_certificate=child_text(node, "SelectFirstCertificate", "1") != "0",
            certificate_selection_criteria=child_text(node, "CertificateSelectionCriteria"),
            certificate_store_name=child_text(node, "CertificateStoreName"),
            site_signing_certificate=child_text(node, "SiteSigningCert"),
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A site as location replies describe it."""

    site_code: str
    version: str = ""
    build_number: str = ""
    default_mp: str = ""
    security: SecurityConfiguration | None = None

    def to_xml(self) -> Markup:
        """Return the ``<Site>`` element."""
        settings = element("ClientOperationalSettings", self.security.to_xml()) if self.security else None
        return element(
            "Site",
            element("SiteCode", self.site_code),
            element("Version", self.version),
            element("BuildNumber", self.build_number),
            element("DefaultMP", self.default_mp),
            element("Capabilities"),
            settings,
        )

    @classmethod
    def from_element(cls, node: Element) -> "Site":
        """Read the element.

        Raises:
            FieldError: it has no site code, or a number is none.
        """
        security = node.find("ClientOperationalSettings/SecurityConfiguration")
        return cls(
            required_text(node, "SiteCode"),
            child_text(node, "Version"),
            child_text(node, "BuildNumber"),
            child_text(node, "DefaultMP"),
            SecurityConfiguration.from_element(security) if security is not None else None,
        )
