"""TRANSITION on root: the closed list of its changes, and who signs it when."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root

from enigm_testkit.authorities import (
    Cast,
    extension_of,
    key_info,
    keyids,
    make_root,
    manifest_only_extension,
    new_signer,
)
from enigm_testkit.requests import QUORUM, Scene, policy_toml
from enigm_testkit.scenes import first_root, next_root
from enigm_tuf.model.request import Action, Authority
from enigm_tuf.model.root_extension import FIELD, PolicyPin
from enigm_tuf.policy.difference import difference

PIN = {"version": 2, "sha256": "c" * 64}


def scene_of(before: Root, after: Root, cast: Cast, authority: Authority = "release", action: Action = "root") -> Scene:
    """The authority is asked for ``after`` where ``before`` is trusted, which the keys of ``cast`` signed."""
    scene = Scene(authority, action, cast, {"root": after}, policy_toml(authority), before)
    scene.before = {"root": before}
    after.version = before.version + 1
    scene.pin_policy(before)
    return scene


def changed(cast: Cast, **groups: list[CryptoSigner]) -> Scene:
    """Root 2 with other keys; the manifest authority has consented, whether it had to or not."""
    scene = scene_of(make_root(cast), make_root(replace(cast, **groups)), cast)
    scene.consenting = [cast.manifest[0]]
    return scene


def edited(change: Callable[[Root, dict[str, Any]], None], cast: Cast | None = None) -> Scene:
    """Root 2, of which a test changes something else."""
    cast = cast or Cast()
    scene = scene_of(make_root(cast), make_root(cast, extension=extension_of(cast)), cast)
    change(scene.new_root, scene.new_root.unrecognized_fields[FIELD])
    scene.consenting = [cast.manifest[0]]
    return scene


def migration(cast: Cast | None = None) -> Scene:
    """``manifest-only``, root held by two of three PIV keys, becomes ``dual``; asked of the manifest authority."""
    cast = cast or Cast()
    cast.manifest.append(new_signer())
    one = replace(cast, root=cast.manifest)
    before = make_root(one, extension=manifest_only_extension(one))
    scene = scene_of(before, make_root(cast), one, "manifest")
    scene.consenting = cast.root[:2]
    return scene


# --- the list ---


@pytest.mark.rule("TRANSITION-ROOT", "accept")
def test_a_first_root_defines_its_roles_and_nothing_else() -> None:
    assert first_root().said("TRANSITION-ROOT").startswith("consistent snapshots")


def test_a_root_that_lives_longer_passes() -> None:
    assert next_root().said("TRANSITION-ROOT").startswith("renew-expiry: ")


@pytest.mark.parametrize(
    ("group", "stays", "named"),
    [
        ("root", 2, "rotate-root-keys"),
        ("manifest", 1, "rotate-manifest-keys"),
        ("manifest", 0, "revoke-manifest-keys"),
        ("payload", 1, "rotate-payload-keys"),
        ("payload", 0, "revoke-payload-keys"),
        ("timestamp", 0, "rotate-timestamp-keys"),
    ],
)
def test_every_change_of_keys_is_on_the_list_and_told_by_its_name(group: str, stays: int, named: str) -> None:
    cast = Cast()
    old: list[CryptoSigner] = getattr(cast, group)
    scene = changed(cast, **{group: [*old[:stays], *(new_signer() for _ in old[stays:])]})
    assert scene.refused_by() == []
    said = scene.said("TRANSITION-ROOT")
    assert said.startswith(f"{named}: - keeper of ")
    assert f"; {stays} stay" in said
    assert any(line.startswith(f"  {named}: ") for line in difference(scene.question()))


CHANGES: dict[str, Callable[[Root, dict[str, Any]], None]] = {
    "change-root-threshold: 2 -> 3": lambda root, _: setattr(root.roles["root"], "threshold", 3),
    "change-manifest-threshold: targets 1, snapshot 1 -> targets 2, snapshot 1": lambda root, _: setattr(
        root.roles["targets"], "threshold", 2
    ),
    "change-manifest-policy: version 1 (aaaa": lambda _, extension: extension["policies"].update(manifest=PIN),
    "change-audit-logs: none -> log.example/1 key, 0 of ()": lambda _, extension: extension["audit_logs"].append(
        {"origin": "log.example/1", "public_key": "key", "witnesses": [], "witness_threshold": 0}
    ),
    "rotate-timestamp-keys: 1 stay, threshold 1 -> 2": lambda root, _: setattr(root.roles["timestamp"], "threshold", 2),
}


@pytest.mark.parametrize("told", CHANGES)
def test_every_other_change_is_told_by_its_name(told: str) -> None:
    assert told in edited(CHANGES[told]).said("TRANSITION-ROOT")


def test_a_recovery_threshold_and_a_payload_threshold_move() -> None:
    cast = Cast()
    cast.root.append(new_signer())
    cast.payload.append(new_signer())

    def change(_: Root, extension: dict[str, Any]) -> None:
        extension["recovery"]["threshold"] = 4
        extension["authorities"]["release"]["payload_threshold"] = 3

    scene = edited(change, cast)
    assert scene.refused_by() == []
    assert scene.said("TRANSITION-ROOT") == "change-recovery-threshold: 3 -> 4; change-payload-threshold: 2 -> 3"


def test_a_key_is_handed_over_to_another_custodian() -> None:
    def change(root: Root, extension: dict[str, Any]) -> None:
        extension["keyinfo"][root.roles["root"].keyids[0]]["custodian"] = "dora"

    said = edited(change).said("TRANSITION-ROOT")
    assert said.startswith("hand-over-keys: key ")
    assert re.search(": from keeper of [0-9a-f]{16} to dora$", said)


def test_a_root_pins_the_next_policy_of_the_authority_that_signs_it_under_the_last() -> None:
    scene = next_root()
    scene.next_pin = PolicyPin(2, "c" * 64)
    assert scene.refused_by() == []
    assert f"change-release-policy: version 1 ({scene.own_pin().sha256}) -> version 2 (cccc" in scene.said(
        "TRANSITION-ROOT"
    )


@pytest.mark.rule("TRANSITION-ROOT", "reject")
def test_a_root_without_consistent_snapshots_is_refused() -> None:
    scene = first_root()
    scene.new_root.consistent_snapshot = False
    assert scene.refused_by() == ["TRANSITION-ROOT"]


def test_a_root_that_changes_nothing_is_refused() -> None:
    assert edited(lambda _root, _extension: None).refused_by() == ["TRANSITION-ROOT"]


def _move_key(source: str, target: str) -> Callable[[Cast], dict[str, list[CryptoSigner]]]:
    def groups(cast: Cast) -> dict[str, list[CryptoSigner]]:
        moved: CryptoSigner = getattr(cast, source)[-1]
        stays = getattr(cast, source)[:-1]
        return {source: [*stays, new_signer()], target: [*getattr(cast, target)[:-1], moved]}

    return groups


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("manifest", "root"),
        ("manifest", "payload"),
        ("payload", "manifest"),
        ("root", "payload"),
        ("timestamp", "root"),
    ],
)
def test_a_key_that_changes_sides_is_refused(source: str, target: str) -> None:
    cast = Cast()
    scene = changed(cast, **_move_key(source, target)(cast))
    assert scene.refused_by() == ["TRANSITION-ROOT"]
    assert f"goes from {'root' if source == 'root' else source}" in scene.said("TRANSITION-ROOT")


def _unknown_field(root: Root, _: dict[str, Any]) -> None:
    root.unrecognized_fields["x-more"] = 1


def _field_of_a_role(root: Root, _: dict[str, Any]) -> None:
    root.roles["targets"].unrecognized_fields["x-more"] = 1


def _specification(root: Root, _: dict[str, Any]) -> None:
    root.spec_version = "1.0.34"


def _stray_key(root: Root, _: dict[str, Any]) -> None:
    stray = new_signer().public_key
    root.keys[stray.keyid] = stray


def _stray_keyinfo(_: Root, extension: dict[str, Any]) -> None:
    stray = new_signer()
    extension["keyinfo"][stray.public_key.keyid] = key_info(stray)


def _stray_release_key(_: Root, extension: dict[str, Any]) -> None:
    stray = new_signer()
    extension["keyinfo"][stray.public_key.keyid] = key_info(stray)
    extension["authorities"]["release"]["keyids"].append(stray.public_key.keyid)


def _stray_manifest_key(_: Root, extension: dict[str, Any]) -> None:
    stray = new_signer()
    extension["keyinfo"][stray.public_key.keyid] = key_info(stray)
    extension["authorities"]["manifest"]["keyids"].append(stray.public_key.keyid)


def _root_key_for_payloads(root: Root, extension: dict[str, Any]) -> None:
    extension["authorities"]["release"]["payload_keyids"].append(root.roles["root"].keyids[0])


def _other_home(root: Root, extension: dict[str, Any]) -> None:
    extension["keyinfo"][root.roles["root"].keyids[0]]["home"] = "piv"


def _other_token(root: Root, extension: dict[str, Any]) -> None:
    extension["keyinfo"][root.roles["root"].keyids[0]]["token"] = {
        **extension["keyinfo"][root.roles["root"].keyids[0]]["token"],
        "serial": "2",
    }


def _other_name(root: Root, extension: dict[str, Any]) -> None:
    """The same public key under another keyid."""
    old = root.roles["timestamp"].keyids[0]
    key = deepcopy(root.keys.pop(old))
    key.keyid = "f" * 64
    root.keys[key.keyid] = key
    root.roles["timestamp"].keyids = [key.keyid]
    extension["keyinfo"][key.keyid] = extension["keyinfo"].pop(old)


@pytest.mark.parametrize(
    "change",
    [
        _unknown_field,
        _field_of_a_role,
        _specification,
        _stray_key,
        _stray_keyinfo,
        _stray_release_key,
        _stray_manifest_key,
        _root_key_for_payloads,
        _other_home,
        _other_token,
        _other_name,
    ],
)
def test_what_is_not_on_the_list_is_refused(change: Callable[[Root, dict[str, Any]], None]) -> None:
    scene = edited(change)
    assert scene.refused_by() == ["TRANSITION-ROOT"]


# --- who signs when ---


@pytest.mark.rule("TRANSITION-CONSENT", "accept")
def test_the_owner_of_root_signs_what_the_manifest_authority_consented_to() -> None:
    cast = Cast()
    scene = changed(cast, root=[*cast.root[:2], new_signer()])
    assert scene.said("TRANSITION-CONSENT") == "manifest authority, to consent: 1 signed"


@pytest.mark.rule("TRANSITION-CONSENT", "reject")
@pytest.mark.parametrize("who", ["nobody", "a stranger", "a key of root"])
def test_the_owner_does_not_sign_before_that(who: str) -> None:
    cast = Cast()
    scene = changed(cast, root=[*cast.root[:2], new_signer()])
    scene.consenting = {"nobody": [], "a stranger": [new_signer()], "a key of root": [cast.root[0]]}[who]
    assert scene.refused_by() == ["TRANSITION-CONSENT"]


def test_the_manifest_authority_consents_before_the_owner_signs() -> None:
    cast = Cast()
    new = replace(cast, root=[*cast.root[:2], new_signer()])
    scene = scene_of(make_root(cast), make_root(new), cast, "manifest")
    assert scene.refused_by() == []
    assert scene.said("TRANSITION-CONSENT") == "the owner of root signs after this authority"


def test_the_manifest_authority_signs_no_root_that_does_not_need_it() -> None:
    cast = Cast()
    new = replace(cast, payload=[new_signer(), new_signer()])
    scene = scene_of(make_root(cast), make_root(new), cast, "manifest")
    assert scene.refused_by() == ["TRANSITION-CONSENT"]


def test_a_consent_follows_the_trusted_root_and_not_an_earlier_consent() -> None:
    """The first one came to nothing: the release authority never signed it."""
    cast = Cast()
    scene = scene_of(make_root(cast), make_root(replace(cast, root=[*cast.root[:2], new_signer()])), cast, "manifest")
    head = scene.heads()["root"]
    scene.ledger = {"heads": {"root": replace(head, version=2, sha256="d" * 64)}}
    assert scene.refused_by() == []
    owner = changed(cast, root=[*cast.root[:2], new_signer()])
    owner.ledger = scene.ledger
    assert owner.refused_by() == ["REQUEST-PREVIOUS"]


# --- recovery ---


def recovery(cast: Cast) -> Scene:
    """The manifest authority is lost: all its keys are replaced."""
    new = replace(cast, manifest=[new_signer(), new_signer()])
    return scene_of(make_root(cast), make_root(new), cast, action="recovery")


def test_a_lost_manifest_authority_is_replaced_without_its_consent() -> None:
    scene = recovery(Cast())
    assert scene.refused_by() == []
    assert scene.said("TRANSITION-CONSENT") == "nobody else has to sign"


def test_an_ordinary_root_does_not_recover() -> None:
    scene = recovery(Cast())
    scene.action = "root"
    assert scene.refused_by() == ["TRANSITION-CONSENT"]


def test_a_recovery_that_needs_no_consent_is_refused() -> None:
    scene = next_root()
    scene.action = "recovery"
    assert scene.refused_by() == ["TRANSITION-ROOT"]


def test_a_policy_that_does_not_provide_for_recovery_refuses_it() -> None:
    scene = recovery(Cast())
    scene.replace_policy(f"[actions.recovery]\n{QUORUM}", "")
    scene.pin_policy(scene.root)
    assert scene.refused_by() == ["REQUEST-SCOPE", "QUORUM-COUNT", "QUORUM-PARTITION"]


# --- from one authority to two ---


def test_a_migration_is_signed_by_the_old_quorum_once_the_new_one_has_signed() -> None:
    scene = migration()
    assert scene.refused_by() == []
    assert scene.said("TRANSITION-ROOT").startswith("migrate-to-dual: from manifest-only to dual; ")
    assert scene.said("TRANSITION-CONSENT") == "incoming root keys: 2 signed"
    scene.consenting = scene.consenting[:1]
    assert scene.refused_by() == ["TRANSITION-CONSENT"]


def test_the_release_authority_signs_the_root_that_makes_it_first() -> None:
    cast = Cast()
    scene = migration(cast)
    asked = Scene("release", "root", scene.cast, scene.proposals, policy_toml("release"), scene.root)
    asked.before = scene.before
    scene.pin_policy(scene.new_root)
    asked.pin_policy(asked.new_root)
    assert asked.refused_by() == []
    assert asked.said("TRANSITION-CONSENT") == "the owner of root signs after this authority"
    assert asked.said("POLICY-PINNED") == "root version 2 pins policy version 1"


def test_a_migration_changes_nothing_else() -> None:
    scene = migration()
    scene.new_root.roles["snapshot"].threshold = 2
    assert scene.refused_by() == ["TRANSITION-ROOT"]


def test_a_migration_gives_root_to_no_key_of_the_manifest_authority() -> None:
    scene = migration()
    one = scene.cast.manifest[0].public_key
    scene.new_root.add_key(one, "root")
    release = scene.new_root.unrecognized_fields[FIELD]["authorities"]["release"]
    release["keyids"].append(one.keyid)
    assert scene.refused_by() == ["META-AUTHORITY", "TRANSITION-ROOT"]


def test_there_is_no_way_back() -> None:
    scene = next_root()
    extension = manifest_only_extension(scene.cast)
    extension["recovery"]["threshold"] = 2
    scene.new_root.unrecognized_fields[FIELD] = extension
    scene.new_root.roles["root"].keyids = keyids(scene.cast.manifest)
    scene.new_root.roles["root"].threshold = 1
    refused = scene.refused_by()
    assert "META-AUTHORITY" in refused
    assert "MODEL-RATCHET" in scene.said("META-AUTHORITY")
