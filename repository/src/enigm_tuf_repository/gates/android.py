"""What the gates for update packages of Android share: to which releases they apply, and how they refuse."""

from collections.abc import Iterator

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf_repository.gates.artifacts import ANDROID, StagedArtifact
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence
from enigm_tuf_repository.inspection.android.package import KIND, OtaPackage
from enigm_tuf_repository.rules import ArtifactRule


def packages(context: GateContext) -> Iterator[tuple[StagedArtifact, OtaPackage]]:
    """The update packages of the release."""
    for artifact, inspection in context.artifacts.of_kind(KIND):
        if isinstance(inspection.value, OtaPackage):
            yield artifact, inspection.value


def why_no_package(context: GateContext) -> str:
    """Empty if there is an update package of Android."""
    if context.record.action != "release":
        return f"a {context.record.action} brings no artifacts"
    return "" if KIND in context.artifacts.kinds() else "no update package of Android in this release"


def why_not_android(context: GateContext) -> str:
    """Empty if one of the artifacts is of a kind that only Android has."""
    if context.record.action != "release":
        return f"a {context.record.action} brings no artifacts"
    return "" if context.artifacts.kinds() & ANDROID else "no artifact of Android in this release"


def evidence_of(context: GateContext, summary: str, facts: dict[str, object]) -> Evidence:
    """About the update packages alone."""
    return Evidence(summary, facts, tuple(artifact.staged for artifact, _ in packages(context)))


def refuse(rule: ArtifactRule, subject: str, expected: str, got: str) -> RefusedError:
    """The error to raise."""
    return RefusedError(rule, subject, expected=expected, got=got)


def refused(rule: ArtifactRule, expected: str, error: MalformedError) -> RefusedError:
    """The same for what a parser or a verification said."""
    subject = f"{error.source}: {error.field}" if error.field else error.source
    return RefusedError(rule, subject, expected=expected, got=error.rule)
