"""``causeway check --only certificate`` asks OpenSSL's revocation list, by nginx, and OpenSSL's responder."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.system.nginx import nginx
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.processes import free_ports
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.responder import Responder
from tests.unit.plan.plans import CONTOSO


def asked(folder: Path, authority: OpenSslAuthority, certificate: Path) -> dict[str, Any]:
    """The results of list and responder."""
    (folder / "plan.toml").write_text(CONTOSO)
    files = ("--certificate", certificate, "--ca", authority.certificate)
    done = subprocess.run(
        [*CAUSEWAY, "check", "--plan", folder / "plan.toml", "--only", "certificate", *files, "--json"],
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    return {name: found[name] for name in ("certificate revocation list", "certificate responder")}


def test_what_the_certificate_names_is_fetched_and_a_revoked_one_is_found(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    web, port = free_ports(), Responder.free_port()
    points = (
        f"crlDistributionPoints = URI:http://127.0.0.1:{web}/list.crl\n"
        f"authorityInfoAccess = OCSP;URI:http://127.0.0.1:{port}/"
    )
    authority = OpenSslAuthority(tmp_path / "authority", "Contoso Issuing CA", points=points)
    pair = authority.client("gateway.contoso.com")
    authority.publish(served / "list.crl")

    absent = asked(tmp_path, authority, pair.certificate)
    assert {each["status"] for each in absent.values()} == {"WARN"}

    responder = Responder(authority, port)
    try:
        with nginx(tmp_path / "nginx", served, web):
            responder.start()
            good = asked(tmp_path, authority, pair.certificate)
            assert {each["status"] for each in good.values()} == {"PASS"}, good
            assert "signed by the issuer" in good["certificate revocation list"]["details"]

            authority.revoke(pair)
            authority.publish(served / "list.crl")
            responder.start()
            revoked = asked(tmp_path, authority, pair.certificate)
            assert {each["status"] for each in revoked.values()} == {"FAIL"}, revoked
            assert "says revoked" in revoked["certificate responder"]["details"]

            (served / "list.crl").write_bytes(b"<html>Sign in</html>")
            page = asked(tmp_path, authority, pair.certificate)
            assert "malformed" in page["certificate revocation list"]["details"]
    finally:
        responder.stop()
