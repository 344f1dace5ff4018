"""The authorities' rules on root: each accept test and its reject test differ in one thing."""

from copy import deepcopy
from dataclasses import replace

import pytest
from tuf.api.metadata import Root

from enigm_testkit.authorities import (
    NOW,
    Cast,
    extension_of,
    key_info,
    make_root,
    manifest_only_extension,
    new_signer,
    signed,
)
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import TrustedMetadata, admit_root, trust_root
from enigm_tuf.trust.test_keys import KNOWN_TEST_KEYS

STAGING = AuthorityAdmission("staging")


@pytest.fixture
def cast() -> Cast:
    return Cast()


def shipped(cast: Cast, root: Root | None = None) -> TrustedMetadata:
    """A device that was shipped with a root of ``cast``."""
    return trust_root(signed(root or make_root(cast), cast.root[:2]), NOW, STAGING)


def refusal_of(cast: Cast, root: Root) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        shipped(cast, root)
    return caught.value


@pytest.mark.rule("AUTHORITY-DISJOINT", "accept")
@pytest.mark.rule("AUTHORITY-ROLES", "accept")
@pytest.mark.rule("ENVIRONMENT-MATCH", "accept")
@pytest.mark.rule("THRESHOLD-DISTINCT", "accept")
@pytest.mark.rule("TEST-KEY", "accept")
def test_a_root_that_breaks_no_rule_is_trusted(cast: Cast) -> None:
    assert shipped(cast).root.value.version == 1


@pytest.mark.rule("AUTHORITY-DISJOINT", "reject")
def test_a_payload_key_that_is_also_a_manifest_key_is_refused(cast: Cast) -> None:
    cast.payload[1] = cast.manifest[1]
    assert refusal_of(cast, make_root(cast)).rule == "AUTHORITY-DISJOINT"


def test_the_same_key_under_another_keyid_is_still_the_same_key(cast: Cast) -> None:
    extension = extension_of(cast)
    twin = "f" * 64
    extension["authorities"]["release"]["keyids"].append(twin)
    extension["keyinfo"][twin] = key_info(cast.manifest[0])
    assert refusal_of(cast, make_root(cast, extension=extension)).rule == "AUTHORITY-DISJOINT"


def test_a_freshness_key_belongs_to_no_authority(cast: Cast) -> None:
    cast.timestamp[0] = cast.manifest[1]
    assert refusal_of(cast, make_root(cast)).rule == "AUTHORITY-DISJOINT"


@pytest.mark.rule("THRESHOLD-DISTINCT", "reject")
def test_one_root_key_under_two_keyids_is_refused(cast: Cast) -> None:
    root = make_root(cast)
    twin = deepcopy(cast.root[0].public_key)
    twin.keyid = "e" * 64
    root.add_key(twin, "root")
    root.unrecognized_fields[FIELD]["keyinfo"][twin.keyid] = key_info(cast.root[0])
    root.unrecognized_fields[FIELD]["authorities"]["release"]["keyids"].append(twin.keyid)
    assert refusal_of(cast, root).rule == "THRESHOLD-DISTINCT"


def test_a_payload_threshold_above_the_payload_keys_is_refused(cast: Cast) -> None:
    extension = extension_of(cast)
    extension["authorities"]["release"]["payload_threshold"] = 3
    assert refusal_of(cast, make_root(cast, extension=extension)).rule == "THRESHOLD-DISTINCT"


@pytest.mark.rule("AUTHORITY-ROLES", "reject")
@pytest.mark.parametrize("role", ["root", "targets", "snapshot"])
def test_a_role_with_a_key_of_the_other_authority_is_refused(cast: Cast, role: str) -> None:
    root = make_root(cast)
    foreign = cast.manifest[0] if role == "root" else cast.payload[0]
    root.add_key(foreign.public_key, role)
    assert refusal_of(cast, root).rule == "AUTHORITY-ROLES"


@pytest.mark.rule("ENVIRONMENT-MATCH", "reject")
def test_a_root_of_another_environment_is_refused(cast: Cast) -> None:
    data = signed(make_root(cast), cast.root[:2])
    with pytest.raises(RefusedError) as caught:
        trust_root(data, NOW, AuthorityAdmission("production"))
    assert caught.value.rule == "ENVIRONMENT-MATCH"


