"""The LDAP client by itself against Samba: pages, ranges of values, limits, and that no password goes in the clear."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.certificates import certificates
from tests.system.samba import DOMAIN, HOST, Samba, samba
from tests.unit.plan.plans import CONTOSO

PASSWORD = "Of-this-test-2"
SCRIPT = f"""
sam.newuser("reader", "{PASSWORD}")
sam.newgroup("Many")
for number in range(7):
    sam.newcomputer("PC%d" % number)
sam.add_remove_group_members("Many", ["PC%d$" % number for number in range(7)])
"""
BASE = ",".join(f"DC={part}" for part in DOMAIN.split("."))
READ = """
import asyncio, json, sys
from pathlib import Path
from cryptography import x509
from causeway.directory.connection import Server, connect
from causeway.directory.errors import DirectoryRefused
from causeway.directory.reader import Reader, read_root
from causeway.directory.trust import verifying
from causeway.directory.values import Transport
import sansldap
trust = verifying(x509.load_pem_x509_certificates(Path(sys.argv[1]).read_bytes()))
async def main():
    async with connect(Server("{host}"), Transport.LDAPS, trust) as connection:
        await connection.sign_in_with_password("reader@{domain}", "{password}")
        root = await read_root(connection)
        wanted = sansldap.FilterEquality("objectClass", b"computer")
        pages = await connection.search(root.base, wanted, ["sAMAccountName"], most=100, page=2)
        few = await connection.search(root.base, wanted, ["sAMAccountName"], most=3, page=2)
        ranged = await Reader(connection, root.base, at_once=3).find([("Many", ["PC6$", "reader"])])
        short = await Reader(connection, root.base, most=2).find([("Many", ["PC6$", "reader"])])
        found = {{
            "base": root.base,
            "pages": [len(pages[0]), pages[1]],
            "few": [len(few[0]), few[1]],
            "ranged": len(ranged.memberships["Many"].group.member_dns),
            "complete": [ranged.memberships["Many"].complete, short.memberships["Many"].complete],
            "inside": sorted(short.inside),
        }}
    async with connect(Server("{host}"), Transport.LDAP, trust) as connection:
        try:
            await connection.sign_in_with_password("reader@{domain}", "{password}")
        except DirectoryRefused as error:
            found["clear"] = str(error)
    print(json.dumps(found))
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    with samba(tmp_path_factory.mktemp("samba"), certificates("directory"), script=SCRIPT) as found:
        yield found


def test_pages_and_ranges_are_put_together_and_limits_are_told(domain: Samba) -> None:
    script = READ.format(host=HOST, domain=DOMAIN, password=PASSWORD)
    done = domain.island.run(sys.executable, "-c", script, domain.certificates.root)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["base"] == BASE
    assert found["pages"] == [8, True]  # seven, and the domain controller
    assert found["few"] == [3, False]
    assert found["ranged"] == 7
    assert found["complete"] == [True, False]
    assert found["inside"] == [["many", "pc6$"]]
    assert "a password is not sent without TLS" in found["clear"]


def test_without_the_extra_the_command_says_how_to_get_it(domain: Samba, tmp_path: Path) -> None:
    """Modules that cannot be imported stand for an environment without the extra; the rest is the real command."""
    plan = tmp_path / "plan.toml"
    plan.write_text(CONTOSO)
    script = (
        "import sys; sys.modules['sansldap'] = sys.modules['spnego'] = None\nfrom causeway.cli.main import main; main()"
    )
    done = domain.island.run(sys.executable, "-c", script, "check", "--plan", plan, "--only", "directory")
    assert done.returncode == 0, done.stderr
    assert 'SKIP  directory controller  corp.contoso.com: LDAP is not installed: `pip install "causeway[' in done.stdout
