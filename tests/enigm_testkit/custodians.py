"""People and keys of both authorities in software, for tests in which the authority is not the subject.

Every key is made at run time. What the real authority does to a request (``enigm-sign``) has tests of its own.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from enigm_tuf.audit.checkpoints import Checkpoint, sign_checkpoint
from enigm_tuf.audit.log import AuditEntry, EntryType, write_entry
from enigm_tuf.audit.notes import NoteSigner
from enigm_tuf.audit.proofs import InclusionProof
from enigm_tuf.audit.tiles import TileNodes
from enigm_tuf.audit.tree import Edge, inclusion_proof
from enigm_tuf.audit.writing import GrowingTree
from enigm_tuf.model.approval import Approval, Approver, bound_to
from enigm_tuf.model.approval import Decision as Vote
from enigm_tuf.model.keys import Environment, KeyRecord, Proof, Purpose, TokenRecord, stated
from enigm_tuf.model.operators import ApprovalKey, Operator, OperatorRegistry, OperatorRole, write_operators
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.request import (
    AuditHead,
    Authority,
    RoleSignature,
    RuleOutcome,
    SigningRequest,
    SigningResponse,
    make_response,
)
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.statement import Envelope, write_envelope
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace as replace_value
from enigm_tuf.model.votes import OPERATORS_MATTER, DocumentVote
from enigm_tuf.policy.engine import CATALOGUE
from enigm_tuf.trust import signable


@dataclass(frozen=True)
class SoftKey:
    """A P-256 key that lives as long as the test, and who holds it."""

    name: str
    private: EllipticCurvePrivateKey

    @property
    def spki(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        """The private key, for a signer in another process."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def keyid(self) -> str:
        return str(tuf_key(self.spki).keyid)

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data, ECDSA(SHA256()))


def soft_key(name: str) -> SoftKey:
    return SoftKey(name, generate_private_key(SECP256R1()))


def key_record(key: SoftKey, purpose: Purpose, environment: Environment = "staging") -> KeyRecord:
    """The record that enrolment would write, with a real proof of possession."""
    record = KeyRecord(
        purpose=purpose,
        environment=environment,
        home="hsm",
        custodian=key.name,
        keyid=key.keyid,
        key=tuf_key(key.spki).to_dict(),
        spki_sha256=sha256(key.spki),
        token=TokenRecord("Maker", "Model", key.name, "1.0"),
        label=key.name,
        attributes={},
        attestation=(),
        proof=Proof("", ""),
        enrolled=datetime(2026, 11, 1, tzinfo=UTC),
    )
    challenge = os.urandom(32)
    proof = key.sign(signable.proof_of_possession(challenge, stated(record)).data)
    return replace_value(record, proof=Proof(challenge.hex(), proof.hex()))


ENROLLED = datetime(2026, 1, 1, tzinfo=UTC)
VOTER: tuple[OperatorRole, ...] = ("approver", "custodian", "policy-approver")


@dataclass(frozen=True)
class Voter:
    """An operator with an approval key."""

    operator: str
    partition: str
    key: SoftKey

    def listed(self, *roles: OperatorRole, environment: Environment = "staging") -> Operator:
        """The person in the registry of operators, with a key that is valid as long as any test lasts."""
        key = ApprovalKey(_approval_record(self.key, environment), ENROLLED, ENROLLED.replace(year=2100))
        return Operator(self.operator, self.operator.title(), self.partition, roles or VOTER, "active", (key,))

    def vote(self, request: SigningRequest, decision: Vote = "APPROVE", now: datetime | None = None) -> bytes:
        """The envelope that ``enigm-sign approve`` would write."""
        return self.envelope(self.approval(request, decision, now))

    def approval(self, request: SigningRequest, decision: Vote = "APPROVE", now: datetime | None = None) -> Approval:
        """What the operator says about this very request."""
        index = request.index
        return Approval(
            **bound_to(request, index.policy),
            decision=decision,
            reason="",
            approver=Approver(self.operator, sha256(self.key.spki), self.partition, self.key.name),
            created=now or index.created,
            expires=index.expires,
        )

    def envelope(self, approval: Approval) -> bytes:
        """Signed by the operator's key, whatever it says."""
        return self.sign(signable.approval(approval))

    def sign(self, message: signable.SignableStatement) -> bytes:
        """The envelope of any statement."""
        return write_envelope(Envelope(message.payload, sha256(self.key.spki), self.key.sign(message.data)))


@cache
def _approval_record(key: SoftKey, environment: Environment) -> KeyRecord:
    """The same bytes whenever it is asked for: a proof of possession has a random challenge."""
    return key_record(key, "approval", environment)


ROB = Operator("rob", "Rob", "release", ("requester",), "active", ())
"""Who asks."""


def custodian(name: str) -> Operator:
    """Who signs, with a token of the authority, and approves nothing."""
    return Operator(name, name.title(), "operations", ("custodian",), "active", ())


