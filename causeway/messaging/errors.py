"""Why a message cannot be taken. Everything this part reads from outside is accepted or ends in one of these."""

from causeway.errors import Cause, CausewayError


class MessagingError(CausewayError):
    """The peer sent, or we were asked to write, something that is not a valid message."""

    cause = Cause.CLIENT
    word = "Messaging_Invalid"


class EnvelopeError(MessagingError):
    """The multipart layer is broken: no boundary, no closing delimiter, too many parts."""

    word = "Messaging_BadMultipart"


class XmlError(MessagingError):
    """The text is not well-formed XML, or uses what is refused: a DTD, entities, external references."""

    word = "Messaging_BadXml"


class FieldError(MessagingError):
    """Well-formed XML whose element or attribute is missing or has an impossible value."""

    word = "Messaging_BadField"


class ByteRangeError(MessagingError):
    """A ``Body`` or ``Attachment`` range that lies outside the payload."""

    word = "Messaging_BadByteRange"


class CompressionError(MessagingError):
    """The payload claims to be a zlib stream and is not a whole one."""

    word = "Messaging_BadCompression"


class TooLargeError(MessagingError):
    """A size limit was passed, before or after decompression."""

    word = "Messaging_TooLarge"


class SignatureError(MessagingError):
    """A signature is missing, malformed, or does not match."""

    word = "Messaging_BadSignature"


class UnsupportedError(MessagingError):
    """A request, algorithm or key that is well-formed and not served here."""

    word = "Messaging_Unsupported"


class DecryptionError(MessagingError):
    """An enveloped policy body that is malformed or was not encrypted for this key."""

    word = "Messaging_BadEnvelopedData"
