"""The tables."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from causeway.site.database.types import UtcDateTime

SMSID_CHARACTERS = 41
GUID_CHARACTERS = 38
FINGERPRINT_CHARACTERS = 64
NAME_CHARACTERS = 255


class Base(DeclarativeBase):
    """Root of the models; constraints have names, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012  # SQLAlchemy's own way


class ApprovalState(StrEnum):
    """Where a device stands."""

    PENDING = "pending"
    APPROVED = "approved"
    BLOCKED = "blocked"


class CertificateUse(StrEnum):
    """What a device's certificate is for."""

    SIGNING = "signing"
    ENCRYPTION = "encryption"


class CredentialKind(StrEnum):
    """What a device shows beside the certificates that it registered."""

    TLS_CERTIFICATE = "tls-certificate"
    ENTRA_DEVICE = "entra-device"


class Device(Base):
    """A registered device."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    smsid: Mapped[str] = mapped_column(String(SMSID_CHARACTERS), unique=True)
    netbios_name: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    fq_name: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    agent_version: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    approval: Mapped[ApprovalState] = mapped_column(String(16), index=True)
    approval_reason: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    # What a blocked device is again once it is unblocked; NULL where it is not blocked.
    approval_before_block: Mapped[ApprovalState | None] = mapped_column(String(16))
    reason_before_block: Mapped[str | None] = mapped_column(String(NAME_CHARACTERS))
    blocked_at: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    registration_time: Mapped[datetime]
    last_contact_at: Mapped[datetime]
    last_policy_at: Mapped[datetime | None]
    last_heartbeat_at: Mapped[datetime | None]
    last_inventory_at: Mapped[datetime | None]

    certificates: Mapped[list["DeviceCertificate"]] = relationship(
        back_populates="device", cascade="all, delete-orphan", passive_deletes=True
    )


class DeviceCertificate(Base):
    """A device's certificate. The key of a signing certificate is the device's identity: no two devices share one."""

    __tablename__ = "device_certificates"
    __table_args__ = (
        UniqueConstraint("device_id", "use"),
        Index("ix_device_certificates_identity", "identity", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    use: Mapped[CertificateUse] = mapped_column(String(16))
    fingerprint: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), index=True)
    # SHA-256 of a signing certificate's public key; NULL for encryption, so that the index binds signing keys alone.
    identity: Mapped[str | None] = mapped_column(String(FINGERPRINT_CHARACTERS))
    der: Mapped[bytes] = mapped_column(LargeBinary)

    device: Mapped[Device] = relationship(back_populates="certificates")


class DeviceCredential(Base):
    """What a device has shown: SHA-256 of a TLS certificate, or its id at an Entra tenant."""

    __tablename__ = "device_credentials"

    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[CredentialKind] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(NAME_CHARACTERS), primary_key=True, index=True)
    seen_at: Mapped[datetime]


class Registration(Base):
    """A registration message that was taken, the newest few of each device."""

    __tablename__ = "registrations"
    __table_args__ = (UniqueConstraint("device_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    received_at: Mapped[datetime]
    message_time: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    subject: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS))


class Collection(Base):
    """A group of devices that policy is assigned to."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARACTERS), unique=True)


class CollectionMember(Base):
    """A device in a collection."""

    __tablename__ = "collection_members"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True, index=True)


class Policy(Base):
    """One version of a policy and its body."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("policy_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_id: Mapped[str] = mapped_column(String(GUID_CHARACTERS))
    version: Mapped[str] = mapped_column(String(16))
    category: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    flags: Mapped[int]
    body: Mapped[str] = mapped_column(Text)


class PolicyAssignment(Base):
    """A policy assigned to a collection; a newer version of the policy takes the older one's place here."""

    __tablename__ = "policy_assignments"

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[str] = mapped_column(String(GUID_CHARACTERS), unique=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policies.id", ondelete="CASCADE"))
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), index=True)

    policy: Mapped[Policy] = relationship()


