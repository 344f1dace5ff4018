"""ARTIFACT: every target is where it belongs, fully hashed, described, newer than all before, and agreed on."""

from collections.abc import Mapping

from enigm_tuf.errors import refuse
from enigm_tuf.model.manifest import Release, manifest_path, payload_path, read_manifest
from enigm_tuf.model.payload import HASHES, LENGTH, PayloadRecord, read_payload_record
from enigm_tuf.model.shapes import PATH, version_key
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import TargetFile, Targets, matches
from enigm_tuf.model.value import replace
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.agreement import agree, manifest_matches
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.rules import Rule


class ArtifactRule(Rule):
    """Family ARTIFACT."""

    ARTIFACT_PATHS = "ARTIFACT-PATHS", "targets lie under their product's paths, with length and SHA-256"
    ARTIFACT_RECORD = "ARTIFACT-RECORD", "every payload has a record of its own product and version"
    ARTIFACT_MONOTONIC = "ARTIFACT-MONOTONIC", "a new release has a higher version and no lower rollback index"
    ARTIFACT_MANIFEST = "ARTIFACT-MANIFEST", "every manifest is shown, and is the one that is listed"
    ARTIFACT_RETAINED = "ARTIFACT-RETAINED", "a manifest keeps its releases as they were, and gains only newer ones"
    ARTIFACT_AGREEMENT = "ARTIFACT-AGREEMENT", "every payload of every release has an agreeing payload record"


def paths(question: Question) -> str:
    """ARTIFACT-PATHS: Every target lies under ``manifests/<product>/`` or ``payloads/<product>/<version>/`` of its
    own product, and states its length and SHA-256.

    Evidence: the number of targets.
    """
    total = 0
    for product in question.products:
        for folder, role in (("manifests", manifest_role(product)), ("payloads", payload_role(product))):
            for path, target in _targets(question, role).items():
                _require_place(path, target, folder, product)
                total += 1
    return f"{total} targets" if total else _NOT_HERE


def _require_place(path: str, target: TargetFile, folder: str, product: str) -> None:
    PATH.read(path, f"{folder} of {product}", "path")
    parts = path.split("/")
    depth = 3 if folder == "manifests" else 4
    if parts[:2] != [folder, product] or len(parts) != depth:
        refuse(ArtifactRule.ARTIFACT_PATHS, path, f"{folder}/{product}/ with {depth} parts", path)
    HASHES.read(dict(target.hashes), path, "hashes")
    LENGTH.read(target.length, path, "length")


def records(question: Question) -> str:
    """ARTIFACT-RECORD: Every payload carries a record, and the record's product and version are those of its path:
    a file of another product or version cannot be listed under this one's name.

    Evidence: the number of records.
    """
    total = 0
    for product in question.products:
        for path, record in _records(_targets(question, payload_role(product))).items():
            expected = payload_path(record.product, record.version, path.rpartition("/")[2])
            if record.product != product or path != expected:
                refuse(ArtifactRule.ARTIFACT_RECORD, path, f"a record of {product}, with its path", expected)
            total += 1
    return f"{total} records" if total else _NOT_HERE


def monotonic(question: Question) -> str:
    """ARTIFACT-MONOTONIC: What a release adds has a version above all that were there and a rollback index not
    below them, so that no old software comes back as news.

    Evidence: the new version and its rollback index.
    """
    told = [text for product in question.products if (text := _monotonic(question, payload_role(product)))]
    if question.model == "manifest-only":
        told += [
            _never_lower(question, path) for path in sorted(question.earlier_manifests.keys() & question.manifests)
        ]
    return "; ".join(told) or _NOT_HERE


def _never_lower(question: Question, path: str) -> str:
    """Where there are no payload records, the manifests show it."""
    before = read_manifest(question.earlier_manifests[path], path).releases
    known, highest = {item.version for item in before}, max((item.rollback_index for item in before), default=0)
    for item in question.manifests[path].releases:
        if item.version not in known and item.rollback_index < highest:
            refuse(ArtifactRule.ARTIFACT_MONOTONIC, path, f"index {highest} or higher", str(item.rollback_index))
    return f"{path}: no rollback index below {highest}"


