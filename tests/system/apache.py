"""A real Apache that asks for client certificates by the path, as IIS does: after the handshake, once it knows the URL.

In TLS 1.3 that is a request after the handshake, before TLS 1.3 a new handshake.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.certificates import Pair
from tests.system.nginx import can_be_ended
from tests.system.processes import wait_until

_MODULES = ("mpm_event", "ssl", "authz_core", "rewrite", "mime")

_CONFIG = """
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
TypesConfig /dev/null
DocumentRoot {folder}/root
SSLSessionCache none
{modules}
{hosts}
"""

_HOST = """
Listen {address}:{port}
<VirtualHost {address}:{port}>
  SSLEngine on
  SSLProtocol -all +{protocol}
  SSLCertificateFile {pair.certificate}
  SSLCertificateKeyFile {pair.key}
  SSLCACertificateFile {root}
  RewriteEngine on
  RewriteCond %{{QUERY_STRING}} ^(MPLIST|MPCERT)$
  RewriteRule ^/SMS_MP/\\.sms_aut$ /SMS_MP/%1 [PT]
  <Location /SMS_MP>
    SSLVerifyClient require
    SSLVerifyDepth 2
    ForceType text/xml
  </Location>
</VirtualHost>
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True, slots=True)
class Host:
    """A server of its own.

    Attributes:
        protocol: the one that it speaks, such as ``TLSv1.3``.
        pair: its certificate.
        root: file of the authority whose client certificates it takes.
    """

    address: str
    port: int
    protocol: str
    pair: Pair
    root: Path

    def __str__(self) -> str:
        return _HOST.format(
            address=self.address, port=self.port, protocol=self.protocol, pair=self.pair, root=self.root
        )


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, arguments)), check=False, capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def apache(answers: dict[str, str], hosts: Sequence[Host], *, run: Run = _run) -> Iterator[None]:
    """Serve until the block ends.

    Args:
        answers: by the query of ``/SMS_MP/.sms_aut``.
        hosts: what listens.
        run: starts it, on an island if need be.
    """
    # Its workers are another user, and pytest's folders are for their owner alone.
    with tempfile.TemporaryDirectory(prefix="causeway-apache-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        served = folder / "root" / "SMS_MP"
        served.mkdir(parents=True)
        for query, text in answers.items():
            (served / query).write_text(text)
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES)
        config = folder / "apache.conf"
        config.write_text(_CONFIG.format(folder=folder, modules=modules, hosts="\n".join(map(str, hosts))))
        started = run("apache2", "-f", config, "-k", "start")  # goes into the background once its ports are open
        assert started.returncode == 0, started.stderr
        pid_file = folder / "apache.pid"
        pid = int(wait_until(lambda: pid_file.exists() and pid_file.read_text().strip(), what="Apache"))
        wait_until(lambda: can_be_ended(pid), what="Apache's workers")
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: not pid_file.exists(), what="the end of Apache")
