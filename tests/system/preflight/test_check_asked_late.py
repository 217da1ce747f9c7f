"""Client certificates that are asked for by the path, after the handshake, as IIS does: Apache does the same."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.keyinfo import ManagementPoint, MPCertificates, MPList, SignedHex
from causeway.plan.document import ManagementPointSection, plan_text
from causeway.plan.values import Target
from tests.system.certificates import Certificates, certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.processes import wait_until
from tests.unit.plan.plans import contoso

MODULES = ("mpm_event", "ssl", "authz_core", "rewrite", "mime")
NAMES = {"mp01.corp.contoso.com": "-all +TLSv1.3", "mp02.corp.contoso.com": "-all +TLSv1.2"}

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

# A certificate is wanted for a folder alone: in TLS 1.3 by a request after the handshake, before by a new handshake.
_HOST = """
Listen {address}:443
<VirtualHost {address}:443>
  SSLEngine on
  SSLProtocol {protocol}
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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Island, Path, Certificates]]:
    folder = tmp_path_factory.mktemp("apache")
    made = certificates("asked-late")
    pair = made.server(*NAMES)
    answers = folder / "root" / "SMS_MP"
    answers.mkdir(parents=True)
    points = tuple(ManagementPoint(name.partition(".")[0].upper(), name, "PS1") for name in NAMES)
    (answers / "MPLIST").write_text(MPList(points).to_xml())
    der = made.authority.certificate.public_bytes(Encoding.DER)
    (answers / "MPCERT").write_text(MPCertificates(SignedHex(der.hex())).to_xml())
    sections = tuple(ManagementPointSection(host=name) for name in NAMES)
    plan = contoso(target=Target.CONFIGMGR, management_point=sections, software_update_point=())
    (folder / "plan.toml").write_text(plan_text(plan))
    for parent in (folder, *folder.parents):  # Apache's workers are another user
        if parent.stat().st_uid == os.getuid() and parent.name.startswith(("apache", "pytest")):
            parent.chmod(0o755)
    addresses = {name: f"127.0.0.{number}" for number, name in enumerate(NAMES, 11)}
    hosts = [
        _HOST.format(address=addresses[name], protocol=protocol, pair=pair, root=made.root)
        for name, protocol in NAMES.items()
    ]
    modules = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES]
    config = folder / "apache.conf"
    config.write_text(_CONFIG.format(folder=folder, modules="\n".join(modules), hosts="\n".join(hosts)))
    with island() as there:
        there.hosts({name: addresses[name] for name in NAMES})
        # It goes into the background once its ports are open.
        started = there.run("apache2", "-f", config, "-k", "start")
        assert started.returncode == 0, started.stderr
        pid_file = folder / "apache.pid"
        wait_until(lambda: pid_file.exists() and pid_file.read_text().strip(), what="Apache")
        try:
            yield there, folder, made
        finally:
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
            wait_until(lambda: not pid_file.exists(), what="the end of Apache")


def test_a_certificate_is_shown_when_it_is_asked_for_and_missed_when_there_is_none(
    place: tuple[Island, Path, Certificates],
) -> None:
    there, folder, made = place
    mine = made.client("administrator")

    def check(*arguments: str | Path) -> dict[tuple[str, str], str]:
        command = (*CAUSEWAY, "check", "--only", "site", "--json", "--ca", made.root, "--plan", folder / "plan.toml")
        done = there.run(*command, *arguments, environment=environment(folder), timeout=120)
        found = json.loads(done.stdout)["checks"]
        return {
            (each["target"].partition(".")[0], each["name"]): f"{each['status']} {each['details']}" for each in found
        }

    bare = check()
    whole = check("--site-client-certificate", mine.certificate, "--site-client-key", mine.key)
    for name in ("mp01", "mp02"):
        assert bare[name, "management point client certificate"].startswith("PASS refuses who shows none"), bare
        assert bare[name, "management point MPLIST"].startswith("SKIP"), bare
        for what in ("certificate", "client certificate", "MPLIST", "MPCERT"):
            assert whole[name, f"management point {what}"].startswith("PASS"), whole
    assert "TLSv1.3" in whole["mp01", "management point certificate"]
    assert "TLSv1.2" in whole["mp02", "management point certificate"]
