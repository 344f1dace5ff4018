"""What counts of what a build says of itself: statements by configured keys, about this file, from this source.

Pure. The release gates use it outside the trust boundary, and a policy can use it inside.
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.errors import MalformedError, refuse
from enigm_tuf.model.build_evidence import (
    PROVENANCE,
    REVIEW,
    TEST_RESULT,
    TWO_PERSON_REVIEW,
    BuildStatement,
    Provenance,
    SourceRevision,
    read_provenance,
    read_review,
    read_test_result,
)
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.statement import pre_authentication_encoding
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signatures import verifies


class BuildRule(Rule):
    """What is demanded of the build of an artifact."""

    PROVENANCE = (
        "PROVENANCE",
        "an allowed builder signed what it built, from the source that is allowed, reviewed by two",
    )
    REBUILD = "REBUILD", "builders that share no key built the same bytes from the same commit"
    TESTS = "TESTS", "an allowed tester signed that this very artifact passed, not longer ago than is allowed"


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose statements count: ``id`` as in the statement, ``keys`` as base64 DER SubjectPublicKeyInfo."""

    id: str
    keys: tuple[str, ...]

    def key_digests(self) -> frozenset[str]:
        """SHA-256 of the keys."""
        return frozenset(sha256(b64decode(key)) for key in self.keys)


@dataclass(frozen=True, slots=True)
class SourceDemand:
    """The repository (``git+https://...``), the refs that may be released, and who says that two people reviewed it.

    ``reviewers`` None: no review is demanded.
    """

    repository: str
    refs: tuple[str, ...]
    reviewers: tuple[Signer, ...] | None


@dataclass(frozen=True, slots=True)
class Built:
    """One builder's account of an artifact, verified. ``key`` is the SHA-256 of the key that signed."""

    builder: Signer
    key: str
    revision: SourceRevision
    statement: str


def signed_by(statement: BuildStatement, signer: Signer) -> str | None:
    """SHA-256 of the SPKI of the first of the signer's keys that signed the statement; None if none did."""
    data = pre_authentication_encoding(statement.payload)
    for text in signer.keys:
        spki = b64decode(text)
        if any(verifies(tuf_key(spki), signature.hex(), data) for signature in statement.signatures):
            return sha256(spki)
    return None


def require_signer_keys(signers: Iterable[Signer], source: str, field: str) -> None:
    """MalformedError unless each key is one that counts, and stands once."""
    seen: set[bytes] = set()
    for signer in signers:
        for text in signer.keys:
            try:
                spki = b64decode(text, validate=True)
                tuf_key(spki)
            except (ValueError, MalformedError) as error:
                raise MalformedError(source, field, f"{signer.id}: not a public key in base64 DER: {error}") from error
            if spki in seen:
                raise MalformedError(source, field, f"{signer.id}: a key that stands there already")
            seen.add(spki)


def require_provenance(
    name: str, digest: str, statements: Sequence[BuildStatement], builders: Sequence[Signer], source: SourceDemand
) -> tuple[Built, ...]:
    """PROVENANCE: what allowed builders say of the file ``name`` with the SHA-256 ``digest``; at least one does.

    Every statement of an allowed builder about a file of that name must be about these bytes: two builders that do not
    agree are a finding, not a choice.
    """
    found = tuple(_accounts(name, digest, statements, builders, source))
    if not found:
        refuse(BuildRule.PROVENANCE, name, "provenance by an allowed builder", "none that is signed by its key")
    if source.reviewers is not None:
        for commit in {built.revision.commit for built in found}:
            _require_review(name, commit, statements, source.reviewers, source.repository)
    return found


