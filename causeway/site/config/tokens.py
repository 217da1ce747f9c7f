"""``[tokens]``: the tokens that the site issues, to devices and to newcomers."""

from typing import Annotated

from pydantic import Field

from causeway.configuration import section, setting
from causeway.gateway_settings import TokenAlgorithm


@section
class TokensConfig:
    """Site tokens: how they are signed, how long they last, and what a bulk registration token is worth."""

    algorithm: TokenAlgorithm = setting(
        'What new signing keys are for: "RS256", which gateways verify fastest and Configuration Manager uses, or '
        '"ES256", whose tokens are shorter. A change takes effect with the next key.',
        default=TokenAlgorithm.RS256,
    )
    token_hours: Annotated[int, Field(ge=1, le=24)] = setting(
        "How long the token lasts that a device uses from day to day, in hours.", default=8
    )
    device_token_days: Annotated[int, Field(ge=2, le=365)] = setting(
        "How long the token lasts by which a device gets the daily one, in days: how long it may be away.", default=90
    )
    device_token_renewal_days: Annotated[int, Field(ge=1, le=180)] = setting(
        "After how many days a device renews that one.", default=30
    )
    key_days: Annotated[int, Field(ge=1, le=3650)] = setting(
        "After how many days a new signing key takes over.", default=180
    )
    key_lead_s: Annotated[int, Field(ge=0, le=7 * 86400)] = setting(
        "How long gateways have a new key before it signs, in seconds.", default=3600
    )
    bulk_registration_approves: bool = setting(
        "A device that registers with a bulk registration token is approved by it: its issuer decided so. "
        "Otherwise management_point.approval decides.",
        default=True,
    )
