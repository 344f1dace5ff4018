"""Metadata that was parsed, and metadata that met its role's threshold. The one place that makes either."""

from __future__ import annotations

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.lean import Mapping, MappingProxyType
from enigm_tuf.model.strict_json import parse, sha256
from enigm_tuf.model.tuf import Root, Signed, Snapshot, Targets
from enigm_tuf.model.value import Generic, Value
from enigm_tuf.trust._seal import SEAL, Seal, require_seal
from enigm_tuf.trust.admission import Admission
from enigm_tuf.trust.remembered import Remembered
from enigm_tuf.trust.threshold import require_threshold
from enigm_tuf.trust.tuf_rules import TufRule

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from enigm_tuf.model.strict_json import JsonObject
    from enigm_tuf.model.tuf_fields import Key

    T = TypeVar("T", bound=Signed)
else:
    T = None


class Document(Value, Generic[T]):
    """Parsed, not verified. ``sha256`` is that of ``data``, hex."""

    value: T
    data: bytes
    signatures: Mapping[str, str]
    sha256: str

    @property
    def canonical(self) -> bytes:
        """The bytes under the signatures, from the original object."""
        return self.value.canonical()


class Verified(Document[T]):
    """Metadata that met its role's threshold. ``signers`` are SPKI digests; ``root`` and ``delegator`` the SHA-256
    of the root in force and of the metadata whose keys were counted (of itself for a root).
    """

    signers: frozenset[str]
    root: str
    delegator: str
    _seal: Seal | None = None

    def __post_init__(self) -> None:
        require_seal(self._seal, "verified metadata")

    def remember(self, admission: Admission) -> Remembered:
        """What the store keeps, so that the same bytes under the same keys need not be verified again."""
        value = self.value
        return Remembered(
            self.sha256,
            len(self.data),
            value.version,
            value.expires,
            self.root,
            self.delegator,
            tuple(sorted(self.signers)),
            admission.identity,
        )


def read_document(data: bytes, kind: type[T], source: str, max_bytes: int, digest: str | None = None) -> Document[T]:
    """Strict JSON, then the fields of ``kind``; MalformedError, RefusedError METADATA-TYPE.

    ``digest`` is the SHA-256 of ``data`` where that is known already.
    """
    envelope = parse(data, source=source, max_bytes=max_bytes)
    return _document(envelope, data, kind, source, digest)


def read_targets(data: bytes, source: str, max_bytes: int, digest: str) -> Document[Targets]:
    """The same for targets. A big role of plain targets is not taken apart (ADR 17)."""
    if _BIG < len(data) <= max_bytes:
        from enigm_tuf.model.plain_targets import read_plain

        if found := read_plain(data, source):
            envelope, value = found
            return Document(value, data, _signatures(envelope, source), digest)
    return read_document(data, Targets, source, max_bytes, digest)


def read_snapshot(data: bytes, source: str, max_bytes: int, digest: str) -> Document[Snapshot]:
    """The same for a snapshot."""
    found = _plain_snapshot(data, source, max_bytes, digest) if len(data) > _BIG else None
    return found or read_document(data, Snapshot, source, max_bytes, digest)


def _plain_snapshot(data: bytes, source: str, max_bytes: int, digest: str) -> Document[Snapshot] | None:
    """None where more than versions is stated, or something is wrong."""
    from enigm_tuf.model.plain_snapshot import read_plain_snapshot

    found = read_plain_snapshot(data, source) if len(data) <= max_bytes else None
    return Document(found[1], data, _signatures(found[0], source), digest) if found else None


_BIG = 2**17  # some 500 targets, 4,000 roles: below that, loading ``re`` takes as long


class _Kept(Document[T]):
    """With its canonical form, once somebody has asked for it: it takes as long as reading it."""

    form: list[bytes]

    @property
    def canonical(self) -> bytes:
        if not self.form:
            self.form.append(self.value.canonical())
        return self.form[0]


