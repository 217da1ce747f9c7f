"""The policies that every site has: the client settings, and a network access account that is none."""

import uuid
from collections.abc import Callable

from causeway.messaging.assignments import PolicyFlags
from causeway.messaging.policy import ClientSettings, PolicyBody, PolicyInstance
from causeway.site.config import SiteConfig
from causeway.site.database.policies import SitePolicy

CLIENT_SETTINGS = "ClientSettings"
NETWORK_ACCESS_ACCOUNT = "NAAConfig"

_NAMESPACE = uuid.UUID("6b1c1f52-7d0e-4a7e-9a55-0d3f6f0c5b6e")
_ACCOUNT_CLASS = "CCM_NetworkAccessAccount"


def default_policies(config: SiteConfig) -> tuple[SitePolicy, ...]:
    """The policies of a site with that configuration."""
    settings = config.client_settings
    intervals = ClientSettings(
        polling_interval_minutes=settings.policy_polling_minutes,
        heartbeat_interval_minutes=settings.heartbeat_minutes,
        inventory_interval_minutes=settings.inventory_minutes,
    )
    # Clients look for this policy and treat its absence as a fault. It carries no account: devices need none here.
    account = PolicyInstance(_ACCOUNT_CLASS, (("NetworkAccessUsername", ""), ("NetworkAccessPassword", "")))
    return (
        _policy(config, CLIENT_SETTINGS, PolicyFlags.NONE, intervals.to_instance()),
        _policy(config, NETWORK_ACCESS_ACCOUNT, PolicyFlags.REQUIRES_AUTH | PolicyFlags.SECRET, account),
    )


def _policy(config: SiteConfig, category: str, flags: PolicyFlags, instance: PolicyInstance) -> SitePolicy:
    policy_id = _id(config, f"policy/{category}")
    return SitePolicy(
        assignment_id=_id(config, f"assignment/{category}"),
        policy_id=policy_id,
        category=category,
        flags=flags.value,
        make_body=_body_maker(policy_id, instance),
    )


def _body_maker(policy_id: str, instance: PolicyInstance) -> Callable[[str], str]:
    return lambda version: PolicyBody(policy_id, version, (instance,)).to_xml()


def _id(config: SiteConfig, name: str) -> str:
    # The same at every server of the site, and in a database that was made anew.
    return f"{{{uuid.uuid5(_NAMESPACE, f'{config.site.code}/{name}')}}}"
