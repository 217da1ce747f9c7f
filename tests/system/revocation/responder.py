"""OpenSSL's own OCSP responder, as a process; it is restarted to learn of changes."""

import subprocess
from pathlib import Path

from tests.system.processes import Process, free_ports, wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority


class Responder:
    """Answers for what an authority issued."""

    def __init__(self, authority: OpenSslAuthority, port: int) -> None:
        self.authority = authority
        self.port = port
        self._signer = authority.client("responder", section="responder")
        self._process: Process | None = None

    @staticmethod
    def free_port() -> int:
        return free_ports()

    def start(self, *, clock: str = "", index: Path | None = None) -> None:
        """Start it; its answers hold for a day from where its clock is, such as ``-2d``."""
        self.stop()
        signer = self._signer
        self._process = Process(
            [
                *(("faketime", "-f", clock) if clock else ()),
                *("openssl", "ocsp", "-port", str(self.port), "-ignore_err"),
                *("-index", str(index or self.authority.folder / "index.txt"), "-CA", str(self.authority.certificate)),
                *("-rsigner", str(signer.certificate), "-rkey", str(signer.key), "-ndays", "1"),
            ],
            self.authority.folder / "responder.log",
        )
        self._process.start()
        wait_until(self._listens, what="the responder")

    def stop(self) -> None:
        if self._process is not None:
            self._process.clean_up()
            self._process = None

    def _listens(self) -> bool:
        # Not by connecting: it serves one connection at a time.
        table = subprocess.run(["ss", "-Hltn", f"sport = :{self.port}"], capture_output=True, text=True, check=True)
        return bool(table.stdout.strip())
