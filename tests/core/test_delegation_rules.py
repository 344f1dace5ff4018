"""The authorities' rules on targets metadata, through the admission that devices use."""

from collections.abc import Sequence

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, TargetFile, Targets

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_role,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    new_signer,
    product_role,
    product_roles,
    signed,
)
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import RefusedError
from enigm_tuf.model import tuf
from enigm_tuf.trust.authority_admission import AuthorityAdmission, judge_targets, judge_targets_definition
from enigm_tuf.trust.delegation_rules import delegated_paths, payload_pinned
from enigm_tuf.trust.metadata import TrustedMetadata, admit_snapshot, admit_targets, admit_timestamp, trust_root
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.verified import Verified


@pytest.fixture
def cast() -> Cast:
    return Cast()


def up_to_snapshot(cast: Cast) -> TrustedMetadata:
    """A device that trusts everything above targets."""
    state = trust_root(signed(make_root(cast), cast.root), NOW, AuthorityAdmission("staging"))
    state = admit_timestamp(state, signed(make_timestamp(), cast.timestamp))
    versions = {"targets": 1, "phone.manifest": 1, "phone.payload": 1}
    return admit_snapshot(state, signed(make_snapshot(versions), cast.manifest[:1]))


def admit(cast: Cast, targets: Targets) -> TrustedMetadata:
    return admit_targets(up_to_snapshot(cast), ("targets",), signed(targets, cast.manifest[:1]))


def refused(cast: Cast, targets: Targets) -> str:
    with pytest.raises(RefusedError) as caught:
        admit(cast, targets)
    return caught.value.rule


def with_role(cast: Cast, role: DelegatedRole, extra: Sequence[CryptoSigner] = ()) -> Targets:
    """Targets in which one delegated role is another one."""
    targets = make_targets(cast, product_roles(cast) | {role.name: role})
    assert targets.delegations is not None
    targets.delegations.keys |= {signer.public_key.keyid: signer.public_key for signer in extra}
    return targets


def test_targets_that_delegate_each_role_to_its_own_authority_are_trusted(cast: Cast) -> None:
    assert ("targets",) in admit(cast, make_targets(cast)).targets


def test_a_manifest_role_with_a_payload_key_is_refused(cast: Cast) -> None:
    role = product_role("phone.manifest", ["manifests/phone/*"], cast.payload[:1], 1)
    assert refused(cast, with_role(cast, role)) == "AUTHORITY-ROLES"


def test_a_payload_role_with_a_manifest_key_is_refused(cast: Cast) -> None:
    role = product_role("phone.payload", ["payloads/phone/*/*"], [*cast.payload, cast.manifest[0]], 2)
    assert refused(cast, with_role(cast, role)) == "PAYLOAD-PINNED"


def test_a_payload_signer_that_root_does_not_pin_is_refused(cast: Cast) -> None:
    own = [new_signer(), new_signer()]
    role = product_role("phone.payload", ["payloads/phone/*/*"], own, 2)
    assert refused(cast, with_role(cast, role, own)) == "PAYLOAD-PINNED"


def test_a_delegation_that_asks_fewer_payload_keys_than_root_is_refused(cast: Cast) -> None:
    role = product_role("phone.payload", ["payloads/phone/*/*"], cast.payload, 1)
    assert refused(cast, with_role(cast, role)) == "PAYLOAD-PINNED"


@pytest.mark.parametrize("paths", [["payloads/*/*/*"], ["payloads/phone/*/*", "manifests/phone/*"], ["*"]])
def test_a_product_role_has_the_paths_of_its_product_only(cast: Cast, paths: list[str]) -> None:
    role = product_role("phone.payload", paths, cast.payload, 2)
    assert refused(cast, with_role(cast, role)) == "AUTHORITY-ROLES"


def test_a_delegation_that_does_not_terminate_is_refused(cast: Cast) -> None:
    role = product_roles(cast)["phone.payload"]
    role.terminating = False
    assert refused(cast, with_role(cast, role)) == "AUTHORITY-ROLES"


def test_a_role_of_another_name_is_refused(cast: Cast) -> None:
    role = product_role("extras", ["payloads/phone/*/*"], cast.payload, 2)
    assert refused(cast, with_role(cast, role)) == "AUTHORITY-ROLES"


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("phone.manifest", ["manifests/phone/*"]),
        ("phone.payload", ["payloads/phone/*/*"]),
        ("p" * 63 + ".payload", [f"payloads/{'p' * 63}/*/*"]),
        ("p" * 64 + ".payload", []),
        ("Phone.manifest", []),
        ("*.manifest", []),
        ("a.b.manifest", []),
        (".manifest", []),
        ("manifest", []),
        ("phone.other", []),
        ("phone", []),
    ],
)
def test_only_the_two_roles_of_a_product_have_paths(role: str, paths: list[str]) -> None:
    assert delegated_paths(role) == paths


def test_role_targets_holds_no_files(cast: Cast) -> None:
    targets = make_targets(cast)
    targets.targets["payloads/phone/1/ota.zip"] = TargetFile.from_data("payloads/phone/1/ota.zip", b"x")
    assert refused(cast, targets) == "AUTHORITY-ROLES"


