"""``causeway check --only site`` on management points: nginx that answers as IIS does, and our own site."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.keyinfo import ManagementPoint, MPCertificates, MPList, SignedHex
from causeway.plan.document import ManagementPointSection, SiteSection, plan_text
from causeway.plan.values import ManagementPointMode, Target
from tests.system.certificates import Certificates, certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.preflight.iis_like import iis_like, page, server
from tests.system.site.running import lay_out, running
from tests.unit.plan.plans import contoso

DOMAIN = "corp.contoso.com"
MODES = {
    "mp01": ManagementPointMode.HTTPS,  # refuses who shows no certificate
    "mp02": ManagementPointMode.ENHANCED_HTTP,
    "mp03": ManagementPointMode.HTTPS,  # 403.13
    "mp04": ManagementPointMode.HTTPS,  # 503
    "mp05": ManagementPointMode.ENHANCED_HTTP,  # 401
    "mp06": ManagementPointMode.ENHANCED_HTTP,  # another authority's certificate
    "mp07": ManagementPointMode.ENHANCED_HTTP,  # a page of HTML
    "mp08": ManagementPointMode.ENHANCED_HTTP,  # nobody listens
    "mp09": ManagementPointMode.ENHANCED_HTTP,  # more than any list
    "mp10": ManagementPointMode.ENHANCED_HTTP,  # refuses who shows no certificate
}


@dataclass(frozen=True)
class Place:
    """An island with servers on it, and a plan that names them."""

    island: Island
    folder: Path
    certificates: Certificates
    access_log: Path
    results: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def check(self, *arguments: str | Path) -> dict[tuple[str, str], dict[str, str]]:
        """The checks by target and name."""
        command = [*CAUSEWAY, "check", "--only", "site", "--json", "--ca", self.certificates.root, *arguments]
        done = self.island.run(
            *command, "--plan", self.folder / "plan.toml", environment=environment(self.folder), timeout=120
        )
        assert done.returncode in {0, 1}, done.stderr
        found = json.loads(done.stdout)["checks"]
        return {(each["target"].partition(":")[0].partition(".")[0], each["name"]): each for each in found}


def mp(inside: str, folder: Path, *, client_authority: Path | None = None) -> str:
    """What a management point's server block holds."""
    asks = f"ssl_verify_client optional; ssl_client_certificate {client_authority};" if client_authority else ""
    place = f"default_type text/xml; root {folder};"
    return f"{asks} location = /SMS_MP/.sms_aut {{ {place} {inside} try_files /$args =404; }}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("site")
    made = certificates("site-check")
    strange = certificates("somebody-else")
    points = tuple(ManagementPoint(name.upper(), f"{name}.{DOMAIN}", "PS1") for name in MODES)
    pair = made.server(*(f"{name}.{DOMAIN}" for name in MODES))
    (folder / "MPLIST").write_text(MPList(points).to_xml())
    der = made.authority.certificate.public_bytes(Encoding.DER)
    (folder / "MPCERT").write_text(MPCertificates(SignedHex(der.hex())).to_xml())
    (folder / "large").mkdir()
    with (folder / "large" / "MPLIST").open("wb") as large:
        large.truncate(64 * 1024 * 1024)
    sections = tuple(ManagementPointSection(host=f"{name}.{DOMAIN}", mode=mode) for name, mode in MODES.items())
    plan = contoso(target=Target.CONFIGMGR, management_point=sections, software_update_point=())
    (folder / "plan.toml").write_text(plan_text(plan))
    required = f"if ($ssl_client_verify = NONE) {{ {page('403.7')} }}"

    def at(name: str, inside: str) -> str:
        return server(f"{name}.{DOMAIN}", 443, inside, strange.server(f"{name}.{DOMAIN}") if name == "mp06" else pair)

    with (
        island() as there,
        iis_like(
            there,
            folder / "nginx",
            at("mp01", mp(required, folder, client_authority=made.root)),
            at("mp02", mp("", folder)),
            at("mp03", mp(page("403.13"), folder, client_authority=made.root)),
            at("mp04", mp(page("503"), folder, client_authority=made.root)),
            at("mp05", mp(page("401.2"), folder)),
            at("mp06", mp("", folder)),
            at("mp07", mp("return 200 '<html>Welcome</html>';", folder)),
            at("mp09", mp("", folder / "large")),
            at("mp10", mp(required, folder, client_authority=made.root)),
        ) as log,
    ):
        there.hosts({f"{name}.{DOMAIN}": "127.0.0.9" if name == "mp08" else "127.0.0.1" for name in MODES})
        yield Place(there, folder, made, log)