def _accounts(
    name: str, digest: str, statements: Sequence[BuildStatement], builders: Sequence[Signer], source: SourceDemand
) -> Iterator[Built]:
    for statement in _of_type(statements, PROVENANCE):
        said = read_provenance(statement)
        builder = next((item for item in builders if item.id == said.builder), None)
        key = signed_by(statement, builder) if builder else None
        if builder is None or key is None or not (statement.sha256_of(name) or statement.names("sha256", digest)):
            continue
        for got in statement.sha256_of(name):
            if got != digest:
                refuse(BuildRule.PROVENANCE, f"{name}, {statement.source}", f"SHA-256 {digest}", got)
        yield Built(builder, key, _revision(name, said, source), statement.source)


def _revision(name: str, said: Provenance, source: SourceDemand) -> SourceRevision:
    """The one revision of the demanded repository that was built."""
    found = [item for item in said.sources if item.repository == source.repository]
    if len(found) != 1:
        got = ", ".join(item.repository for item in said.sources) or "none"
        refuse(BuildRule.PROVENANCE, f"{name}, source", f"one revision of {source.repository}", got)
    if found[0].ref not in source.refs:
        refuse(BuildRule.PROVENANCE, f"{name}, ref", " or ".join(source.refs), found[0].ref or "none")
    return found[0]


def _require_review(
    name: str, commit: str, statements: Sequence[BuildStatement], reviewers: Sequence[Signer], repository: str
) -> None:
    for statement in _of_type(statements, REVIEW):
        said = read_review(statement)
        reviewer = next((item for item in reviewers if item.id == said.verifier), None)
        if (
            reviewer is not None
            and said.passed
            and TWO_PERSON_REVIEW in said.levels
            and said.repository == repository
            and statement.names("gitCommit", commit)
            and signed_by(statement, reviewer)
        ):
            return
    expected = f"a review by two of commit {commit} of {repository}"
    refuse(BuildRule.PROVENANCE, f"{name}, review", expected, "none that is signed by an allowed reviewer")


def require_rebuilds(name: str, accounts: Sequence[Built], needed: int) -> tuple[str, ...]:
    """REBUILD: the IDs of at least ``needed`` builders without a key in common, all from one commit."""
    if len(commits := {built.revision.commit for built in accounts}) != 1:
        refuse(
            BuildRule.REBUILD, f"{name}, commit", "one that all builders built", ", ".join(sorted(commits)) or "none"
        )
    builders = {built.builder.id: built.builder.key_digests() for built in accounts}
    digests = [digest for keys in builders.values() for digest in keys]
    if len(builders) < needed or len(set(digests)) != len(digests):
        refuse(BuildRule.REBUILD, name, f"{needed} builders that share no key", ", ".join(sorted(builders)))
    return tuple(sorted(builders))


def require_tests(
    name: str,
    digest: str,
    statements: Sequence[BuildStatement],
    testers: Sequence[Signer],
    oldest: timedelta,
    now: datetime,
) -> tuple[str, datetime]:
    """TESTS: the newest result by an allowed tester about these bytes passed, and is young enough; who, and when."""
    results = [
        (said.finished, tester.id, said)
        for statement in _of_type(statements, TEST_RESULT)
        if statement.names("sha256", digest)
        for said in [read_test_result(statement)]
        for tester in testers
        if signed_by(statement, tester)
    ]
    if not results:
        refuse(BuildRule.TESTS, name, "a test result by an allowed tester", "none that is signed by its key")
    for finished, tester, said in results:
        if said.result != "PASSED" or said.failed:
            refuse(
                BuildRule.TESTS,
                f"{name}, {tester}",
                "PASSED, and no failed test",
                f"{said.result}, {len(said.failed)} failed",
            )
        if finished > now:
            refuse(BuildRule.TESTS, f"{name}, {tester}", f"a result from before {now:%F %T}", f"{finished:%F %T}")
    finished, tester, _ = max(results, key=lambda item: item[:2])
    if now - finished > oldest:
        refuse(BuildRule.TESTS, f"{name}, {tester}", f"a result from after {now - oldest:%F %T}", f"{finished:%F %T}")
    return tester, finished


def _of_type(statements: Iterable[BuildStatement], predicate_type: str) -> Iterator[BuildStatement]:
    return (statement for statement in statements if statement.predicate_type == predicate_type)
