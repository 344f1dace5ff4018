"""From a request, a policy file and what the authority knows to the question that the rules answer.

The authority derives the bytes to be signed itself: a payload that is not the canonical form of what it parses to
is refused here, before any rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import EnigmTufError, MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.approval import Approver, read_approval
from enigm_tuf.model.build_evidence import BuildStatement, is_envelope, read_build_statement
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.operators import OperatorRegistry, read_operators
from enigm_tuf.model.plain_snapshot import read_plain_snapshot
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import SigningRequest, read_response
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.statement import read_envelope
from enigm_tuf.model.strict_json import parse_canonical, sha256
from enigm_tuf.model.tuf import Root, Snapshot, Targets
from enigm_tuf.model.waiver import Waiver, is_waiver, read_waiver
from enigm_tuf.policy.question import CastApproval, CastWaiver, Ledger, Proposal, Question, SigningKey
from enigm_tuf.trust.operator_signature import signed_by
from enigm_tuf.trust.verified import Readings, Verified, read_document

Signed = Root | Snapshot | Targets


def ask(
    request: SigningRequest,
    *,
    policy_data: bytes,
    operators_data: bytes,
    root: Verified[Root] | None,
    ledger: Ledger,
    envelopes: Sequence[bytes],
    consents: Sequence[bytes] = (),
    custodian: str | None,
    now: datetime,
    signer: SigningKey | None = None,
    readings: Readings | None = None,
) -> Question:
    """Parse everything that the rules will look at; MalformedError names the member of the request.

    ``envelopes`` are approvals and waivers; ``consents`` are the other authority's responses to its request for the
    same root. ``readings`` are for who asks about one request several times.
    """
    policy = read_policy(policy_data, "policy")
    operators = read_operators(operators_data, "operators")
    manifest_bytes = request.below("evidence/manifests")
    cast = cast_statements(operators, now, [*request.below("approvals").values(), *envelopes])
    return Question(
        request=request,
        policy=policy,
        policy_pin=PolicyPin(policy.version, sha256(policy_data)),
        operators=operators,
        operators_sha256=sha256(operators_data),
        root=root,
        proposals=_proposals("payloads", request.below("payloads")),
        previous=_previous(request.below("context/previous"), readings or Readings()),
        manifests={path: read_manifest(data, path) for path, data in manifest_bytes.items()},
        manifest_bytes=manifest_bytes,
        earlier_manifests=request.below("evidence/manifests-before"),
        other_roles=_other_roles(request.below("evidence/roles")),
        build=_build(request.below("evidence/provenance")),
        approvals=cast.approvals,
        waivers=cast.waivers,
        unauthentic=cast.unauthentic,
        consents=_consents(consents),
        custodian=custodian,
        ledger=ledger,
        now=now,
        signer=signer,
    )


def read_signed(data: bytes, source: str) -> Signed:
    """A ``signed`` object by its ``_type``, from its exact canonical bytes."""
    if found := _plain_snapshot(data, source):
        return found
    signed = parse_canonical(data, source=source, max_bytes=LIMITS.targets_bytes)
    kinds: dict[str, type[Root] | type[Snapshot] | type[Targets]] = {
        kind.type: kind for kind in (Root, Snapshot, Targets)
    }
    kind = kinds.get(str(signed.get("_type")))
    if kind is None:
        raise MalformedError(source, "_type", f"must be one of {', '.join(kinds)}")
    value = kind.read(signed, source)
    _require_known_keys(value, source)
    return value


def _plain_snapshot(data: bytes, source: str) -> Snapshot | None:
    """None where it is another role, not plain, or not in canonical form: then it is parsed."""
    if len(data) > LIMITS.targets_bytes or not data.startswith(b'{"_type":"snapshot"'):
        return None
    found = read_plain_snapshot(b'{"signatures":[],"signed":%b}' % data, source)
    return found[1] if found and found[1].canonical() == data else None


def _require_known_keys(value: Signed, source: str) -> None:
    """A client tolerates keys that it cannot use; who signs knows every key."""
    holder = value if isinstance(value, Root) else value.delegations if isinstance(value, Targets) else None
    if holder is None:
        return
    raw = value.raw if isinstance(value, Root) else value.raw["delegations"]
    if unknown := sorted(set(raw["keys"]) - set(holder.keys)):
        raise MalformedError(source, f"keys.{unknown[0]:.64}", "must be of a type and scheme that can count")


@dataclass(frozen=True, slots=True)
class CastStatements:
    """What operators signed; ``unauthentic`` has for each envelope that does not count a line that says why."""

    approvals: tuple[CastApproval, ...]
    waivers: tuple[CastWaiver, ...]
    unauthentic: tuple[str, ...]


def cast_statements(registry: OperatorRegistry, now: datetime, envelopes: Sequence[bytes]) -> CastStatements:
    """The approvals and waivers whose signatures verify, each once, in the order of their digests."""
    cast: dict[str, CastApproval | CastWaiver] = {}
    failed: list[str] = []
    for data in envelopes:
        try:
            item = _cast(registry, now, data)
            cast[item.envelope_sha256] = item
        except EnigmTufError as error:
            failed.append(str(error))
    ordered = [cast[digest] for digest in sorted(cast)]
    approvals = tuple(item for item in ordered if isinstance(item, CastApproval))
    waivers = tuple(item for item in ordered if isinstance(item, CastWaiver))
    return CastStatements(approvals, waivers, tuple(failed))


def _cast(registry: OperatorRegistry, now: datetime, data: bytes) -> CastApproval | CastWaiver:
    digest = sha256(data)
    source = f"approval {digest[:16]}"
    envelope = read_envelope(data, source)
    waived = is_waiver(envelope.payload, source)
    statement = read_waiver(envelope.payload, source) if waived else read_approval(envelope.payload, source)
    operator, enrolled = signed_by(registry, envelope, now, source)
    expected = Approver(operator.id, envelope.keyid, operator.partition, enrolled.device)
    for name in ("operator", "key", "partition", "device"):
        if getattr(statement.approver, name) != getattr(expected, name):
            told = f"must be {getattr(expected, name)}, as in the registry of operators"
            raise MalformedError(source, f"approver.{name}", told)
    signer = (operator.id, operator.partition, envelope.keyid, enrolled.device, digest)
    return CastWaiver(*signer, statement) if isinstance(statement, Waiver) else CastApproval(*signer, statement)


def _consents(responses: Sequence[bytes]) -> dict[str, str]:
    """Signatures of root by keyid. A response is believed for nothing: they count if they verify."""
    answers = [read_response(data, f"consent {sha256(data)[:16]}")[0] for data in responses]
    return {item.keyid: item.signature for answer in answers for item in answer.signatures if item.role == "root"}


def _proposals(folder: str, files: Mapping[str, bytes]) -> dict[str, Proposal]:
    found: dict[str, Proposal] = {}
    for name, data in files.items():
        proposal = _proposal(name, f"{folder}/{name}", data)
        if proposal.role in found:
            raise MalformedError(f"{folder}/{name}", "", f"a second version of role {proposal.role}")
        found[proposal.role] = proposal
    return found


def _proposal(name: str, source: str, data: bytes) -> Proposal:
    parts = name.rsplit(".", 2)
    if len(parts) != 3 or parts[2] != "json" or not parts[1].isdecimal():
        raise MalformedError(source, "", "must be named <role>.<version>.json")
    value = read_signed(data, source)
    if str(value.version) != parts[1]:
        raise MalformedError(source, "version", f"must be {parts[1]}, as in its name, is {value.version}")
    expected = parts[0] if parts[0] in {"root", "snapshot"} else "targets"
    if value.type != expected:
        raise MalformedError(source, "_type", f"must be {expected}, as in its name, is {value.type}")
    return Proposal(parts[0], value.version, value, data)


def _previous(files: Mapping[str, bytes], readings: Readings) -> dict[str, Signed]:
    """Signed metadata by role. The signatures are not looked at: the ledger's digests decide."""
    found: dict[str, Signed] = {}
    for name, data in files.items():
        role = name.removesuffix(".json")
        source = f"context/previous/{name}"
        if role == "root":
            found[role] = read_document(data, Root, source, LIMITS.root_bytes).value
        elif role == "snapshot":
            found[role] = readings.snapshot(data, source, LIMITS.snapshot_bytes, sha256(data)).value
        elif role == "targets":
            found[role] = readings.targets(data, source, LIMITS.targets_bytes, sha256(data)).value
        else:
            found[role] = read_document(data, Targets, source, LIMITS.targets_bytes).value
    return found


def _build(files: Mapping[str, bytes]) -> tuple[BuildStatement, ...]:
    """The files that are envelopes; what else lies there, such as a bill of materials, says nothing to a rule."""
    return tuple(
        read_build_statement(data, f"evidence/provenance/{name}")
        for name, data in sorted(files.items())
        if is_envelope(data)
    )


def _other_roles(files: Mapping[str, bytes]) -> dict[str, Targets]:
    found: dict[str, Targets] = {}
    for role, item in _proposals("evidence/roles", files).items():
        if not isinstance(item.signed, Targets):
            raise MalformedError("evidence/roles", role, "must be targets metadata")
        found[role] = item.signed
    return found
