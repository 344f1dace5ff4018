"""KEY: does a key of which copies exist sign only while a restore was proved lately?"""

from datetime import datetime, timedelta

import pytest

from enigm_testkit.authorities import NOW, extension_of, make_root
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import manifest_product, payload_release
from enigm_tuf.policy.question import SigningKey

DAYS = timedelta(days=30)
SECOND = timedelta(seconds=1)
KEY = "a" * 64


def with_copies(proved: datetime | None = NOW, *, days: int | None = 30) -> Scene:
    """A payload key with copies is about to sign; the policy wants a proof of at most so many days."""
    scene = payload_release()
    scene.signer = SigningKey(KEY, "wrapped-backup", proved)
    if days is not None:
        scene.policy += f"\n[backup]\nrestore_proof_days = {days}\n"
    return scene


@pytest.mark.rule("KEY-RESTORE-PROOF", "accept")
def test_a_proof_counts_to_the_last_second() -> None:
    scene = with_copies(NOW - DAYS)
    assert scene.refused_by() == []
    assert "at most 30 days ago" in scene.said("KEY-RESTORE-PROOF")


@pytest.mark.rule("KEY-RESTORE-PROOF", "reject")
@pytest.mark.parametrize("proved", [NOW - DAYS - SECOND, None])
def test_a_proof_that_is_a_second_too_old_or_missing_is_refused(proved: datetime | None) -> None:
    scene = with_copies(proved)
    assert scene.refused_by() == ["KEY-RESTORE-PROOF"]
    assert KEY in scene.said("KEY-RESTORE-PROOF")


def test_without_a_limit_in_the_policy_no_key_with_copies_signs() -> None:
    assert with_copies(days=None).refused_by() == ["KEY-RESTORE-PROOF"]


def test_a_key_that_never_leaves_its_token_needs_no_proof() -> None:
    scene = payload_release()
    scene.signer = SigningKey(KEY, "non-extractable", None)
    assert scene.refused_by() == []


def rooted_with_copies(scene: Scene) -> Scene:
    """Root says that one payload key may have copies; who signs is not known yet, as in lint."""
    extension = extension_of(scene.cast)
    extension["keyinfo"][scene.cast.payload[0].public_key.keyid]["key_class"] = "wrapped-backup"
    scene.root = make_root(scene.cast, extension=extension)
    return scene


def test_lint_tells_what_root_and_policy_say() -> None:
    scene = rooted_with_copies(payload_release())
    assert scene.refused_by() == ["KEY-RESTORE-PROOF"]
    scene.policy += "\n[backup]\nrestore_proof_days = 30\n"
    assert scene.refused_by() == []
    assert scene.said("KEY-RESTORE-PROOF").startswith("1 payload keys may have copies")


def test_the_manifest_authority_has_nothing_to_do_with_it() -> None:
    scene = rooted_with_copies(manifest_product())
    assert scene.refused_by() == []
    assert scene.said("KEY-RESTORE-PROOF") == "no key that may sign has copies"