def test_one_key_of_another_environment_is_refused(cast: Cast) -> None:
    extension = extension_of(cast)
    extension["keyinfo"][cast.payload[0].public_key.keyid]["environment"] = "production"
    assert refusal_of(cast, make_root(cast, extension=extension)).rule == "ENVIRONMENT-MATCH"


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
def test_a_development_key_serves_development_alone(cast: Cast, environment: str) -> None:
    extension = extension_of(cast)
    extension["environment"] = environment
    for info in extension["keyinfo"].values():
        info["environment"] = environment
    extension["keyinfo"][cast.root[0].public_key.keyid]["home"] = "development"
    data = signed(make_root(cast, extension=extension), cast.root[:2])
    admission = AuthorityAdmission(environment)  # type: ignore[arg-type] # the parameter is one of the three
    if environment == "development":
        assert trust_root(data, NOW, admission).root.value.version == 1
    else:
        with pytest.raises(RefusedError, match=r"ENVIRONMENT-MATCH.*a development key"):
            trust_root(data, NOW, admission)


@pytest.mark.rule("MODEL-RATCHET", "accept")
def test_a_fleet_moves_from_manifest_only_to_dual(cast: Cast) -> None:
    one_authority = replace(cast, root=cast.manifest)
    before = make_root(one_authority, extension=manifest_only_extension(one_authority))
    before.roles["root"].threshold = 1
    before.unrecognized_fields[FIELD]["recovery"]["threshold"] = 2
    state = trust_root(signed(before, cast.manifest), NOW, STAGING)
    after = make_root(cast, version=2)
    state = admit_root(state, signed(after, [*cast.root[:2], *cast.manifest]))
    assert state.root.value.version == 2


@pytest.mark.rule("MODEL-RATCHET", "reject")
def test_a_fleet_never_goes_back_to_manifest_only(cast: Cast) -> None:
    state = shipped(cast)
    one_authority = replace(cast, root=cast.manifest)
    after = make_root(one_authority, version=2, extension=manifest_only_extension(one_authority))
    after.roles["root"].threshold = 1
    after.unrecognized_fields[FIELD]["recovery"]["threshold"] = 2
    with pytest.raises(RefusedError) as caught:
        admit_root(state, signed(after, [*cast.root, *cast.manifest]))
    assert caught.value.rule == "MODEL-RATCHET"


def changed_manifest_key(cast: Cast) -> Root:
    """Root version 2 in which the second manifest key is a new one."""
    changed = replace(cast, manifest=[cast.manifest[0], new_signer()])
    return make_root(changed, version=2)


@pytest.mark.rule("ROOT-CONSENT", "accept")
def test_new_manifest_keys_come_with_the_outgoing_manifest_authoritys_signature(cast: Cast) -> None:
    new = signed(changed_manifest_key(cast), [*cast.root[:2], cast.manifest[1]])
    assert admit_root(shipped(cast), new).root.value.version == 2


@pytest.mark.rule("ROOT-CONSENT", "reject")
def test_new_manifest_keys_without_that_signature_are_refused(cast: Cast) -> None:
    state = shipped(cast)
    with pytest.raises(RefusedError) as caught:
        admit_root(state, signed(changed_manifest_key(cast), cast.root[:2]))
    assert caught.value.rule == "ROOT-CONSENT"
    assert state.root.value.version == 1


def test_the_incoming_manifest_key_cannot_consent_to_itself(cast: Cast) -> None:
    changed = replace(cast, manifest=[cast.manifest[0], new_signer()])
    new = signed(make_root(changed, version=2), [*cast.root[:2], changed.manifest[1]])
    with pytest.raises(RefusedError, match="ROOT-CONSENT"):
        admit_root(shipped(cast), new)


def test_a_lost_manifest_authority_is_replaced_by_the_recovery_quorum_of_root(cast: Cast) -> None:
    new = signed(changed_manifest_key(cast), cast.root)
    assert admit_root(shipped(cast), new).root.value.version == 2


@pytest.mark.parametrize("part", ["threshold", "policy", "snapshot"])
def test_every_part_of_the_manifest_authority_needs_consent(cast: Cast, part: str) -> None:
    new = make_root(cast, version=2)
    if part == "threshold":
        new.roles["targets"].threshold = 2
    elif part == "snapshot":
        new.roles["snapshot"].keyids.remove(cast.manifest[0].public_key.keyid)
    else:
        new.unrecognized_fields[FIELD]["policies"]["manifest"]["version"] = 2
    with pytest.raises(RefusedError, match="ROOT-CONSENT"):
        admit_root(shipped(cast), signed(new, cast.root[:2]))
    assert admit_root(shipped(cast), signed(new, [*cast.root[:2], cast.manifest[0]])).root.value.version == 2


def test_the_release_authority_changes_itself_without_the_other(cast: Cast) -> None:
    changed = replace(cast, payload=[new_signer(), new_signer()])
    assert admit_root(shipped(cast), signed(make_root(changed, version=2), cast.root[:2])).root.value.version == 2


