"""What is used of the rows of the administration service, under Configuration Manager's names.

Source: Microsoft's reference of the classes SMS_Site, SMS_SCI_SysResUse, SMS_SCI_Component, SMS_EmbeddedProperty,
SMS_ClientSettings, SMS_CloudAgentConfig, SMS_BoundaryGroup and SMS_BoundaryGroupSiteSystems. Of properties in ``Props``
there is no list; their names are those that Microsoft's own PowerShell resources (ConfigMgrCBDsc) read.
"""

import re
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field, model_validator

T = TypeVar("T", bound=BaseModel)

_HOST = re.compile(r"\\\\([^\\/\"\[\]]{1,255})\\?$")

Line = Annotated[str, Field(max_length=4096)]


class Page(BaseModel, Generic[T]):
    """One answer of the OData service; of a single item, too, which stands by itself (OData JSON 4.01, 6)."""

    value: Annotated[list[T], Field(max_length=20_000)]
    next_page: Annotated[str | None, Field(alias="@odata.nextLink", max_length=20_000)] = None

    @model_validator(mode="before")
    @classmethod
    def _single(cls, data: Any) -> Any:
        if isinstance(data, dict) and str(data.get("@odata.context", "")).endswith("/$entity"):
            return {"value": [data]}
        return data


class Property(BaseModel):
    """A property of an item of the site control file; numbers stand in ``Value``."""

    name: Annotated[str, Field(alias="PropertyName", max_length=512)]
    value: Annotated[int | None, Field(alias="Value")] = None


class _Item(BaseModel):
    site: Annotated[str, Field(alias="SiteCode", max_length=16)]
    props: Annotated[list[Property] | None, Field(alias="Props", max_length=5000)] = None

    def number(self, name: str) -> int | None:
        """The value of a property; None where there is no such property."""
        return next((each.value for each in self.props or () if each.name == name), None)


class SiteRow(BaseModel):
    """SMS_Site."""

    code: Annotated[str, Field(alias="SiteCode", max_length=16)]
    name: Annotated[Line, Field(alias="SiteName")] = ""
    version: Annotated[Line, Field(alias="Version")] = ""


class RoleRow(_Item):
    """SMS_SCI_SysResUse: a role of a server."""

    role: Annotated[Line, Field(alias="RoleName")]
    path: Annotated[Line, Field(alias="NetworkOSPath")]
    ssl_state: Annotated[int | None, Field(alias="SslState")] = None

    @property
    def host(self) -> str:
        """The server's name, in small letters."""
        return host_of(self.path)


class ComponentRow(_Item):
    """SMS_SCI_Component."""

    component: Annotated[Line, Field(alias="ComponentName")] = ""


class AgentRow(BaseModel):
    """One agent's settings within client settings; only those of the cloud agent have these."""

    allow_gateway: Annotated[bool | None, Field(alias="AllowCMG")] = None
    allow_cloud_content: Annotated[bool | None, Field(alias="AllowCloudDP")] = None


class ClientSettingsRow(BaseModel):
    """SMS_ClientSettings: custom settings; the default ones are of another class that does not tell them."""

    number: Annotated[int, Field(alias="SettingsID")]
    name: Annotated[Line, Field(alias="Name")]
    kind: Annotated[int, Field(alias="Type")]
    agents: Annotated[list[AgentRow] | None, Field(alias="AgentConfigurations", max_length=500)] = None


class BoundaryGroupRow(BaseModel):
    """SMS_BoundaryGroup."""

    number: Annotated[int, Field(alias="GroupID")]
    name: Annotated[Line, Field(alias="Name")]


class BoundaryGroupServerRow(BaseModel):
    """SMS_BoundaryGroupSiteSystems."""

    group: Annotated[int, Field(alias="GroupID")]
    path: Annotated[Line, Field(alias="ServerNALPath")]


def host_of(path: str) -> str:
    r"""The server in ``\\server`` or in a NAL path that ends in it, in small letters; empty where there is none."""
    found = _HOST.search(path.strip())
    return found[1].lower() if found else ""
