"""The SDK's clients, for one subscription of one cloud.

Every client is told host and scope from our own table of clouds. Most would take the SDK's ``cloud_setting`` instead;
``AuthorizationManagementClient`` takes it and asks Azure Global all the same.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.rest import HttpRequest
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.keyvault.aio import KeyVaultManagementClient
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.policyinsights.aio import PolicyInsightsClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.storage.aio import StorageManagementClient

from causeway.azure.credentials import Credential, credential
from causeway.azure.failures import explained
from causeway.azure.sign_in import CredentialSource
from causeway.azure.transport import new_session, options, retry_policy
from causeway.clouds import Cloud

CLIENTS: tuple[type[Any], ...] = (
    AuthorizationManagementClient,
    ComputeManagementClient,
    KeyVaultManagementClient,
    NetworkManagementClient,
    PolicyInsightsClient,
    ResourceManagementClient,
    StorageManagementClient,
)
"""Those that are used."""

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and as whom.

    Attributes:
        cloud: its hosts and scopes.
        subscription_id: of everything that is asked.
        tenant_id: the tenant that is meant; None where none is named.
        source: whose credentials.
        proxy: of a web proxy on the way; None for the environment's, if any.
    """

    cloud: Cloud
    subscription_id: str
    tenant_id: str | None = None
    source: CredentialSource = CredentialSource.ANY
    proxy: str | None = None


class Azure:
    """A subscription, by the SDK's clients; each is made when it is first used, and all share a session."""

    def __init__(self, target: Target, session: aiohttp.ClientSession, credential: Credential) -> None:
        self.target = target
        self.credential = credential
        self._session = session

    def client(self, kind: type[C], credential: AsyncTokenCredential | None = None) -> C:
        """One of ``CLIENTS``, at the host and for the scope of the cloud."""
        made: Any = kind
        return made(  # type: ignore[no-any-return]
            credential or self.credential,
            self.target.subscription_id,
            base_url=f"https://{self.target.cloud.resource_manager}",
            credential_scopes=[self.target.cloud.resource_manager_scope],
            retry_policy=retry_policy(),
            **options(self._session, self.target.proxy),
        )

    # What the SDK answers is looked at field by field where it is used; its models are loose, so Any here.

    @cached_property
    def authorization(self) -> Any:
        """Permissions, deny assignments, roles."""
        return self.client(AuthorizationManagementClient)

    @cached_property
    def compute(self) -> Any:
        """Sizes of machines and their quota."""
        return self.client(ComputeManagementClient)

    @cached_property
    def key_vault(self) -> Any:
        """Key vaults, deleted ones too."""
        return self.client(KeyVaultManagementClient)

    @cached_property
    def network(self) -> Any:
        """Public IP addresses, DNS labels and their quota."""
        return self.client(NetworkManagementClient)

    @cached_property
    def policy(self) -> Any:
        """What policies would deny."""
        return self.client(PolicyInsightsClient)

    @cached_property
    def resources(self) -> Any:
        """Resource providers and resource groups."""
        return self.client(ResourceManagementClient)

    @cached_property
    def storage(self) -> Any:
        """Storage accounts."""
        return self.client(StorageManagementClient)

    async def get(self, path: str, api_version: str) -> dict[str, Any]:
        """What the SDK has no operation for: the JSON object at a path below the subscription.

        Raises:
            azure.core.exceptions.HttpResponseError: Azure refuses.
            ValueError, TypeError: what it answers is no JSON object.
        """
        url = f"/subscriptions/{self.target.subscription_id}{path}?api-version={api_version}"
        response = await self.resources.send_request(HttpRequest("GET", url))
        response.raise_for_status()
        found = response.json()
        if not isinstance(found, dict):
            raise TypeError("no JSON object")
        return found

    def explained(self, what: str) -> contextlib.AbstractContextManager[None]:
        """As ``failures.explained``, for this cloud and tenant."""
        return explained(what, self.target.cloud, self.target.tenant_id)


@contextlib.asynccontextmanager
async def connect(target: Target) -> AsyncIterator[Azure]:
    """A subscription; nothing is asked yet.

    Raises:
        AzureSignIn: the environment's credentials cannot be read.
    """
    async with new_session() as session:
        made = credential(target.cloud, session, source=target.source, tenant_id=target.tenant_id, proxy=target.proxy)
        async with made:
            yield Azure(target, session, made)
