"""Client certificates that are asked for by the path, after the handshake, as IIS does: Apache does the same."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from causeway.messaging.keyinfo import ManagementPoint, MPCertificates, MPList, SignedHex
from causeway.plan.document import ManagementPointSection, plan_text
from causeway.plan.values import Target
from tests.system.apache import Host, apache
from tests.system.certificates import Certificates, certificates
from tests.system.island import Island, island
from tests.system.plan.running import CAUSEWAY, environment
from tests.unit.plan.plans import contoso

NAMES = {"mp01.corp.contoso.com": "TLSv1.3", "mp02.corp.contoso.com": "TLSv1.2"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Island, Path, Certificates]]:
    folder = tmp_path_factory.mktemp("late")
    made = certificates("asked-late")
    pair = made.server(*NAMES)
    points = tuple(ManagementPoint(name.partition(".")[0].upper(), name, "PS1") for name in NAMES)
    der = made.authority.certificate.public_bytes(Encoding.DER)
    answers = {"MPLIST": MPList(points).to_xml(), "MPCERT": MPCertificates(SignedHex(der.hex())).to_xml()}
    sections = tuple(ManagementPointSection(host=name) for name in NAMES)
    plan = contoso(target=Target.CONFIGMGR, management_point=sections, software_update_point=())
    (folder / "plan.toml").write_text(plan_text(plan))
    addresses = {name: f"127.0.0.{number}" for number, name in enumerate(NAMES, 11)}
    hosts = [Host(addresses[name], 443, protocol, pair, made.root) for name, protocol in NAMES.items()]
    with island() as there, apache(answers, hosts, run=there.run):
        there.hosts(addresses)
        yield there, folder, made


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