@pytest.fixture(scope="module")
def seen(place: Place) -> dict[tuple[str, str], dict[str, str]]:
    """What a check with a client certificate sees."""
    pair = place.certificates.client("administrator")
    return place.check("--site-client-certificate", pair.certificate, "--site-client-key", pair.key)


CERTIFICATE, CLIENT = "management point certificate", "management point client certificate"
MPLIST, MPCERT = "management point MPLIST", "management point MPCERT"


def test_management_points_as_planned_pass_with_and_without_a_client_certificate(
    place: Place, seen: dict[tuple[str, str], dict[str, str]]
) -> None:
    for name in ("mp01", "mp02"):
        for check in (CERTIFICATE, CLIENT, MPLIST, MPCERT):
            assert seen[name, check]["status"] == "PASS", seen[name, check]
    assert "site-check authority" in seen["mp01", CERTIFICATE]["details"]
    assert "refuses who shows none" in seen["mp01", CLIENT]["details"]
    bare = place.check()
    assert (bare["mp01", CLIENT]["status"], bare["mp01", MPLIST]["status"]) == ("PASS", "SKIP")
    assert bare["mp02", MPLIST]["status"] == "PASS"


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("mp03", MPLIST, "403.13: the client certificate is revoked"),
        ("mp04", MPLIST, "its application pool does not run"),
        ("mp05", MPLIST, "401.2: wants a Windows sign-in"),
        ("mp07", MPLIST, "no answer of a management point"),
        ("mp08", CERTIFICATE, "Connection refused"),
        ("mp09", MPLIST, "more than 1048576 bytes came"),
        ("mp10", CLIENT, "the plan says enhanced HTTP"),
    ],
)
def test_what_is_not_as_planned_fails_with_its_meaning(
    name: str, check: str, words: str, seen: dict[tuple[str, str], dict[str, str]]
) -> None:
    found = seen[name, check]
    assert found["status"] == "FAIL", found
    assert words in found["details"]
    assert found["action"]


def test_nothing_is_asked_of_a_server_that_is_not_trusted(
    place: Place, seen: dict[tuple[str, str], dict[str, str]]
) -> None:
    assert seen["mp06", CERTIFICATE]["status"] == "FAIL"
    assert "somebody-else authority" in seen["mp06", CERTIFICATE]["details"]
    assert "--ca" in seen["mp06", CERTIFICATE]["action"]
    assert seen["mp06", MPLIST]["status"] == "SKIP"


def test_a_client_certificate_that_cannot_be_used_is_a_line_with_its_remedy(place: Place) -> None:
    wrong = place.folder / "wrong.pem"
    wrong.write_text("none")
    found = place.check("--site-client-certificate", wrong)["mp01", CERTIFICATE]
    assert found["status"] == "FAIL"
    assert "the client certificate cannot be used" in found["details"]
    assert "--site-client-key" in found["action"]


def test_our_own_site_passes(tmp_path: Path) -> None:
    site = lay_out(tmp_path, {})
    plan = contoso(
        site=SiteSection(code="PS1", host="127.0.0.1", port=site.port), management_point=(), software_update_point=()
    )
    (tmp_path / "plan.toml").write_text(plan_text(plan))
    with running(site):
        done = subprocess.run(
            [*CAUSEWAY, "check", "--only", "site", "--plan", tmp_path / "plan.toml", "--ca", site.paths.authority],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    for check in (CERTIFICATE, CLIENT, MPLIST, MPCERT):
        assert f"PASS  {check}  127.0.0.1:{site.port}" in done.stdout
