"""KEY: do keys that are counted together lie on different tokens and with different people?"""

from collections.abc import Callable

import pytest

from enigm_testkit.requests import Scene
from enigm_testkit.scenes import first_root, next_root, payload_release
from enigm_tuf.model.root_extension import FIELD


@pytest.mark.rule("KEY-CUSTODY", "accept")
@pytest.mark.parametrize("scene", [first_root, next_root, payload_release])
def test_keys_on_tokens_of_their_own_with_people_of_their_own_pass(scene: Callable[[], Scene]) -> None:
    assert scene().refused_by() == []
    assert scene().said("KEY-CUSTODY") == "root, payload roles"


def share(scene: Scene, group: str, what: str) -> None:
    """The second key of the group is where, or with whom, the first one is."""
    first, second = (signer.public_key.keyid for signer in getattr(scene.cast, group)[:2])
    keyinfo = scene.new_root.unrecognized_fields[FIELD]["keyinfo"]
    keyinfo[second][what] = keyinfo[first][what]


@pytest.mark.rule("KEY-CUSTODY", "reject")
@pytest.mark.parametrize("what", ["token", "custodian"])
@pytest.mark.parametrize("group", ["root", "payload"])
def test_two_keys_on_one_token_or_with_one_person_are_refused(group: str, what: str) -> None:
    scene = first_root()
    share(scene, group, what)
    assert scene.refused_by() == ["KEY-CUSTODY"]
    assert ("2 keys with token" if what == "token" else "2 keys with custodian") in scene.said("KEY-CUSTODY")


def test_where_one_signature_is_enough_keys_may_lie_together() -> None:
    scene = first_root()
    share(scene, "manifest", "token")
    assert scene.refused_by() == []


def test_the_proposed_root_is_judged_not_the_one_before_it() -> None:
    scene = next_root()
    assert scene.root is not None
    share(scene, "root", "custodian")
    assert scene.refused_by() == ["KEY-CUSTODY"]
