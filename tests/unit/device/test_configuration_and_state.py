import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from causeway.device.config import DeviceConfig, ServerUrl, default_state_folder, tls_context
from causeway.device.identity import load_or_make_keys, self_signed
from causeway.device.state import DeviceState, StateFolder, StoredPolicy
from causeway.errors import ConfigurationError, StateError
from causeway.messaging.policy import ClientSettings, PolicyBody
from causeway.pki.keys import private_pem


@pytest.mark.parametrize(
    ("text", "origin", "prefix"),
    [
        ("https://mp.corp", "https://mp.corp", ""),
        ("https://mp.corp:8443/", "https://mp.corp:8443", ""),
        ("https://[::1]:443", "https://[::1]:443", ""),
        ("https://gw/CCM_Proxy_MutualAuth/7205", "https://gw", "/CCM_Proxy_MutualAuth/7205"),
        ("https://gw/ccm_proxy_serverauth/1/", "https://gw", "/ccm_proxy_serverauth/1"),
    ],
)
def test_the_url_of_a_gateway_or_management_point_is_taken(text: str, origin: str, prefix: str) -> None:
    assert ServerUrl.parse(text) == ServerUrl(origin, prefix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mp.corp",
        "http://mp.corp",
        "https://",
        "https://mp.corp/other",
        "https://gw/CCM_Proxy_MutualAuth/",
        "https://gw/CCM_Proxy_MutualAuth/x",
        "https://user@mp.corp",
        "https://mp.corp?x",
        "https://mp.corp:port",
        "https://mp.corp:99999",
        "https://[::1",
    ],
)
def test_another_url_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ConfigurationError):
        DeviceConfig(text)


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    for pair in ((tmp_path / "c", None), (None, tmp_path / "k")):
        with pytest.raises(ConfigurationError, match="both or neither"):
            DeviceConfig("https://mp", certificate=pair[0], key=pair[1])


def test_the_netbios_name_is_short_and_upper_case() -> None:
    assert DeviceConfig("https://mp", name="a-very-long-machine.corp").netbios_name == "A-VERY-LONG-MAC"


def test_root_keeps_its_state_in_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_state_folder() == Path("/var/lib/causeway-device")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_state_folder() == Path("/home/somebody/.local/state/causeway-device")


def test_tls_settings_name_the_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        tls_context(DeviceConfig("https://mp", ca=tmp_path / "ca.pem"))
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(ConfigurationError, match=r"broken\.pem"):
        tls_context(DeviceConfig("https://mp", ca=broken))
    with pytest.raises(ConfigurationError, match=r"broken\.pem"):
        tls_context(DeviceConfig("https://mp", certificate=broken, key=broken))
    with pytest.raises(ConfigurationError, match=r"^\S+/gone\.pem: no such file"):
        tls_context(DeviceConfig("https://mp", certificate=broken, key=tmp_path / "gone.pem"))


def test_the_server_is_verified_by_chain_and_name() -> None:
    context = tls_context(DeviceConfig("https://mp"))
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_keys_are_made_once_and_are_private(config: DeviceConfig) -> None:
    with StateFolder(config.state):
        first, second = load_or_make_keys(config), load_or_make_keys(config)
    assert first.fingerprint == second.fingerprint
    assert stat.S_IMODE(config.state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in config.state.iterdir()} == {0o600}
    assert "***" in repr(first)


def test_the_registration_certificate_has_the_mixed_mode_form(config: DeviceConfig) -> None:
    with StateFolder(config.state):
        certificate = load_or_make_keys(config).certificate
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names[0].value == "ConfigMgr Client"
    assert usage.digital_signature
    assert usage.data_encipherment
    assert [one.dotted_string for one in purposes] == ["1.3.6.1.4.1.311.101.2", "1.3.6.1.4.1.311.101"]


def test_a_host_name_that_no_certificate_can_carry_is_left_out(keys: list[rsa.RSAPrivateKey]) -> None:
    certificate = self_signed(keys[0], "m\u00fcnchen")
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_an_rsa_pki_certificate_is_the_registration_certificate_too(
    config: DeviceConfig, keys: list[rsa.RSAPrivateKey], tmp_path: Path
) -> None:
    certificate = self_signed(keys[0], "pc1")
    config = with_files(config, tmp_path, certificate, keys[0])
    assert load_or_make_keys(config).certificate == certificate


