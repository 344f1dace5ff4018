"""Writing signing requests: what is proposed, the last that was signed, and what the authority needs to judge it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import Action, Authority, RequestIndex, make_request
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.lineage import Lineage, Signed, file_name
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Draft:
    """What one authority shall sign, by role; ``evidence`` by path below ``evidence/``.

    ``context`` names roles that are not proposed, but whose last signed version the authority needs to see.
    ``policy`` are the bytes of the policy that it is asked under, where that is not the one in force.
    """

    authority: Authority
    proposals: dict[str, Signed]
    evidence: dict[str, bytes] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    policy: bytes | None = None

    def versions(self) -> dict[str, int]:
        return {role: value.version for role, value in self.proposals.items()}


def proposal_bytes(value: Signed) -> bytes:
    """The canonical bytes, as the authority will derive them again."""
    return value.canonical()


def role_evidence(proposals: dict[str, Signed]) -> dict[str, bytes]:
    """What the other authority is asked to sign, as evidence."""
    return {f"roles/{role}.{value.version}.json": proposal_bytes(value) for role, value in proposals.items()}


def policy_pin(data: bytes) -> PolicyPin:
    """How root refers to a policy file."""
    return PolicyPin(read_policy(data, "policy").version, sha256(data))


def write_request(
    workspace: Workspace, lineage: Lineage, draft: Draft, action: Action, request_id: str, sequence: int, now: datetime
) -> bytes:
    """The bytes of the ``.enigmreq``."""
    config = workspace.configuration()
    heads = [head for role in draft.proposals if (head := lineage.head(role))]
    index = RequestIndex(
        request_id=request_id,
        sequence=sequence,
        environment=config.environment,
        authority=draft.authority,
        action=action,
        requester=config.requester,
        created=now,
        expires=now + timedelta(hours=config.request_hours),
        policy=policy_pin(draft.policy or workspace.policy(draft.authority)),
        previous=tuple(head.previous for head in heads),
        entries=(),
    )
    return make_request(index, _members(lineage, draft))


def _members(lineage: Lineage, draft: Draft) -> dict[str, bytes]:
    chain = enumerate(lineage.roots(), start=1)
    shown = [head for role in (*draft.proposals, *draft.context) if (head := lineage.head(role))]
    return {
        **{f"payloads/{role}.{value.version}.json": proposal_bytes(value) for role, value in draft.proposals.items()},
        **{f"context/root/{file_name('root', version)}": data for version, data in chain},
        **{f"context/previous/{head.role}.json": head.data for head in shown},
        **{f"evidence/{path}": data for path, data in draft.evidence.items()},
    }
