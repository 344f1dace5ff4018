"""The question that a policy answers: everything that a rule may look at, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.model.approval import Approval
from enigm_tuf.model.build_evidence import BuildStatement
from enigm_tuf.model.ceremony import CeremonyType
from enigm_tuf.model.keys import KeyClass
from enigm_tuf.model.manifest import OtaManifest
from enigm_tuf.model.operators import OperatorRegistry
from enigm_tuf.model.policy import Policy
from enigm_tuf.model.request import Previous, SigningRequest
from enigm_tuf.model.root_extension import AuthorityModel, PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root, Snapshot, Targets
from enigm_tuf.model.waiver import Waiver
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.verified import Verified


@dataclass(frozen=True, slots=True)
class OpenCeremony:
    """A ceremony of this authority that opened and has not closed."""

    id: str
    type: CeremonyType
    opened: datetime


@dataclass(frozen=True, slots=True)
class Backer:
    """Whose approval or waiver counted at ``time``, and the serial of the token that it was made with."""

    operator: str
    device: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """What an authority remembers of all it ever saw; derived from its audit log.

    ``heads`` is the last version of each role that it signed, ``signed`` the digests of requests that it signed,
    ``last_sequence`` the highest sequence signed, ``last_time`` the newest time in the log. ``signatures`` are the
    times of those it made in the last 24 hours of the log, None where nobody knows, as in lint; ``ceremonies`` are
    those that are open. ``policies`` are the digests of those that it adopted, None in lint. ``backers`` are, by a
    request's digest, those under whose approvals and waivers it was signed. ``begun`` says by role and
    digest of a payload under which requests it has signatures: empty roles of two products are the same bytes.
    """

    last_sequence: int = 0
    last_time: datetime | None = None
    signed: frozenset[str] = frozenset()
    heads: Mapping[str, Previous] = field(default_factory=dict)
    signatures: tuple[datetime, ...] | None = None
    policies: frozenset[str] | None = None
    ceremonies: tuple[OpenCeremony, ...] = ()
    backers: Mapping[str, tuple[Backer, ...]] = field(default_factory=dict)
    begun: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Metadata to be signed. ``data`` are the exact bytes; they equal the canonical form of ``signed``."""

    role: str
    version: int
    signed: Root | Snapshot | Targets
    data: bytes


@dataclass(frozen=True, slots=True)
class Cast:
    """A statement whose signature by an approval key of an active operator has been verified.

    ``envelope_sha256`` is the digest of the envelope's bytes; ``operator`` is the registry's, not the statement's.
    """

    operator: str
    partition: str
    key: str
    device: str
    envelope_sha256: str


@dataclass(frozen=True, slots=True)
class CastApproval(Cast):
    """An approval."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class CastWaiver(Cast):
    """A waiver."""

    waiver: Waiver


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

    ``custodians`` are all whom a root names for a key that signs, or has signed, this very request; ``tokens`` are the
    serials of the tokens that it lies on.

    ``consents`` are the other authority's signatures of the proposed root by keyid, in hex; nobody verified them yet.
    ``signer`` is the key that is about to sign, None until its token has been looked at.

    ``operators`` is the registry in force, ``operators_sha256`` the digest of its bytes.

    ``previous`` holds the metadata of ``context/previous`` by role. ``manifests`` holds the evidence by target
    path, ``manifest_bytes`` their exact bytes, ``earlier_manifests`` the bytes that they replace, ``other_roles`` the
    other authority's proposed metadata by role, ``build`` what builders, reviewers and testers say, unverified.
    ``unauthentic`` says for each envelope that does not count why it does not.
    """

    request: SigningRequest
    policy: Policy
    policy_pin: PolicyPin
    operators: OperatorRegistry
    operators_sha256: str
    root: Verified[Root] | None
    proposals: Mapping[str, Proposal]
    previous: Mapping[str, Root | Snapshot | Targets]
    manifests: Mapping[str, OtaManifest]
    manifest_bytes: Mapping[str, bytes]
    earlier_manifests: Mapping[str, bytes]
    other_roles: Mapping[str, Targets]
    build: tuple[BuildStatement, ...]
    approvals: tuple[CastApproval, ...]
    waivers: tuple[CastWaiver, ...]
    unauthentic: tuple[str, ...]
    consents: Mapping[str, str]
    custodian: str | None
    ledger: Ledger
    now: datetime
    signer: SigningKey | None = None
    custodians: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()

    @property
    def signing(self) -> frozenset[str]:
        """Everybody who signs this request or has signed it: none of them approves or waives for another."""
        return self.custodians | ({self.custodian} if self.custodian else set())

    @property
    def product(self) -> str:
        """The product that the request is about, from the names of its roles; empty for none or several."""
        products = {role.rpartition(".")[0] for role in self.proposals if "." in role}
        return products.pop() if len(products) == 1 else ""

    @property
    def products(self) -> tuple[str, ...]:
        """Those of the request; where roles follow a root, also those whose roles the other authority signs anew."""
        if self.request.index.action != "roles":
            return (self.product,)
        return tuple(sorted({role.rpartition(".")[0] for role in (*self.proposals, *self.other_roles) if "." in role}))

    def roles_of_product(self, product: str) -> set[str]:
        """The roles that a product has under the root in force: one for each authority that there is."""
        return {manifest_role(product), *([payload_role(product)] if self.model == "dual" else [])}

    @property
    def model(self) -> AuthorityModel:
        """Of the root in force; ``dual`` where there is none."""
        root = self.root_to_judge_by()
        return view_root(root).extension.authority_model if root else "dual"

    def root_to_judge_by(self) -> Root | None:
        """The trusted root, or while there is none the proposed one."""
        if self.root is not None:
            return self.root.value
        proposed = self.proposals.get("root")
        return proposed.signed if proposed and isinstance(proposed.signed, Root) else None

    def head(self, role: str) -> Previous | None:
        """What ``role`` must follow: the last of it that this authority signed; None before the first.

        Root follows the trusted one where the other authority owns it: what is only consented to may come to nothing.
        """
        if role == "root" and self.root is not None:
            owned = root_owner(view_root(self.root.value)) == self.policy.authority
            if not owned or role not in self.ledger.heads:
                return Previous(role, self.root.value.version, sha256(self.root.canonical))
        return self.ledger.heads.get(role)

    def targets_of(self, role: str) -> Targets | None:
        """The proposed metadata of a product role, or None."""
        proposal = self.proposals.get(role)
        return proposal.signed if proposal and isinstance(proposal.signed, Targets) else None

    def previous_targets_of(self, role: str) -> Targets | None:
        """The metadata of a product role before this request, or None."""
        value = self.previous.get(role)
        return value if isinstance(value, Targets) else None
