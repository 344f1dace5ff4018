"""NEGATIVE-CLIENT: the staged tree is attacked before publication, and a client that lets one attack pass stops it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import RefusedError
from enigm_tuf.trust import agreement, metadata
from enigm_tuf_client import workflow
from enigm_tuf_repository import release_preparing
from enigm_tuf_repository.gates import negative_client
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence
from enigm_tuf_repository.gates.negative_client import GATE
from enigm_tuf_repository.gating import gate_context
from enigm_tuf_repository.negative.attacks import ATTACKS
from enigm_tuf_repository.negative.scene import Trick, set_scene

ALWAYS = {
    "rollback of timestamp": "ROLLBACK-TIMESTAMP",
    "rollback of snapshot": "ROLLBACK-SNAPSHOT",
    "rollback of the manifest role": "TARGETS-VERSION",
    "rollback of the payload role": "TARGETS-VERSION",
    "freeze": "TIMESTAMP-EXPIRED",
    "clock set back": "TIME-FLOOR",
    "mix and match": "SNAPSHOT-HASH",
    "another role's file": "SIGNATURE-THRESHOLD",
    "dropped delegation": "SIGNATURE-THRESHOLD",
    "longer life": "SIGNATURE-THRESHOLD",
    "unsigned change": "SIGNATURE-THRESHOLD",
    "foreign signature": "SIGNATURE-THRESHOLD",
    "missing signature": "SIGNATURE-THRESHOLD",
    "forged root": "SIGNATURE-THRESHOLD",
    "endless data": "TransportError",
    "cut metadata": "MalformedError",
    "swapped payload": "CHUNK-HASH",
    "one bit flipped": "CHUNK-HASH",
    "cut payload": "TARGET-HASH",
    "below the floor": "ROLLBACK-INDEX",
    "another environment": "ENVIRONMENT-MATCH",
}


def _nobody_watches(done: int, total: int) -> None:
    del done, total


def played(context: GateContext) -> Evidence:
    return GATE.run(context, _nobody_watches)


@pytest.fixture
def context(gated: Vendor) -> GateContext:
    """Of a first release."""
    return gate_context(gated.workspace, gated.record("phone-1.0"), gated.clock.now())


@pytest.mark.rule("NEGATIVE-CLIENT", "accept")
def test_a_release_is_refused_under_every_attack_each_by_its_own_rule(context: GateContext) -> None:
    assert played(context).facts["refused_by"] == ALWAYS


def test_a_second_release_cannot_be_replaced_by_the_first(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.up_to(vendor.prepare_release("2.0"), "verify")
    context = gate_context(vendor.workspace, vendor.record("phone-2.0"), vendor.clock.now())

    assert played(context).facts["refused_by"] == {**ALWAYS, "replayed release": "TARGET-HASH"}


def test_an_older_manifest_that_is_longer_is_refused_for_what_it_is(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not because it has too many bytes: any client refuses that."""
    monkeypatch.setattr(release_preparing, "KEPT_RELEASES", 1)
    vendor.publish(vendor.prepare_release("1.0", release_notes=f'"{"Much better. " * 99}"'))
    vendor.up_to(vendor.prepare_release("2.0"), "verify")
    context = gate_context(vendor.workspace, vendor.record("phone-2.0"), vendor.clock.now())
    assert played(context).facts["refused_by"]["replayed release"] == "TARGET-HASH"


def test_a_new_product_has_no_payload_to_attack_and_its_roles_are(rooted: Vendor) -> None:
    rooted.done("product", "add", "phone", "--channel", "stable")
    rooted.up_to("product-phone", "verify")
    context = gate_context(rooted.workspace, rooted.record("product-phone"), rooted.clock.now())

    refused = played(context).facts["refused_by"]

    assert {"dropped delegation", "missing signature", "another role's file", "freeze"} <= refused.keys()
    assert not {"one bit flipped", "below the floor"} & refused.keys()


def test_a_root_alone_serves_nothing_yet(rooted: Vendor) -> None:
    context = gate_context(rooted.workspace, rooted.record("root-1"), rooted.clock.now())
    assert GATE.applies(context) == "nothing is served yet: there is no snapshot"


@pytest.mark.rule("NEGATIVE-CLIENT", "reject")
@pytest.mark.parametrize(
    ("module", "check", "attack"),
    [
        (agreement, "rollback_index", "below the floor"),
        (metadata, "_require_no_role_rollback", "rollback of snapshot"),
        (metadata, "_require_hashes", "mix and match"),
    ],
)
def test_a_client_that_lacks_one_check_fails_by_the_attack_that_is_made_for_it(
    context: GateContext, monkeypatch: pytest.MonkeyPatch, module: Any, check: str, attack: str
) -> None:
    monkeypatch.setattr(module, check, lambda *_, **__: None)

    with pytest.raises(RefusedError, match=f"NEGATIVE-CLIENT: attack: {attack}: expected the device to refuse it by"):
        played(context)


@pytest.mark.parametrize("attack", [attack.name for attack in ATTACKS if attack.name in ALWAYS])
def test_a_client_that_accepts_one_of_them_fails_the_gate(
    context: GateContext, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    """Whatever the attack is: with the untouched tree in its place the device takes it, and the gate says so."""
    harmless = tuple(
        replace(item, play=lambda scene: Trick(scene.fresh)) if item.name == attack else item for item in ATTACKS
    )
    monkeypatch.setattr(negative_client, "ATTACKS", harmless)

    with pytest.raises(RefusedError, match=f"attack: {attack}: .*got accepted"):
        played(context)


def test_a_client_that_refuses_everything_fails_too(context: GateContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError("SIGNATURE-THRESHOLD", "everything", expected="nothing", got="something")

    monkeypatch.setattr(workflow.TufWorkflow, "_timestamp", refuse)

    with pytest.raises(RefusedError, match="SIGNATURE-THRESHOLD: everything"):
        played(context)


def test_the_attacks_leave_nothing_behind(context: GateContext, gated: Vendor) -> None:
    def files() -> Mapping[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(gated.path.rglob("*")) if path.is_file()}

    before = files()
    played(context)
    assert files() == before


def test_the_device_that_is_attacked_has_seen_the_release(context: GateContext) -> None:
    scene = set_scene(context)
    assert scene is not None
    assert scene.payload is not None
    assert scene.payload.release.version == "1.0"
    assert scene.informed.state.metadata.keys() >= {"timestamp", "snapshot", "phone.manifest", "phone.payload"}
