"""Requests and answers by files, with openssl as the authority and as the other reader."""

import signal
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.cert.openssl_authority import OpensslAuthority
from tests.system.cert.running import cert, openssl
from tests.system.processes import free_ports, wait_until

NAME = "gateway.contoso.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return OpensslAuthority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def requested(tmp_path: Path) -> Path:
    """A folder with an open request whose key is under the passphrase in ``pass``."""
    (tmp_path / "pass").write_text("correct horse\n")
    done = cert(
        *("request", "--name", NAME, "--organisation", "Contoso, Ltd.", "--passphrase-file", "pass"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_request_is_what_openssl_reads_and_its_key_is_encrypted_and_private(requested: Path) -> None:
    text = openssl("req", "-in", "certificate/request.csr", "-noout", "-text", "-verify", cwd=requested)
    assert 'Subject: O = "Contoso, Ltd.", CN = gateway.contoso.com' in text
    assert f"DNS:{NAME}" in text
    assert "TLS Web Server Authentication" in text
    key = requested / "certificate" / "request.key"
    assert "ENCRYPTED" in key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    openssl("pkey", "-in", key, "-passin", "file:pass", "-noout", cwd=requested)


def test_an_answer_with_its_chain_is_taken_in_and_serves_in_openssl(
    requested: Path, authority: OpensslAuthority
) -> None:
    answer = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "one.pem"))
    done = cert("import", answer, "--passphrase-file", "pass", cwd=requested)
    assert done.returncode == 0, done.stderr
    current = requested / "certificate" / "current"
    assert stat.S_IMODE((current / "server.key").stat().st_mode) == 0o600
    assert not (requested / "certificate" / "request.key").exists()
    port = free_ports()
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

        def inspected() -> subprocess.CompletedProcess[str] | None:
            shown = cert("inspect", f"127.0.0.1:{port}", "--name", NAME, "--ca", authority.root, cwd=requested)
            return None if "refused" in shown.stderr else shown

        shown = wait_until(inspected)
        assert shown is not None
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "gateway.contoso.com ← Contoso Issuing CA ← Contoso Root" in shown.stdout
        wrong = cert("inspect", f"127.0.0.1:{port}", "--name", "other.contoso.com", cwd=requested)
        assert wrong.returncode == 1
        assert "is not for other.contoso.com" in wrong.stdout
    finally:
        server.terminate()
        server.wait(20)


def test_an_answer_to_another_request_is_refused_and_what_serves_goes_on(
    requested: Path, authority: OpensslAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    assert cert("request", "--name", NAME, "--no-passphrase", cwd=other).returncode == 0
    answer = authority.sign(other / "certificate" / "request.csr", "other.pem")
    done = cert("import", answer, "--passphrase-file", "pass", cwd=requested)
    assert done.returncode == 2
    assert "not the certificate's key" in done.stderr
    assert (requested / "certificate" / "request.key").exists()


def test_the_wrong_passphrase_and_a_missing_one_are_said(requested: Path, authority: OpensslAuthority) -> None:
    answer = authority.sign(requested / "certificate" / "request.csr", "two.pem")
    (requested / "wrong").write_text("battery staple\n")
    wrong = cert("import", answer, "--passphrase-file", "wrong", cwd=requested)
    assert (wrong.returncode, "the passphrase is not this key's" in wrong.stderr) == (2, True)
    missing = cert("import", answer, cwd=requested)
    assert (missing.returncode, "the key needs its passphrase" in missing.stderr) == (2, True)
    assert "horse" not in wrong.stdout + wrong.stderr


def test_a_renewal_says_what_changes_and_warns_where_the_case_of_the_name_does(
    requested: Path, authority: OpensslAuthority
) -> None:
    first = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "first.pem"))
    assert cert("import", first, "--passphrase-file", "pass", cwd=requested).returncode == 0
    renewed = cert("renew", "--no-passphrase", cwd=requested)
    assert renewed.returncode == 0, renewed.stderr
    again = cert("renew", "--no-passphrase", cwd=requested)
    assert (again.returncode, "waits for its answer already" in again.stderr) == (2, True)
    subject = "/O=Contoso, Ltd./CN=Gateway.contoso.com"
    second = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "second.pem", subject=subject))
    done = cert("import", second, cwd=requested)
    assert done.returncode == 0, done.stderr
    assert "a new key" in done.stdout
    assert "only the case differs" in done.stderr


