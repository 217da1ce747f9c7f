"""Addresses on the command line."""

from causeway.errors import OperatorError
from causeway.pki.authority import general_name

_LAST_PORT = 65535


def host_and_port(text: str, default_port: int) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT``, an IPv6 address, or ``[ADDRESS]:PORT``.

    Raises:
        OperatorError: it is none of these.
    """
    host, port = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        wrong = rest not in ("", f":{port}") or (rest == ":")
    else:
        wrong = False
        if text.count(":") == 1:
            host, _, port = text.partition(":")
            wrong = not port
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        wrong = True
    if wrong or not host:
        raise OperatorError(f"{text}: expected HOST or HOST:PORT, such as gateway.contoso.com:{default_port}")
    return host, int(port) if port else default_port


def certificate_name(name: str) -> str:
    """``name``, which a server certificate is to hold: a DNS name or an IP address.

    Raises:
        OperatorError: it is neither.
    """
    try:
        general_name(name)
    except ValueError as error:
        raise OperatorError(str(error)) from error
    return name
