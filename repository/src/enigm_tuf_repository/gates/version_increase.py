"""VERSION-INCREASE: every role of the record is newer than the published one, and so is the release."""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.payload import read_payload_record
from enigm_tuf.model.shapes import version_key
from enigm_tuf.model.tuf import Targets
from enigm_tuf.trust.delegation_rules import payload_role
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.gates.published import published_releases
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import offered_payloads


class VersionIncrease:
    """Compares the record with what is published."""

    rule = RepositoryRule.VERSION_INCREASE
    proves = "Every role of the record has a higher version than the published one, and so has the release itself."
    does_not_prove = "That the artifact says the same of itself: see ANDROID-DOWNGRADE."

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError VERSION-INCREASE names the role or the release."""
        del progress
        for role, file in context.roles.items():
            before = context.before.get(role)
            if before and file.version <= before.version:
                _refuse(role, f"above {before.version}", str(file.version))
        _require_newer_release(context)
        _require_newer_in_manifests(context)
        versions = {role: file.version for role, file in sorted(context.roles.items())}
        return Evidence(", ".join(f"{role} {version}" for role, version in versions.items()), {"versions": versions})


GATE = VersionIncrease()


def _require_newer_release(context: GateContext) -> None:
    """Payloads that are new in the payload role belong to a version above every earlier one."""
    role = payload_role(context.record.product or "")
    if role not in context.roles:
        return
    after = _versions(context.roles[role].value_as(Targets))
    before = _versions(context.before[role].value_as(Targets)) if role in context.before else {}
    for path in after.keys() - before.keys():
        if older := [version for version in before.values() if version_key(version) >= version_key(after[path])]:
            _refuse(path, f"a version above {older[0]}", after[path])


def _require_newer_in_manifests(context: GateContext) -> None:
    """Model ``manifest-only``: the same, by what the published manifests list."""
    gained = offered_payloads(context.workspace, context.record)
    before = [release.version for release in published_releases(context)] if gained else []
    for target in gained:
        version = target.path.split("/")[2]
        if older := [item for item in before if version_key(item) >= version_key(version)]:
            _refuse(target.path, f"a version above {older[0]}", version)


def _versions(targets: Targets) -> dict[str, str]:
    return {
        path: read_payload_record(target.unrecognized_fields.get("custom"), path, "custom").version
        for path, target in targets.targets.items()
    }


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(RepositoryRule.VERSION_INCREASE, subject, expected=expected, got=got)
