"""How to sign in to Azure: what can be chosen, and what to do where it fails. Knows nothing of the SDK."""

import importlib.util
import re
from enum import StrEnum

from causeway.azure.errors import AzureExtraMissing
from causeway.clouds import Cloud


class CredentialSource(StrEnum):
    """Whose credentials are used."""

    ANY = "any"
    """The first of those below that there is, in this order."""
    ENVIRONMENT = "environment"
    """``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID`` and a secret or certificate, of an application."""
    MANAGED_IDENTITY = "managed-identity"
    """That of the machine in Azure on which this runs; ``AZURE_CLIENT_ID`` chooses one of several."""
    AZURE_CLI = "azure-cli"
    """Who is signed in with ``az login``."""


_MAX_MESSAGE_CHARS = 300
# Entra ID's words: a secret that is wrong or expired, a tenant that there is not, an application that is not in it, and
# a person who must do more than before.
_SECRETS = ("AADSTS7000215", "AADSTS7000222", "AADSTS700027")
_TENANTS = ("AADSTS90002", "AADSTS900023")
_APPLICATIONS = ("AADSTS700016",)
_PEOPLE = ("AADSTS50076", "AADSTS50079", "AADSTS50158", "AADSTS53003", "AADSTS70043", "AADSTS700082", "AADSTS50173")


def require_sdk() -> None:
    """See that the Azure SDK is installed, all of it that is needed.

    Raises:
        AzureExtraMissing: it is not; the message says what to install.
    """
    for module in ("aiohttp", "azure.identity", "azure.mgmt.network", "azure.mgmt.policyinsights"):
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:  # not even the package around it
            found = None
        if found is None:
            raise AzureExtraMissing(
                'the Azure SDK is not installed; `pip install "causeway[azure]"`, or `make extras` in a clone'
            )


def one_line(text: str) -> str:
    """What Azure said, as part of a message: one bounded line of printable text without the separator ``;``."""
    flat = re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in text)).strip()
    flat = flat.replace(";", ",")
    return flat if len(flat) <= _MAX_MESSAGE_CHARS else f"{flat[:_MAX_MESSAGE_CHARS]}…"


def login_command(cloud: Cloud, tenant_id: str | None) -> str:
    """The commands that sign in with the Azure CLI."""
    login = f"`az login --tenant {tenant_id}`" if tenant_id else "`az login`"
    return f"`az cloud set --name {cloud.cli_name}`, then {login}" if cloud.cli_name != "AzureCloud" else login


def sign_in_remedy(source: CredentialSource, cloud: Cloud, tenant_id: str | None, said: str = "") -> str:
    """What to do where these credentials failed; ``said`` is what Entra ID or the SDK answered."""
    login = login_command(cloud, tenant_id)
    if source is CredentialSource.AZURE_CLI:
        return f"sign in with {login}"
    if source is CredentialSource.MANAGED_IDENTITY:
        return f"give this machine a managed identity that may read the subscription, or sign in with {login}"
    if source is CredentialSource.ANY:
        return f"sign in with {login}, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
    of_tenant = f" (tenant {tenant_id})" if tenant_id else ""
    for codes, remedy in (
        (
            _SECRETS,
            "make a new secret with `az ad app credential reset --append --id $AZURE_CLIENT_ID` and put its value, "
            "not its id, into AZURE_CLIENT_SECRET",
        ),
        (_TENANTS, f"set AZURE_TENANT_ID to a tenant of {cloud.title}{of_tenant}"),
        (_APPLICATIONS, f"set AZURE_TENANT_ID and AZURE_CLIENT_ID to those of one application{of_tenant}"),
        (_PEOPLE, f"a person has to sign in: {login}, and --credential azure-cli"),
    ):
        if any(f"{code}:" in said for code in codes):
            return remedy
    return (
        f"set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of an application{of_tenant}, "
        f"or sign in with {login} and use --credential azure-cli"
    )
