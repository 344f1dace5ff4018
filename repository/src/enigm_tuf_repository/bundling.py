"""Bundles for devices without a network: one channel's published files in one tar, proved before it gets its name."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.durable import fsync_directory, read_input, require_new, temporary
from enigm_tuf.errors import MisuseError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.decisions import FOLDER, index_path, read_decision_index
from enigm_tuf.model.manifest import manifest_path, read_manifest
from enigm_tuf.model.request import read_response
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.ports import Clock, Fetcher
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.root_rules import view_trusted_root
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.media import BundleFetcher
from enigm_tuf_repository.devices import refresh_as_device
from enigm_tuf_repository.lineage import Lineage, file_name, require_delegated, root_chain
from enigm_tuf_repository.mirror import bring, payload_target
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.workspace import Workspace


def write_bundle(
    workspace: Workspace, product: str, channel: str, out: Path, clock: Clock, remote: Fetcher | None = None
) -> list[str]:
    """The paths in the bundle ``out``: every root, the metadata in force, the newest release's payloads, and, where
    ``published`` has them, the answers that signed the product's roles, with their proofs from the audit log.

    A device's verifier has accepted the bundle, payload bytes included, before it is there. MisuseError, StateError,
    RefusedError; nothing is left where one is raised. ``remote`` has the payloads that are not in ``published``.
    """
    require_new(out)
    lineage = Lineage(workspace.published, [])
    if manifest_role(product) in lineage.heads:
        require_delegated(lineage, product)
    manifest = lineage.require(manifest_role(product), Targets).targets.get(manifest_path(product, channel))
    if manifest is None:
        raise MisuseError(f"channel {channel} of product {product} has no release yet")
    releases = read_manifest(lineage.target(manifest), manifest.path).releases
    payloads = [payload_target(lineage, product, item) for item in releases[0].payloads]
    for payload in payloads:
        bring(workspace.published, remote, payload)
    paths = [
        *_paths(workspace, lineage, product, [manifest, *payloads]),
        *_decisions(workspace.published, lineage, product),
    ]
    try:
        with temporary(out.parent) as place:
            _write(workspace.published, paths, Path(place))
            _prove(workspace, Path(place), [manifest, *payloads], clock)
            Path(place).replace(out)
        fsync_directory(out.parent)
    except OSError as error:
        raise StateError(f"{out}: {error.strerror}") from error
    return paths


def _paths(workspace: Workspace, lineage: Lineage, product: str, targets: list[TargetFile]) -> Iterator[str]:
    for version in range(1, len(root_chain(workspace.published)) + 1):
        yield f"metadata/{file_name('root', version)}"
    heads = lineage.heads
    for role in ("timestamp", "snapshot", "targets", manifest_role(product), payload_role(product)):
        if role in heads:  # there is no payload role in model manifest-only
            yield f"metadata/{file_name(role, heads[role].version)}"
    for target in targets:
        path = f"targets/{hashed_name(target)}"
        yield path
        if (workspace.published / f"{path}{SUFFIX}").is_file():
            yield f"{path}{SUFFIX}"


def _decisions(published: Path, lineage: Lineage, product: str) -> Iterator[str]:
    """For ``enigm-sign explain``; no device reads them. Found from the newest snapshot backwards."""
    heads = lineage.heads
    wanted = {(role, heads[role].version) for role in (manifest_role(product), payload_role(product)) if role in heads}
    version = heads["snapshot"].version
    while wanted and version and (published / FOLDER).is_dir():
        path = index_path("snapshot", version)
        version -= 1
        if not (published / path).is_file():
            continue
        found: set[tuple[str, int]] = set()
        for answer in read_decision_index(read_input(published / path, LIMITS.document_bytes), path).paths:
            response, _ = read_response(read_input(published / answer, LIMITS.request_bytes), answer)
            if signed := wanted & {(made.role, made.version) for made in response.signatures}:
                found |= signed
                yield answer
        wanted -= found


def _write(published: Path, paths: list[str], place: Path) -> None:
    """The same files give the same bytes."""
    with place.open("wb") as raw:
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in paths:
                member = tarfile.TarInfo(path)
                with (published / path).open("rb") as file:
                    member.size = os.fstat(file.fileno()).st_size
                    tar.addfile(member, file)
        raw.flush()
        os.fsync(raw.fileno())


def _prove(workspace: Workspace, place: Path, targets: list[TargetFile], clock: Clock) -> None:
    bundle = BundleFetcher(place)
    first = bundle.fetch("metadata/1.root.json", 1 << 20)
    workflow = refresh_as_device(bundle, first, workspace.configuration().environment, clock)
    with temporary(place.parent) as copy:
        dual = view_trusted_root(workflow.trusted.root).extension.authority_model == "dual"
        for target in targets:
            found = workflow.target(target.path) if dual or target.path.startswith("manifests/") else target
            download([bundle], Wanted(f"targets/{hashed_name(found)}", found.length, found.hashes), Path(copy))
