"""Why a settings document is not taken."""

from causeway.errors import Cause, CausewayError


class SettingsError(CausewayError):
    """A gateway settings document that is refused; the one in force stays."""

    cause = Cause.SITE
    word = "GatewaySettingsRefused"


class SettingsSignatureWrong(SettingsError):
    """Not signed by the pinned site key."""

    word = "GatewaySettingsSignature"


class SettingsInvalid(SettingsError):
    """Signed, but not a document that this version understands."""

    word = "GatewaySettingsInvalid"


class SettingsOlder(SettingsError):
    """Signed and valid, but older than what is in force."""

    word = "GatewaySettingsOlder"
