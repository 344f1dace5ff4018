"""Rules that passed are not asked again of the same documents, and of all others they are."""

from dataclasses import dataclass, field

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root, make_snapshot, make_targets, make_timestamp, signed
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.trust.metadata import admit_snapshot, admit_targets, admit_timestamp, trust_root
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.verified import Verified
from enigm_tuf_repository.negative.judging import JudgedOnce, Seen


@dataclass
class Counting(PlainTuf):
    """Counts the questions, and says no where it is told to."""

    asked: list[str] = field(default_factory=list)
    says_no: bool = False

    def targets(
        self, root: Verified[Root], delegator: Verified[Root] | Verified[Targets], role: str, new: Verified[Targets]
    ) -> None:
        super().targets(root, delegator, role, new)
        self.asked.append(role)
        if self.says_no:
            raise RefusedError(AuthorityRule.AUTHORITY_ROLES, role, expected="yes", got="no")


def look(files: list[bytes], admission: JudgedOnce) -> None:
    """A device that knows nothing, and gets as far as targets."""
    root, timestamp, snapshot, targets = files
    state = admit_timestamp(trust_root(root, NOW, admission), timestamp)
    admit_targets(admit_snapshot(state, snapshot), ("targets",), targets)


def served(cast: Cast) -> list[bytes]:
    roles = signed(make_timestamp(), cast.timestamp), signed(make_snapshot({"targets": 1}), cast.manifest)
    return [signed(make_root(cast), cast.root), *roles, signed(make_targets(cast), cast.manifest[:1])]


def test_the_same_documents_are_judged_once() -> None:
    behind, seen, files = Counting(), Seen(), served(Cast())
    for _ in range(3):
        look(files, JudgedOnce(behind, seen))
    assert behind.asked == ["targets"]


def test_a_file_with_other_signatures_is_another_file() -> None:
    cast, behind, seen = Cast(), Counting(), Seen()
    files = served(cast)
    for signers in (cast.manifest[:1], cast.manifest):
        look([*files[:3], signed(make_targets(cast), signers)], JudgedOnce(behind, seen))
    assert behind.asked == ["targets", "targets"]


def test_the_same_targets_are_judged_again_under_another_root() -> None:
    cast, behind, seen = Cast(), Counting(), Seen()
    files = served(cast)
    for version in (1, 2):
        look([signed(make_root(cast, version=version), cast.root), *files[1:]], JudgedOnce(behind, seen))
    assert behind.asked == ["targets", "targets"]


def test_a_refusal_is_not_remembered_as_anything() -> None:
    behind, seen, files = Counting(says_no=True), Seen(), served(Cast())
    for _ in range(2):
        with pytest.raises(RefusedError, match="AUTHORITY-ROLES"):
            look(files, JudgedOnce(behind, seen))
    assert behind.asked == ["targets", "targets"]
    assert not seen.judged