def test_one_manifest_key_under_two_keyids_is_refused(cast: Cast) -> None:
    twin = cast.manifest[0].public_key
    copy = type(twin)("d" * 64, twin.keytype, twin.scheme, twin.keyval)
    role = product_roles(cast)["phone.manifest"]
    role.keyids.append(copy.keyid)
    targets = with_role(cast, role)
    assert targets.delegations is not None
    targets.delegations.keys[copy.keyid] = copy
    assert refused(cast, targets) == "THRESHOLD-DISTINCT"


def payload_role(cast: Cast, signers: Sequence[CryptoSigner]) -> TrustedMetadata:
    state = admit(cast, make_targets(cast))
    return admit_targets(state, ("targets", "phone.payload"), signed(make_role({}), signers))


@pytest.mark.rule("PAYLOAD-PINNED", "accept")
def test_payload_metadata_signed_by_both_pinned_keys_is_trusted(cast: Cast) -> None:
    assert ("targets", "phone.payload") in payload_role(cast, cast.payload).targets


@pytest.mark.rule("SIGNATURE-THRESHOLD", "reject")
def test_payload_metadata_signed_by_one_pinned_key_is_refused(cast: Cast) -> None:
    with pytest.raises(RefusedError, match="SIGNATURE-THRESHOLD"):
        payload_role(cast, cast.payload[:1])


@pytest.mark.rule("SIGNATURE-THRESHOLD", "accept")
def test_manifest_metadata_signed_by_one_of_two_keys_is_trusted(cast: Cast) -> None:
    state = admit(cast, make_targets(cast))
    data = signed(make_role({}), cast.manifest[1:])
    assert ("targets", "phone.manifest") in admit_targets(state, ("targets", "phone.manifest"), data).targets


@pytest.mark.rule("PAYLOAD-PINNED", "reject")
def test_the_manifest_authority_cannot_name_its_own_payload_signer(cast: Cast) -> None:
    """The delegation and the payload metadata agree with each other, and root still says no."""
    own = [new_signer(), new_signer()]
    role = product_role("phone.payload", ["payloads/phone/*/*"], own, 2)
    with pytest.raises(RefusedError, match="PAYLOAD-PINNED"):
        admit(cast, with_role(cast, role, own))


@pytest.mark.parametrize("role", ["phone.payload", "phone.manifest"])
def test_a_product_role_delegates_to_nobody(cast: Cast, role: str) -> None:
    state = admit(cast, make_targets(cast))
    metadata = make_role({})
    metadata.delegations = Delegations(keys={}, roles={})
    signers = cast.payload if role == "phone.payload" else cast.manifest
    with pytest.raises(RefusedError, match="AUTHORITY-ROLES"):
        admit_targets(state, ("targets", role), signed(metadata, signers))


def payload_that_nobody_judged(cast: Cast, pinned: int) -> tuple[tuf.Root, Verified[tuf.Targets]]:
    """Trusted by plain TUF alone, with ``pinned`` signatures of the keys that root pins and two in all."""
    signers = [*cast.payload[:pinned], *(new_signer() for _ in range(2 - pinned))]
    state = trust_root(signed(make_root(cast), cast.root), NOW, PlainTuf())
    state = admit_timestamp(state, signed(make_timestamp(), cast.timestamp))
    versions = {"targets": 1, "phone.payload": 1}
    state = admit_snapshot(state, signed(make_snapshot(versions), cast.manifest))
    role = product_role("phone.payload", ["payloads/phone/*/*"], signers, 2)
    state = admit_targets(state, ("targets",), signed(with_role(cast, role, signers), cast.manifest))
    state = admit_targets(state, ("targets", "phone.payload"), signed(make_role({}), signers))
    return state.root.value, state.targets["targets", "phone.payload"]


def test_root_finds_its_own_payload_keys_whatever_the_delegation_counted(cast: Cast) -> None:
    root, payload = payload_that_nobody_judged(cast, 2)
    assert payload_pinned(view_root(root), "phone.payload", payload).detail == "2 pinned keys signed"
    assert [item.rule for item in judge_targets(root, "phone.payload", payload)] == [
        "AUTHORITY-ROLES",
        "PAYLOAD-PINNED",
    ]


@pytest.mark.parametrize("pinned", [0, 1])
def test_root_misses_its_own_payload_keys_whatever_the_delegation_counted(cast: Cast, pinned: int) -> None:
    """The check on the metadata stands alone: here the delegation was judged by nobody."""
    root, payload = payload_that_nobody_judged(cast, pinned)
    with pytest.raises(RefusedError, match="PAYLOAD-PINNED"):
        payload_pinned(view_root(root), "phone.payload", payload)
    with pytest.raises(RefusedError, match="PAYLOAD-PINNED"):
        judge_targets(root, "phone.payload", payload)


def test_targets_that_break_no_rule_show_both_rules(cast: Cast) -> None:
    root = trust_root(signed(make_root(cast), cast.root), NOW, PlainTuf()).root.value
    verified = admit(cast, make_targets(cast)).targets["targets",]
    rules = [item.rule for item in judge_targets_definition(root, "targets", verified.value)]
    assert rules == ["AUTHORITY-ROLES", "THRESHOLD-DISTINCT"]
    assert [item.rule for item in judge_targets(root, "targets", verified)] == rules


def test_a_role_that_names_a_key_which_is_not_there_is_refused(cast: Cast) -> None:
    targets = make_targets(cast)
    assert targets.delegations is not None
    del targets.delegations.keys[cast.manifest[0].public_key.keyid]
    assert refused(cast, targets) == "AUTHORITY-ROLES"
