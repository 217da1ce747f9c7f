"""``causeway identity explain`` on tokens of a real provider, and on certificates."""

import contextlib
import io
import json
import sys
import unittest.mock
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from causeway.cli.main import main
from causeway.configuration import default_toml
from causeway.gateway.config import HEADING, GatewayConfig
from causeway.gateway_settings import Authentication, GatewaySettings, sign
from causeway.pki.keys import new_signing_key
from tests.system.certificates import certificates
from tests.system.data_path.path import endpoint
from tests.system.entra.provider import Provider
from tests.system.entra.test_keys import tenant_of


@dataclass
class Told:
    code: int
    out: str
    err: str

    @property
    def failures(self) -> dict[str, str]:
        return {one["name"]: one["details"] for one in json.loads(self.out)["checks"] if one["status"] == "FAIL"}


@dataclass
class Signed:
    """A file of gateway settings and the key that they are signed with."""

    file: Path
    key: Path

    def explain(self, *arguments: str | Path, stdin: bytes = b"") -> Told:
        return causeway("--settings", self.file, "--site-key", self.key, *arguments, stdin=stdin)


def causeway(*arguments: str | Path, stdin: bytes = b"") -> Told:
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    given = unittest.mock.Mock(buffer=io.BytesIO(stdin))
    with (
        unittest.mock.patch("sys.argv", ["causeway", "identity", "explain", *map(str, arguments)]),
        unittest.mock.patch.object(sys, "stdin", given),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Told(int(code or 0), out.getvalue(), err.getvalue())


def publish(provider: Provider, folder: Path, **options: Any) -> Signed:
    key = new_signing_key(folder / "settings.key", folder / "settings.pub")
    settings = GatewaySettings(
        version=7,
        issued_at="2026-01-01T00:00:00Z",
        site_code="PS1",
        trusted_roots=(certificates("site").authority.pem.decode(),),
        **{"entra_tenants": (tenant_of(provider, name="Contoso"),), **options},
    )
    (folder / "settings.jws").write_bytes(sign(settings, key))
    return Signed(folder / "settings.jws", folder / "settings.pub")


@pytest.fixture
def signed(provider: Provider, tmp_path: Path) -> Signed:
    return publish(provider, tmp_path)


def test_a_good_token_is_explained_from_a_file_and_from_standard_input(
    signed: Signed, provider: Provider, tmp_path: Path
) -> None:
    token = provider.token()
    (tmp_path / "token").write_text(f"{token}\n")
    told = signed.explain("--token", f"@{tmp_path}/token")
    assert (told.code, told.err) == (0, "")
    assert "PASS  audience  aud = api://causeway.example/mp: as it must be" in told.out
    assert "PASS  tenant's keys" in told.out
    assert "checks, all well." in told.out
    again = signed.explain("--token", "-", "--json", stdin=token.encode())
    assert again.code == 0
    assert json.loads(again.out)["ok"] is True


def test_a_token_on_the_command_line_is_taken_with_a_warning(signed: Signed, provider: Provider) -> None:
    told = signed.explain("--token", provider.token(), "--json")
    assert told.code == 0
    assert told.err.startswith("warning: others can read a token on the command line")


def test_every_step_that_fails_is_shown_with_its_remedy(signed: Signed, provider: Provider) -> None:
    token = provider.token(aud="api://another", deviceid=None).encode()
    told = signed.explain("--token", "-", "--json", stdin=token)
    assert told.code == 1
    assert set(told.failures) == {"audience", "identity", "decision"}
    assert told.failures["decision"].startswith("CMGService_TokenInsufficient")
    told = signed.explain("--token", "-", stdin=token)
    assert "→ Compare the server and client applications in Entra ID" in told.out


def test_a_token_of_a_key_that_the_provider_does_not_have_is_forged(signed: Signed, provider: Provider) -> None:
    told = signed.explain("--token", "-", "--json", stdin=provider.token(header={"kid": "another"}).encode())
    assert set(told.failures) == {"key", "signature", "decision"}


def test_a_provider_that_cannot_be_reached_is_a_failure_of_its_own(provider: Provider, tmp_path: Path) -> None:
    away = publish(provider, tmp_path, entra_tenants=(tenant_of(provider, authority="https://localhost:1"),))
    told = away.explain("--token", "-", "--json", stdin=provider.token().encode())
    assert told.code == 1
    assert told.failures["tenant's keys"].startswith("EntraKeys: https://localhost:1")
    assert told.failures["decision"].startswith("CMGService_TenantKeysUnavailable")


def test_a_tenant_that_is_not_onboarded_is_said_so(provider: Provider, tmp_path: Path) -> None:
    other = publish(provider, tmp_path, entra_tenants=(tenant_of(provider, tenant_id=str(uuid.uuid4())),))
    told = other.explain("--token", "-", "--json", stdin=provider.token().encode())
    assert told.failures["decision"].startswith("CMGService_TenantNotOnboarded")


def test_a_certificate_is_explained_and_one_that_is_blocked_fails(provider: Provider, tmp_path: Path) -> None:
    device = certificates("site").client("PC1")
    told = publish(provider, tmp_path).explain("--certificate", device.certificate, "--json")
    assert told.code == 0
    assert [step["name"] for step in json.loads(told.out)["checks"]][-2:] == ["revocation", "blocks"]
    blocked = publish(provider, tmp_path, blocked_names=("pc1",))
    assert (
        blocked.explain("--certificate", device.certificate, "--json")
        .failures["blocks"]
        .startswith("CMGService_DeviceBlocked")
    )
    stranger = certificates("other").client("PC2")
    assert "chain" in blocked.explain("--certificate", stranger.certificate, "--json").failures


def test_an_endpoint_is_explained_for_whoever_the_client_is(provider: Provider, tmp_path: Path) -> None:
    endpoints = tuple(
        endpoint(kind, f"/{kind}", "http://origin.example", authentication=(Authentication(kind),))
        for kind in ("entra", "token", "certificate", "none")
    )
    signed = publish(provider, tmp_path, endpoints=endpoints)
    token, device = provider.token().encode(), certificates("site").client("PC1").certificate

    def word(path: str, *arguments: str | Path) -> str:
        told = signed.explain(*arguments, "--endpoint", path, "--json", stdin=token)
        return told.failures.get("endpoint", "").partition(":")[0]

    by_token, by_certificate = ("--token", "-"), ("--certificate", device)
    assert word("/entra/x?y", *by_token) == word("/none", *by_token) == word("/certificate", *by_certificate) == ""
    assert word("/token", *by_token) == "CMGService_TokenNotAccepted"
    assert word("/certificate", *by_token) == "CMGConnector_ClientCertificateRequired"
    assert word("/entra", *by_certificate) == "CMGService_TokenRequired"
    assert word("/nothing", *by_token) == "CMGService_NotPublished"
    assert word("/entra/../token", *by_token) == "CMGService_BadRequest"


def test_a_gateway_s_own_settings_and_keys_are_used_where_its_configuration_is_given(
    provider: Provider, tmp_path: Path
) -> None:
    signed = publish(provider, tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    text = default_toml(GatewayConfig, HEADING)
    (tmp_path / "gateway.toml").write_text(text)
    none_yet = causeway("--config", tmp_path / "gateway.toml", "--token", "-", stdin=b"x")
    assert none_yet.code == 2
    assert "no settings yet" in none_yet.err
    signed.file.rename(state / "gateway-settings.jws")
    told = causeway("--config", tmp_path / "gateway.toml", "--token", "-", "--json", stdin=provider.token().encode())
    assert told.code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--token", "-", "--certificate", "x"),
        ("--token", "@missing"),
        ("--certificate", "missing"),
        ("--token", "-", "--config", "missing"),
        ("--token", "-", "--settings", "missing", "--site-key", "missing"),
        ("--token", "-", "--settings", "missing"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments: tuple[str, ...], signed: Signed) -> None:
    told = causeway(*arguments) if {"--config", "--settings"} & {*arguments} else signed.explain(*arguments)
    assert told.code == 2
    assert told.out == ""
