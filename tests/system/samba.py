"""A real domain controller of an Active Directory: Samba, with its DNS and Kerberos, on an island of its own.

It is made anew in three seconds. Samba does not enforce channel binding in the releases that Debian has, and gives more
values of an attribute at once than Windows does; what it refuses and answers is otherwise as Active Directory does.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.system.certificates import Certificates
from tests.system.island import Island, island
from tests.system.processes import wait_until

DOMAIN = "corp.contoso.com"
REALM = DOMAIN.upper()
HOST = f"dc1.{DOMAIN}"
ADDRESS = "10.53.0.1"
ADMINISTRATOR, PASSWORD = "Administrator", "Of-this-test-1"
_SYSTEM_PYTHON = "/usr/bin/python3"  # which has Samba's own modules
_SMB_CONF = """\
[global]
netbios name = DC1
workgroup = CORP
realm = {realm}
server role = active directory domain controller
server services = ldap, kdc, dns
private dir = {folder}/private
state directory = {folder}/state
lock directory = {folder}
cache directory = {folder}/cache
binddns dir = {folder}/bind-dns
ncalrpc dir = {folder}/ncalrpc
pid directory = {folder}
log file = {folder}/log
interfaces = {address}
bind interfaces only = yes
disable netbios = yes
dns forwarder = 127.0.0.254
tls enabled = yes
tls certfile = {certificate}
tls keyfile = {key}
tls cafile = {root}
ldap server require strong auth = {strong_auth}
"""
_KRB5_CONF = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = true
dns_canonicalize_hostname = false
rdns = false
"""
_EDIT = """
import sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load(sys.argv[1])
sam = SamDB(url=sys.argv[2], session_info=system_session(), lp=lp)
def dn(name):
    return str(sam.search(expression="(sAMAccountName=%s)" % name, attrs=["dn"])[0].dn)
def change(name, **values):
    import ldb
    message = ldb.Message(ldb.Dn(sam, dn(name)))
    for key, value in values.items():
        message[key] = ldb.MessageElement(str(value), ldb.FLAG_MOD_REPLACE, key)
    sam.modify(message)
exec(sys.stdin.read())
"""

_SERVICE = f"""
change("DC1$", servicePrincipalName="ldap/{HOST}")
"""
"""Samba has another of its services add that, some time later."""


@dataclass(frozen=True, slots=True)
class Samba:
    """Where it runs, and what it takes to use it."""

    island: Island
    folder: Path
    certificates: Certificates

    @property
    def environment(self) -> dict[str, str]:
        """Kerberos of this domain; with a ticket cache of its own, which may be empty."""
        return {"KRB5_CONFIG": str(self.folder / "krb5.conf"), "KRB5CCNAME": f"FILE:{self.folder / 'tickets'}"}

    def edit(self, script: str) -> None:
        """Change the directory: Python with ``sam`` (Samba's SamDB) and ``change(name, attribute=value)``."""
        database = self.folder / "private/sam.ldb"
        subprocess.run(
            [_SYSTEM_PYTHON, "-c", _EDIT, self.folder / "smb.conf", database], input=script, text=True, check=True
        )

    def kinit(self, user: str, password: str, *options: str, cache: Path | None = None) -> dict[str, str]:
        """Get a ticket into a cache; the environment for programs that are to use it."""
        environment = self.environment
        if cache is not None:
            environment["KRB5CCNAME"] = f"FILE:{cache}"
        command = self.island.command("kinit", *options, f"{user}@{REALM}")
        subprocess.run(
            command, input=password, text=True, check=True, env={**os.environ, **environment}, capture_output=True
        )
        return environment

    def keytab(self, user: str, path: Path) -> Path:
        """Write an account's keys into a keytab."""
        subprocess.run(
            ["samba-tool", "domain", "exportkeytab", path, f"--principal={user}", "-s", self.folder / "smb.conf"],
            check=True,
            capture_output=True,
        )
        return path


@contextlib.contextmanager
def samba(
    folder: Path, certificates: Certificates, *, host: str = HOST, strong_auth: str = "yes", script: str = ""
) -> Iterator[Samba]:
    """Make the domain and run its controller.

    Args:
        folder: an empty one for everything.
        certificates: issue the certificate of LDAPS.
        host: the name that the certificate is for.
        strong_auth: Samba's ``ldap server require strong auth``.
        script: as for ``Samba.edit``, before it starts.
    """
    pair = certificates.server(host)
    subprocess.run(
        [
            "samba-tool", "domain", "provision", f"--targetdir={folder}", f"--realm={REALM}", "--domain=CORP",
            "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--adminpass={PASSWORD}", "--host-name=dc1",
            f"--host-ip={ADDRESS}", "--backend-store=tdb",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    values: Mapping[str, object] = {
        "realm": REALM, "folder": folder, "address": ADDRESS, "certificate": pair.certificate, "key": pair.key,
        "root": certificates.root, "strong_auth": strong_auth,
    }  # fmt: skip
    (folder / "smb.conf").write_text(_SMB_CONF.format_map(values))
    (folder / "krb5.conf").write_text(_KRB5_CONF.format(realm=REALM))
    with island() as there:
        there.address(ADDRESS)
        there.resolvers([ADDRESS])
        made = Samba(there, folder, certificates)
        made.edit(_SERVICE + script)
        with (folder / "output").open("w") as output:
            process = subprocess.Popen(
                there.command("samba", "-i", "--model=single", "-s", folder / "smb.conf"),
                stdin=subprocess.PIPE,  # it ends when its input does
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            wait_until(lambda: _answers(made), timeout=90, what=f"Samba; its logs are in {folder}")
            yield made
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
            assert process.stdin is not None
            process.stdin.close()


_ASK = """
import json, socket
def up(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("{address}", port)) == 0
print(json.dumps(all([up(port) for port in (53, 88, 389, 636)])))
"""


def _answers(made: Samba) -> bool:
    asked = made.island.run(_SYSTEM_PYTHON, "-c", _ASK.format(address=ADDRESS))
    return asked.returncode == 0 and bool(json.loads(asked.stdout))