def test_with_an_elliptic_pki_certificate_the_device_registers_its_own(
    config: DeviceConfig, keys: list[rsa.RSAPrivateKey], tmp_path: Path
) -> None:
    config = with_files(config, tmp_path, self_signed(keys[0], "pc1"), ec.generate_private_key(ec.SECP256R1()))
    with StateFolder(config.state):
        assert load_or_make_keys(config).certificate.subject.rfc4514_string() == "CN=ConfigMgr Client"


def test_a_pki_key_that_cannot_be_read_names_its_file(config: DeviceConfig, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("x")
    (tmp_path / "k.pem").write_text("x")
    with pytest.raises(ConfigurationError, match=r"c\.pem"):
        load_or_make_keys(replace(config, certificate=tmp_path / "c.pem", key=tmp_path / "k.pem"))


@pytest.mark.parametrize("file", ["signing.key", "registration.pem"])
def test_a_damaged_key_or_certificate_is_named_with_its_remedy(config: DeviceConfig, file: str) -> None:
    with StateFolder(config.state):
        load_or_make_keys(config)
        (config.state / file).write_text("damaged")
        with pytest.raises(StateError, match=file):
            load_or_make_keys(config)


def test_a_certificate_of_another_key_is_refused(config: DeviceConfig, keys: list[rsa.RSAPrivateKey]) -> None:
    with StateFolder(config.state):
        mine = load_or_make_keys(config)
        other = next(key for key in keys if key.public_key() != mine.key.public_key())
        (config.state / "signing.key").write_bytes(private_pem(other))
        with pytest.raises(StateError, match="another key"):
            load_or_make_keys(config)
        (config.state / "registration.pem").unlink()
        assert load_or_make_keys(config).key.private_numbers() == other.private_numbers()


def test_state_comes_back(config: DeviceConfig) -> None:
    state = DeviceState(
        "GUID:X",
        True,
        "approved",
        "ab",
        "PS1",
        "c",
        (StoredPolicy("a", "p", "1", body="<Policy/>"),),
        3,
        datetime.now(UTC),
    )
    with StateFolder(config.state) as folder:
        assert folder.load() == DeviceState()
        folder.save(state)
        assert folder.load() == state


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"identity": 1}', '{"other": 1}', '{"policy_at": "2026-11-23T05:06:08"}', "\udcff"]
)
def test_a_damaged_state_names_its_file_and_remedy(config: DeviceConfig, text: str) -> None:
    with StateFolder(config.state) as folder:
        (config.state / "state.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(StateError, match=r"state\.json.*delete the file and register again"):
            folder.load()


def test_an_unreadable_state_is_named(config: DeviceConfig) -> None:
    with StateFolder(config.state) as folder:
        (config.state / "state.json").mkdir()
        with pytest.raises(StateError, match=r"state\.json"):
            folder.load()


def test_a_folder_is_for_one_process_at_a_time(config: DeviceConfig) -> None:
    with StateFolder(config.state), pytest.raises(StateError, match="another process"), StateFolder(config.state):
        pass
    with StateFolder(config.state):
        pass


def test_a_folder_that_cannot_be_locked_is_named(config: DeviceConfig) -> None:
    config.state.mkdir()
    (config.state / "lock").mkdir()
    with pytest.raises(StateError, match="lock"):
        StateFolder(config.state).__enter__()


def test_with_another_certificate_the_device_starts_over() -> None:
    state = DeviceState("GUID:X", True, fingerprint="old", site_code="PS1")
    assert state.for_certificate("old") == state
    assert state.for_certificate("new") == DeviceState(fingerprint="new", site_code="PS1")


def test_settings_come_from_the_policies_that_hold() -> None:
    def policy(minutes: int, *, conditional: bool = False) -> StoredPolicy:
        body = PolicyBody("p", "1", (ClientSettings(minutes).to_instance(),)).to_xml()
        return StoredPolicy("a", "p", "1", conditional=conditional, body=body)

    empty, foreign = StoredPolicy("b", "q", "1"), StoredPolicy("c", "r", "1", body="<Other/>")
    state = DeviceState(policies=(policy(5), empty, foreign, policy(7, conditional=True)))
    assert state.client_settings() == ClientSettings(polling_interval_minutes=5)
    assert DeviceState().client_settings() == ClientSettings()


def with_files(
    config: DeviceConfig,
    folder: Path,
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> DeviceConfig:
    (folder / "pki.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "pki.key").write_bytes(private_pem(key))
    return replace(config, certificate=folder / "pki.pem", key=folder / "pki.key")
