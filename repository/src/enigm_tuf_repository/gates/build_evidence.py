"""The evidence of a release's builds, as the authorities were shown it, and what all gates that judge it share."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.build_evidence import BuildStatement, is_envelope, read_build_statement
from enigm_tuf.model.request import read_request
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.build_evidence import Built, require_provenance
from enigm_tuf_repository.evidence_rules import EvidenceRules
from enigm_tuf_repository.gates.artifacts import StagedArtifact
from enigm_tuf_repository.gates.context import GateContext

FOLDER = "evidence/provenance"


class _Demanding(Protocol):
    @property
    def rule(self) -> str: ...


def why_not(context: GateContext) -> str:
    """Empty where evidence is demanded: wherever ``repository.toml`` says so, and in production always."""
    if not context.artifacts.all():
        return f"a {context.record.action} brings no artifacts"
    if context.artifacts.rules().evidence or context.workspace.configuration().environment == "production":
        return ""
    return f"repository.toml demands nothing of the builds of {context.record.product}"


def rules_of(context: GateContext, gate: _Demanding) -> EvidenceRules:
    """RefusedError with the gate's own ID where ``repository.toml`` has none, which it must in production."""
    rules = context.artifacts.rules().evidence
    if rules is None:
        expected = "[artifacts.evidence] in repository.toml"
        raise RefusedError(gate.rule, f"{context.record.product}", expected=expected, got="none, in production")
    return rules


def evidence(context: GateContext) -> Mapping[str, bytes]:
    """The files by name. Read from the requests, whose digests the record binds: what the authorities saw."""
    folder = context.workspace.record(context.record.id)
    found: dict[str, bytes] = {}
    for entry in context.record.requests:
        request = read_request((folder / entry.path).read_bytes(), entry.path)
        if request.digest == entry.digest:
            found |= request.below(FOLDER)
    return found


def of_artifact(context: GateContext, artifact: StagedArtifact) -> Mapping[str, bytes]:
    """Those that count for an artifact: in model dual, whose digests the release authority signed with it."""
    found = evidence(context)
    if context.workspace.configuration().authority_model == "manifest-only":
        return found
    bound = set(artifact.record.provenance)
    return {name: data for name, data in found.items() if sha256(data) in bound}


def statements(context: GateContext, artifact: StagedArtifact) -> list[BuildStatement]:
    """The in-toto statements among them; MalformedError names the file that is a broken one."""
    found = sorted(of_artifact(context, artifact).items())
    return [read_build_statement(data, name) for name, data in found if is_envelope(data)]


def accounts(context: GateContext, artifact: StagedArtifact, rules: EvidenceRules) -> tuple[Built, ...]:
    """What builders say of an artifact; RefusedError PROVENANCE."""
    digest = digest_of(context, artifact)
    return require_provenance(artifact.name, digest, statements(context, artifact), rules.builders, rules.demand)


def digest_of(context: GateContext, artifact: StagedArtifact) -> str:
    """SHA-256 of the staged file, as step 6 hashed it."""
    return context.digests[artifact.staged]


def artifacts(context: GateContext) -> Iterator[StagedArtifact]:
    """All that the record brings."""
    return iter(context.artifacts.all())
