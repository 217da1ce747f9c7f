"""What the directory's refusals mean, and what to do. Pure."""

import re

from causeway.directory.errors import DirectoryRefused
from causeway.directory.messages import Done

# RFC 4511, 4.1.9.
SUCCESS = 0
STRONGER_AUTH_REQUIRED = 8
CONFIDENTIALITY_REQUIRED = 13
SASL_BIND_IN_PROGRESS = 14
NO_SUCH_OBJECT = 32
INVALID_CREDENTIALS = 49
_NAMES = {
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    32: "noSuchObject",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
}

_DATA = re.compile(r"\bdata ([0-9a-f]{1,8})\b", re.IGNORECASE)
_REASONS = {
    "525": ("there is no such account", "see how the account is called: USER@DOMAIN"),
    "52e": ("name or password is wrong", "correct --directory-user or the password's file"),
    "530": ("the account may not sign in at this time", "try later, or with another account"),
    "531": ("the account may not sign in from here", "use another account"),
    "532": ("the password has expired", "set a new one: `Set-ADAccountPassword`"),
    "533": ("the account is disabled", "enable it: `Enable-ADAccount`"),
    "701": ("the account has expired", "extend it: `Set-ADAccountExpiration`"),
    "773": ("the password must be changed at the first sign-in", "change it"),
    "775": ("the account is locked out", "wait, or unlock it: `Unlock-ADAccount`"),
    "80090346": (
        "the TLS connection's binding is refused (channel binding)",
        "see that nothing between here and the domain controller opens TLS",
    ),
}
"""Of Active Directory's diagnostic message: the Windows error after ``data`` (MS-ERREF 2.2)."""


def one_line(said: str) -> str:
    """Somebody else's words as one line without semicolons, which stand before our remedies."""
    return " ".join("".join(each if each.isprintable() else " " for each in said[:300]).replace(";", ",").split())


def refusal(done: Done, what: str) -> DirectoryRefused:
    """The error for an operation that did not succeed; ``what`` was refused."""
    name = _NAMES.get(done.code, "a code that is not known here")
    said = one_line(done.says)
    if done.code == STRONGER_AUTH_REQUIRED:
        return DirectoryRefused(
            f"the domain controller requires signing (LDAP server signing, {name}); sign in by Kerberos with "
            "--directory-transport ldap, which encrypts by itself, or with a password over ldaps"
        )
    if done.code == CONFIDENTIALITY_REQUIRED:
        return DirectoryRefused(f"the domain controller requires TLS ({name}); use --directory-transport ldaps")
    if done.code == INVALID_CREDENTIALS and (found := _DATA.search(said)):
        why, remedy = _REASONS.get(found[1].lower().lstrip("0"), ("", ""))
        if why:
            return DirectoryRefused(f"{why} ({name}, data {found[1]}); {remedy}")
    remedy = "see the domain controller's event log, Directory Service"
    if done.code == INVALID_CREDENTIALS:
        remedy = "correct --directory-user or the password's file"
    return DirectoryRefused(f"{what} is refused: {name} ({done.code}){f', {said!r}' if said else ''}; {remedy}")
