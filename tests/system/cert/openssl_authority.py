"""A certificate authority of another's making: a root and an issuing authority by openssl."""

from dataclasses import dataclass
from pathlib import Path

from tests.system.cert.running import openssl


@dataclass(frozen=True)
class OpensslAuthority:
    """Its files, in one folder: ``root.pem``, ``issuing.pem`` and their keys."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "OpensslAuthority":
        folder.mkdir(exist_ok=True)
        (folder / "ca.ext").write_text("basicConstraints=critical,CA:true\n")
        openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem"),
            *("-subj", "/CN=Contoso Root", "-days", "100"),
            cwd=folder,
        )
        openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "issuing.key", "-out", "issuing.csr"),
            *("-subj", "/CN=Contoso Issuing CA"),
            cwd=folder,
        )
        openssl(
            *("x509", "-req", "-in", "issuing.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"),
            *("-out", "issuing.pem", "-days", "90", "-extfile", "ca.ext"),
            cwd=folder,
        )
        return cls(folder)

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def sign(self, request: Path, out: str, *, subject: str | None = None) -> Path:
        """The certificate for a request, with the request's extensions, as PEM."""
        other = ("-subj", subject) if subject else ()
        openssl(
            *("x509", "-req", "-in", request, "-CA", "issuing.pem", "-CAkey", "issuing.key", "-CAcreateserial"),
            *("-out", out, "-days", "80", "-copy_extensions", "copy", *other),
            cwd=self.folder,
        )
        return self.folder / out

    def p7b(self, certificate: Path) -> Path:
        """The certificate with its chain as PKCS #7 (PEM), as Windows hands it out."""
        out = certificate.with_suffix(".p7b")
        openssl(
            *("crl2pkcs7", "-nocrl", "-certfile", "issuing.pem", "-certfile", certificate, "-certfile", "root.pem"),
            *("-out", out),
            cwd=self.folder,
        )
        return out
