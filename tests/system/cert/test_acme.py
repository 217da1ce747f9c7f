"""Certificates by ACME from a real authority, proved in a real DNS server."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.system.cert.pebble import Pebble, pebble
from tests.system.cert.running import cert, openssl
from tests.system.powerdns import powerdns

NAME = "gateway.contoso.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with pebble(tmp_path_factory.mktemp("pebble")) as running:
        yield running


def by_acme(
    authority: Pebble, cwd: Path, *more: str | Path, name: str = NAME, hook: str | None = None
) -> tuple[int, str, str]:
    done = cert(
        "acme",
        *("--name", name, "--directory", authority.directory, "--ca-file", authority.ca_file, "--agree"),
        *("--dns-hook", hook or str(authority.hook), "--dns-server", authority.dns, *more),
        cwd=cwd,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_certificate_comes_with_its_chain_and_its_key_and_is_renewed(authority: Pebble, tmp_path: Path) -> None:
    code, out, err = by_acme(authority, tmp_path, "--key", "p-256", "--json", "--deploy-hook", "touch deployed")
    assert code == 0, err
    report = json.loads(out)
    chain = x509.load_pem_x509_certificates((tmp_path / report["certificate"]).read_bytes())
    assert len(chain) == 2
    chain[0].verify_directly_issued_by(chain[1])
    assert stat.S_IMODE((tmp_path / report["key"]).stat().st_mode) == 0o600
    assert (tmp_path / "deployed").exists()
    assert stat.S_IMODE((tmp_path / "acme-account.key").stat().st_mode) == 0o600
    assert authority.records_are_gone(f"_acme-challenge.{NAME}")
    inspected = cert("inspect", report["certificate"], report["key"], "--name", NAME, cwd=tmp_path)
    assert inspected.returncode == 0, inspected.stdout

    not_yet = cert("renew", "--if-due", cwd=tmp_path)
    assert not_yet.returncode == 0, not_yet.stderr
    assert "from" in not_yet.stdout
    renewed = cert("renew", "--keep-key", cwd=tmp_path)
    assert renewed.returncode == 0, renewed.stderr
    assert "the same key" in renewed.stdout
    after = x509.load_pem_x509_certificates((tmp_path / report["certificate"]).read_bytes())
    assert after[0].serial_number != chain[0].serial_number
    assert after[0].public_key() == chain[0].public_key()


def test_an_authority_that_refuses_every_other_nonce_still_issues(tmp_path: Path) -> None:
    with pebble(tmp_path / "pebble", refused_nonces_percent=50) as choosy:
        code, _, err = by_acme(choosy, tmp_path)
    assert code == 0, err


def test_a_wildcard_certificate_comes_and_goes_out_as_a_pfx_that_openssl_reads(
    authority: Pebble, tmp_path: Path
) -> None:
    code, _, err = by_acme(authority, tmp_path, name="*.contoso.com")
    assert code == 0, err
    (tmp_path / "pass").write_text("correct horse\n")
    exported = cert("export", "out.pfx", "--passphrase-file", "pass", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    shown = openssl("pkcs12", "-in", "out.pfx", "-passin", "file:pass", "-nokeys", "-info", cwd=tmp_path)
    assert "AES-256-CBC" in shown
    assert "DNS:*.contoso.com" in openssl(
        "x509", "-in", "certificate/current/server.pem", "-noout", "-text", cwd=tmp_path
    )


def test_a_record_that_does_not_appear_is_named_with_its_value_and_the_server_that_was_asked(
    authority: Pebble, tmp_path: Path
) -> None:
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    code, _, err = by_acme(authority, tmp_path, "--propagation", "1", hook=str(idle))
    assert code == 1
    assert "no TXT record _acme-challenge.gateway.contoso.com" in err
    assert not (tmp_path / "certificate" / "current").exists()


def test_what_the_authority_refuses_is_said_in_its_own_words(authority: Pebble, tmp_path: Path) -> None:
    # Another server is asked for the record, so that it seems to be there; the authority's own has it not.
    with pebble(tmp_path / "other") as other:
        done = cert(
            *("acme", "--name", NAME, "--directory", authority.directory, "--ca-file", authority.ca_file, "--agree"),
            *("--dns-hook", str(other.hook), "--dns-server", other.dns),
            cwd=tmp_path,
        )
    assert done.returncode == 1
    assert f"{authority.directory}: {NAME}: " in done.stderr
    assert "TXT" in done.stderr


def test_a_hook_that_fails_is_named_with_what_it_said(authority: Pebble, tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\necho 'zone is locked' >&2\nexit 3\n")
    hook.chmod(0o755)
    code, _, err = by_acme(authority, tmp_path, hook=str(hook))
    assert code == 1
    assert "exit code 3: zone is locked" in err


def test_the_terms_must_be_agreed_to_and_the_server_verified(authority: Pebble, tmp_path: Path) -> None:
    common = ("acme", "--name", NAME, "--directory", authority.directory, "--dns-hook", str(authority.hook))
    disagreed = cert(*common, "--ca-file", authority.ca_file, cwd=tmp_path)
    assert (disagreed.returncode, "--agree" in disagreed.stderr) == (2, True)
    unverified = cert(*common, "--agree", cwd=tmp_path)
    assert unverified.returncode == 1
    assert "its certificate is not good" in unverified.stderr


def test_names_that_no_public_authority_issues_are_refused_before_anyone_is_asked(tmp_path: Path) -> None:
    done = cert("acme", "--name", "contoso.westeurope.cloudapp.azure.com", cwd=tmp_path)
    assert done.returncode == 2
    assert "Microsoft's domain" in done.stderr


def test_without_a_hook_the_record_is_shown_and_somebody_must_be_there(authority: Pebble, tmp_path: Path) -> None:
    done = cert(
        *("acme", "--name", NAME, "--directory", authority.directory, "--ca-file", authority.ca_file, "--agree"),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert f"_acme-challenge.{NAME}.  60  IN  TXT" in done.stderr
    assert "--dns-hook" in done.stderr


def test_an_authority_that_wants_an_external_account_gets_one(tmp_path: Path) -> None:
    mac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    (tmp_path / "eab").write_text(mac + "\n")
    with pebble(tmp_path / "pebble", external_accounts={"kid-1": mac}) as authority:
        code, _, err = by_acme(authority, tmp_path)
        assert code == 2
        assert "--eab-key-id" in err
        code, _, err = by_acme(authority, tmp_path, "--eab-key-id", "kid-1", "--eab-mac-key-file", "eab")
        assert code == 0, err
        assert mac not in (tmp_path / "certificate" / "recipe.toml").read_text()


def test_dns_lexicon_writes_the_record_at_a_real_dns_service_and_takes_it_away(tmp_path: Path) -> None:
    with powerdns(tmp_path / "dns") as dns, pebble(tmp_path / "pebble", dns_server=dns.address) as authority:
        dns.put("contoso.com", ("contoso.com", "NS", "ns1.contoso.com"))
        order = (
            *("acme", "--name", NAME, "--directory", authority.directory, "--ca-file", authority.ca_file, "--agree"),
            *("--dns-provider", "powerdns", "--dns-zone", "contoso.com", "--dns-server", dns.address),
        )
        credentials = {"LEXICON_POWERDNS_PDNS_SERVER": dns.api, "LEXICON_POWERDNS_AUTH_TOKEN": dns.key}
        done = cert(*order, cwd=tmp_path, **credentials)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "certificate" / "current" / "server.pem").exists()
        assert dns.texts(f"_acme-challenge.{NAME}") == []

        refused = cert(*order, cwd=tmp_path, **{**credentials, "LEXICON_POWERDNS_AUTH_TOKEN": "another"})
        assert refused.returncode == 1
        assert "powerdns: cannot create" in refused.stderr
        assert "another" not in refused.stderr
