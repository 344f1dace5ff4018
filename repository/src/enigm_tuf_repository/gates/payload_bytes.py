"""PAYLOAD-BYTES: the bytes on the disk are those of the payload record, with its chunk root, and of the manifest."""

from pathlib import Path

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.chunks import SUFFIX, read_digests
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.payload import Chunks, read_payload_record
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf_repository.artifacts import Artifact, measure
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import new_targets, staged_path


class PayloadBytes:
    """Reads every payload of the release from the disk again."""

    rule = RepositoryRule.PAYLOAD_BYTES
    proves = (
        "Each payload's bytes on the disk have the length, hash and chunk root of the payload record that the "
        "release authority signed, and the length and hashes of the manifest. The chunk digests beside it are its "
        "own."
    )
    does_not_prove = "Anything about what is in the bytes: that is for the gates below."

    def applies(self, context: GateContext) -> str:
        """To releases: nothing else brings payloads."""
        return "" if context.record.action == "release" else f"a {context.record.action} brings no payloads"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError PAYLOAD-BYTES names the first difference."""
        targets = new_targets(context.workspace, context.record)
        payloads = [target for target in targets if target.path.startswith("payloads/")]
        manifests = [target for target in targets if target.path.startswith("manifests/")]
        listed = {path: facts for target in manifests for path, facts in _listed(context, target).items()}
        total, done = sum(target.length for target in payloads), 0
        for target in payloads:
            _require_signed_bytes(context, target, listed.get(target.path, {}))
            done += target.length
            progress(done, total)
        return Evidence(
            f"{len(payloads)} payloads: length, SHA-256, chunk root and chunk digests",
            {"payloads": {target.path: {"length": target.length, **target.hashes} for target in payloads}},
            tuple(staged_path(target) for target in targets),
        )


GATE = PayloadBytes()


def _require_signed_bytes(context: GateContext, target: TargetFile, listed: dict[str, object]) -> None:
    record = read_payload_record(target.unrecognized_fields.get("custom"), target.path, "custom")
    signed = {"length": target.length, **target.hashes, "chunks": record.chunks}
    artifact = measure(_file(context, target))
    _require_digests(context, target, record.chunks)
    _require_equal(f"{target.path} on the disk", signed, _facts(artifact) | {"chunks": artifact.chunks})
    del signed["chunks"]  # a manifest names none
    _require_equal(f"{target.path} in the manifest", signed, listed)


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
