"""The certificate in files and on a server, and files and servers that are none."""

import datetime as dt
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from causeway.observability.checks import CheckResult, Status
from causeway.pki.errors import HostUnreachable
from causeway.pki.live import Shown
from causeway.preflight import certificate
from causeway.preflight.certificate import Sources
from causeway.preflight.probe import run_probes
from tests.unit.certificates import DAY, NOW, Certified, root
from tests.unit.plan.plans import contoso

PLAN_FILE = Path("causeway-plan.toml")
ROOT = root()


def leaf(name: str = "gateway.contoso.com", end: dt.datetime = NOW + 200 * DAY) -> Certified:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return ROOT.issue(name, extensions=(usage, x509.SubjectAlternativeName([x509.DNSName(name)])), end=end)


async def checked(sources: Sources, look: certificate.Look = certificate.shake_hands) -> dict[str, CheckResult]:
    probes = certificate.probes(contoso(), PLAN_FILE, sources, timeout_s=30, look=look)
    return {each.name: each for each in await run_probes(probes, timeout_s=30)}


def failed(results: dict[str, CheckResult]) -> set[str]:
    return {each.name for each in results.values() if each.status is Status.FAIL}


def written(folder: Path, mine: Certified, *, key: bool = True) -> Sources:
    (folder / "root.pem").write_text(ROOT.pem)
    (folder / "server.pem").write_text(mine.pem)
    secret = mine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(secret)
    files = (folder / "server.pem", *((folder / "server.key",) if key else ()))
    return Sources(files, authorities=(folder / "root.pem",))


async def test_a_certificate_with_its_key_for_the_service_name_does_not_fail(tmp_path: Path) -> None:
    assert failed(await checked(written(tmp_path, leaf()))) == set()


async def test_another_name_an_end_in_the_past_and_no_key_fail_each_by_name(tmp_path: Path) -> None:
    mine = leaf("other.contoso.com", end=NOW - DAY / 2)
    results = await checked(written(tmp_path, mine, key=False))
    assert failed(results) == {"certificate name", "certificate dates", "certificate private key"}


async def test_a_server_is_asked_for_the_service_name_and_its_key_is_not_missed() -> None:
    asked: list[tuple[str, int, str]] = []

    async def look(host: str, port: int, name: str, _timeout_s: float) -> Shown:
        asked.append((host, port, name))
        return Shown((leaf().certificate, ROOT.certificate), "TLSv1.3", ())

    assert failed(await checked(Sources(), look)) == set()
    assert failed(await checked(Sources(server=("192.0.2.1", 8443)), look)) == set()
    assert asked == [("gateway.contoso.com", 443, "gateway.contoso.com"), ("192.0.2.1", 8443, "gateway.contoso.com")]


async def test_a_server_that_does_not_answer_fails_and_the_command_for_files_is_named() -> None:
    async def look(host: str, port: int, _name: str, _timeout_s: float) -> Shown:
        raise HostUnreachable(f"{host}:{port}: refused")

    only = (await checked(Sources(), look))["certificate server"]
    assert (only.status, only.details) == (Status.FAIL, "HostUnreachable: refused")
    assert "`causeway cert acme --plan causeway-plan.toml --folder certificate" in only.action
    assert "`causeway check --plan causeway-plan.toml --only certificate --certificate certificate/" in only.action


async def test_a_file_that_is_not_there_fails(tmp_path: Path) -> None:
    assert failed(await checked(Sources((tmp_path / "none.pem",)))) == {"certificate file"}


@given(data=st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda x: ROOT.der[:200] + x)))
async def test_whatever_a_file_holds_the_answer_is_lines(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_bytes(data)
        assert failed(await checked(Sources((file,))))