class PolicySnapshot(Base):
    """What a server cookie stands for: the assignments that a reply named, once for all devices that share them."""

    __tablename__ = "policy_snapshots"

    cookie: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    assignments: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Report(Base):
    """A report of a device, whole."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("device_id", "kind", "digest", "verified"),
        Index("ix_reports_device_kind", "device_id", "kind", "verified", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    received_at: Mapped[datetime]
    # Whether the device signed it; some clients send state messages unsigned.
    verified: Mapped[bool]
    digest: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS))
    body: Mapped[str] = mapped_column(Text)


class ReportAttachment(Base):
    """A file or text that a report carries beside its body."""

    __tablename__ = "report_attachments"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARACTERS), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PublishedSettings(Base):
    """A version of the gateway settings, signed."""

    __tablename__ = "gateway_settings"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    content_digest: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS))
    issued_at: Mapped[datetime]
    signed: Mapped[bytes] = mapped_column(LargeBinary)


class BlockedCertificate(Base):
    """A client certificate that gateways and the management point refuse."""

    __tablename__ = "blocked_certificates"

    fingerprint: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    reason: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    blocked_at: Mapped[datetime]


class ChangeCounter(Base):
    """Rises when another process changes something that a running site must notice."""

    __tablename__ = "change_counters"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class TokenSigningKey(Base):
    """A key that signs site tokens; its private half is sealed, since backups of the database travel."""

    __tablename__ = "token_signing_keys"

    key_id: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[str] = mapped_column(Text)
    sealed_private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    # Never before the end of a token that it signed; later by up to a day, so that few tokens cost a write here.
    last_token_ends_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str] = mapped_column(String(NAME_CHARACTERS))


class BulkToken(Base):
    """A bulk registration token: what is known of it, and never the token itself."""

    __tablename__ = "bulk_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS))
    note: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    key_id: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    max_uses: Mapped[int | None]
    uses: Mapped[int]
    last_used_at: Mapped[datetime | None]
    blocked_at: Mapped[datetime | None]
    block_reason: Mapped[str] = mapped_column(String(NAME_CHARACTERS))


class BulkTokenUse(Base):
    """A device that registered with a bulk token, known by its key: it is counted once, however often it repeats."""

    __tablename__ = "bulk_token_uses"

    token_id: Mapped[str] = mapped_column(ForeignKey("bulk_tokens.id", ondelete="CASCADE"), primary_key=True)
    identity: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    # NULL once the device was removed: the use stays counted.
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"), index=True)
    used_at: Mapped[datetime]


class TokenProof(Base):
    """A proof that was used at the token service: a second one like it is a replay, at every server of the site."""

    __tablename__ = "token_proofs"

    digest: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    forget_at: Mapped[datetime] = mapped_column(index=True)


class BlockKind(StrEnum):
    """What else is blocked, beside certificates, bulk tokens and registered devices."""

    DEVICE = "device"
    NAME = "name"
    REMOVED_DEVICE = "removed-device"
    TENANT = "tenant"
    TOKEN = "token"  # noqa: S105  # a kind


class Block(Base):
    """Something that gateways and the site refuse, until ``ends_at`` or for good."""

    __tablename__ = "blocks"

    kind: Mapped[BlockKind] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(NAME_CHARACTERS), primary_key=True)
    reason: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    blocked_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class SiteFact(Base):
    """Something that the site decided once, for all its servers."""

    __tablename__ = "site_facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(NAME_CHARACTERS))


class RevocationSource(Base):
    """A place that a certificate revocation list comes from, and the newest list of it."""

    __tablename__ = "revocation_sources"

    # SHA-256 of the source: a URL may be too long for a key.
    id: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    # Named by a client's certificate, and not by the configuration.
    discovered: Mapped[bool]
    checked_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str | None] = mapped_column(String(FINGERPRINT_CHARACTERS))
    # Decimal digits: the standard allows numbers of twenty bytes.
    number: Mapped[str] = mapped_column(String(64))
    base_number: Mapped[str | None] = mapped_column(String(64))
    this_update: Mapped[datetime | None]
    next_update: Mapped[datetime | None]
    points: Mapped[str] = mapped_column(Text)
    users_only: Mapped[bool]
    freshest: Mapped[str] = mapped_column(Text)
    # Digests of serial numbers, eight bytes each.
    revoked: Mapped[bytes] = mapped_column(LargeBinary)
    released: Mapped[bytes] = mapped_column(LargeBinary)


class RevokedCertificate(Base):
    """A client certificate that a responder says is revoked."""

    __tablename__ = "revoked_certificates"

    fingerprint: Mapped[str] = mapped_column(String(FINGERPRINT_CHARACTERS), primary_key=True)
    seen_at: Mapped[datetime]