class Readings:
    """Snapshots and targets that were read before, found again by their very bytes: for who judges the same files many
    times over, as a repository does that plays two dozen attacks. Reading depends on the bytes alone. Signatures,
    hashes, versions, expiry and the authorities' rules are not in here: they are asked every time.

    The last few are kept, and nobody may change what they hold.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Document[Any]] = {}

    def snapshot(self, data: bytes, source: str, max_bytes: int, digest: str) -> Document[Snapshot]:
        """As ``read_snapshot``, of any size."""
        return self._found("snapshot", data, max_bytes, digest) or self._keep(
            "snapshot",
            _plain_snapshot(data, source, max_bytes, digest)
            or read_document(data, Snapshot, source, max_bytes, digest),
        )

    def targets(self, data: bytes, source: str, max_bytes: int, digest: str) -> Document[Targets]:
        """As ``read_targets``."""
        return self._found("targets", data, max_bytes, digest) or self._keep(
            "targets", read_targets(data, source, max_bytes, digest)
        )

    def _found(self, kind: str, data: bytes, max_bytes: int, digest: str) -> Document[Any] | None:
        """None also for bytes that are more than are allowed this time: reading them refuses them."""
        kept = self._kept.get((kind, digest))
        if kept is None or kept.data != data or len(data) > max_bytes:
            return None
        self._kept.pop((kind, digest), None)
        self._kept[kind, digest] = kept  # the last that will be forgotten
        return kept

    def _keep(self, kind: str, document: Document[T]) -> Document[T]:
        kept = _Kept(document.value, document.data, document.signatures, document.sha256, [])
        self._kept[kind, document.sha256] = kept
        held = 0
        for number, key in enumerate(reversed(list(self._kept))):
            held += len(known.data) if (known := self._kept.get(key)) else 0
            if number and (number >= _KEPT or held > _KEPT_BYTES):
                self._kept.pop(key, None)
        return kept


_KEPT = 12  # documents: of a release some six, before and after
_KEPT_BYTES = 8_000_000  # of their files; in memory a document takes some ten times as much


def _document(envelope: JsonObject, data: bytes, kind: type[T], source: str, digest: str | None) -> Document[T]:
    signed = envelope.get("signed")
    if not isinstance(signed, dict):
        raise MalformedError(source, "signed", "must be an object")
    if signed.get("_type") != kind.type:
        raise RefusedError(TufRule.METADATA_TYPE, source, expected=kind.type, got=f"{signed.get('_type')!r:.40}")
    return Document(kind.read(signed, source), data, _signatures(envelope, source), digest or sha256(data))


def recalled(
    remembered: Remembered | None,
    admission: Admission,
    document: Document[T],
    root: Document[Root],
    delegator: Document[Root] | Document[Targets],
) -> Verified[T] | None:
    """Verified metadata if these very bytes were verified before, under the same root, keys and rules."""
    anchors = root.sha256, delegator.sha256
    if remembered is None or not remembered.holds(admission.identity, *anchors):
        return None
    if remembered.sha256 != document.sha256:
        return None
    signers = frozenset(remembered.signers)
    return Verified(document.value, document.data, document.signatures, document.sha256, signers, *anchors, _seal=SEAL)


def verify(
    document: Document[T],
    root: Document[Root],
    delegator: Document[Root] | Document[Targets],
    role: str,
    subject: str,
) -> Verified[T]:
    """The one place that makes Verified metadata from signatures."""
    definition = delegator.value.get_delegated_role(role)
    if definition is None:
        raise RefusedError(TufRule.SIGNATURE_THRESHOLD, subject, expected="a delegation of this role", got="none")
    keys = _keys_of(delegator.value)
    signers = require_threshold(
        keys, definition.keyids, definition.threshold, document.signatures, document.canonical, subject
    )
    anchors = root.sha256, delegator.sha256
    return Verified(document.value, document.data, document.signatures, document.sha256, signers, *anchors, _seal=SEAL)


def _keys_of(delegator: Root | Targets) -> Mapping[str, Key]:
    if isinstance(delegator, Root):
        return delegator.keys
    return delegator.delegations.keys if delegator.delegations else {}


def _signatures(envelope: JsonObject, source: str) -> Mapping[str, str]:
    items = envelope.get("signatures")
    if not isinstance(items, list):
        raise MalformedError(source, "signatures", "must be a list")
    signatures: dict[str, str] = {}
    for index, item in enumerate(items):
        if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("keyid", "sig")):
            raise MalformedError(source, f"signatures[{index}]", "must have keyid and sig, both texts")
        if item["keyid"] in signatures:
            raise MalformedError(source, f"signatures[{index}].keyid", "the same keyid twice")
        signatures[item["keyid"]] = item["sig"]
    return MappingProxyType(signatures)
