"""The folder of a server certificate: what serves, and what is under way to replace it.

``current/server.pem`` (the certificate and its chain) and ``current/server.key`` serve; ``current/root.pem`` is for
those who do not have the root. ``current`` is a link to one
of ``versions/``, so that a certificate and its key are replaced in one step, whatever is killed when.
``request.key`` and ``request.csr`` are there while an authority has not answered. ``recipe.toml`` says how it is had
again.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from causeway.errors import StateError
from causeway.files import make_private_folder, read_state, write_atomically
from causeway.pki.bundle import read_bundles
from causeway.pki.chain import Chain, belongs_to, build_chain, find_leaf
from causeway.pki.errors import CertificateFileError
from causeway.pki.export import key_pem, pem_chain
from causeway.pki.keys import CertificateKey
from causeway.pki.requests import read_request, request_pem


@dataclass(frozen=True, slots=True)
class CertificateFolder:
    """Where the files of one server certificate are."""

    path: Path

    @property
    def certificate(self) -> Path:
        """The certificate and its chain, as the gateway reads them."""
        return self.path / "current" / "server.pem"

    @property
    def key(self) -> Path:
        """Its key, for its owner alone; without a passphrase, since a service has nobody to ask."""
        return self.path / "current" / "server.key"

    @property
    def root(self) -> Path:
        """The root that the certificate leads to, where it was at hand."""
        return self.path / "current" / "root.pem"

    @property
    def request(self) -> Path:
        """The request that an authority has not answered yet."""
        return self.path / "request.csr"

    @property
    def request_key(self) -> Path:
        """Its key."""
        return self.path / "request.key"

    @property
    def recipe(self) -> Path:
        """How the certificate is had again."""
        return self.path / "recipe.toml"

    def write_request(
        self, request: x509.CertificateSigningRequest, key: CertificateKey, passphrase: bytes | None
    ) -> None:
        """Keep a request and its key; the key first, so that a request on disk always has one.

        Raises:
            StateError: they cannot be written.
        """
        make_private_folder(self.path)
        write_atomically(self.request_key, key_pem(key, passphrase))
        write_atomically(self.request, request_pem(request), mode=0o644)

    def serving(self) -> Chain | None:
        """The certificate that serves now, if there is one.

        Raises:
            CertificateFileError: the file holds none.
        """
        if not self.certificate.exists():
            return None
        bundle = read_bundles(path for path in (self.certificate, self.root) if path.exists())
        return build_chain(find_leaf(bundle.certificates, None, str(self.certificate)), bundle.certificates)

    def install(self, chain: Chain, key: CertificateKey) -> None:
        """Have the certificate serve. Its request is done with; one for another key still waits for its answer.

        Raises:
            CertificateFileError: the key is another certificate's.
            StateError: the files cannot be written.
        """
        if not belongs_to(chain.leaf, key):
            raise CertificateFileError(f"{self.path}: the key is not that of the certificate")
        version = (
            self.path / "versions" / f"{chain.leaf.not_valid_before_utc:%Y%m%d%H%M%S}-{chain.leaf.serial_number:x}"
        )
        make_private_folder(version)
        write_atomically(version / "server.key", key_pem(key, None))
        write_atomically(version / "server.pem", pem_chain(chain.to_serve), mode=0o644)
        if chain.root is not None:
            write_atomically(version / "root.pem", pem_chain([chain.root]), mode=0o644)
        before = self._current()
        self._link(version)
        if self._is_answered_by(chain):
            for path in (self.request, self.request_key):
                path.unlink(missing_ok=True)
        for old in version.parent.iterdir():
            if old.name not in {version.name, before}:
                shutil.rmtree(old, ignore_errors=True)

    def _is_answered_by(self, chain: Chain) -> bool:
        """Told by the public half: the request's key may be under a passphrase."""
        if not self.request.exists():
            return True  # whatever its key is, nobody was asked
        request = read_request(read_state(self.request, "a certificate request"), str(self.request))
        return request.public_key() == chain.leaf.public_key()

    def _current(self) -> str:
        link = self.path / "current"
        return link.readlink().name if link.is_symlink() else ""

    def _link(self, version: Path) -> None:
        aside = self.path / ".current"
        try:
            aside.unlink(missing_ok=True)
            aside.symlink_to(Path("versions") / version.name)
            os.replace(aside, self.path / "current")  # noqa: PTH105  # Path.replace follows where the target is a folder
        except OSError as error:
            raise StateError(f"{self.path}: the link cannot be replaced: {error.strerror}") from error