@pytest.mark.parametrize(("recovery", "allowed"), [(2, False), (3, True), (4, False)])
def test_recovery_takes_more_root_keys_than_root_and_no_more_than_there_are(
    cast: Cast, recovery: int, allowed: bool
) -> None:
    extension = extension_of(cast)
    extension["recovery"]["threshold"] = recovery
    root = make_root(cast, extension=extension)
    if allowed:
        assert shipped(cast, root).root.value.version == 1
    else:
        assert refusal_of(cast, root).rule == "ROOT-CONSENT"


@pytest.mark.rule("TEST-KEY", "reject")
@pytest.mark.parametrize("published", KNOWN_TEST_KEYS)
def test_a_key_on_the_deny_list_is_refused(cast: Cast, published: str) -> None:
    extension = extension_of(cast)
    extension["keyinfo"][cast.payload[0].public_key.keyid]["spki_sha256"] = published
    assert refusal_of(cast, make_root(cast, extension=extension)).rule == "TEST-KEY"


@pytest.mark.rule("KEY-CLASS", "accept")
def test_payload_keys_may_have_wrapped_copies(cast: Cast) -> None:
    extension = extension_of(cast)
    for signer in cast.payload:
        extension["keyinfo"][signer.public_key.keyid]["key_class"] = "wrapped-backup"
    assert shipped(cast, make_root(cast, extension=extension)).root.value.version == 1


@pytest.mark.rule("KEY-CLASS", "reject")
@pytest.mark.parametrize("group", ["root", "manifest", "timestamp"])
def test_no_other_key_may(cast: Cast, group: str) -> None:
    extension = extension_of(cast)
    keyid = getattr(cast, group)[0].public_key.keyid
    extension["keyinfo"][keyid]["key_class"] = "wrapped-backup"
    refusal = refusal_of(cast, make_root(cast, extension=extension))
    assert (refusal.rule, keyid in refusal.subject) == ("KEY-CLASS", True)


def test_root_says_of_a_key_only_that_it_may_have_copies(cast: Cast) -> None:
    extension = extension_of(cast)
    extension["keyinfo"][cast.payload[0].public_key.keyid]["key_class"] = "non-extractable"
    with pytest.raises(MalformedError, match="must be one of wrapped-backup"):
        shipped(cast, make_root(cast, extension=extension))


def test_a_key_in_force_without_keyinfo_is_named(cast: Cast) -> None:
    extension = extension_of(cast)
    missing = cast.payload[0].public_key.keyid
    del extension["keyinfo"][missing]
    with pytest.raises(MalformedError, match=missing):
        shipped(cast, make_root(cast, extension=extension))


def test_keyinfo_that_lies_about_a_public_key_is_refused(cast: Cast) -> None:
    extension = extension_of(cast)
    extension["keyinfo"][cast.root[0].public_key.keyid]["spki_sha256"] = "0" * 64
    with pytest.raises(MalformedError, match="digest of that very key"):
        shipped(cast, make_root(cast, extension=extension))


def test_a_root_that_names_no_authorities_is_no_root_of_ours(cast: Cast) -> None:
    root = make_root(cast)
    del root.unrecognized_fields[FIELD]
    with pytest.raises(MalformedError, match="names no authorities"):
        shipped(cast, root)


def test_root_cannot_first_make_a_recovery_quorum_of_its_own_and_then_recover(cast: Cast) -> None:
    """Two of three root keys: version 2 gives root to keys of their own, version 3 'recovers' with those."""
    own = replace(cast, root=[*cast.root[:2], new_signer()])
    state = shipped(cast)
    with pytest.raises(RefusedError, match="ROOT-CONSENT"):
        state = admit_root(state, signed(make_root(own, version=2), cast.root[:2]))
    taken = replace(own, manifest=[new_signer(), new_signer()])
    with pytest.raises(RefusedError):
        state = admit_root(state, signed(make_root(taken, version=3), own.root))
    assert state.root.value.version == 1


def test_root_cannot_lower_the_recovery_threshold_alone(cast: Cast) -> None:
    new = make_root(cast, version=2)
    new.roles["root"].threshold = 1
    new.unrecognized_fields[FIELD]["recovery"]["threshold"] = 2
    with pytest.raises(RefusedError, match="ROOT-CONSENT"):
        admit_root(shipped(cast), signed(new, cast.root[:2]))
    assert admit_root(shipped(cast), signed(new, [*cast.root[:2], cast.manifest[0]])).root.value.version == 2
