"""What the rules show for what they let pass, and checks that stand behind others."""

from dataclasses import replace

import pytest
from tuf.api.metadata import Delegations, SuccinctRoles

from enigm_testkit.authorities import (
    NOW,
    Cast,
    extension_of,
    key_info,
    make_root,
    make_targets,
    manifest_only_extension,
    new_signer,
    product_roles,
    read_root,
    read_targets,
    signed,
    spki_digest,
)
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.authority_admission import (
    AuthorityAdmission,
    judge_root,
    judge_root_definition,
    judge_targets_definition,
)
from enigm_tuf.trust.metadata import admit_root, trust_root
from enigm_tuf.trust.root_rules import manifest_changes, view_root
from enigm_tuf.trust.verified import Verified

STAGING = AuthorityAdmission("staging")
DEFINITION = [
    "ENVIRONMENT-MATCH",
    "AUTHORITY-DISJOINT",
    "THRESHOLD-DISTINCT",
    "AUTHORITY-ROLES",
    "TEST-KEY",
    "KEY-CLASS",
    "ROOT-CONSENT",
]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def verified(cast: Cast, *later: bytes) -> Verified[Root]:
    """The last root of a chain."""
    state = trust_root(signed(make_root(cast), cast.root), NOW, STAGING)
    for data in later:
        state = admit_root(state, data)
    return state.root


def test_the_first_root_shows_every_rule_on_what_it_defines(cast: Cast) -> None:
    evidence = judge_root(None, verified(cast), "staging")
    assert [item.rule for item in evidence] == DEFINITION
    assert {item.subject for item in evidence} == {"root version 1"}


@pytest.mark.parametrize(
    ("consenting", "said"),
    [
        (None, "the manifest authority is unchanged"),
        ("manifest", "changed with 2 signatures of the outgoing authority"),
        ("recovery", "changed by recovery with 3 root keys"),
    ],
)
def test_a_later_root_shows_the_rules_on_the_change_too(cast: Cast, consenting: str | None, said: str) -> None:
    changed = replace(cast, manifest=[cast.manifest[0], new_signer()]) if consenting else cast
    signers = [*cast.root, *(cast.manifest if consenting == "manifest" else [])]
    new = verified(cast, signed(make_root(changed, version=2), signers))
    *definition, ratchet, consent = judge_root(verified(cast), new, "staging")
    assert [item.rule for item in definition] == DEFINITION
    assert (ratchet.rule, ratchet.detail) == ("MODEL-RATCHET", "dual to dual")
    assert consent.rule == "ROOT-CONSENT"
    assert said in consent.detail


def test_a_root_of_another_environment_is_refused_though_all_its_keys_are_ours(cast: Cast) -> None:
    extension = extension_of(cast) | {"environment": "production"}
    with pytest.raises(RefusedError, match=r"ENVIRONMENT-MATCH: root version 1: expected environment staging"):
        judge_root_definition(read_root(make_root(cast, extension=extension)), "staging")


@pytest.mark.parametrize(("role", "owner"), [("root", "release"), ("targets", "manifest"), ("snapshot", "manifest")])
def test_the_refusal_names_the_authority_that_the_role_belongs_to(cast: Cast, role: str, owner: str) -> None:
    root = make_root(cast)
    root.add_key((cast.manifest if role == "root" else cast.payload)[0].public_key, role)
    with pytest.raises(RefusedError, match=f"keys of the {owner} authority only"):
        judge_root_definition(read_root(root), "staging")


def test_where_there_is_one_authority_root_belongs_to_it(cast: Cast) -> None:
    root = make_root(replace(cast, root=cast.manifest), extension=manifest_only_extension(cast))
    root.add_key(cast.root[0].public_key, "root")
    with pytest.raises(RefusedError, match="keys of the manifest authority only"):
        judge_root_definition(read_root(root), "staging")


def test_a_manifest_key_that_no_role_uses_yet_needs_keyinfo(cast: Cast) -> None:
    extension = extension_of(cast)
    extension["authorities"]["manifest"]["keyids"].append("d" * 64)
    with pytest.raises(MalformedError, match="no entry for key dddd"):
        view_root(read_root(make_root(cast, extension=extension)))


