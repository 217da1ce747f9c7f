import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from causeway.errors import StateError
from causeway.pki.authority import Authority
from causeway.pki.keys import new_p256_key
from causeway.pki.roles import Role, roles_of
from causeway.site.setup import SitePaths, prepare


def lay_out(folder: Path, authority: Authority, **changes: object) -> SitePaths:
    arguments = {
        "site_code": "PS1",
        "names": ["mp1.corp.example", "127.0.0.1"],
        "address": "127.0.0.1",
        "port": 8443,
        "admin_port": 9643,
        "service_name": "gateway.example.com",
    }
    return prepare(folder, authority, **{**arguments, **changes})  # type: ignore[arg-type]


def content(paths: SitePaths) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths.folder.iterdir()}


def test_a_second_time_changes_nothing(tmp_path: Path, authority: Authority) -> None:
    first = content(lay_out(tmp_path / "site", authority))

    assert content(lay_out(tmp_path / "site", authority)) == first


def test_keys_are_for_their_owner_alone(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)

    assert paths.folder.stat().st_mode & 0o777 == 0o700
    for key in (paths.key, paths.signing_key, paths.settings_key):
        assert key.stat().st_mode & 0o777 == 0o600


def test_the_certificate_is_a_site_systems(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)

    assert Role.SITE_SYSTEM in roles_of(x509.load_pem_x509_certificate(paths.certificate.read_bytes()))


def test_the_file_follows_the_arguments_until_somebody_takes_it_over(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)
    lay_out(tmp_path / "site", authority, port=9443)
    assert "port = 9443" in paths.config.read_text()

    own = paths.config.read_text().partition("\n")[2]
    paths.config.write_text(own)
    lay_out(tmp_path / "site", authority, port=10443)

    assert paths.config.read_text() == own


def test_other_names_get_another_certificate_and_the_same_keys(tmp_path: Path, authority: Authority) -> None:
    before = content(lay_out(tmp_path / "site", authority))

    after = content(lay_out(tmp_path / "site", authority, names=["mp2.corp.example"]))

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"site.pem", "site.key", "site.toml"}


def test_another_authority_gets_another_certificate(tmp_path: Path, authority: Authority) -> None:
    other = Authority.create(tmp_path / "other", "Test authority")
    before = lay_out(tmp_path / "site", authority).certificate.read_bytes()

    assert lay_out(tmp_path / "site", other).certificate.read_bytes() != before


def test_a_kill_between_the_halves_of_the_settings_key_is_mended(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)
    before = content(paths)
    paths.settings_public_key.unlink()

    lay_out(tmp_path / "site", authority)

    assert content(paths) == before


@pytest.mark.parametrize("name", ["site.pem", "settings.key", "settings.pub"])
def test_a_corrupt_file_is_named(tmp_path: Path, authority: Authority, name: str) -> None:
    paths = lay_out(tmp_path / "site", authority)
    (paths.folder / name).write_text("not PEM")

    with pytest.raises(StateError, match=name):
        lay_out(tmp_path / "site", authority)


def test_the_public_half_of_another_key_is_named(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)
    other = lay_out(tmp_path / "other", authority)
    paths.settings_public_key.write_bytes(other.settings_public_key.read_bytes())

    with pytest.raises(StateError, match=r"settings\.pub"):
        lay_out(tmp_path / "site", authority)


def test_a_certificate_near_its_end_is_renewed(tmp_path: Path, authority: Authority) -> None:
    paths = lay_out(tmp_path / "site", authority)
    names, usages = ["mp1.corp.example", "127.0.0.1"], [ExtendedKeyUsageOID.SERVER_AUTH]
    short = authority._issue(names, new_p256_key(), Role.SITE_SYSTEM, usages, datetime.timedelta(days=10))
    short.write(paths.certificate, paths.key)

    lay_out(tmp_path / "site", authority)

    assert paths.certificate.read_bytes() != short.certificate_pem
