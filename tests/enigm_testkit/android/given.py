"""Artifacts put before one gate, as if a record had brought them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from enigm_testkit.android.build import AndroidBuild
from enigm_tuf.model.manifest import Release, Rollout
from enigm_tuf.model.payload import Chunks, PayloadRecord
from enigm_tuf_repository.gates.artifacts import StagedArtifact, StagedArtifacts
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import GateResult, Verdict
from enigm_tuf_repository.gates.plugins import PluginSet, installed_gates
from enigm_tuf_repository.gates.running import run_gates
from enigm_tuf_repository.inspection.source import file_source
from enigm_tuf_repository.workspace import Workspace


def with_artifacts(
    context: GateContext, build: AndroidBuild, *files: Path, record: Mapping[str, Any] | None = None, **release: Any
) -> GateContext:
    """The context with these files for artifacts, in a release of ``build``; ``release`` changes the manifest's."""
    manifest = _release(build, **release)
    signed = PayloadRecord(
        product="phone",
        version=manifest.version,
        build_id=manifest.build_id,
        rollback_index=manifest.rollback_index,
        hardware_ids=manifest.hardware_ids,
        type="full-ota",
        source_build=None,
        provenance=(),
        chunks=Chunks(4096, "0" * 64),
    )
    staged = tuple(
        StagedArtifact(f"payloads/phone/{build.version}/{file.name}", f"staged/{file.name}", file_source(file), signed)
        for file in files
    )
    if record:
        staged = tuple(replace(item, record=_changed(item.record, record)) for item in staged)
    artifacts = StagedArtifacts(context.workspace, context.record)
    artifacts._made |= {"all": staged, "release": manifest}
    return replace(context, artifacts=artifacts, digests={item.staged: "0" * 64 for item in staged})


def set_artifact_rules(workspace: Workspace, **rules: object) -> None:
    """What repository.toml says of product ``phone``."""
    config = workspace.configuration_file
    lines = [line for line in config.read_text().splitlines() if not line.startswith("artifacts =")]
    said = {"product": "phone", **rules}
    table = ", ".join(f"{name} = {_toml(value)}" for name, value in said.items())
    config.write_text("\n".join([f"artifacts = [{{{table}}}]", *lines]))


def result_of(context: GateContext, gate: str) -> GateResult:
    """What this gate alone says."""
    plugins = tuple(plugin for plugin in installed_gates().plugins if plugin.gate.rule == gate)
    try:
        return run_gates(context, PluginSet(plugins, ()))[1]
    finally:
        context.artifacts.clear()


def passes(context: GateContext, gate: str) -> GateResult:
    """The gate passed, and did not only find that it does not apply."""
    result = result_of(context, gate)
    assert result.verdict is Verdict.PASS, result.summary
    return result


def refuses(context: GateContext, gate: str) -> str:
    """What the gate said when it refused, which it must."""
    result = result_of(context, gate)
    assert result.verdict is Verdict.FAIL, result.summary
    return result.summary


def _release(build: AndroidBuild, **changes: Any) -> Release:
    values: dict[str, Any] = {
        "version": build.version,
        "build_id": build.id,
        "security_patch_level": build.security_patch_level,
        "rollback_index": build.rollback_index,
        "hardware_ids": build.devices,
        "applicable_from": None,
        "payloads": (),
        "rollout": Rollout(None, (), (), halted=False),  # type: ignore[arg-type] # no gate looks at it
        "release_notes": "",
        "minimum_client": "0",
        "mandatory": False,
    }
    return Release(**values | changes)


def _changed(record: PayloadRecord, changes: Mapping[str, Any]) -> PayloadRecord:
    return PayloadRecord(**{name: getattr(record, name) for name in PayloadRecord.value_fields} | dict(changes))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"'