def _monotonic(question: Question, role: str) -> str:
    old = question.previous_targets_of(role)
    before = _records(old.targets if old else {})
    new = {path: item for path, item in _records(_targets(question, role)).items() if path not in before}
    if not new:
        return ""
    newest = max((item.version for item in before.values()), key=version_key, default=None)
    highest = max((item.rollback_index for item in before.values()), default=0)
    for path, item in sorted(new.items(), key=lambda pair: version_key(pair[1].version)):
        if newest is not None and version_key(item.version) <= version_key(newest):
            refuse(ArtifactRule.ARTIFACT_MONOTONIC, path, f"a version above {newest}", item.version)
        if item.rollback_index < highest:
            refuse(ArtifactRule.ARTIFACT_MONOTONIC, path, f"index {highest} or higher", str(item.rollback_index))
        highest = item.rollback_index
    return f"{len(new)} new payloads, newest before {newest or 'none'}, rollback index now {highest}"


def manifests(question: Question) -> str:
    """ARTIFACT-MANIFEST: Every manifest that a role lists is shown in the request, in the bytes that the role lists
    by length and hash, and is the manifest of that product and channel: who approves sees what devices will read.

    Evidence: the manifests shown.
    """
    listed = {path: item for product in question.products for path, item in _listed(question, product).items()}
    if not listed:
        return _NOT_HERE
    if set(listed) != set(question.manifests):
        shown = ", ".join(sorted(question.manifests)) or "none"
        refuse(ArtifactRule.ARTIFACT_MANIFEST, "evidence/manifests", ", ".join(sorted(listed)), shown)
    for path, target in listed.items():
        _require_same_bytes(path, target, question.manifest_bytes[path])
        manifest, product = question.manifests[path], path.split("/")[1]
        if path != manifest_path(product, manifest.channel):
            refuse(ArtifactRule.ARTIFACT_MANIFEST, path, manifest_path(product, manifest.channel), path)
        manifest_matches(manifest, question.policy.environment, product, manifest.channel)
    return f"{len(listed)} manifests"


def _listed(question: Question, product: str) -> Mapping[str, TargetFile]:
    """The manifests of a product: as proposed, or where roles follow a root, as this authority signed them last."""
    role = manifest_role(product)
    if (
        question.request.index.action != "roles"
        or role in question.proposals
        or question.policy.authority != "manifest"
    ):
        return _targets(question, role)
    last, head = question.previous_targets_of(role), question.ledger.heads.get(role)
    digest = sha256(last.canonical()) if last else "none"
    if last is None or head is None or head.sha256 != digest:
        refuse(
            ArtifactRule.ARTIFACT_MANIFEST, role, f"the last that was signed, {head.sha256 if head else '-'}", digest
        )
    return last.targets


def retained(question: Question) -> str:
    """ARTIFACT-RETAINED: A manifest keeps its releases as they were and gains only newer ones in front. The
    rollout, the notes and the urgency of a release may change; a release is not withdrawn by leaving it out, but by
    halting it.

    Evidence: the manifests that are replaced.
    """
    if question.request.index.action == "retire":
        return _NOT_HERE  # RETIRE-SHOWN says what must be shown
    told = [path for product in question.products for path in _replaced(question, manifest_role(product))]
    if extra := sorted(set(question.earlier_manifests) - set(told)):
        refuse(ArtifactRule.ARTIFACT_RETAINED, "evidence/manifests-before", "what is replaced only", ", ".join(extra))
    return ", ".join(told) or _NOT_HERE


