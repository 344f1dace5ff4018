"""``product retire``: a product ends for its devices, and for nobody else; and comes back without going back."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.offer import Check
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater
from enigm_tuf_repository import publishing
from enigm_tuf_repository.cli import Edges, main
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.standing import role_standings

Captured = pytest.CaptureFixture[str]
END = "retire-phone-3"


@pytest.fixture(scope="module")
def _two(stages: Callable[[str], Vendor], tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """``phone`` has a release, ``tablet`` none."""
    vendor = stages("released").copied_to(tmp_path_factory.mktemp("two") / "vendor")
    vendor.done("product", "add", "tablet", "--channel", "stable")
    vendor.publish("product-tablet")
    return vendor


@pytest.fixture(scope="module")
def _retired(_two: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    vendor = _two.copied_to(tmp_path_factory.mktemp("retired") / "vendor")
    vendor.done("product", "retire", "phone")
    vendor.publish(END)
    return vendor


@pytest.fixture
def two(_two: Vendor, tmp_path: Path) -> Vendor:
    return _two.copied_to(tmp_path / "vendor")


@pytest.fixture
def retired(_retired: Vendor, tmp_path: Path) -> Vendor:
    return _retired.copied_to(tmp_path / "retired")


def device(vendor: Vendor, published: Path, product: str = "phone", store: Path | None = None) -> Updater:
    """A device that has run 1.0 with rollback index 1, or the one that ``store`` remembers."""
    place = store or published.parent / f"device-{product}"
    memory = DirectoryStore(place)
    if not place.exists():
        root = (published / "metadata/1.root.json").read_bytes()
        floors = {"phone": 1}
        state = DeviceState(metadata={"root": root}, rollback_floors=floors, installed={"phone": ("1.0", "b1")})
        memory.commit(state)
    facts = DeviceFacts("staging", product, f"{product}-a", "stable", "device-1")
    return Updater(store=memory, fetcher=FileFetcher(published), facts=facts, clock=vendor.clock)


def refused(check: Check) -> str:
    assert check.offer is None
    assert check.refusal is not None
    assert check.refusal.rule == "TARGET-MISSING"
    return check.reason


def test_its_devices_keep_what_they_have_and_are_told(two: Vendor, retired: Vendor, tmp_path: Path) -> None:
    store = tmp_path / "device"
    assert "up to date" in device(two, two.published, store=store).check().reason
    before = DirectoryStore(store).load()
    told = refused(device(two, retired.published, store=store).check())
    assert "product phone" in told
    assert "it is retired, as targets version 3 says" in told
    after = DirectoryStore(store).load()
    assert (after.installed, after.rollback_floors) == (before.installed, before.rollback_floors)


def test_a_product_that_never_was_is_told_apart(retired: Vendor) -> None:
    assert "it is unknown" in refused(device(retired, retired.published, "watch").check())


def test_a_retired_tree_is_not_taken_for_an_old_one(two: Vendor, retired: Vendor, tmp_path: Path) -> None:
    """Who has seen the end is not led back to before it."""
    store = tmp_path / "device"
    refused(device(two, retired.published, store=store).check())
    check = device(two, two.published, store=store).check()
    assert check.offer is None
    assert check.refusal is not None
    assert check.refusal.rule.startswith("ROLLBACK-")


def test_the_others_go_on(retired: Vendor, capsys: Captured) -> None:
    assert load_register(retired.workspace).products == {"tablet": ("stable",)}
    retired.done("verify")
    assert {item.role for item in role_standings(retired.workspace, retired.clock.now())} == {
        *("root", "timestamp", "snapshot", "targets", "tablet.manifest", "tablet.payload")
    }
    retired.done("product", "add", "watch", "--channel", "stable")
    retired.publish("product-watch")
    retired.done("verify")
    capsys.readouterr()
    retired.done("status")
    assert "retired: phone" in capsys.readouterr().out.splitlines()
    assert retired.run("release", "prepare", "--config", _release(retired)) == 2
    assert "there is no channel stable of a product phone" in capsys.readouterr().err


def _release(vendor: Vendor) -> str:
    return str(vendor.path / "build-1.0/release.toml")


def test_nothing_waits_for_what_is_retired(retired: Vendor) -> None:
    """Its roles expire, and nobody renews them or is warned of them."""
    retired.clock.advance(timedelta(days=29))
    retired.done("renew")
    record = "renew-5"
    assert set(retired.record(record).roles) == {"snapshot", "tablet.manifest"}


def test_a_release_under_way_stops_its_end(two: Vendor, capsys: Captured) -> None:
    two.prepare_release("1.1")
    assert two.run("product", "retire", "phone") == 2
    told = capsys.readouterr().err
    assert "phone-1.1 is open, and is about product phone" in told
    assert "--give-up phone-1.1" in told
    two.done("product", "retire", "tablet")
    two.done("product", "retire", "phone", "--give-up", "phone-1.1")
    assert load_register(two.workspace).open == ("retire-tablet-3", END)


def test_a_release_that_an_authority_signed_cannot_be_given_up(two: Vendor, capsys: Captured) -> None:
    record = two.prepare_release("1.1")
    two.done("release", "attach", record, two.answers(record)[0])
    assert two.run("product", "retire", "phone", "--give-up", record) == 2
    assert "an authority has signed for it" in capsys.readouterr().err
    assert not two.workspace.record(END).exists()


def test_between_signature_and_publication_nothing_new_is_made_of_it(two: Vendor, capsys: Captured) -> None:
    two.done("product", "retire", "phone")
    two.up_to(END)
    with pytest.raises(AssertionError):
        two.prepare_release("1.1")
    assert "product phone is retired" in capsys.readouterr().err
    assert two.run("rollout", "halt", "phone", "--channel", "stable") == 2
    assert two.run("product", "retire", "phone") == 2
    capsys.readouterr()
    assert two.run("product", "add", "phone", "--channel", "stable") == 2
    assert f"{END} retires it, and is not published yet" in capsys.readouterr().err
    two.done("release", "verify", END)
    two.done("release", "gate", END)
    two.done("release", "publish", END)


@pytest.mark.parametrize("name", ["watch", "Phone", "../phone"])
def test_what_is_no_product_here_is_said(name: str, two: Vendor, capsys: Captured) -> None:
    before = two.workspace.register_file.read_bytes()
    assert two.run("product", "retire", name) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert two.workspace.register_file.read_bytes() == before


def test_prune_takes_its_payloads_and_the_tree_stays_whole(retired: Vendor) -> None:
    retired.clock.advance(timedelta(days=1))
    retired.done("renew", "--days", "29")
    retired.done("release", "attach", "renew-5", *retired.answers("renew-5", roles=True))
    for step in ("verify", "gate", "publish"):
        retired.done("release", step, "renew-5")
    retired.clock.advance(timedelta(days=2))
    retired.done("prune", "--grace-days", "1", "--delete")
    names = {path.name for path in retired.published.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".zip", ".chunks", ".stable.json"))]
    assert {"2.phone.manifest.json", "2.phone.payload.json", "2.targets.json", "3.targets.json"} <= names
    assert "1.targets.json" not in names
    retired.done("verify")


def test_a_copy_that_begins_after_the_end_is_whole(retired: Vendor, tmp_path: Path) -> None:
    root = Path(shutil.copy(retired.published / "metadata/1.root.json", tmp_path / "shipped.json"))
    copy = tmp_path / "copy"
    for _ in range(2):
        assert main(["mirror", str(retired.published), str(copy), "--root", str(root)], Edges(retired.clock)) == 0
    assert "it is retired" in refused(device(retired, copy).check())


def test_the_last_product_may_end_too(released: Vendor) -> None:
    released.done("product", "retire", "phone")
    released.publish("retire-phone-2")
    released.done("verify")
    assert "it is retired" in refused(device(released, released.published).check())


def test_it_comes_back_and_does_not_go_back(retired: Vendor, tmp_path: Path, capsys: Captured) -> None:
    store = tmp_path / "device"
    refused(device(retired, retired.published, store=store).check())
    retired.done("product", "add", "phone", "--channel", "stable")
    retired.publish("product-phone-4")
    assert retired.record("product-phone-4").roles["phone.payload"] == 3
    told = refused(device(retired, retired.published, store=store).check())
    assert "manifests/phone/stable.json" in told
    capsys.readouterr()
    retired.prepare_release("0.9")
    with pytest.raises(AssertionError):
        retired.up_to("phone-0.9")
    assert "ARTIFACT-MONOTONIC" in capsys.readouterr().err
    retired.publish(retired.prepare_release("1.1", rollback_index="1"))


def test_a_device_above_it_stays_above_it_when_it_comes_back(retired: Vendor, tmp_path: Path) -> None:
    store = tmp_path / "device"
    updater = device(retired, retired.published, store=store)
    state = DirectoryStore(store).load()
    DirectoryStore(store).commit(replace(state, rollback_floors={"phone": 99}))
    retired.done("product", "add", "phone", "--channel", "stable")
    retired.publish("product-phone-4")
    retired.publish(retired.prepare_release("1.1"))
    check = updater.check()
    assert check.offer is None
    assert check.refusal is not None
    assert check.refusal.rule == "ROLLBACK-INDEX"


@pytest.fixture
def elsewhere(retired: Vendor, tmp_path: Path) -> Vendor:
    """A machine whose memory of the tree began after the end: it never had the product's roles."""
    root = Path(shutil.copy(retired.published / "metadata/1.root.json", tmp_path / "shipped.json"))
    copy = tmp_path / "copy"
    assert main(["mirror", str(retired.published), str(copy), "--root", str(root)], Edges(retired.clock)) == 0
    shutil.rmtree(retired.published)
    copy.rename(retired.published)
    shutil.rmtree(retired.published / ".mirror")
    return retired


