"""PAYLOAD-BYTES: the bytes on the disk are those of the payload record, with its chunk root, and of the manifest."""

from pathlib import Path

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.chunks import SUFFIX, read_digests
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.payload import Chunks, read_payload_record
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf_repository.artifacts import Artifact, measure
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import new_targets, staged_path


def payload_bytes(context: GateContext) -> str:
    """RefusedError PAYLOAD-BYTES names the first difference."""
    targets = new_targets(context.workspace, context.record)
    payloads = [target for target in targets if target.path.startswith("payloads/")]
    manifests = [target for target in targets if target.path.startswith("manifests/")]
    listed = {path: facts for target in manifests for path, facts in _listed(context, target).items()}
    for target in payloads:
        record = read_payload_record(target.unrecognized_fields.get("custom"), target.path, "custom")
        signed = {"length": target.length, **target.hashes, "chunks": record.chunks}
        artifact = measure(_file(context, target))
        _require_digests(context, target, record.chunks)
        _require_equal(f"{target.path} on the disk", signed, _facts(artifact) | {"chunks": artifact.chunks})
        del signed["chunks"]  # a manifest names none
        _require_equal(f"{target.path} in the manifest", signed, listed.get(target.path, {}))
    return f"{len(payloads)} payloads: length, SHA-256, chunk root and chunk digests"


def _require_digests(context: GateContext, target: TargetFile, chunks: Chunks) -> None:
    """The file that lets a device go on after a cut; without it, or with a wrong one, every cut starts again."""
    file = _file(context, target).with_name(f"{_file(context, target).name}{SUFFIX}")
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        data = b""
    try:
        read_digests(data, target.length, chunks, file.name)
    except MalformedError as error:
        subject = f"chunk digests of {target.path}"
        raise RefusedError(
            RepositoryRule.PAYLOAD_BYTES, subject, expected="those of the payload record", got=str(error)
        ) from error


def _listed(context: GateContext, target: TargetFile) -> dict[str, dict[str, object]]:
    """What the newest release of a manifest says of its payloads, once the manifest's own bytes are right."""
    file = _file(context, target)
    _require_equal(target.path, {"length": target.length, **target.hashes}, _facts(measure(file)))
    release = read_manifest(file.read_bytes(), target.path).releases[0]
    return {item.path: {"length": item.length, **item.hashes} for item in release.payloads}


def _file(context: GateContext, target: TargetFile) -> Path:
    return context.workspace.record(context.record.id) / staged_path(target)


def _facts(artifact: Artifact) -> dict[str, object]:
    return {"length": artifact.length, **artifact.hashes}


def _require_equal(subject: str, signed: dict[str, object], got: dict[str, object]) -> None:
    for name, expected in signed.items():
        if got.get(name) != expected:
            raise RefusedError(
                RepositoryRule.PAYLOAD_BYTES, f"{subject}, {name}", expected=str(expected), got=str(got.get(name))
            )