def test_what_is_exported_for_old_windows_is_in_its_encryption_and_comes_back(
    requested: Path, authority: OpensslAuthority
) -> None:
    answer = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "three.pem"))
    assert cert("import", answer, "--passphrase-file", "pass", cwd=requested).returncode == 0
    exported = cert("export", "old.pfx", "--encryption", "legacy", "--passphrase-file", "pass", cwd=requested)
    assert exported.returncode == 0, exported.stderr
    shown = openssl("pkcs12", "-legacy", "-in", "old.pfx", "-passin", "file:pass", "-nokeys", "-info", cwd=requested)
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in shown
    assert shown.count("BEGIN CERTIFICATE") == 3
    taken = cert("import", "old.pfx", "--passphrase-file", "pass", "--folder", "again", cwd=requested)
    assert taken.returncode == 0, taken.stderr
    again = cert("export", "old.pfx", "--passphrase-file", "pass", cwd=requested)
    assert (again.returncode, "--force" in again.stderr) == (2, True)


def test_killed_at_any_moment_certificate_and_key_still_belong_together(
    requested: Path, authority: OpensslAuthority
) -> None:
    answer = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "four.pem"))
    assert cert("import", answer, "--passphrase-file", "pass", cwd=requested).returncode == 0
    assert cert("renew", "--no-passphrase", cwd=requested).returncode == 0
    renewal = authority.p7b(authority.sign(requested / "certificate" / "request.csr", "five.pem"))
    died = 0
    while _import_killed_at(died + 1, renewal, requested):
        died += 1
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            requested / "certificate" / "current" / "server.pem", requested / "certificate" / "current" / "server.key"
        )
    assert died >= 5  # key, certificate, root, link, the request's two files
    serving = openssl("x509", "-in", "certificate/current/server.pem", "-noout", "-serial", cwd=requested)
    assert serving == openssl("x509", "-in", authority.folder / "five.pem", "-noout", "-serial", cwd=requested)


_KILLED = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv[1])
def count(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.symlink", "shutil.rmtree"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
from causeway.cli.main import main
sys.argv = ["causeway", "cert", "import", sys.argv[2]]
main()
"""


def _import_killed_at(step: int, answer: Path, folder: Path) -> bool:
    """Take the answer in, killed before the ``step``-th change to the folder; false where there are not as many."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(step), str(answer)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("data", [b"", b"\x00" * 64, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_files_that_hold_no_certificate_are_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_bytes(data)
    for command in (("inspect", "junk.pem"), ("import", "junk.pem")):
        done = cert(*command, cwd=tmp_path)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith("error: junk.pem: ")
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def samples(tmp_path: Path, authority: OpensslAuthority) -> Path:
    """Samples of client certificates: ``good.pem``, and ``server.pem``, which is for servers."""
    for name, usage in (("good", "clientAuth"), ("server", "serverAuth")):
        openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr"),
            *("-subj", "/CN=PC1.corp.contoso.com", "-addext", f"extendedKeyUsage={usage}"),
            cwd=tmp_path,
        )
        authority.sign(tmp_path / f"{name}.csr", f"{name}-sample.pem").rename(tmp_path / f"{name}.pem")
    return tmp_path


def test_a_sample_of_the_devices_certificates_is_held_against_what_a_template_must_have(
    samples: Path, authority: OpensslAuthority
) -> None:
    cas = ("--ca", authority.root, "--ca", authority.folder / "issuing.pem")
    good = cert("inspect", "--client", "good.pem", *cas, cwd=samples)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = cert("inspect", "--client", "server.pem", *cas, cwd=samples)
    assert bad.returncode == 1
    assert "is not for client authentication" in bad.stdout
