"""Who must sign a root: what is asked for beforehand is what a device counts afterwards."""

from dataclasses import replace

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_root,
    manifest_only_extension,
    new_signer,
    read_root,
    signed,
    spki_digest,
)
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.strict_json import canonical
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import admit_root, trust_root
from enigm_tuf.trust.root_quorums import RootQuorum, root_owner, root_quorums
from enigm_tuf.trust.root_rules import view_root


def quorums(before: Root | None, after: Root, *, recovering: bool = False) -> tuple[RootQuorum, ...]:
    view = view_root(read_root(before)) if before else None
    return root_quorums(view, view_root(read_root(after)), recovering=recovering)


def told(*found: RootQuorum) -> list[tuple[str, str, int]]:
    return [(quorum.name, quorum.authority, quorum.threshold) for quorum in found]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def one_authority(cast: Cast) -> Root:
    """Root is held by two of three keys of the manifest authority, and one of them signs targets."""
    cast.manifest.append(new_signer())
    cast.root = cast.manifest
    return make_root(cast, extension=manifest_only_extension(cast))


def test_the_first_root_is_signed_by_its_own_keys(cast: Cast) -> None:
    assert told(*quorums(None, make_root(cast))) == [("incoming root keys", "release", 2)]


def test_a_root_that_changes_nothing_of_the_manifest_authority_needs_both_root_quorums(cast: Cast) -> None:
    new = make_root(replace(cast, payload=[new_signer(), new_signer()]), version=2)
    assert told(*quorums(make_root(cast), new)) == [
        ("outgoing root keys", "release", 2),
        ("incoming root keys", "release", 2),
    ]


def test_a_root_that_does_needs_its_consent_or_more_root_keys(cast: Cast) -> None:
    new = make_root(replace(cast, manifest=[new_signer(), cast.manifest[1]]), version=2)
    assert told(*quorums(make_root(cast), new))[2:] == [("manifest authority, to consent", "manifest", 1)]
    assert told(*quorums(make_root(cast), new, recovering=True)) == [
        ("root keys, to recover", "release", 3),
        ("incoming root keys", "release", 2),
    ]


def test_one_authority_owns_all_of_it(cast: Cast) -> None:
    before = one_authority(cast)
    new = replace(cast, root=[*cast.root[:2], new_signer()], manifest=cast.root[:2])
    after = make_root(new, version=2, extension=manifest_only_extension(new))
    assert root_owner(view_root(read_root(before))) == "manifest"
    assert {authority for _, authority, _ in told(*quorums(before, after))} == {"manifest"}


def test_a_migration_is_signed_by_both(cast: Cast) -> None:
    dual = Cast()
    before = one_authority(cast)
    after = make_root(replace(dual, manifest=cast.manifest, timestamp=cast.timestamp), version=2)
    assert told(*quorums(before, after)) == [
        ("outgoing root keys", "manifest", 2),
        ("incoming root keys", "release", 2),
        ("manifest authority, to consent", "manifest", 1),
    ]


def test_a_quorum_counts_public_keys_that_signed_these_bytes(cast: Cast) -> None:
    root = make_root(cast)
    (quorum,) = quorums(None, root)
    data = canonical(root.to_dict())
    signatures = {signer.public_key.keyid: signer.sign(data).signature for signer in [*cast.root[:2], cast.manifest[0]]}
    assert quorum.signed_by(signatures, data) == {spki_digest(signer.public_key) for signer in cast.root[:2]}
    assert quorum.signed_by(signatures, data + b" ") == frozenset()
    assert set(quorum.public_keys().values()) == {spki_digest(signer.public_key) for signer in cast.root}


@pytest.mark.parametrize("group", ["root", "manifest", "payload", "timestamp"])
@pytest.mark.parametrize("missing", [0, 1, 2, None])
def test_a_device_takes_a_root_when_every_quorum_is_met_and_not_before(
    cast: Cast, group: str, missing: int | None
) -> None:
    """The keys that this module names, with one signature less in each quorum in turn."""
    new = replace(cast, **{group: [new_signer(), *getattr(cast, group)[1:]]})
    before, after = make_root(cast), make_root(new, version=2)
    needed = quorums(before, after)
    everybody = {signer.public_key.keyid: signer for signer in [*cast.everybody(), *new.everybody()]}
    signing: dict[str, CryptoSigner] = {}
    for index, quorum in enumerate(needed):
        kept = quorum.keyids[-quorum.threshold :]  # those that stay, so that they count for old and new alike
        signing |= {keyid: everybody[keyid] for keyid in kept if index != missing}
    data = signed(after, list(signing.values()))
    met = all(
        len(item.signed_by(_signatures(after, signing), canonical(after.to_dict()))) >= item.threshold
        for item in needed
    )
    state = trust_root(signed(before, cast.root[:2]), NOW, AuthorityAdmission("staging"))
    if met:
        assert admit_root(state, data).root.value.version == 2
    else:
        with pytest.raises(RefusedError):
            admit_root(state, data)


def _signatures(root: Root, signing: dict[str, CryptoSigner]) -> dict[str, str]:
    data = canonical(root.to_dict())
    return {keyid: signer.sign(data).signature for keyid, signer in signing.items()}


def test_a_key_of_an_unknown_type_is_left_out_of_a_quorum(cast: Cast) -> None:
    """Reading leaves such keys out, so that a root with a key of tomorrow still works with the others."""
    (quorum,) = quorums(None, make_root(cast))
    wider = RootQuorum(quorum.name, quorum.authority, quorum.root, (*quorum.keyids, "f" * 64), quorum.threshold)
    assert wider.public_keys() == quorum.public_keys()
