"""A site system verifies who its client is, with the very sample of the documentation."""

import base64
import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import VerificationError

from causeway.gateway_settings import Authentication
from causeway.identity.site_token import sign as sign_site_token
from causeway.pki.authority import Authority
from causeway.pki.keys import CertificateKey, new_p256_key, new_rsa_key
from causeway.pki.roles import Role
from tests.system.certificates import Pair, certificates
from tests.system.data_path.client import Answer, Client
from tests.system.data_path.path import DataPath, endpoint
from tests.system.origin import Exchange, Origin
from tests.unit.identity.tokens import RSA_KEY, SETTINGS, SMS_ID, device_claims

PAGE = Path(__file__).parents[3] / "docs" / "signed-identity.md"
ISSUER = "urn:causeway:site:PS1"
HEADER = "X-Causeway-Identity"


def sample() -> Callable[..., dict[str, Any]]:
    """``verify_identity`` as the documentation has it."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(compile(code[1], str(PAGE), "exec"), names)
    verify: Callable[..., dict[str, Any]] = names["verify_identity"]
    return verify


verify_identity = sample()


class SiteSystem(Origin):
    """An HTTPS site system that answers with what it has verified, or 403."""

    def __init__(self, path: DataPath) -> None:
        pair = path.certificates.server("localhost", role=Role.SITE_SYSTEM)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*pair.both)
        super().__init__(context)
        self.root = path.certificates.root.read_bytes()

    def claims(self, token: str) -> dict[str, Any]:
        return verify_identity(token, root_pem=self.root, issuer=ISSUER, audience=self.url)

    def serve(self, exchange: Exchange) -> None:
        tokens = exchange.request.values(HEADER)
        try:
            claims = [self.claims(token) for token in tokens]
        except (jwt.InvalidTokenError, VerificationError, ValueError) as error:
            exchange.answer(str(error).encode(), status="403 Forbidden")
            return
        exchange.answer(json.dumps({"tokens": tokens, "claims": claims, "fields": exchange.request.fields}).encode())


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DataPath, SiteSystem]]:
    trust = {"authority": str(certificates("site").root)}
    path = DataPath(tmp_path_factory.mktemp("signed"), workers=1, point={"site_systems": trust})
    kinds = (Authentication.CERTIFICATE, Authentication.TOKEN, Authentication.NONE)
    system = SiteSystem(path)
    try:
        with path.running():
            path.change_everywhere(
                site_tokens=SETTINGS,
                endpoints=(
                    *path.settings.endpoints,
                    endpoint("intranet", "/intranet", system.url, authentication=kinds, sign_identity=True),
                    endpoint("plain", "/plain", system.url, authentication=kinds),
                ),
            )
            for target in ("/x", "/y"):
                system.on(target, system.serve)
            yield path, system
    finally:
        system.close()


def seen(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, (answer.reason, answer.body)
    told: dict[str, Any] = json.loads(answer.body)
    return told


def the_one(answer: Answer) -> tuple[str, dict[str, Any]]:
    told = seen(answer)
    assert (len(told["tokens"]), len(told["claims"])) == (1, 1)
    return told["tokens"][0], told["claims"][0]


def test_a_site_system_verifies_who_its_client_is_down_to_the_root(signed: tuple[DataPath, SiteSystem]) -> None:
    path, system = signed
    with path.connect(path.device) as client:
        told = seen(client.ask("GET", "/intranet/x"))
    (claims,) = told["claims"]
    fields = {name.lower(): value for name, value in told["fields"]}
    assert claims["client"] == fields["x-causeway-client"] == "certificate"
    assert claims["certificate"] == fields["x-causeway-certificate"] == claims["sub"]
    assert claims["subject"] == fields["x-causeway-subject"] == "CN=PC1"
    assert (claims["iss"], claims["aud"], claims["endpoint"]) == (ISSUER, system.url, "intranet")
    assert claims["exp"] - claims["iat"] == 60
    token = sign_site_token(
        device_claims(not_before=int(time.time()) - 60, expires=int(time.time()) + 3600), "rsa", RSA_KEY
    )
    with path.connect() as client:
        _, claims = the_one(client.ask("GET", "/intranet/x", f"CCMToken: {token}"))
    assert (claims["client"], claims["sub"], claims["device"]) == ("site-token", SMS_ID, SMS_ID)


def test_a_forged_token_never_arrives(signed: tuple[DataPath, SiteSystem]) -> None:
    path, _ = signed
    forged = (f"{HEADER}: forged", "x-causeway-IDENTITY: forged", "X_Causeway_Identity: forged")
    with path.connect(path.device) as client:
        told = seen(client.ask("GET", "/intranet/x", *forged))
        assert len(told["tokens"]) == 1
        assert "forged" not in [value for _, value in told["fields"]]
        told = seen(client.ask("GET", "/plain/x", *forged))
        assert told["tokens"] == []
        assert "forged" not in [value for _, value in told["fields"]]
    with path.connect() as client:  # and nothing is signed for who is nobody
        told = seen(client.ask("GET", "/intranet/x", *forged))
        assert told["tokens"] == []
        assert "forged" not in [value for _, value in told["fields"]]


def test_what_is_signed_once_serves_for_a_while_and_arrives_with_half_of_its_life_left(
    signed: tuple[DataPath, SiteSystem],
) -> None:
    path, _ = signed
    device = path.certificates.client("PC2")

    def ask(client: Client, target: str) -> str:
        token, claims = the_one(client.ask("GET", target))
        assert claims["exp"] - time.time() > 25
        return token

    with path.connect(device) as one, path.connect(device) as other:
        tokens = {ask(one, "/intranet/x"), ask(one, "/intranet/y"), ask(other, "/intranet/x")}
    assert len(tokens) <= 2  # signed anew where the half minute ended just then
    with path.connect(path.device) as client:
        assert the_one(client.ask("GET", "/intranet/x"))[0] not in tokens


def test_the_sample_refuses_what_is_not_for_it(signed: tuple[DataPath, SiteSystem]) -> None:
    path, system = signed
    role = path.certificates.client("cp1", Role.CONNECTION_POINT)
    now = int(time.time())
    good = {"iss": ISSUER, "aud": system.url, "sub": "x", "iat": now, "exp": now + 60}
    by_rsa = connection_point(path.certificates.authority, new_rsa_key(), path.folder / "rsa")
    assert system.claims(token(role, good))["sub"] == "x"
    assert system.claims(token(by_rsa, good, algorithm="RS256"))["sub"] == "x"
    for claims, error in (
        ({**good, "iat": now - 90, "exp": now - 30}, jwt.ExpiredSignatureError),
        ({**good, "aud": "https://elsewhere"}, jwt.InvalidAudienceError),
        ({**good, "iss": "urn:causeway:site:XYZ"}, jwt.InvalidIssuerError),
        ({name: value for name, value in good.items() if name != "exp"}, jwt.MissingRequiredClaimError),
    ):
        with pytest.raises(error):
            system.claims(token(role, claims))
    with pytest.raises(ValueError, match="not a connection point's"):
        system.claims(token(path.device, good))
    with pytest.raises(ValueError, match="of another kind"):
        system.claims(token(role, good, typ="JWT"))
    with pytest.raises(jwt.InvalidSignatureError):
        system.claims(token(role, good, key=path.device.key))
    another = Authority.create(path.folder / "another", "another authority")
    stranger = connection_point(another, new_p256_key(), path.folder / "stranger")
    with pytest.raises(VerificationError):
        system.claims(token(stranger, good))


def token(
    pair: Pair,
    claims: dict[str, Any],
    *,
    typ: str = "causeway-identity+jwt",
    key: Path | None = None,
    algorithm: str = "ES256",
) -> str:
    leaf = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    x5c = [base64.b64encode(leaf.public_bytes(Encoding.DER)).decode()]
    return jwt.encode(claims, (key or pair.key).read_text(), algorithm=algorithm, headers={"typ": typ, "x5c": x5c})


def connection_point(authority: Authority, key: CertificateKey, at: Path) -> Pair:
    pair = Pair(at.with_suffix(".pem"), at.with_suffix(".key"))
    authority.issue_client("cp1", key, Role.CONNECTION_POINT).write(pair.certificate, pair.key)
    return pair


def identity_keys(path: DataPath, *arguments: str) -> str:
    command = [sys.executable, "-m", "causeway.cli", "connection-point", "identity-keys", "--config", "cp1.toml"]
    return subprocess.run(
        [*command, *arguments], cwd=path.folder, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_a_command_prints_what_site_systems_verify_with(signed: tuple[DataPath, SiteSystem]) -> None:
    path, system = signed
    with path.connect(path.device) as client:
        sent, _ = the_one(client.ask("GET", "/intranet/x"))
    told = json.loads(identity_keys(path, "--json"))
    assert told["issuer"] == ISSUER
    assert told["root"] == identity_keys(path, "--root") == path.certificates.root.read_text()
    keys = jwt.PyJWKSet.from_dict(json.loads(identity_keys(path, "--jwks")))
    key = keys[jwt.get_unverified_header(sent)["kid"]]
    assert jwt.decode(sent, key, audience=system.url, issuer=told["issuer"])["client"] == "certificate"
    assert ISSUER in identity_keys(path)
