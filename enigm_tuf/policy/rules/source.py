"""SOURCE and GATE: what a release adds was built by allowed builders from reviewed source, and was tested lately."""

from collections.abc import Iterator
from datetime import timedelta

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.policy_demands import EVERY_PRODUCT, ProvedProduct
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.build_evidence import SourceDemand, require_provenance, require_rebuilds, require_tests
from enigm_tuf.trust.delegation_rules import payload_role
from enigm_tuf.trust.rules import Rule


class SourceRule(Rule):
    """Family SOURCE."""

    SOURCE_BUILDER = "SOURCE-BUILDER", "an allowed builder signed what is added, from allowed source that two reviewed"
    SOURCE_REBUILD = "SOURCE-REBUILD", "as many builders as the policy says built the same bytes from one commit"


class GateRule(Rule):
    """Family GATE."""

    GATE_TESTS = "GATE-TESTS", "what is added passed an allowed tester's tests, not longer ago than the policy says"


def builder(question: Question) -> str:
    """SOURCE-BUILDER: Every payload that a release adds comes with the signed provenance of a builder that the
    policy names with its key, from the repository and a ref that it names, and a reviewer that it names signed that
    two people agreed to the commit. A builder who signed other bytes under that name refuses. A product that the
    policy neither proves nor calls ``unproved`` is refused. The release authority asks; in the model
    ``manifest-only`` the manifest authority does.

    Evidence: each payload with its builders.
    """
    told = []
    for product, name, digest in _added(question):
        proved = _proved(question, product)
        if proved is None:
            told.append(f"{name}: unproved, as the policy says")
            continue
        found = require_provenance(name, digest, question.build, proved.builders, _source_of(proved))
        told.append(f"{name}: {', '.join(sorted({item.builder.id for item in found}))}")
    return "; ".join(told) or _NOT_HERE


def rebuild(question: Question) -> str:
    """SOURCE-REBUILD: Of each payload that a release adds there are accounts by at least ``rebuilds`` builders, no
    two of which share a key, all of the same bytes from the same commit: one builder that was broken into is not
    enough.

    Evidence: each payload with the builders that agree.
    """
    told = []
    for product, name, digest in _added(question):
        proved = _proved(question, product)
        if proved is not None:
            accounts = require_provenance(name, digest, question.build, proved.builders, _source_of(proved))
            told.append(f"{name}: {', '.join(require_rebuilds(name, accounts, proved.rebuilds))}")
    return "; ".join(told) or _NOT_HERE


def tests(question: Question) -> str:
    """GATE-TESTS: The newest result of a tester that the policy names, about these very bytes, is PASSED, with no
    failed test, and at most ``maximum_age_hours`` old; one failed result of a tester refuses. A product that the
    policy neither tests nor calls ``untested`` is refused.

    Evidence: each payload with its tester and the time of the result.
    """
    told = []
    for product, name, digest in _added(question):
        tested = next((item for item in question.policy.gate.products if item.product == product), None)
        if tested is None:
            _require_named(GateRule.GATE_TESTS, product, question.policy.gate.untested)
            told.append(f"{name}: untested, as the policy says")
            continue
        oldest = timedelta(hours=tested.maximum_age_hours)
        tester, finished = require_tests(name, digest, question.build, tested.testers, oldest, question.now)
        told.append(f"{name}: {tester}, {finished.isoformat()}")
    return "; ".join(told) or _NOT_HERE


def _added(question: Question) -> Iterator[tuple[str, str, str]]:
    """Product, file name and SHA-256 of every payload that this request adds."""
    if question.request.index.action in ("roles", "product", "retire"):
        return
    product = question.product
    if question.policy.authority == "release":
        old, new = question.previous_targets_of(payload_role(product)), question.targets_of(payload_role(product))
        before = old.targets if old else {}
        for path, target in sorted(new.targets.items() if new else ()):
            if path not in before:
                yield product, path.rpartition("/")[2], target.hashes.get("sha256", "")
    elif question.model == "manifest-only":
        yield from _offered(question, product)


def _offered(question: Question, product: str) -> Iterator[tuple[str, str, str]]:
    """Where no role lists payloads, what a manifest offers and did not before."""
    known = {digest for data in question.earlier_manifests.values() for digest in _digests(data)}
    for _, manifest in sorted(question.manifests.items()):
        for item in (payload for release in manifest.releases for payload in release.payloads):
            if item.hashes["sha256"] not in known:
                yield product, item.path.rpartition("/")[2], item.hashes["sha256"]


def _digests(data: bytes) -> set[str]:
    releases = read_manifest(data, "evidence/manifests-before").releases
    return {item.hashes["sha256"] for release in releases for item in release.payloads}


def _proved(question: Question, product: str) -> ProvedProduct | None:
    proved = next((item for item in question.policy.source.products if item.product == product), None)
    if proved is None:
        _require_named(SourceRule.SOURCE_BUILDER, product, question.policy.source.unproved)
    return proved


def _require_named(rule: Rule, product: str, excepted: tuple[str, ...]) -> None:
    if product not in excepted and EVERY_PRODUCT not in excepted:
        raise RefusedError(rule, f"product {product}", expected="a product that the policy knows", got="none")


def _source_of(proved: ProvedProduct) -> SourceDemand:
    return SourceDemand(proved.repository, proved.refs, proved.reviewers)


_NOT_HERE = "not part of this action"
RULES = {
    SourceRule.SOURCE_BUILDER: builder,
    SourceRule.SOURCE_REBUILD: rebuild,
    GateRule.GATE_TESTS: tests,
}
