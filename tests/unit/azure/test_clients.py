"""Every client of the SDK asks the host of its cloud, with a token for the scope of its cloud."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core import AzureClouds
from azure.core.credentials import AccessToken
from azure.mgmt.core.tools import get_arm_endpoints

from causeway.azure.clients import CLIENTS, Azure, Target
from causeway.azure.credentials import Credential
from causeway.azure.sign_in import CredentialSource
from causeway.azure.transport import MAX_ANSWER_BYTES, new_session
from causeway.clouds import CLOUDS, Cloud

SUBSCRIPTION = "66666666-7777-8888-9999-000000000000"


class Noted:
    """A credential and a transport at once: what is asked is written down, and nothing leaves."""

    def __init__(self) -> None:
        self.scopes: list[str] = []
        self.urls: list[str] = []

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("token", 2**40)

    async def send(self, request: Any, **_: Any) -> Any:
        self.urls.append(request.url)
        raise ConnectionError("nothing leaves")


CALLS: dict[str, Callable[[Any], Any]] = {
    "AuthorizationManagementClient": lambda client: client.permissions.list_for_resource_group("group"),
    "ComputeManagementClient": lambda client: client.usage.list("westeurope"),
    "KeyVaultManagementClient": lambda client: client.vaults.list_deleted(),
    "NetworkManagementClient": lambda client: client.usages.list("westeurope"),
    "PolicyInsightsClient": lambda client: client.policy_restrictions.check_at_subscription_scope({}),
    "ResourceManagementClient": lambda client: client.providers.get("Microsoft.Network"),
    "StorageManagementClient": lambda client: client.storage_accounts.list(),
}
"""An operation of each client."""


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=lambda cloud: cloud.name)
@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.__name__)
async def test_host_and_scope_are_those_of_the_cloud(kind: type[Any], cloud: Cloud) -> None:
    noted: Any = Noted()
    async with new_session() as session:
        azure = Azure(Target(cloud, SUBSCRIPTION), session, Credential([], cloud, CredentialSource.ANY, None))
        client: Any = azure.client(kind, noted)
        client._client._pipeline._transport.send = noted.send
        asked = CALLS[kind.__name__](client)
        with pytest.raises(ConnectionError):
            await (anext(aiter(asked)) if hasattr(asked, "__aiter__") else asked)
    assert noted.scopes == [cloud.resource_manager_scope]
    assert [urlsplit(url).netloc for url in noted.urls] == [cloud.resource_manager]
    assert {urlsplit(url).scheme for url in noted.urls} == {"https"}


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=lambda cloud: cloud.name)
def test_the_table_of_clouds_says_what_the_sdk_says(cloud: Cloud) -> None:
    said = get_arm_endpoints(AzureClouds[cloud.sdk_setting])
    assert said["resource_manager"] == f"https://{cloud.resource_manager}/"
    assert said["credential_scopes"] == [cloud.resource_manager_scope]


async def test_an_answer_is_read_no_further_than_it_may_be() -> None:
    assert MAX_ANSWER_BYTES < 64 * 1024 * 1024
    async with new_session() as session:
        # What undoes compression is aiohttp, piece by piece, so that the bound holds for what is unpacked.
        assert session.auto_decompress is True
