"""The hooks of a message: how its payload was treated, and how its sender proves itself."""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from causeway.messaging.errors import FieldError
from causeway.messaging.safe_xml import Markup, cdata, element

# Media clients write the line ends of the token as XML character references inside CDATA, where they stay literal.
_TOKEN = re.compile(
    r"\s*ClientToken:\s*([^\r\n&]{1,256})(?:\r?\n|&#xD;&#xA;)"
    r"\s*ClientTokenSignature:\s*([0-9A-Fa-f]{1,2048})(?:\s|&#xD;|&#xA;)*"
)
_PROPERTIES = {
    "AuthSenderMachine": "sender_machine",
    "PublicKey": "public_key",
    "ClientIDSignature": "client_id_signature",
    "PayloadSignature": "payload_signature",
    "ClientCapabilities": "capabilities",
    "HashAlgorithm": "hash_algorithm",
}


@dataclass(frozen=True, slots=True)
class SignedToken:
    """The ``Token`` property that media and task-sequence clients send instead of signatures over the payload."""

    token: str
    signature: str


@dataclass(frozen=True, slots=True)
class ClientAuth:
    """The ``clientauth`` hook as sent; nothing in it is proved until :mod:`causeway.messaging.client_auth` did.

    ``public_key`` is the hex of a PUBLICKEYBLOB, the signatures are byte-reversed hex, ``hash_algorithm`` is an OID.
    A property that the sender left out is an empty string.
    """

    sender_machine: str = ""
    public_key: str = ""
    client_id_signature: str = ""
    payload_signature: str = ""
    capabilities: str = ""
    hash_algorithm: str = ""
    token: SignedToken | None = None


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks that this package knows: ``zlib-compress`` and ``clientauth``. Others are passed over."""

    zlib_compress: bool = False
    client_auth: ClientAuth | None = None


def parse_hooks(node: Element | None) -> Hooks:
    """Read a ``<Hooks>`` element; None or an empty one gives no hooks.

    Raises:
        FieldError: a token that is not the two lines it should be, or a property given twice.
    """
    compressed = False
    client_auth: ClientAuth | None = None
    for hook in node if node is not None else ():
        # Hook, Hook2 and Hook3 are all seen; the name decides.
        name = hook.get("Name", "").lower()
        if name == "zlib-compress":
            compressed = True
        elif name == "clientauth":
            if client_auth is not None:
                raise FieldError("the clientauth hook is there twice")
            client_auth = _parse_client_auth(hook)
    return Hooks(compressed, client_auth)


def hooks_to_xml(hooks: Hooks) -> Markup:
    """Return the ``<Hooks>`` element."""
    client_auth: Markup | None = None
    if hooks.client_auth is not None:
        auth = hooks.client_auth
        values = {name: str(getattr(auth, attribute)) for name, attribute in _PROPERTIES.items()}
        properties = [element("Property", value, Name=name) for name, value in values.items() if value]
        if auth.token is not None:
            lines = f"ClientToken:{auth.token.token}\r\nClientTokenSignature:{auth.token.signature}\r\n"
            properties.append(element("Property", cdata(lines), Name="Token"))
        client_auth = element("Hook2", *properties, Name="clientauth")
    return element("Hooks", element("Hook3", Name="zlib-compress") if hooks.zlib_compress else None, client_auth)


def _parse_client_auth(hook: Element) -> ClientAuth:
    values: dict[str, str] = {}
    token: SignedToken | None = None
    for node in hook.findall("Property"):
        name = node.get("Name", "")
        # The value is the element's text; some writers put it into an attribute.
        value = node.get("Value") or node.text or ""
        attribute = _PROPERTIES.get(name)
        if name == "Token":
            token = _parse_token(value)
        elif attribute in values:
            raise FieldError(f"the clientauth hook has {name} twice")
        elif attribute is not None:
            values[attribute] = value.strip()
    return ClientAuth(token=token, **values)


def _parse_token(text: str) -> SignedToken:
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise FieldError("the clientauth hook's Token is not a ClientToken line and a ClientTokenSignature line")
    return SignedToken(match[1].strip(), match[2])
