"""The signed field ``x-enigm-tuf`` of root metadata: who the two authorities are (DESIGN section 3.1).

Read from the ``signed`` object of a root; other TUF clients keep it as an unrecognised field.
"""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import ENVIRONMENT, HOME, TOKEN_RECORD, Environment, TokenRecord
from enigm_tuf.model.shapes import LINE, POSITIVE, SHA256, WORD, Choice, Integer, Optional, Record, Sequence, Table
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.value import Value
from enigm_tuf.ports import Home

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    AuthorityModel: TypeAlias = Literal["manifest-only", "dual"]
    Copied: TypeAlias = Literal["wrapped-backup"]
else:
    AuthorityModel = Copied = str

FIELD = "x-enigm-tuf"


class ManifestAuthority(Value):
    """The offline PIV authority: its keys by TUF keyid."""

    keyids: tuple[str, ...]


class ReleaseAuthority(Value):
    """The HSM authority: its keys by TUF keyid, and how many of the payload keys must sign every payload role.

    ``payload_keyids`` are those of ``keyids`` that sign payload roles; the rest sign root.
    """

    keyids: tuple[str, ...]
    payload_keyids: tuple[str, ...]
    payload_threshold: int


class Authorities(Value):
    """``release`` is absent in the model ``manifest-only``."""

    manifest: ManifestAuthority
    release: ReleaseAuthority | None


class PolicyPin(Value):
    """The policy file that an authority follows: its version and the SHA-256 of its bytes."""

    version: int
    sha256: str


class Policies(Value):
    manifest: PolicyPin
    release: PolicyPin | None


class AuditLogPin(Value):
    """A log and who must have witnessed its checkpoints (C2SP tlog-checkpoint names)."""

    origin: str
    public_key: str
    witnesses: tuple[str, ...]
    witness_threshold: int


class KeyInfo(Value):
    """What root says about a key beside the key object: where it lives and for which environment.

    ``key_class`` stands there only for a key of which wrapped copies may exist.
    """

    spki_sha256: str
    home: Home
    token: TokenRecord
    attestation: str | None
    custodian: str
    environment: Environment
    key_class: Copied | None = None


class Recovery(Value):
    """How many root keys can replace a lost manifest authority."""

    threshold: int


class RootExtension(Value):
    environment: Environment
    authority_model: AuthorityModel
    authorities: Authorities
    policies: Policies
    audit_logs: tuple[AuditLogPin, ...]
    keyinfo: dict[str, KeyInfo]
    recovery: Recovery


_KEYIDS = Sequence(SHA256, minimum=1, maximum=100, unique=True)
POLICY_PIN = Record(PolicyPin, version=POSITIVE, sha256=SHA256)

AUTHORITY_MODEL = Choice(("manifest-only", "dual"))
ROOT_EXTENSION = Record(
    RootExtension,
    1,
    environment=ENVIRONMENT,
    authority_model=AUTHORITY_MODEL,
    authorities=Record(
        Authorities,
        manifest=Record(ManifestAuthority, keyids=_KEYIDS),
        release=Optional(
            Record(ReleaseAuthority, keyids=_KEYIDS, payload_keyids=_KEYIDS, payload_threshold=Integer(1, maximum=100))
        ),
    ),
    policies=Record(Policies, manifest=POLICY_PIN, release=Optional(POLICY_PIN)),
    audit_logs=Sequence(
        Record(
            AuditLogPin,
            origin=WORD,
            public_key=WORD,
            witnesses=Sequence(WORD, maximum=100, unique=True),
            witness_threshold=Integer(0, maximum=100),
        ),
        maximum=16,
    ),
    keyinfo=Table(
        SHA256,
        Record(
            KeyInfo,
            spki_sha256=SHA256,
            home=HOME,
            token=TOKEN_RECORD,
            attestation=Optional(SHA256),
            custodian=LINE,
            environment=ENVIRONMENT,
            key_class=Optional(Choice(("wrapped-backup",))),
        ),
    ),
    recovery=Record(Recovery, threshold=Integer(1, maximum=100)),
)


def read_root_extension(signed: JsonObject, source: str) -> RootExtension:
    """The extension of a root's ``signed`` object, whole and consistent in itself."""
    if FIELD not in signed:
        raise MalformedError(source, FIELD, "missing: this root names no authorities")
    extension = ROOT_EXTENSION.read(signed[FIELD], source, FIELD)
    dual = extension.authority_model == "dual"
    for name, part in (("authorities", extension.authorities.release), ("policies", extension.policies.release)):
        if dual != (part is not None):
            word = "needed" if dual else "not allowed"
            raise MalformedError(source, f"{FIELD}.{name}.release", f"{word} in model {extension.authority_model}")
    release = extension.authorities.release
    if release and not set(release.payload_keyids) <= set(release.keyids):
        raise MalformedError(source, f"{FIELD}.authorities.release.payload_keyids", "must be among release.keyids")
    return extension
