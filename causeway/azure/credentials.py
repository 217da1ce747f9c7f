"""Sign in to Azure: an ``AsyncTokenCredential`` for a cloud, whose errors are ours and whose tokens are kept.

``CredentialSource`` says what can be chosen. The authority is that of the cloud, never what the environment says
(``AZURE_AUTHORITY_HOST``), so that a plan for one cloud does not ask another.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError
from azure.identity.aio import (
    AzureCliCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
)

from causeway.azure.errors import AzureSignIn
from causeway.azure.failures import explained, said
from causeway.azure.sign_in import CredentialSource, one_line, sign_in_remedy
from causeway.azure.transport import new_session, options
from causeway.clouds import Cloud

_RENEW_BEFORE_S = 300
_CLI_S = 30
_NOBODY_THERE_S = 1.0
_TITLES = {
    CredentialSource.ENVIRONMENT: "the environment's credentials",
    CredentialSource.MANAGED_IDENTITY: "the managed identity",
    CredentialSource.AZURE_CLI: "the Azure CLI",
}

Chain = Sequence[tuple[CredentialSource, AsyncTokenCredential]]


class Credential:
    """Credentials of the SDK, in order; an ``AsyncTokenCredential``.

    Those that there are not are passed over; the first that Entra ID refuses ends the search, for whoever set them up
    meant them. Tokens are kept until shortly before they expire, and a refusal for good, so that many who ask at the
    same time make one question of it.

    Attributes:
        cloud: whose authority is asked.
        source: what was chosen.
        tenant_id: the tenant that is meant, for remedies; None where none is.
        used: where the last token came from; None before the first.
    """

    def __init__(self, chain: Chain, cloud: Cloud, source: CredentialSource, tenant_id: str | None) -> None:
        self._chain = chain
        self.cloud = cloud
        self.source = source
        self.tenant_id = tenant_id
        self.used: CredentialSource | None = None
        self._tokens: dict[tuple[tuple[str, ...], str | None], AccessToken] = {}
        self._refusal: str | None = None
        self._lock = asyncio.Lock()

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """A token for ``scopes``, such as ``https://graph.microsoft.com/.default``.

        Raises:
            AzureSignIn: there are no credentials, or they were refused; the message has the remedy.
            AzureFailed: the authority cannot be reached or asked.
        """
        async with self._lock:
            if self._refusal is not None:
                raise AzureSignIn(self._refusal)
            kept = self._tokens.get((scopes, tenant_id))
            if kept is not None and claims is None and kept.expires_on - time.time() > _RENEW_BEFORE_S:
                return kept
            try:
                token = await self._ask(scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **kwargs)
            except AzureSignIn as error:
                self._refusal = str(error)
                raise
            self._tokens[scopes, tenant_id] = token
            return token

    async def _ask(self, scopes: tuple[str, ...], **how: Any) -> AccessToken:
        missing = []
        for source, credential in self._chain:
            with explained(f"a token from {_TITLES[source]}", self.cloud, self.tenant_id):
                found = await self._of(source, credential, scopes, **how)
            if isinstance(found, AccessToken):
                self.used = source
                return found
            missing.append((source, found))
        raise self._none(missing)

    async def _of(
        self, source: CredentialSource, credential: AsyncTokenCredential, scopes: tuple[str, ...], **how: Any
    ) -> AccessToken | str:
        """A token, or why there are no such credentials."""
        try:
            return await credential.get_token(*scopes, **how)
        except CredentialUnavailableError as error:
            return error.message
        except ClientAuthenticationError as error:
            text = said(error)
            remedy = sign_in_remedy(source, self.cloud, self.tenant_id, text)
            raise AzureSignIn(f"{_TITLES[source]}: refused: {text}; {remedy}") from None

    def _none(self, missing: Sequence[tuple[CredentialSource, str]]) -> AzureSignIn:
        if len(missing) == 1:
            source, why = missing[0]
            text = f"{_TITLES[source]}: none to be had: {one_line(why)}"
        else:
            text = f"no credentials: neither {' nor '.join(_TITLES[source] for source, _ in missing)}"
        return AzureSignIn(f"{text}; {sign_in_remedy(self.source, self.cloud, self.tenant_id)}")

    async def close(self) -> None:
        """Forget the tokens and close what is beneath."""
        self._tokens.clear()
        for _, credential in self._chain:
            await credential.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def credential(
    cloud: Cloud,
    session: aiohttp.ClientSession,
    *,
    source: CredentialSource = CredentialSource.ANY,
    tenant_id: str | None = None,
    proxy: str | None = None,
) -> Credential:
    """Credentials for a cloud; nothing is asked yet.

    Args:
        cloud: whose authority is asked.
        session: how it is reached.
        source: whose credentials.
        tenant_id: the tenant that the Azure CLI is asked for; None for its current one.
        proxy: ``http://host:port`` of a web proxy on the way; None for the environment's, if any.
    """
    chosen = [source] if source is not CredentialSource.ANY else list(_TITLES)
    chain = [(each, _made(each, cloud, tenant_id, session, proxy, alone=len(chosen) == 1)) for each in chosen]
    return Credential(chain, cloud, source, tenant_id)


@contextlib.asynccontextmanager
async def signed_in(
    cloud: Cloud,
    *,
    source: CredentialSource = CredentialSource.ANY,
    tenant_id: str | None = None,
    proxy: str | None = None,
) -> AsyncIterator[Credential]:
    """Credentials with a session of their own, for those who use no client of the SDK; as for ``credential``."""
    async with new_session() as session:
        made = credential(cloud, session, source=source, tenant_id=tenant_id, proxy=proxy)
        async with made:
            yield made


def _made(
    source: CredentialSource,
    cloud: Cloud,
    tenant_id: str | None,
    session: aiohttp.ClientSession,
    proxy: str | None,
    *,
    alone: bool,
) -> AsyncTokenCredential:
    if source is CredentialSource.AZURE_CLI:
        return AzureCliCredential(tenant_id=tenant_id or "", process_timeout=_CLI_S)
    if source is CredentialSource.MANAGED_IDENTITY:
        # Outside Azure nobody answers; where it was not asked for by name, that is found out soon.
        retries = {} if alone else {"retry_total": 1}
        way = options(session, proxy, connect_timeout_s=_NOBODY_THERE_S) | retries
        return ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"), **way)
    try:
        return EnvironmentCredential(authority=f"https://{cloud.authority}", **options(session, proxy))
    except ValueError as error:  # a tenant that is none, or a certificate that cannot be read
        remedy = sign_in_remedy(source, cloud, tenant_id)
        raise AzureSignIn(f"{_TITLES[source]}: {one_line(str(error))}; {remedy}") from None


def token_claims(token: AccessToken) -> dict[str, Any]:
    """What a token says of itself, unverified: to show whose it is, never to decide by it. Empty where unreadable."""
    parts = token.token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
