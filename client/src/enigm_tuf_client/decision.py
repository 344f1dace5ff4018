"""One check against one server: refresh, then one control after the other, each with its own finding."""

from __future__ import annotations

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.manifest import OtaManifest, Release, manifest_path, read_manifest
from enigm_tuf.model.shapes import version_key
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf.ports import DeviceClock, DeviceState, Fetcher, Store
from enigm_tuf.trust import agreement, eligibility
from enigm_tuf.trust.agreement import AgreedPayload
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf.trust.gate_report import Control, Finding, GateReport, Verdict, not_checked, passed, refused
from enigm_tuf.trust.root_rules import RootView, view_trusted_root
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.offer import Check, Known, Offer
from enigm_tuf_client.workflow import TufWorkflow

TYPE_CHECKING = False  # without importing typing


class Decision:
    """One check, from the first request to the verdict."""

    def __init__(self, store: Store, fetcher: Fetcher, facts: DeviceFacts, clock: DeviceClock) -> None:
        self._fetcher = fetcher
        self._facts = facts
        self._clock = clock
        self._store = store
        self._report = GateReport.blank()
        self._stage = Control.MANIFEST_AUTHENTICITY

    def run(self) -> Check:
        self._note(*_channel(self._fetcher))
        try:
            admission = AuthorityAdmission(self._facts.environment)
            self._workflow = TufWorkflow(self._store, self._fetcher, self._clock, admission)
            self._workflow.refresh()
            return self._decide(self._manifest())
        except RefusedError as refusal:
            control = Control.FRESHNESS if _about_time(refusal.rule) else self._stage
            self._note(refused(control, str(refusal), refusal.rule))
            return Check(None, str(refusal), self._report, refusal)

    def _note(self, *findings: Finding) -> None:
        self._report = self._report.with_finding(*findings)

    def _manifest(self) -> OtaManifest:
        """The channel's manifest, by the manifest authority's role, with its freshness and authenticity noted."""
        facts = self._facts
        path = manifest_path(facts.product, facts.channel)
        role = manifest_role(facts.product)
        try:
            data = self._workflow.small_target(path, LIMITS.manifest_bytes, role)
        except RefusedError as refusal:
            raise self._named(refusal, role) from None
        manifest = read_manifest(data, path)
        evidence = agreement.manifest_matches(manifest, facts.environment, facts.product, facts.channel)
        view = self._view()
        self._note(
            self._freshness(),
            passed(
                Control.MANIFEST_AUTHENTICITY, f"root version {view.version}; {evidence.detail}", "SIGNATURE-THRESHOLD"
            ),
        )
        return manifest

    def _named(self, refusal: RefusedError, role: str) -> RefusedError:
        """Why there is no manifest, where it is the product that is not there: a snapshot lists roles for ever."""
        targets = self._workflow.trusted.targets.get(("targets",))
        if refusal.rule != TufRule.TARGET_MISSING or targets is None:
            return refusal
        if targets.value.get_delegated_role(role) is not None:
            return refusal
        snapshot = self._workflow.trusted.snapshot
        known = snapshot is not None and f"{role}.json" in snapshot.value.meta
        got = f"it is {'retired' if known else 'unknown'}, as targets version {targets.value.version} says"
        subject = f"product {self._facts.product}"
        return RefusedError(TufRule.TARGET_MISSING, subject, expected="a product that gets updates", got=got)

    def _freshness(self) -> Finding:
        """A device without a clock knows that nothing was expired at a time that has been, and no more."""
        now = self._workflow.trusted.now.isoformat()
        if self._workflow.clock_time is None:
            told = f"no clock: unexpired at {now}, the newest time known; expiry after that cannot be judged"
            return Finding(Control.FRESHNESS, Verdict.NOT_CHECKED, told)
        return passed(Control.FRESHNESS, f"timestamp, snapshot and targets unexpired at {now}")

    def _view(self) -> RootView:
        return view_trusted_root(self._workflow.trusted.root)

    def _decide(self, manifest: OtaManifest) -> Check:
        state: DeviceState = self._workflow.state
        installed = state.installed.get(self._facts.product)
        floor = state.rollback_floors.get(self._facts.product, 0)
        if not manifest.releases:
            return self._nothing("the channel has no release")
        newest = manifest.releases[0]
        newer = [
            release
            for release in manifest.releases
            if installed is None or version_key(release.version) > version_key(installed[0])
        ]
        if not newer and newest.rollback_index >= floor:
            return self._nothing(f"up to date: {newest.version} is installed")
        before = self._report
        checks = []
        for release in newer or [newest]:
            self._report = before
            checks.append(self._judge(release, installed, floor))
            if checks[-1].offer:
                return checks[-1]
        return checks[0]

    def _judge(self, release: Release, installed: tuple[str, str] | None, floor: int) -> Check:
        facts = self._facts
        self._note(
            eligibility.compatibility(release, facts, installed),
            eligibility.eligibility(release, facts),
            eligibility.rollout(release, facts, self._workflow.trusted.now),
            eligibility.enrolment(facts),
            eligibility.battery(facts),
            eligibility.maintenance_window(release, facts),
        )
        if payload := eligibility.choose_payload(release, installed[1] if installed else None):
            self._note(eligibility.space(payload, facts))
        if refusals := self._report.refusals():
            reasons = "; ".join(f"{finding.control}: {finding.evidence}" for finding in refusals)
            return self._nothing(f"{release.version} is not for this device now: {reasons}")
        agreed = self._agree(release, installed)
        self._stage = Control.ROLLBACK
        evidence = agreement.rollback_index(agreed, floor)
        self._note(
            passed(Control.ROLLBACK, evidence.detail, evidence.rule),
            Finding(Control.ARTIFACT_INTEGRITY, Verdict.NOT_CHECKED, "checked when the artifact is fetched"),
        )
        return Check(
            Offer(agreed, Known.by(self._workflow.state, agreed.product)), f"{release.version} is offered", self._report
        )

    def _agree(self, release: Release, installed: tuple[str, str] | None) -> AgreedPayload:
        """Find the payload in the release authority's role and demand that both accounts are the same."""
        payload = eligibility.choose_payload(release, installed[1] if installed else None)
        if payload is None:
            raise MisuseError("compatibility found a payload that is not there")
        if self._view().extension.authority_model == "manifest-only":
            agreed = agreement.by_manifest_alone(self._facts.product, release, payload)
            note = Finding(Control.RELEASE_AUTHENTICITY, Verdict.NOT_CHECKED, agreed.evidence.detail)
        else:
            self._stage = Control.RELEASE_AUTHENTICITY
            target = self._target_or_none(payload.path)
            self._stage = Control.AGREEMENT
            agreed = agreement.agree(self._facts.product, release, payload, target)
            threshold = self._view().payload_threshold
            note = passed(Control.RELEASE_AUTHENTICITY, f"{threshold} pinned payload keys signed", "PAYLOAD-PINNED")
        self._note(note, passed(Control.AGREEMENT, agreed.evidence.detail, agreed.evidence.rule))
        return agreed

    def _target_or_none(self, path: str) -> TargetFile | None:
        try:
            return self._workflow.target(path, payload_role(self._facts.product))
        except RefusedError as refusal:
            if refusal.rule == TufRule.TARGET_MISSING:
                return None
            raise

    def _nothing(self, reason: str) -> Check:
        return Check(None, reason, self._report)


def _about_time(rule: str) -> bool:
    return rule.endswith("-EXPIRED") or rule == "TIME-FLOOR"


def _channel(fetcher: Fetcher) -> tuple[Finding, Finding]:
    """What the channel is like. Whether the service looks at a signature is the service's to say."""
    channel = fetcher.channel()
    return (
        passed(Control.TRANSPORT, channel.transport)
        if channel.transport
        else not_checked(Control.TRANSPORT, f"{type(fetcher).__name__}: metadata needs no trusted channel"),
        passed(Control.REQUEST, channel.requests)
        if channel.requests
        else not_checked(Control.REQUEST, "requests are not signed"),
    )
