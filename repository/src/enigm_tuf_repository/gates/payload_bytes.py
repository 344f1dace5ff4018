"""PAYLOAD-BYTES: the bytes on the disk are those of the payload record, with its chunk root, and of the manifest."""

from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.chunks import SUFFIX, read_digests
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.payload import Chunks, read_payload_record
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf_repository.artifacts import Artifact, measure
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import new_targets, offered_payloads, staged_path


class PayloadBytes:
    """Reads every payload that the record brings, or newly lists, from the disk again."""

    rule = RepositoryRule.PAYLOAD_BYTES
    proves = (
        "Each payload's bytes on the disk have the length, hash and chunk root of the payload record that the "
        "release authority signed, and the length and hashes of the manifest. The chunk digests beside it are its "
        "own. In model manifest-only: the length and hashes of the manifest alone."
    )
    does_not_prove = "Anything about what is in the bytes: that is for the gates below."

    def applies(self, context: GateContext) -> str:
        """To records with a product's roles: nothing else lists payloads."""
        is_listing = any(role.endswith((".payload", ".manifest")) for role in context.roles)
        return "" if is_listing else f"a {context.record.action} lists no payloads"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError PAYLOAD-BYTES names the first difference."""
        payloads = [target for role in context.roles if role.endswith(".payload") for target in _gained(context, role)]
        listed = {path: facts for role in context.roles for path, facts in _listed(context, role.rpartition(".")[0])}
        alone = offered_payloads(context.workspace, context.record)
        total, done = sum(target.length for target in (*payloads, *alone)), 0
        for target in payloads:
            _require_signed_bytes(context, target, listed.get(target.path, {}))
            done += target.length
            progress(done, total)
        for target in alone:
            signed = {"length": target.length, **target.hashes}
            _require_equal(f"{target.path} on the disk", signed, _facts(measure(_file(context, target), target.hashes)))
            done += target.length
            progress(done, total)
        told = f", {len(alone)} by the manifest alone" if alone else ""
        return Evidence(
            f"{len(payloads)} payloads: length, hashes, chunk root and chunk digests{told}",
            {"payloads": {target.path: {"length": target.length, **target.hashes} for target in (*payloads, *alone)}},
            tuple(
                staged_path(target)
                for target in (*payloads, *alone, *_new_manifests(context))
                if (context.workspace.record(context.record.id) / staged_path(target)).is_file()
            ),
        )


def _gained(context: GateContext, role: str) -> list[TargetFile]:
    """The payloads that the role did not list before, whether the record brings their bytes or they are out already."""
    before = context.before[role].value_as(Targets).targets if role in context.before else {}
    after = context.roles[role].value_as(Targets).targets
    return [target for path, target in after.items() if path not in before]


def _new_manifests(context: GateContext) -> list[TargetFile]:
    targets = new_targets(context.workspace, context.record)
    return [target for target in targets if target.path.startswith("manifests/")]


GATE = PayloadBytes()


def _require_signed_bytes(context: GateContext, target: TargetFile, listed: dict[str, object]) -> None:
    record = read_payload_record(target.unrecognized_fields.get("custom"), target.path, "custom")
    signed = {"length": target.length, **target.hashes, "chunks": record.chunks}
    artifact = measure(_file(context, target), target.hashes)
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


def _listed(context: GateContext, product: str) -> Iterator[tuple[str, dict[str, object]]]:
    """What the manifests of a product say of its payloads, once their own bytes are right."""
    role = context.after.get(manifest_role(product))
    for target in role.value_as(Targets).targets.values() if role else ():
        file = _file(context, target)
        _require_equal(target.path, {"length": target.length, **target.hashes}, _facts(measure(file, target.hashes)))
        for release in read_manifest(file.read_bytes(), target.path).releases:
            for item in release.payloads:
                yield item.path, {"length": item.length, **item.hashes}


def _file(context: GateContext, target: TargetFile) -> Path:
    staged = context.workspace.record(context.record.id) / staged_path(target)
    return staged if staged.is_file() else context.workspace.published / "targets" / hashed_name(target)


def _facts(artifact: Artifact) -> dict[str, object]:
    return {"length": artifact.length, **artifact.hashes}


def _require_equal(subject: str, signed: dict[str, object], got: dict[str, object]) -> None:
    for name, expected in signed.items():
        if got.get(name) != expected:
            raise RefusedError(
                RepositoryRule.PAYLOAD_BYTES, f"{subject}, {name}", expected=str(expected), got=str(got.get(name))
            )
