"""The question that a policy answers: everything that a rule may look at, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.model.approval import Approval
from enigm_tuf.model.keys import KeyClass
from enigm_tuf.model.manifest import OtaManifest
from enigm_tuf.model.policy import Policy
from enigm_tuf.model.request import Previous, SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.tuf import Root, Snapshot, Targets
from enigm_tuf.trust.verified import Verified


@dataclass(frozen=True, slots=True)
class Ledger:
    """What an authority remembers of all it ever saw; derived from its audit log.

    ``heads`` is the last version of each role that it signed, ``signed`` the digests of requests that it signed,
    ``last_sequence`` the highest sequence signed, ``last_time`` the newest time in the log.
    """

    last_sequence: int = 0
    last_time: datetime | None = None
    signed: frozenset[str] = frozenset()
    heads: Mapping[str, Previous] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Metadata to be signed. ``data`` are the exact bytes; they equal the canonical form of ``signed``."""

    role: str
    version: int
    signed: Root | Snapshot | Targets
    data: bytes


@dataclass(frozen=True, slots=True)
class CastApproval:
    """An approval whose signature by an enrolled approval key of the policy has been verified.

    ``envelope_sha256`` is the digest of the envelope's bytes; ``operator`` is the policy's, not the statement's.
    """

    approval: Approval
    operator: str
    partition: str
    key: str
    device: str
    envelope_sha256: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key on the token that is about to sign, as the inventory lists it.

    ``proved``: when a copy of it was last restored, None if never.
    """

    spki_sha256: str
    key_class: KeyClass
    proved: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """``root`` is the trusted root, None only while the first root is made. ``custodian`` is who signs, if known.

    ``signer`` is the key that is about to sign, None until its token has been looked at.

    ``previous`` holds the metadata of ``context/previous`` by role. ``manifests`` holds the evidence by target
    path, ``manifest_bytes`` their exact bytes, ``earlier_manifests`` the bytes that they replace, ``other_roles`` the
    other authority's proposed metadata by role.
    ``unauthentic`` says for each envelope that does not count why it does not.
    """

    request: SigningRequest
    policy: Policy
    policy_pin: PolicyPin
    root: Verified[Root] | None
    proposals: Mapping[str, Proposal]
    previous: Mapping[str, Root | Snapshot | Targets]
    manifests: Mapping[str, OtaManifest]
    manifest_bytes: Mapping[str, bytes]
    earlier_manifests: Mapping[str, bytes]
    other_roles: Mapping[str, Targets]
    approvals: tuple[CastApproval, ...]
    unauthentic: tuple[str, ...]
    custodian: str | None
    ledger: Ledger
    now: datetime
    signer: SigningKey | None = None

    @property
    def product(self) -> str:
        """The product that the request is about, from the names of its roles; empty for none or several."""
        products = {role.rpartition(".")[0] for role in self.proposals if "." in role}
        return products.pop() if len(products) == 1 else ""

    def root_to_judge_by(self) -> Root | None:
        """The trusted root, or while there is none the proposed one."""
        if self.root is not None:
            return self.root.value
        proposed = self.proposals.get("root")
        return proposed.signed if proposed and isinstance(proposed.signed, Root) else None

    def targets_of(self, role: str) -> Targets | None:
        """The proposed metadata of a product role, or None."""
        proposal = self.proposals.get(role)
        return proposal.signed if proposal and isinstance(proposal.signed, Targets) else None

    def previous_targets_of(self, role: str) -> Targets | None:
        """The metadata of a product role before this request, or None."""
        value = self.previous.get(role)
        return value if isinstance(value, Targets) else None
