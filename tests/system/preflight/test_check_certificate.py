"""``causeway check --only certificate`` on certificates of openssl's, in files and on openssl's own server."""

import subprocess
from pathlib import Path

import pytest

from tests.system.cert.openssl_authority import OpensslAuthority
from tests.system.cert.running import cert, openssl
from tests.system.plan.running import CAUSEWAY, environment
from tests.system.processes import free_ports, wait_until
from tests.unit.plan.plans import CONTOSO


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan, and the certificate that it asks for, from an authority of openssl's."""
    made = tmp_path_factory.mktemp("certificate")
    (made / "causeway-plan.toml").write_text(CONTOSO)
    authority = OpensslAuthority.make(made / "authority")
    (made / "root.pem").write_bytes(authority.root.read_bytes())
    requested = cert("request", "--plan", "causeway-plan.toml", "--no-passphrase", cwd=made)
    assert requested.returncode == 0, requested.stderr
    answer = authority.p7b(authority.sign(made / "certificate" / "request.csr", "one.pem"))
    imported = cert("import", answer, cwd=made)
    assert imported.returncode == 0, imported.stderr
    return made


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CAUSEWAY, "check", "--only", "certificate", *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


CURRENT = ("--certificate", "certificate/current/server.pem", "--certificate", "certificate/current/server.key")


def test_the_requested_certificate_passes_and_without_its_key_it_does_not(folder: Path) -> None:
    whole = check(folder, *CURRENT, "--ca", "root.pem")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "gateway.contoso.com ← Contoso Issuing CA ← Contoso Root" in whole.stdout
    alone = check(folder, *CURRENT[:2])
    assert alone.returncode == 1
    assert "FAIL  certificate private key" in alone.stdout


def test_a_pfx_needs_its_passphrase_and_the_line_says_how_to_give_it(folder: Path) -> None:
    (folder / "pass").write_text("correct horse\n")
    openssl(
        *("pkcs12", "-export", "-in", "certificate/current/server.pem", "-inkey", "certificate/current/server.key"),
        *("-out", "gateway.pfx", "-passout", "file:pass"),
        cwd=folder,
    )
    closed = check(folder, "--certificate", "gateway.pfx")
    assert closed.returncode == 1
    assert "FAIL  certificate file" in closed.stdout
    assert "--passphrase-file" in closed.stdout
    opened = check(folder, "--certificate", "gateway.pfx", "--passphrase-file", "pass")
    assert opened.returncode == 0, opened.stdout
    assert "correct horse" not in closed.stdout + opened.stdout + opened.stderr


def test_a_server_shows_it_and_one_that_is_not_there_fails_with_the_command_for_files(folder: Path) -> None:
    port = free_ports()
    absent = check(folder, "--server", f"127.0.0.1:{port}")
    assert absent.returncode == 1
    assert "causeway check --plan causeway-plan.toml --only certificate --certificate certificate" in absent.stdout
    current = folder / "certificate" / "current"
    server = subprocess.Popen(
        [
            *("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www"),
            *("-cert", current / "server.pem", "-cert_chain", current / "server.pem", "-key", current / "server.key"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:

        def shown() -> subprocess.CompletedProcess[str] | None:
            done = check(folder, "--server", f"127.0.0.1:{port}", "--ca", "root.pem")
            return None if "refused" in done.stdout else done

        done = wait_until(shown, what="the server's certificate")
        assert done is not None
        assert done.returncode == 0, done.stdout
        assert f"PASS  certificate name  127.0.0.1:{port}" in done.stdout
    finally:
        server.terminate()
        server.wait(20)