def registry(authority: Authority, *operators: Operator, environment: Environment = "staging") -> OperatorRegistry:
    """Version 1 of a registry: rob asks, dave signs, the others are as they are given."""
    return OperatorRegistry(1, authority, environment, None, None, (ROB, custodian("dave"), *operators))


def operators_vote(person: Voter, people: OperatorRegistry, policy: str) -> bytes:
    """What ``enigm-sign operator sign`` would write of version 1, under this policy."""
    vote = DocumentVote(
        document=sha256(write_operators(people)),
        version=people.version,
        authority=people.authority,
        environment=people.environment,
        voter=Approver(person.operator, sha256(person.key.spki), person.partition, person.key.name),
        policy=PolicyPin(1, sha256(policy.encode())),
        created=ENROLLED,
    )
    return person.sign(signable.document_vote(OPERATORS_MATTER, vote))


def voter(operator: str, partition: str) -> Voter:
    return Voter(operator, partition, soft_key(f"card of {operator}"))


def answer(request: SigningRequest, key: SoftKey, envelopes: Sequence[bytes], decided: datetime) -> SigningResponse:
    """What an authority would answer that signs everything in ``request`` with ``key``."""
    signatures = []
    for name, data in sorted(request.below("payloads").items()):
        role, version, _ = name.rsplit(".", 2)
        signatures.append(RoleSignature(role, int(version), key.keyid, key.sign(data).hex()))
        _SIGNED[signatures[-1].signature] = sha256(data)
    return SigningResponse(
        request_sha256=request.digest,
        request_id=request.index.request_id,
        environment=request.index.environment,
        authority=request.index.authority,
        decision="PASSED",
        decided=decided,
        policy=request.index.policy,
        rules=tuple(RuleOutcome(str(rule), True, "passed") for rule, _ in CATALOGUE),
        approvals=tuple(sha256(envelope) for envelope in envelopes),
        signatures=tuple(signatures),
        inventory="0" * 64,
        audit=AuditHead(1, "0" * 64),
    )


def response_file(response: SigningResponse, envelopes: Sequence[bytes]) -> bytes:
    """The ``.enigmresp``."""
    members = {f"approvals/{number}.dsse.json": envelope for number, envelope in enumerate(envelopes)}
    response = replace(response, approvals=tuple(sha256(item) for item in envelopes))
    proofs, head = logged(response)
    return make_response(replace(response, audit=head), members | proofs)


def log_of(authority: str, environment: str = "staging") -> NoteSigner:
    """The key of an authority's audit log: the same in every test, since nothing rests on its being secret."""
    seed = hashlib.sha256(f"{environment}/{authority}".encode()).digest()
    return NoteSigner(f"log.test/{environment}/{authority}", Ed25519PrivateKey.from_private_bytes(seed))


def log_settings(authority_model: str, environment: str = "staging") -> str:
    """The value of ``audit_logs`` in repository.toml."""
    known = ("manifest",) if authority_model == '"manifest-only"' else ("manifest", "release")
    keys = {name: log_of(name, environment).log.text for name in known}
    lines = [f'{name} = {{public_key = "{key}", witnesses = [], witness_threshold = 0}}' for name, key in keys.items()]
    return f"{{{', '.join(lines)}}}"


def logged(response: SigningResponse) -> tuple[dict[str, bytes], AuditHead]:
    """The proofs for every signature, from a log that holds these entries alone, and its head."""
    entries = [
        write_entry(AuditEntry(number, response.decided, EntryType.SIGN_PERFORMED, _performed(response, signature)))
        for number, signature in enumerate(response.signatures, 1)
    ]
    signer = log_of(response.authority, response.environment)
    tree, tiles = GrowingTree(Edge(), (), ()).grown(entries)
    head = Checkpoint(signer.name, tree.size, tree.edge.root)
    note, nodes = sign_checkpoint(head, signer).note.data, TileNodes(tree.size, tiles.__getitem__)
    proofs = [
        InclusionProof(entry, index, inclusion_proof(index, tree.size, nodes), note)
        for index, entry in enumerate(entries)
    ]
    members = {f"audit/{proof.index}.tlog-proof": proof.data for proof in proofs}
    return members, AuditHead(max(head.size, 1), head.root.hex())


def _performed(response: SigningResponse, signature: RoleSignature) -> dict[str, object]:
    return {
        "request_sha256": response.request_sha256,
        "request_id": response.request_id,
        "sequence": 1,
        "role": signature.role,
        "version": signature.version,
        "sha256": _SIGNED.get(signature.signature, "0" * 64),
        "key": "0" * 64,
        "keyid": signature.keyid,
        "signature": signature.signature,
        "decision_sha256": response.decision_sha256,
    }


_SIGNED: dict[str, str] = {}
"""What each signature made here is over; only its SHA-256 is in the log."""
