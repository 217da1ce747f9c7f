"""Messages to a management point: composed, signed, sent, and their replies read."""

from cryptography.hazmat.primitives.asymmetric import rsa

from causeway.device.access import Access
from causeway.device.config import DeviceConfig
from causeway.device.errors import AnswerEmptyError, AnswerMalformedError
from causeway.device.transport import Answer, Transport
from causeway.messaging.client_auth import sign_message
from causeway.messaging.errors import MessagingError
from causeway.messaging.header import ReplyMode
from causeway.messaging.message import Message, compose, decode, encode

_METHOD = "CCM_POST"


class Messenger:
    """Speaks for one device."""

    def __init__(self, config: DeviceConfig, access: Access, key: rsa.RSAPrivateKey, transport: Transport) -> None:
        self._config = config
        self._access = access
        self._key = key
        self._transport = transport

    async def ask(self, body_xml: str, endpoint: str, *, client_id: str = "") -> str:
        """Send a message and return the reply's body; signed when it comes from a ``client_id``.

        Raises:
            AnswerEmptyError: the management point did not accept it.
            DeviceError: there was no answer, another status than 200, or not a valid reply.
        """
        answer = await self._send(self._compose(body_xml, endpoint), client_id)
        if not answer.body:
            known = f" (request {answer.request_id})" if answer.request_id else ""
            raise AnswerEmptyError(
                f"{endpoint} answered nothing: the management point did not accept the message, or is not ready{known}"
            )
        try:
            return decode(answer.content_type, answer.body).body_text()
        except MessagingError as error:
            raise AnswerMalformedError(f"{endpoint}: {error}") from error

    async def tell(
        self,
        body_xml: str,
        endpoint: str,
        *,
        client_id: str,
        attachments: tuple[tuple[str, bytes], ...] = (),
        properties: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Send a signed message that has no reply.

        Raises:
            DeviceError: there was no answer, or another status than 200.
        """
        message = self._compose(body_xml, endpoint, ReplyMode.ASYNC, attachments, properties)
        await self._send(message, client_id)

    def _compose(
        self,
        body_xml: str,
        endpoint: str,
        reply_mode: ReplyMode = ReplyMode.SYNC,
        attachments: tuple[tuple[str, bytes], ...] = (),
        properties: tuple[tuple[str, str], ...] = (),
    ) -> Message:
        server = self._access.server
        return compose(
            body_xml,
            endpoint,
            source_host=self._config.netbios_name,
            target_host=server.origin.removeprefix("https://") + server.prefix,
            reply_mode=reply_mode,
            attachments=attachments,
            properties=properties,
        )

    async def _send(self, message: Message, client_id: str) -> Answer:
        if client_id:
            message = sign_message(message, self._key, client_id)
        content_type, body = encode(message)
        return await self._transport.send(
            _METHOD, self._access.messages, headers={"Content-Type": content_type}, content=body
        )
