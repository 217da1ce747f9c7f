"""An account at an ACME authority: a key in a file, known to the authority by its public half."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import josepy
import requests
from acme import client, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec

from causeway import __version__
from causeway.errors import OperatorError
from causeway.files import make_private_folder, write_atomically
from causeway.pki.errors import AuthorityError
from causeway.pki.keys import load_private_key, new_p256_key, private_pem
from causeway.pki.recipe import LETS_ENCRYPT
from causeway.transport.reasons import why

_NONCES = 5  # pairs of them, since the library tries each request twice


@dataclass(frozen=True, slots=True)
class ExternalAccount:
    """An account that the authority gave out in another way (RFC 8555, 7.3.4).

    Attributes:
        key_id: its name.
        mac_key: the shared key, base64url; secret.
    """

    key_id: str
    mac_key: str

    def __repr__(self) -> str:
        return f"ExternalAccount({self.key_id!r}, ***)"


def open_account(
    key_file: Path,
    *,
    directory: str = LETS_ENCRYPT,
    email: str | None = None,
    agree: bool = False,
    external: ExternalAccount | None = None,
    ca_file: Path | None = None,
) -> client.ClientV2:
    """The account of the key in ``key_file``, which is made where it is not there, at the authority of ``directory``.

    Args:
        key_file: P-256, PEM, readable for its owner alone.
        directory: the authority's URL.
        email: where the authority writes to.
        agree: to the authority's terms of service.
        external: where the authority wants one.
        ca_file: roots to trust for the authority's own server, instead of this machine's.

    Raises:
        OperatorError: the terms were not agreed to, or the key is none.
        AuthorityError: the authority refused, or was not to be reached.
    """
    if key_file.exists():
        key = load_private_key(key_file)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise OperatorError(f"{key_file}: not a P-256 key; name the account's own key with --account-key")
    else:
        key = new_p256_key()
        make_private_folder(key_file.parent)
        write_atomically(key_file, private_pem(key))
    network = _Network(josepy.jwk.JWKEC(key=key), alg=josepy.jwa.ES256, user_agent=f"causeway/{__version__}")
    if ca_file is not None:
        network.verify_ssl = str(ca_file)  # type: ignore[assignment]  # requests takes a file, too
    with talking_to(directory):
        authority = client.ClientV2(client.ClientV2.get_directory(directory, network), network)
        meta = getattr(authority.directory, "meta", None)  # RFC 8555, 7.1.1: optional
        terms = meta.terms_of_service if meta is not None else None
        if terms and not agree:
            raise OperatorError(f"the authority wants you to agree to {terms}; do so with --agree")
        try:
            authority.new_account(_registration(authority, network, email, external))
        except errors.ConflictError as known:
            network.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
    return authority


class _Network(client.ClientNetwork):
    """The library's, which gives up when a second nonce is refused; an authority may refuse any (RFC 8555, 6.5)."""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        for _ in range(_NONCES - 1):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)


def _registration(
    authority: client.ClientV2, network: client.ClientNetwork, email: str | None, external: ExternalAccount | None
) -> messages.NewRegistration:
    binding = None
    if authority.external_account_required() and external is None:
        raise OperatorError("the authority wants an external account: give --eab-key-id and --eab-mac-key-file")
    if external is not None:
        assert network.key is not None
        binding = messages.ExternalAccountBinding.from_data(
            network.key.public_key(), external.key_id, external.mac_key, authority.directory
        )
    return messages.NewRegistration.from_data(
        email=email, external_account_binding=binding, terms_of_service_agreed=True
    )


class talking_to:  # noqa: N801  # reads as a sentence
    """What the library raises while it talks to an authority becomes an ``AuthorityError`` in the authority's words."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, messages.Error):
            raise AuthorityError(f"{self._directory}: {error.detail or error.typ}") from error
        if isinstance(error, errors.ValidationError):
            raise AuthorityError(f"{self._directory}: {_failed(error)}") from error
        if isinstance(error, requests.RequestException):
            raise AuthorityError(f"{self._directory}: cannot be reached: {why(error)}") from error
        if isinstance(error, errors.Error | josepy.errors.Error | ValueError):
            raise AuthorityError(f"{self._directory}: {error or type(error).__name__}") from error


def _failed(error: errors.ValidationError) -> str:
    reasons = [
        f"{authorization.body.identifier.value}: {challenge.error.detail}"
        for authorization in error.failed_authzrs
        for challenge in authorization.body.challenges
        if challenge.error is not None
    ]
    return "; ".join(reasons) or "it could not verify the names"
