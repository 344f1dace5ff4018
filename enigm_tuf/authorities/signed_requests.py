"""What was signed of a request, and under whose approvals and waivers; derived from the audit log."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.model.request import Previous, RoleSignature
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.policy.question import Backer


@dataclass(frozen=True, slots=True)
class Quorum:
    """``threshold`` of ``keys``, which are SPKI digests."""

    threshold: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload of a request as it was when it was first signed, with every quorum that it needs."""

    role: str
    version: int
    sha256: str
    quorums: tuple[Quorum, ...]

    def signed_enough(self, keys: Iterable[str]) -> bool:
        """Whether these public keys meet every quorum."""
        return all(len(set(keys) & set(quorum.keys)) >= quorum.threshold for quorum in self.quorums)

    @property
    def previous(self) -> Previous:
        """How the next request refers to it."""
        return Previous(self.role, self.version, self.sha256)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What was signed of one request: by role and public key (SPKI digest). ``backers``: under whose approvals and
    waivers, by operator and device, with the time that they first counted. ``lost``: public keys of which people found
    that a signature is, or may be, out there that the log does not have.
    """

    digest: str
    sequence: int
    payloads: tuple[Payload, ...]
    signatures: dict[tuple[str, str], RoleSignature]
    backers: dict[tuple[str, str], datetime] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    @property
    def done(self) -> bool:
        return all(
            payload.signed_enough([key for role, key in self.signatures if role == payload.role])
            for payload in self.payloads
        )

    @property
    def begun(self) -> tuple[Payload, ...]:
        """Of which there are signatures, or may be."""
        roles = {role for role, _ in self.signatures}
        return tuple(payload for payload in self.payloads if self.lost or payload.role in roles)

    @property
    def signed_with(self) -> set[str]:
        """Every public key that signed some of it, or may have."""
        return {key for _, key in self.signatures} | self.lost

    @property
    def backed_by(self) -> tuple[Backer, ...]:
        """By operator and device."""
        return tuple(Backer(*who, time) for who, time in sorted(self.backers.items()))

    def back(self, item: Backer) -> None:
        """It rests on this one too."""
        self.backers.setdefault((item.operator, item.device), item.time)

    def by_key(self, key: str) -> dict[str, RoleSignature]:
        """The signatures that a public key made, by role."""
        return {role: made for (role, signer), made in self.signatures.items() if signer == key}


def signature_in(body: JsonObject) -> RoleSignature:
    """What a ``sign.performed`` records."""
    return RoleSignature(body["role"], body["version"], body["keyid"], body["signature"])


def begun(intent: JsonObject) -> SignedRequest:
    payloads = tuple(_payload(item) for item in intent["payloads"])
    return SignedRequest(intent["request_sha256"], intent["sequence"], payloads, {})


def _payload(body: JsonObject) -> Payload:
    quorums = tuple(Quorum(item["threshold"], item["keys"]) for item in body["quorums"])
    return Payload(body["role"], body["version"], body["sha256"], quorums)
