"""A certificate authority of OpenSSL's own programs: root, issuing authority, clients, revocation lists, responder."""

import subprocess
from pathlib import Path

from tests.system.certificates import Pair

_CONFIG = """
[ca]
default_ca = this
[this]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}/issued
serial = {folder}/serial
crlnumber = {folder}/crlnumber
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
{points}
[client]
basicConstraints = CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
{points}
[responder]
basicConstraints = CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
[crl]
authorityKeyIdentifier = keyid
{crl}
"""


class OpenSslAuthority:
    """An authority in a folder. ``points`` are lines for the extensions of what it issues."""

    def __init__(self, folder: Path, name: str, *, points: str = "", above: "OpenSslAuthority | None" = None) -> None:
        self.folder = folder
        self.name = name
        self.points = points
        (folder / "issued").mkdir(parents=True)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("01\n")
        self.crl_lines = ""
        self._configure()
        self._key("ca")
        if above is None:
            self.run(
                "req",
                "-new",
                "-x509",
                "-days",
                "30",
                "-key",
                "ca.key",
                "-subj",
                f"/CN={name}",
                "-out",
                "ca.pem",
                "-config",
                str(folder / "req.cnf"),
                "-extensions",
                "authority",
            )
        else:
            above.sign(folder / "ca.key", name, folder / "ca.pem", "authority")

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def run(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def client(self, name: str, *, section: str = "client") -> Pair:
        """A client certificate and its key, in files."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        if not pair.certificate.exists():
            self._key(name)
            self.sign(pair.key, name, pair.certificate, section)
        return pair

    def sign(self, key: Path, name: str, out: Path, section: str) -> None:
        request = out.with_suffix(".csr")
        self.run(
            "req",
            "-new",
            "-key",
            str(key),
            "-subj",
            f"/CN={name}",
            "-out",
            str(request),
            "-config",
            str(self.folder / "req.cnf"),
        )
        self.run(
            "ca",
            "-batch",
            "-config",
            "ca.cnf",
            "-extensions",
            section,
            "-in",
            str(request),
            "-out",
            str(out),
            "-notext",
        )

    def revoke(self, pair: Pair) -> None:
        self.run("ca", "-config", "ca.cnf", "-revoke", str(pair.certificate))

    def publish(self, out: Path, *, seconds: int = 3600, lines: str = "") -> None:
        """Write a revocation list in DER; ``lines`` are further extensions of it."""
        self.crl_lines = lines
        self._configure()
        self.run("ca", "-config", "ca.cnf", "-gencrl", "-crlsec", str(seconds), "-crlexts", "crl", "-out", "list.pem")
        # In one step: the site may look at any moment.
        self.run("crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der")
        (self.folder / "list.der").replace(out)

    def _key(self, name: str) -> None:
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

    def _configure(self) -> None:
        text = _CONFIG.format(folder=self.folder, points=self.points, crl=self.crl_lines)
        (self.folder / "ca.cnf").write_text(text)
        (self.folder / "req.cnf").write_text("[req]\ndistinguished_name = name\n[name]\n" + text)