def test_a_machine_that_never_had_it_publishes_the_others(elsewhere: Vendor) -> None:
    assert not list((elsewhere.published / "metadata").glob("*.phone.*"))
    elsewhere.done("product", "add", "watch", "--channel", "stable")
    elsewhere.publish("product-watch")
    assert "it is retired" in refused(device(elsewhere, elsewhere.published).check())


def test_a_machine_that_never_had_it_cannot_bring_it_back(elsewhere: Vendor, capsys: Captured) -> None:
    before = elsewhere.workspace.register_file.read_bytes()
    assert elsewhere.run("product", "add", "phone", "--channel", "stable") == 2
    assert "phone.payload.json: the repository names it, but it is gone" in capsys.readouterr().err
    assert elsewhere.workspace.register_file.read_bytes() == before
    assert not elsewhere.workspace.record("product-phone-4").exists()


def test_a_role_that_is_in_force_and_missing_still_stops_a_publication(elsewhere: Vendor, capsys: Captured) -> None:
    elsewhere.done("product", "add", "watch", "--channel", "stable")
    elsewhere.up_to("product-watch", "verify", "gate")
    (elsewhere.published / "metadata/1.tablet.payload.json").unlink()
    assert elsewhere.run("release", "publish", "product-watch") == 3
    assert "TREE-WHOLE: metadata/1.tablet.payload.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["bundle", "phone", "--channel", "stable", "--out", "phone.bundle"],
        ["traffic", "phone", "--channel", "stable", "--devices", "10", "--releases", "1"],
    ],
    ids=["bundle", "traffic"],
)
def test_what_is_made_for_its_devices_is_made_no_more(command: list[str], retired: Vendor, capsys: Captured) -> None:
    assert retired.run(*command) == 2
    assert "product phone is retired" in capsys.readouterr().err


def test_a_publication_that_is_cut_before_its_register_is_taken_up(
    two: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.done("product", "retire", "phone")
    two.up_to(END, "verify", "gate")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "put_in_force", _cut)
        assert two.run("release", "publish", END) == 2
    assert "phone" in load_register(two.workspace).products
    two.done("release", "publish", END)
    assert load_register(two.workspace).products == {"tablet": ("stable",)}
    assert load_register(two.workspace).open == ()


def _cut(*_: object) -> None:
    raise OSError("power")
