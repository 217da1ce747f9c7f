"""``[management_point]``, ``[client_settings]`` and ``[locations]``: what devices are told, and who is believed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from causeway.configuration import ConfigPath, section, setting

MIB = 1024 * 1024

Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 31)]


class Approval(StrEnum):
    """Which devices are approved as they register; the others wait for an operator."""

    MANUAL = "manual"
    TRUSTED_ROOT = "trusted-root"
    ALL = "all"


class PolicyBodyEncryption(StrEnum):
    """Content encryption of secret policies sent over plain HTTP."""

    AES256_CBC = "aes256-cbc"
    DES_EDE3_CBC = "des-ede3-cbc"


@section
class ManagementPointConfig:
    """The management point."""

    role_id: Annotated[int, Field(ge=1, le=2**63 - 1)] = setting(
        "The role's number in the gateway's URLs (/CCM_Proxy_MutualAuth/<role_id>).", default=72057594037927937
    )
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,63}$")] = setting("Short (NetBIOS) name.", default="MP1")
    approval: Approval = setting(
        'Which devices are approved as they register: "manual" (none), "trusted-root" (those whose certificate chains '
        'to a trusted root), "all".',
        default=Approval.TRUSTED_ROOT,
    )
    trusted_roots: tuple[ConfigPath, ...] = setting(
        'Files (PEM) of the roots, and intermediates, that "trusted-root" believes.', default=()
    )
    altauth: bool = setting(
        "Serve /ccm_system_altauth and /SMS_MP_AltAuth, for devices without a certificate.", default=True
    )
    clock_skew_s: Annotated[int, Field(ge=0, le=86400)] = setting(
        "How far a device's clock may be off, in seconds.", default=900
    )
    token_reuse_s: Annotated[int, Field(ge=0, le=86400)] = setting(
        "How long after its first use a client token is taken again, in seconds; later it counts as replayed.",
        default=30,
    )
    policy_body_encryption: PolicyBodyEncryption = setting(
        'Encryption of secret policies over plain HTTP: "aes256-cbc", or "des-ede3-cbc" for old clients.',
        default=PolicyBodyEncryption.AES256_CBC,
    )
    compress_policies: bool = setting("Send policy bodies compressed, flagged as such.", default=False)
    max_message_bytes: Annotated[int, Field(ge=16 * 1024, le=256 * MIB)] = setting(
        "The largest message taken, as sent, in bytes.", default=8 * MIB
    )
    max_inflated_bytes: Annotated[int, Field(ge=64 * 1024, le=1024 * MIB)] = setting(
        "The largest message taken, once decompressed, in bytes.", default=32 * MIB
    )
    max_pending_devices: Annotated[int, Field(ge=1)] = setting(
        "Registrations that may wait for approval; further newcomers are refused until some are decided.",
        default=10000,
    )
    reports_kept: Annotated[int, Field(ge=1)] = setting(
        "Reports kept for each device and kind (heartbeat, inventory, state, status); older ones go.", default=50
    )


@section
class ClientSettingsConfig:
    """Intervals of the default client settings, in minutes."""

    heartbeat_minutes: Minutes = setting("How often a device sends its heartbeat.", default=60 * 24)
    inventory_minutes: Minutes = setting("How often it sends its inventory.", default=60 * 24 * 7)
    policy_polling_minutes: Minutes = setting("How often it asks for policy.", default=60)


@section
class UpdateServer:
    """A server of updates (WSUS) that devices are told of."""

    url: str = setting("Its URL as devices reach it.", example="https://sup1.corp.example:8531")
    version: Annotated[int, Field(ge=1)] = setting("Its content version, which rises with every catalog.", default=1)


@section
class LocationsConfig:
    """What the location manager answers."""

    distribution_points: tuple[str, ...] = setting(
        "URLs of the servers that hold packages (https://dp1.corp.example/SMS_DP_SMSPKG$); the package id is appended.",
        default=(),
    )
    update_server: tuple[UpdateServer, ...] = setting(
        "A software update server (WSUS) that devices are told of. May repeat.", default=()
    )
