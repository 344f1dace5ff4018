"""What the authorities were asked in one record: the requests, and for each role the quorums that it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.request import Authority, SigningRequest, read_request
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.policy.question import Ledger
from enigm_tuf.trust.root_quorums import root_quorums
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf.trust.verified import Verified
from enigm_tuf_repository.ledgers import ledgers_of, owner
from enigm_tuf_repository.lineage import Lineage, lineage_of, read_value, root_chain
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.trusted import RoleKeys, admit_roots, role_keys
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class AskedQuorum:
    """Signatures that a role waits for. ``name`` is for people; empty where a role has but one quorum."""

    name: str
    authority: Authority | None
    keys: RoleKeys


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """One request, the root that is trusted when it is judged (None while the first is made), policy and operators."""

    request: SigningRequest
    root: Verified[Root] | None
    policy: bytes
    operators: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """All requests of a record."""

    requests: tuple[AskedRequest, ...]
    lineage: Lineage
    ledgers: Mapping[Authority, Ledger]

    def find(self, authority: Authority, digest: str) -> AskedRequest | None:
        """The request that an answer says it answers."""
        for item in self.requests:
            if (item.request.index.authority, item.request.digest) == (authority, digest):
                return item
        return None

    def proposed(self, role: str) -> bytes | None:
        """The exact bytes that an authority was asked to sign."""
        for item in self.requests:
            for name, data in item.request.below("payloads").items():
                if name.rsplit(".", 2)[0] == role:
                    return data
        return None

    def quorums(self, role: str) -> tuple[AskedQuorum, ...]:
        """Every quorum of ``role``: by the delegation that this record proposes, else by the one in force."""
        if role == "root":
            return self._quorums_of_root()
        proposed = self.proposed("targets")
        targets = read_value(proposed, Targets, "targets") if proposed else self.lineage.value("targets", Targets)
        root = self.roots()[-1]
        return (AskedQuorum("", owner(role, root), role_keys(role, root, targets)),)

    def roots(self) -> list[Root]:
        """The trusted root, if there is one, and then the one that is proposed, if there is one."""
        proposed, trusted = self.proposed("root"), self.requests[0].root
        roots = [trusted.value] if trusted else []
        roots += [read_value(proposed, Root, "root")] if proposed else []
        if not roots:
            raise MisuseError("there is no root yet, and this record proposes none")
        return roots

    def public_keys(self, role: str, keyid: str) -> set[str]:
        """The SPKI digest of what ``role`` lists under this keyid: one, or none where it lists nothing."""
        keys = [quorum.keys.keys.get(keyid) for quorum in self.quorums(role)]
        return {spki_sha256(key) for key in keys if key}

    def _quorums_of_root(self) -> tuple[AskedQuorum, ...]:
        first = self.requests[0]
        before = view_root(first.root.value) if first.root else None
        after = view_root(read_value(self.proposed("root") or b"", Root, "root"))
        needed = root_quorums(before, after, recovering=first.request.index.action == "recovery")
        return tuple(
            AskedQuorum(item.name, item.authority, RoleKeys(item.root.keys, item.keyids, item.threshold))
            for item in needed
        )


def read_asked(workspace: Workspace, record: ReleaseRecord, now: datetime) -> Asked:
    """The requests of a record, and what they are judged against."""
    register = load_register(workspace)
    lineage = lineage_of(workspace, register, without=record.id)
    requests = tuple(
        _read(workspace, record, f"{record.id}/{entry.path}", workspace.record(record.id) / entry.path, now)
        for entry in record.requests
    )
    return Asked(requests, lineage, ledgers_of(lineage, register))


def _read(workspace: Workspace, record: ReleaseRecord, source: str, path: Path, now: datetime) -> AskedRequest:
    """Roles that follow a root are judged under it: it is signed, and staged beside them."""
    request = read_request(path.read_bytes(), source)
    following = request.index.action == "roles"
    chain = root_chain(*([workspace.staged(record.id)] if following else []), workspace.published)
    root = admit_roots(chain, workspace.configuration().environment, now).root if chain else None
    authority, pin = request.index.authority, request.index.policy
    return AskedRequest(
        request, root, policy_with(workspace, record.id, authority, pin), workspace.operators(authority)
    )


def policy_with(workspace: Workspace, record_id: str, authority: Authority, pin: PolicyPin) -> bytes:
    """The policy that has this pin: the one in force, or the one that the record's root puts in force.

    MisuseError where neither has it. A rule says whether root pins it.
    """
    for place in (workspace, workspace.with_settings_of(record_id)):
        file = place.policy_file(authority)
        data = file.read_bytes() if file.is_file() else b""
        if sha256(data) == pin.sha256:
            return data
    raise MisuseError(f"{record_id}: there is no policy of the {authority} authority here with SHA-256 {pin.sha256}")
