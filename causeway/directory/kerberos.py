"""Signing in by Kerberos: SASL's mechanism GSSAPI (RFC 4752), with the ticket of ``kinit`` or a keytab.

Everything here that asks the key distribution centre blocks, so it runs in a thread of its own; one that nobody waits
for, so that an unreachable centre does not hold the program up when the time is over.
"""

import asyncio
import importlib.util
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from causeway.directory import sealing
from causeway.directory.errors import DirectoryAnswer, DirectoryRefused, NoCredentials
from causeway.directory.refusals import one_line

T = TypeVar("T")

MECHANISM = "GSSAPI"
_ROOM = 1024
"""What sealing adds to a message is less than that."""

INSTALL = (
    "Kerberos needs the packages libkrb5-dev and gcc, and then `make kerberos` in a clone, or "
    '`pip install "causeway[directory,kerberos]"`'
)

_WEAK = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose ticket.

    Attributes:
        principal: the account; empty for that of the cache, or the first of the keytab.
        keytab: its keys; None for the cache that ``kinit`` filled.
    """

    principal: str = ""
    keytab: Path | None = None


def installed() -> bool:
    """Whether Kerberos is at hand."""
    return all(importlib.util.find_spec(name) is not None for name in ("gssapi", "krb5"))


def channel_binding(certificate: bytes) -> bytes:
    """What ties the sign-in to the TLS connection: tls-server-end-point (RFC 5929, 4.1) of a DER certificate."""
    found = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    chosen = hashes.SHA256() if found is None or isinstance(found, _WEAK) else found
    digest = hashes.Hash(chosen)
    digest.update(certificate)
    return b"tls-server-end-point:" + digest.finalize()


class Kerberos:
    """One sign-in: tokens out and in, then the choice of a layer.

    Args:
        host: the domain controller's full name, as its service is registered.
        ticket: whose.
        certificate: of the TLS connection, DER; None where there is none, and then messages are sealed.
    """

    def __init__(self, host: str, ticket: Ticket, certificate: bytes | None) -> None:
        if not installed():
            raise NoCredentials(f"Kerberos is not installed; {INSTALL}")
        self._host, self._ticket = host, ticket
        self._binding = None if certificate is None else channel_binding(certificate)
        self._context: Any = None

    @property
    def complete(self) -> bool:
        """Whether both sides know each other."""
        return bool(self._context.complete)

    async def step(self, token: bytes) -> bytes:
        """The next token; empty where there is none.

        Raises:
            NoCredentials: there is no ticket and no keytab's key.
            DirectoryRefused: Kerberos refuses; the message has its words.
        """
        return await in_thread(lambda: self._step(token))

    def _step(self, token: bytes) -> bytes:
        try:
            if self._context is None:
                self._context = self._begin()
            return self._context.step(token or None) or b""
        except Exception as error:  # the libraries below raise several trees of errors, and which is theirs to change
            raise self._explain(error) from error

    def _begin(self) -> Any:
        who: Any = None
        if self._ticket.keytab is not None:
            who = spnego.KerberosKeytab(str(self._ticket.keytab), self._ticket.principal or None)
        bindings = None if self._binding is None else GssChannelBindings(application_data=self._binding)
        wanted = spnego.ContextReq.mutual_auth | spnego.ContextReq.replay_detect | spnego.ContextReq.sequence_detect
        wanted |= spnego.ContextReq.integrity | spnego.ContextReq.confidentiality
        return spnego.client(
            who, hostname=self._host, service="ldap", protocol="kerberos", context_req=wanted, channel_bindings=bindings
        )

    def choose(self, token: bytes) -> tuple[bytes, sealing.Sealing | None]:
        """Answer the server's offer: sealing, or no layer within TLS, where Active Directory takes none.

        Raises:
            DirectoryAnswer: the offer cannot be read.
            DirectoryRefused: what is needed is not offered.
        """
        offer = sealing.read_offer(self._unwrap(token))
        layer = sealing.SEALED if self._binding is None else sealing.NO_LAYER
        if not offer.layers & layer:
            raise DirectoryRefused(
                "the domain controller does not offer "
                + ("sealing; use --directory-transport ldaps" if layer == sealing.SEALED else "Kerberos within TLS; "
                   "use --directory-transport ldap, where Kerberos encrypts")
            )  # fmt: skip
        answer = bytes(self._context.wrap(sealing.choice(layer), encrypt=False).data)
        if layer == sealing.NO_LAYER:
            return answer, None
        most = max(offer.most_bytes - _ROOM, _ROOM)
        return answer, sealing.Sealing(lambda data: bytes(self._context.wrap(data).data), self._unwrap_sealed, most)

    def _unwrap(self, token: bytes) -> bytes:
        try:
            return bytes(self._context.unwrap(token).data)
        except Exception as error:  # the bytes are the server's
            raise DirectoryAnswer(
                f"a message does not verify: {one_line(str(error) or type(error).__name__)}"
            ) from error

    def _unwrap_sealed(self, token: bytes) -> bytes:
        try:
            opened = self._context.unwrap(token)
        except Exception as error:  # the bytes are the server's
            raise DirectoryAnswer(
                f"a sealed message does not open: {one_line(str(error) or type(error).__name__)}"
            ) from error
        if not opened.encrypted:
            raise DirectoryAnswer("a message came in the clear, and sealing was agreed on")
        return bytes(opened.data)

    def _explain(self, error: Exception) -> Exception:
        words = one_line(str(error) or type(error).__name__)
        said = words.lower()
        if "no kerberos credentials available" in said or "no credentials cache found" in said:
            return NoCredentials("there is no Kerberos ticket; run `kinit USER`, or give --directory-keytab")
        if "expired" in said:
            return DirectoryRefused(f"the Kerberos ticket has expired ({words}); run `kinit`")
        if "not found in kerberos database" in said or "server not found" in said:
            who = f"the keytab's account, or ldap/{self._host}" if self._ticket.keytab else f"ldap/{self._host}"
            return DirectoryRefused(
                f"the domain does not know {who} ({words}); name the domain controller by its full name"
            )
        if "skew" in said:
            return DirectoryRefused(f"this machine's clock and the domain's differ ({words}); set the clock")
        if self._ticket.keytab is not None and ("preauthentication failed" in said or "key table" in said):
            remedy = "make the keytab anew: the account's password was changed, or it is another account's"
            return DirectoryRefused(f"the keytab's keys are refused ({words}); {remedy}")
        return DirectoryRefused(f"Kerberos: {words}; see that `kinit` works on this machine")


async def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread that ends with the program, whether or not it is done."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # T may itself be None

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:  # handed to the one who waits
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name="kerberos", daemon=True).start()
    return await done
