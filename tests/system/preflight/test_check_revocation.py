"""``causeway check --only certificate`` asks OpenSSL's revocation list, by nginx, and OpenSSL's responder."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from causeway.transport.fetch import FetchFailed, fetch
from causeway.transport.httpx_proxy import httpx_proxy
from tests.system.nginx import nginx
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.processes import free_ports, running, wait_until
from tests.system.revocation.openssl_ca import OpenSslAuthority
from tests.system.revocation.responder import Responder
from tests.system.web_proxy import PASSWORD, USER, WebProxy
from tests.unit.plan.plans import CONTOSO


def asked(
    folder: Path, authority: OpenSslAuthority, certificate: Path, *options: str | Path, proxy: str = ""
) -> dict[str, Any]:
    """The results of list and responder; ``proxy`` is the plan's."""
    (folder / "plan.toml").write_text(CONTOSO + (f'[proxy]\nurl = "{proxy}"\n' if proxy else ""))
    files = ("--certificate", certificate, "--ca", authority.certificate, *options)
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
    assert PASSWORD not in done.stdout + done.stderr
    return {name: found.get(name) for name in ("certificate revocation list", "certificate responder")}


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


def test_a_web_proxy_that_wants_credentials_gets_those_of_the_options(tmp_path: Path) -> None:
    served, password = tmp_path / "served", tmp_path / "proxy-password"
    served.mkdir()
    web = free_ports()
    url = f"http://127.0.0.1:{web}/list.crl"
    authority = OpenSslAuthority(
        tmp_path / "authority", "Contoso Issuing CA", points=f"crlDistributionPoints = URI:{url}\n"
    )
    certificate = authority.client("gateway.contoso.com").certificate
    authority.publish(served / "list.crl")
    proxy = WebProxy(tmp_path)

    def look(*options: str | Path) -> Any:
        found = asked(tmp_path, authority, certificate, *options, proxy=f"http://127.0.0.1:{proxy.port}")
        return found["certificate revocation list"]

    as_user = ("--proxy-user", USER, "--proxy-password-file", password)
    with running(proxy), nginx(tmp_path / "nginx", served, web):
        wait_until(proxy.listens, what="the web proxy")
        nobody = look()
        assert (nobody["status"], "407" in nobody["details"]) == ("WARN", True), nobody
        assert "--proxy-user" in nobody["action"]
        unreadable = look(*as_user)
        assert (unreadable["status"], str(password) in unreadable["details"]) == ("FAIL", True), unreadable
        password.write_text("shut-sesame\n")
        wrong = look(*as_user)
        assert (wrong["status"], "--proxy-user" in wrong["action"]) == ("WARN", True), wrong
        password.write_text(f"{PASSWORD}\n")
        good = look(*as_user)
        assert good["status"] == "PASS", good
        assert proxy.requests_for(f"GET {url}") == 3  # nobody, the wrong one and the right one; all by the proxy
        way = httpx_proxy(f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(FetchFailed, match="the proxy refused: 407") as refused:
            asyncio.run(fetch("https://localhost/list.crl", most_bytes=1, timeout_s=30, proxy=way))
        assert refused.value.status == 407
