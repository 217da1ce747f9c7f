"""Programs of others, through the gateway: a third-party client of the Configuration Manager protocol, curl, apt."""

import base64
import functools
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.system.nginx import nginx
from tests.system.origin import Exchange, Origin
from tests.system.site.third_party import Client, Layout, locations
from tests.system.up.running import ROLE_ID, RunningUp, causeway, free_block, up

GIGABYTE = 1 << 30
FLAT_BYTES = 48 << 20

WITHOUT_CERTIFICATE = 'server_auth = ["sms_aut", "sms_pol", "ccm_system_altauth"]'
PUBLISHED = """
[[application]]
name = "files"
path = "/files"
upstream = "http://127.0.0.1:{port}"
authentication = "certificate"

[[application]]
name = "uploads"
path = "/uploads"
upstream = "{uploads}"
authentication = "certificate"
methods = ["PUT"]
max_body_bytes = 2147483648
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder behind the published application."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def uploads() -> Iterator[Origin]:
    """Where uploads go; what comes is counted and kept nowhere, least of all on a disk that is busy with it."""
    origin = Origin()
    yield origin
    origin.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, root: Path, uploads: Origin) -> Iterator[RunningUp]:
    folder = tmp_path_factory.mktemp("system")
    with up(folder / "home", "--devices", "1") as system:
        port = free_block(1)
        with nginx(folder / "nginx", root, port):
            system.edit_site(PUBLISHED.format(port=port, uploads=uploads.url), gateway=WITHOUT_CERTIFICATE)
            cert = shown(system)
            (root / "there").write_text("yes")

            def published() -> bool:
                url = f"{system.service_url}/files/there"
                return requests.get(url, cert=cert, verify=str(system.authority), timeout=10).status_code == 200

            # Each worker takes the settings by itself, and connections are spread over the workers.
            for _ in range(8):
                system.wait_for("the application is not published", published)
            yield system


def shown(system: RunningUp) -> tuple[str, str]:
    """The certificate and key that a client shows, as ``requests`` takes them."""
    certificate, key = system.device_pair
    return str(certificate), str(key)


def pki(system: RunningUp) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    certificate, key = system.device_pair
    loaded = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded, x509.load_pem_x509_certificate(certificate.read_bytes())


def policy_titles(client: Client) -> dict[str, str]:
    """Category → body of every policy."""
    bodies = {}
    for category, query in locations(client.assignments()).items():
        response = client.policy(query)
        assert response.status_code == 200, (query, response.status_code, response.reason)
        bodies[category] = response.content.decode("utf-16")
    return bodies


@pytest.mark.parametrize("layout", list(Layout))
def test_a_third_party_client_with_a_pki_certificate_registers_and_gets_its_policy(
    system: RunningUp, layout: Layout
) -> None:
    key, certificate = pki(system)
    url = f"{system.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}"
    client = Client(url, system.authority, tls=system.device_pair, key=key, certificate=certificate, layout=layout)
    reply = client.register()
    assert (reply.get("Status"), reply.get("ApprovalStatus")) == ("0", "1")
    bodies = policy_titles(client)
    assert "NAAConfig" in bodies
    assert all(body.startswith("<") or "<Policy" in body for body in bodies.values())
    client.close()


def test_a_self_signed_client_behind_a_pki_handshake_is_approved_too(system: RunningUp) -> None:
    url = f"{system.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}"
    client = Client(url, system.authority, name="PC-SELF", tls=system.device_pair)
    assert client.register().get("Status") == "0"
    assert policy_titles(client)
    assert client.send("MP_DdrEndpoint", client.report(), mode="Async").status_code == 200
    client.close()


@pytest.mark.parametrize("path", ["/ccm_system_altauth/request", "/ccm_system/request"])
def test_a_client_without_a_certificate_waits_for_approval_and_gets_its_policy(system: RunningUp, path: str) -> None:
    url = f"{system.service_url}/CCM_Proxy_ServerAuth/{ROLE_ID}"
    client = Client(url, system.authority, name="PC-NOCERT", system=path)
    assert client.get("/SMS_MP/.sms_aut?MPLIST").text.startswith("<MPList")
    assert client.register().get("Status") == "1"
    assert client.send("MP_PolicyManager", client.assignments_request()).content == b""
    approve = causeway("site", "devices", "approve", client.smsid, "--config", system.site_config)
    assert approve.returncode == 0, approve.stderr
    assert client.register("Confirmation").get("Status") == "0"
    assert "NAAConfig" in policy_titles(client)
    client.close()


def test_what_is_not_published_to_clients_without_a_certificate_is_404(system: RunningUp) -> None:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(system.authority)
    url = f"{system.service_url}/CCM_Proxy_ServerAuth/{ROLE_ID}"
    response = session.post(f"{url}/ccm_system_windowsauth/request", data=b"x", timeout=10)
    assert (response.status_code, response.reason) == (404, "CMGService_NotPublished")
    session.close()


def test_the_reference_device_registers_reports_its_inventory_and_is_shown(system: RunningUp, tmp_path: Path) -> None:
    certificate, key = system.device_pair
    url = f"{system.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}"
    common: list[str | Path] = ["--url", url, "--ca", system.authority, "--certificate", certificate]
    common += ["--key", key, "--state", tmp_path]
    for command in ("register", "policy", "heartbeat", "inventory"):
        result = causeway("device", command, *common)
        assert result.returncode == 0, (command, result.stdout, result.stderr)
    assert (tmp_path.stat().st_mode & 0o777) == 0o700
    assert all((path.stat().st_mode & 0o077) == 0 for path in tmp_path.rglob("*"))
    seen = [line for line in system.device_lines() if line["last_inventory_at"]]
    assert len(seen) == 1
    shown = causeway("site", "devices", "show", seen[0]["smsid"], "--config", system.site_config)
    assert shown.returncode == 0, shown.stderr
    assert os.uname().machine in shown.stdout or seen[0]["smsid"] in shown.stdout


def curl(system: RunningUp, *arguments: str | Path) -> str:
    certificate, key = system.device_pair
    common: list[str | Path] = [
        "curl",
        "-sS",
        "--fail",
        "--cacert",
        system.authority,
        "--cert",
        certificate,
        "--key",
        key,
    ]
    result: subprocess.CompletedProcess[str] = subprocess.run(
        [*common, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def memory(system: RunningUp) -> dict[int, int]:
    """Resident bytes of every process of gateway and connection point."""
    roots = [psutil.Process(system.pid_of(part)) for part in ("gateway", "connection-point")]
    return {p.pid: p.memory_info().rss for root in roots for p in [root, *root.children(recursive=True)]}


def peaks(pids: list[int]) -> dict[int, int]:
    """The most that each process ever held."""
    found = {}
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        found[pid] = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))
    return found


def test_a_gigabyte_down_and_up_leaves_the_memory_of_every_process_flat(
    system: RunningUp, root: Path, uploads: Origin
) -> None:
    with (root / "large").open("wb") as file:
        file.truncate(GIGABYTE)
    sizes = []

    def count(exchange: Exchange) -> None:
        sizes.append(exchange.swallow())
        exchange.answer()

    for path in ("/with-length", "/in-chunks"):
        uploads.on(path, count)
    before = memory(system)
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak starts again from here
    size = curl(system, f"{system.service_url}/files/large", "-o", "/dev/null", "-w", "%{size_download}")
    assert size == str(GIGABYTE)
    curl(system, "-T", str(root / "large"), f"{system.service_url}/uploads/with-length")
    chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]
    curl(system, *chunked, "-T", str(root / "large"), f"{system.service_url}/uploads/in-chunks")
    assert sizes == [GIGABYTE, GIGABYTE]
    grown = {pid: peak - before[pid] for pid, peak in peaks(list(before)).items()}
    assert max(grown.values()) < FLAT_BYTES, grown
    (root / "large").unlink()


def test_apt_installs_from_a_published_repository_with_a_client_certificate(
    system: RunningUp, root: Path, tmp_path: Path
) -> None:
    package = tmp_path / "hello-causeway"
    (package / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: hello-causeway\nVersion: 1.0+really~1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.com>\nDescription: a test\n"
    )
    (package / "DEBIAN" / "control").write_text(control)
    (package / "usr" / "share").mkdir(parents=True)
    (package / "usr" / "share" / "hello-causeway").write_bytes(base64.b64encode(os.urandom(300_000)))
    repository = root / "apt"
    repository.mkdir()
    deb = repository / "hello-causeway_1.0+really~1_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", package, deb], check=True, capture_output=True)
    data = deb.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    (repository / "Packages").write_text(f"{control}Filename: ./{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n")

    certificate, key = system.device_pair
    sources = tmp_path / "sources.list"
    sources.write_text(f"deb [trusted=yes] {system.service_url}/files/apt ./\n")
    state = tmp_path / "state"
    (state / "lists" / "partial").mkdir(parents=True)
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "-",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::Cache": tmp_path / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::https::CaInfo": system.authority,
        "Acquire::https::SslCert": certificate,
        "Acquire::https::SslKey": key,
        "Acquire::https::Proxy": "DIRECT",
    }
    apt = ["apt-get", "-q", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    (tmp_path / "cache" / "archives" / "partial").mkdir(parents=True)
    for command in (["update"], ["download", "hello-causeway"]):
        result = subprocess.run([*apt, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
    downloaded = next(tmp_path.glob("hello-causeway_*.deb"))
    assert downloaded.read_bytes() == data


def test_the_request_id_leads_through_the_logs_of_every_hop(system: RunningUp) -> None:
    cert = shown(system)
    url = f"{system.service_url}/CCM_Proxy_MutualAuth/{ROLE_ID}/SMS_MP/.sms_aut?MPLIST"
    response = requests.get(url, cert=cert, verify=str(system.authority), timeout=10)
    ET.fromstring(response.text)
    request_id = response.headers["X-Request-Id"]
    for part in ("gateway", "connection-point", "site"):
        log = system.home / "logs" / f"{part}.log"
        system.wait_for(f"the {part} does not log it", functools.partial(_mentions, log, request_id))


def _mentions(log: Path, request_id: str) -> bool:
    return request_id in log.read_text()
