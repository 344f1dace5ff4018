"""Why a release is what it is, from the published tree alone: who approved, which key signed, where it is logged.

What is told of signatures, approvals and the log was proved first, from a root that the reader trusts; so was when it
was decided, and what the authority says of each rule: the log has the decision's digest beside each signature. What a
rule found is the authority's word all the same; it is marked as that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from enigm_tuf.audit.including import require_logged
from enigm_tuf.audit.pins import PinnedLog, pinned_log
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.decisions import FOLDER, is_decision
from enigm_tuf.model.operators import read_operators
from enigm_tuf.model.request import Authority, RoleSignature, SigningResponse, unpack_response
from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root, Snapshot, Targets
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.policy.question import CastApproval, CastWaiver
from enigm_tuf.policy.reading import CastStatements, cast_statements
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import admit_root, trust_root
from enigm_tuf.trust.root_rules import view_root, view_trusted_root
from enigm_tuf.trust.threshold import signers
from enigm_tuf.trust.verified import Document, Verified, read_document

_Document: TypeAlias = Document[Root] | Document[Snapshot] | Document[Targets]
_EVER = datetime.min.replace(tzinfo=UTC)  # what expired is explained all the same


@dataclass(frozen=True, slots=True)
class ExplainedSignature:
    """``key`` is what root says of the key; ``entry`` the signature's number in the audit log, from 1."""

    made: RoleSignature
    key: KeyInfo
    entry: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer of an authority. ``votes`` and ``waivers`` were verified with its registry, or else ``unread``."""

    path: str
    response: SigningResponse
    payloads: Mapping[str, str]
    signatures: tuple[ExplainedSignature, ...]
    votes: tuple[CastApproval, ...]
    waivers: tuple[CastWaiver, ...]
    unread: tuple[str, ...]
    log: str
    witnesses: int


@dataclass(frozen=True)
class ExplainedTree:
    """A published tree, as a directory, and every root from the one that the reader trusts."""

    path: Path
    roots: Sequence[Verified[Root]]

    def explain(self, release: str, registries: Mapping[Authority, bytes]) -> tuple[Explanation, ...]:
        """Every answer that led to ``release``, a record's name such as ``phone-1.0``.

        MisuseError where the tree has none; RefusedError DECISION-PROVEN, LOG-INCLUSION, LOG-DECISION, LOG-CHECKPOINT,
        LOG-WITNESS.
        """
        folder = self.path / FOLDER / release
        files = sorted(folder.glob("*.enigmresp")) if release.isascii() and Path(release).name == release else []
        if not files:
            known = sorted(place.name for place in (self.path / FOLDER).glob("*/"))
            raise MisuseError(f"{folder}: no decisions", hint=f"there are: {', '.join(known[-20:]) or 'none'}")
        return tuple(self._one(file, registries) for file in files)

    def _one(self, file: Path, registries: Mapping[Authority, bytes]) -> Explanation:
        path = str(file.relative_to(self.path))
        data = read_input(file, LIMITS.request_bytes)
        response, envelopes, proofs = unpack_response(data, path)
        if not is_decision(path, data):
            raise _refusal(path, "a file named by its authority and its SHA-256", f"SHA-256 {sha256(data)}")
        documents = {made.role: self._document(made) for made in response.signatures}
        payloads = {role: sha256(document.canonical) for role, document in documents.items()}
        keys = [self._key(made, documents, path) for made in response.signatures]
        pins = self._pins(response.authority)
        logged = require_logged(response, proofs, payloads, pins, path)
        cast, unread = _cast(response, tuple(envelopes.values()), registries, payloads, path)
        return Explanation(
            path,
            response,
            payloads,
            tuple(
                ExplainedSignature(made, key, logged[made].index + 1)
                for made, key in zip(response.signatures, keys, strict=True)
            ),
            cast.approvals,
            cast.waivers,
            unread,
            pins[-1].key.name,
            pins[-1].threshold,
        )

    def _document(self, made: RoleSignature) -> _Document:
        name = f"metadata/{made.version}.{made.role}.json"
        if not (self.path / name).is_file():
            raise MisuseError(f"{self.path / name}: no such file", hint="it was pruned: explain from an older copy")
        data = read_input(self.path / name, LIMITS.targets_bytes)
        if made.role == "root":
            return read_document(data, Root, name, LIMITS.root_bytes)
        if made.role == "snapshot":
            return read_document(data, Snapshot, name, LIMITS.snapshot_bytes)
        return read_document(data, Targets, name, LIMITS.targets_bytes)

    def _key(self, made: RoleSignature, documents: Mapping[str, _Document], path: str) -> KeyInfo:
        """What the newest root that knows the key says of it, if the signature verifies with that very key."""
        document = documents[made.role]
        for root in reversed(self.roots):
            view = view_trusted_root(root)
            info = view.extension.keyinfo.get(made.keyid)
            key = root.value.keys.get(made.keyid) or self._delegated_keys.get(made.keyid)
            if info is None or key is None:
                continue
            found = signers({made.keyid: key}, [made.keyid], {made.keyid: made.signature}, document.canonical)
            if found == {info.spki_sha256} and document.signatures.get(made.keyid) == made.signature:
                return info
        expected = f"a signature of {made.role} version {made.version} in the tree, by a key that a root names"
        raise _refusal(path, expected, f"one by {made.keyid} that is not")

    @cached_property
    def _delegated_keys(self) -> dict[str, Key]:
        """Of every ``targets`` in the tree, read once: root names delegated keys by their digest alone."""
        found: dict[str, Key] = {}
        for file in sorted((self.path / "metadata").glob("*.targets.json")):
            data = read_input(file, LIMITS.targets_bytes)
            delegations = read_document(data, Targets, file.name, LIMITS.targets_bytes).value.delegations
            if delegations is not None:
                found = {**delegations.keys, **found}
        return found

    def _pins(self, authority: Authority) -> tuple[PinnedLog, ...]:
        found = [
            pinned_log(view_trusted_root(root).extension, authority, f"root version {root.value.version}")
            for root in self.roots
        ]
        return tuple(dict.fromkeys(pin for pin in found if pin is not None))


def open_explained_tree(path: Path, first_root: bytes, source: str) -> ExplainedTree:
    """Follow every root in the tree from ``first_root``, which the reader trusts, whatever its environment."""
    given = read_document(first_root, Root, source, LIMITS.root_bytes).value
    state = trust_root(first_root, _EVER, AuthorityAdmission(view_root(given).extension.environment), source=source)
    roots = [state.root]
    while (file := path / f"metadata/{state.root.value.version + 1}.root.json").is_file():
        state = admit_root(state, read_input(file, LIMITS.root_bytes))
        roots.append(state.root)
    return ExplainedTree(path, roots)


def _cast(
    response: SigningResponse,
    envelopes: Sequence[bytes],
    registries: Mapping[Authority, bytes],
    payloads: Mapping[str, str],
    path: str,
) -> tuple[CastStatements, tuple[str, ...]]:
    """RefusedError DECISION-PROVEN where an approval or a waiver is not by who it says, or is of something else."""
    registry = registries.get(response.authority)
    if registry is None:
        none = CastStatements((), (), ())
        return none, tuple(
            f"approval {sha256(data)[:16]}: not verified, no registry of operators" for data in envelopes
        )
    cast = cast_statements(read_operators(registry, "operators"), response.decided, envelopes)
    if cast.unauthentic:
        raise _refusal(path, "approvals by operators of the registry", cast.unauthentic[0])
    for operator, subjects in (
        *((item.operator, item.approval.subjects) for item in cast.approvals),
        *((item.operator, item.waiver.subjects) for item in cast.waivers),
    ):
        named = {item.name: item.sha256 for item in subjects}
        for made in response.signatures:
            if named.get(f"{made.role}.{made.version}.json") != payloads[made.role]:
                raise _refusal(
                    path, f"an approval by {operator} of {made.role} version {made.version}", "of other bytes"
                )
    return cast, ()


def _refusal(subject: str, expected: str, got: str) -> RefusedError:
    return RefusedError(SigningRule.DECISION_PROVEN, subject, expected=expected, got=got)