def _replaced(question: Question, role: str) -> list[str]:
    """The manifests of a role that are replaced; each of them keeps its releases."""
    old, told = question.previous_targets_of(role), []
    if role not in question.proposals:
        return []
    for path, target in (old.targets if old else {}).items():
        new = question.manifests.get(path)
        if new is None or _targets(question, role).get(path) == target:
            continue
        data = question.earlier_manifests.get(path)
        if data is None:
            refuse(ArtifactRule.ARTIFACT_RETAINED, path, "the manifest that it replaces as evidence", "none")
        _require_same_bytes(path, target, data)
        _require_retained(path, read_manifest(data, path).releases, new.releases)
        told.append(path)
    return told


def _require_retained(path: str, before: tuple[Release, ...], after: tuple[Release, ...]) -> None:
    """Both are newest first."""
    if not before:
        return
    known, newest = {item.version: item for item in before}, before[0].version
    if not after or version_key(after[0].version) < version_key(newest):
        got = after[0].version if after else "none"
        refuse(ArtifactRule.ARTIFACT_RETAINED, path, f"{newest} or newer in front", got)
    for item in after:
        old = known.get(item.version)
        if old is None and version_key(item.version) < version_key(newest):
            refuse(ArtifactRule.ARTIFACT_RETAINED, path, f"only gains above {newest}", item.version)
        if old and not _same_release(old, item):
            refuse(ArtifactRule.ARTIFACT_RETAINED, path, f"{item.version} as it was", "another release of that name")


def _same_release(old: Release, new: Release) -> bool:
    """But for what may change while a release is offered."""
    return new == replace(old, rollout=new.rollout, release_notes=new.release_notes, mandatory=new.mandatory)


def agreement(question: Question) -> str:
    """ARTIFACT-AGREEMENT: Every payload of every release has a payload record that agrees with it in path, length,
    hashes, product, version, hardware and rollback index. It is DUAL-AGREEMENT, asked already before the manifest
    authority signs.

    Evidence: the number of payloads that agree.
    """
    if question.policy.authority != "manifest" or not question.manifests:
        return _NOT_HERE
    if question.model == "manifest-only":
        return "model manifest-only: nobody else vouches for a payload"
    agreed = 0
    for path, manifest in question.manifests.items():
        product = path.split("/")[1] if path.count("/") == 2 else ""
        payloads = _known_payloads(question, product)
        for release in manifest.releases:
            for payload in release.payloads:
                agree(product, release, payload, payloads.get(payload.path))
                agreed += 1
    return f"{agreed} payloads agreed"


def _require_same_bytes(path: str, target: TargetFile, data: bytes) -> None:
    expected = {"length": target.length, **target.hashes}
    if wrong := matches(data, target.length, target.hashes):
        refuse(ArtifactRule.ARTIFACT_MANIFEST, path, f"the bytes with {expected}", wrong)


def _targets(question: Question, role: str) -> Mapping[str, TargetFile]:
    value = question.targets_of(role)
    return value.targets if value else {}


def _known_payloads(question: Question, product: str) -> dict[str, TargetFile]:
    """What the release authority is asked to sign now, or signed before."""
    role = payload_role(product)
    sources: list[Targets | None] = [question.previous_targets_of(role), question.other_roles.get(role)]
    return {path: target for source in sources if source for path, target in source.targets.items()}


def _records(targets: Mapping[str, TargetFile]) -> dict[str, PayloadRecord]:
    return {
        path: read_payload_record(target.unrecognized_fields.get("custom"), path, "custom")
        for path, target in targets.items()
    }


_NOT_HERE = "not part of this action"
RULES = {
    ArtifactRule.ARTIFACT_PATHS: paths,
    ArtifactRule.ARTIFACT_RECORD: records,
    ArtifactRule.ARTIFACT_MONOTONIC: monotonic,
    ArtifactRule.ARTIFACT_MANIFEST: manifests,
    ArtifactRule.ARTIFACT_RETAINED: retained,
    ArtifactRule.ARTIFACT_AGREEMENT: agreement,
}