def test_a_manifest_key_that_no_role_uses_yet_needs_consent(cast: Cast) -> None:
    """Else root could name a key of its own now, and let it count later."""
    extension = extension_of(cast)
    extension["authorities"]["manifest"]["keyids"].append("d" * 64)
    extension["keyinfo"]["d" * 64] = key_info(new_signer())
    new = make_root(cast, 2, extension)
    with pytest.raises(RefusedError, match=r"ROOT-CONSENT.*\(keys\)"):
        verified(cast, signed(new, cast.root[:2]))
    assert verified(cast, signed(new, [*cast.root[:2], cast.manifest[0]])).value.version == 2


def test_each_part_of_the_manifest_authority_is_named_when_it_changes(cast: Cast) -> None:
    before, new = make_root(cast), make_root(cast, extension=extension_of(cast))
    new.roles["targets"].threshold = 2
    new.roles["snapshot"].threshold = 2
    new.unrecognized_fields[FIELD]["policies"]["manifest"]["version"] = 2
    assert manifest_changes(view_root(read_root(before)), view_root(read_root(new))) == [
        "role targets",
        "role snapshot",
        "policy",
    ]
    assert manifest_changes(view_root(read_root(before)), view_root(read_root(before))) == []


def test_a_root_of_one_authority_pins_no_payload_keys(cast: Cast) -> None:
    """One signature is asked, and there is no key that could give it."""
    view = view_root(read_root(make_root(cast, extension=manifest_only_extension(cast))))
    assert (view.payload_keys, view.payload_threshold, view.release_keys) == (frozenset(), 1, frozenset())
    assert view.version == 1


def test_targets_without_delegations_say_so(cast: Cast) -> None:
    targets = make_targets(cast)
    targets.delegations = None
    (evidence,) = judge_targets_definition(read_root(make_root(cast)), "targets", read_targets(targets))
    assert (evidence.rule, evidence.detail) == ("AUTHORITY-ROLES", "no delegations")


def test_a_delegation_to_succinct_hash_bins_is_refused(cast: Cast) -> None:
    """TAP 15 names no product: whoever holds the bins' key could sign any path."""
    targets = make_targets(cast)
    assert targets.delegations is not None
    keyid = cast.manifest[0].public_key.keyid
    targets.delegations = Delegations(targets.delegations.keys, None, SuccinctRoles([keyid], 1, 4, "bins"))
    with pytest.raises(RefusedError, match=r"AUTHORITY-ROLES.*succinct hash bins"):
        judge_targets_definition(read_root(make_root(cast)), "targets", read_targets(targets))


@pytest.mark.parametrize(("role", "accepted"), [("phone.manifest", True), ("phone.payload", False)])
def test_a_root_of_one_authority_knows_no_payload_roles(cast: Cast, role: str, accepted: bool) -> None:
    root = make_root(cast, extension=manifest_only_extension(cast))
    targets = make_targets(cast, {role: product_roles(cast)[role]})
    if accepted:
        assert judge_targets_definition(read_root(root), "targets", read_targets(targets))
    else:
        with pytest.raises(RefusedError, match="no payload roles in model manifest-only"):
            judge_targets_definition(read_root(root), "targets", read_targets(targets))


@pytest.mark.parametrize("role", ["phone.manifest", "phone.payload"])
def test_a_delegation_to_a_well_known_test_key_is_refused(
    cast: Cast, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody here has the private half of a key on the list, so this run takes one of ours for one of those."""
    owner = cast.manifest[0] if role == "phone.manifest" else cast.payload[0]
    known = {spki_digest(owner.public_key): "everybody's key"}
    monkeypatch.setattr("enigm_tuf.trust.delegation_rules.known_test_key", known.get)
    with pytest.raises(RefusedError, match=r"TEST-KEY.*everybody's key"):
        judge_targets_definition(read_root(make_root(cast)), "targets", read_targets(make_targets(cast)))
