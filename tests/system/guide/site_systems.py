"""Contoso's site systems on its island: nginx answers as IIS does, and changes with the cmdlets of IIS and site."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.keyinfo import ManagementPoint, MPCertificates, MPList, SignedHex
from tests.system.certificates import Certificates
from tests.system.island import Island
from tests.system.preflight.iis_like import iis_like, page, server

DOMAIN = "corp.contoso.com"
ADDRESSES = {"cm01": "127.0.0.17", "mp01": "127.0.0.18", "sup01": "127.0.0.19"}


@dataclass
class SiteSystems:
    """The management points cm01 (Causeway's own site stands there later) and mp01, and the update point sup01.

    Attributes:
        asks_for_certificates: the management points that are set to HTTPS.
        pool_runs: whether the application pool of WSUS does.
        ssl_required: the directories of WSUS that require it.
        more: server blocks of others on the same island.
    """

    there: Island
    folder: Path
    pki: Certificates
    more: tuple[str, ...] = ()
    asks_for_certificates: set[str] = field(default_factory=set)
    pool_runs: bool = False
    ssl_required: tuple[str, ...] = ()
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> None:
        """Serve as is set now, instead of as was set before."""
        self.stop()
        self.folder.mkdir(exist_ok=True)
        points = tuple(ManagementPoint(name.upper(), f"{name}.{DOMAIN}", "PS1") for name in ("cm01", "mp01"))
        (self.folder / "MPLIST").write_text(MPList(points).to_xml())
        der = self.pki.authority.certificate.public_bytes(Encoding.DER)
        (self.folder / "MPCERT").write_text(MPCertificates(SignedHex(der.hex())).to_xml())
        self._running.enter_context(iis_like(self.there, self.folder, *self._servers(), *self.more))

    def stop(self) -> None:
        """Serve no more."""
        self._running.close()

    def _servers(self) -> tuple[str, ...]:
        update_point = f"sup01.{DOMAIN}"
        pair, at = self.pki.server(update_point), ADDRESSES["sup01"]
        stopped = page("503")
        tls = "return 200 'as it should be';" if self.pool_runs else stopped
        closed = "".join(f"location /{name}/ {{ {page('403.4')} }} " for name in self.ssl_required)
        plain = f"{closed} location / {{ {page('404.0')} }}"
        return (
            *(self._management_point(name) for name in ("cm01", "mp01")),
            server(update_point, 8531, tls, pair, at),
            server(update_point, 8530, plain if self.pool_runs else stopped, address=at),
        )

    def _management_point(self, name: str) -> str:
        asks = ""
        if f"{name}.{DOMAIN}" in self.asks_for_certificates:
            asks = (
                f"ssl_verify_client optional; ssl_client_certificate {self.pki.root}; "
                f"if ($ssl_client_verify = NONE) {{ {page('403.7')} }}"
            )
        answer = f"location = /SMS_MP/.sms_aut {{ default_type text/xml; root {self.folder}; try_files /$args =404; }}"
        host = f"{name}.{DOMAIN}"
        return server(host, 443, f"{asks} {answer}", self.pki.server(host), ADDRESSES[name])
