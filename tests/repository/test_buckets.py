"""A repository whose tree is published in a bucket: the eight steps, races, and the mirror that it reads."""

import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from enigm_testkit.buckets.kinds import kinds, running
from enigm_testkit.buckets.proxy import Fate, proxied
from enigm_testkit.buckets.servers import Bucket
from enigm_testkit.buckets.vendors import Shelf
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.publication import unseen


@pytest.fixture(scope="module", params=kinds("moto"))
def bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    name: str = request.param
    with running(name, tmp_path_factory.mktemp(name)) as bucket:
        yield bucket


@pytest.fixture
def shelf(bucket: Bucket, tmp_path: Path) -> Shelf:
    return Shelf(bucket, tmp_path.name)


def mirror(vendor: Vendor) -> dict[str, bytes]:
    files = (path for path in vendor.published.rglob("*") if path.is_file() and ".incoming" not in path.parts)
    return {str(path.relative_to(vendor.published)): path.read_bytes() for path in files}


def small(tree: dict[str, bytes]) -> dict[str, bytes]:
    """Without payloads and decisions, which lie in the bucket alone."""
    return {path: data for path, data in tree.items() if not path.startswith(("targets/payloads/", "decisions/"))}


def test_a_repository_lives_in_a_bucket_from_its_first_root_on(
    new_vendor: Vendor, shelf: Shelf, tmp_path: Path
) -> None:
    config = new_vendor.path / "repository.toml"
    config.write_text(config.read_text() + shelf.settings())
    new_vendor.opened()

    for version in ("1.0", "2.0"):
        new_vendor.publish(new_vendor.prepare_release(version))
        assert new_vendor.device_sees(fetcher=shelf.store) == version

    new_vendor.done("timestamp")
    assert mirror(new_vendor) == small(shelf.tree()), "all but payloads and decisions, byte for byte"
    assert shelf.tree() != mirror(new_vendor)
    new_vendor.done("bundle", "phone", "--channel", "stable", "--out", str(tmp_path / "phone.enigmbundle"))
    new_vendor.done("store", "check")


def test_verify_looks_at_the_bucket_itself(
    released: Vendor, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(released).done("verify")
    stray = tmp_path / "stray"
    stray.write_bytes(b"{}")
    shelf.store.create("metadata/9.snapshot.json", stray, sha256(b"{}"), unseen)
    capsys.readouterr()
    assert released.run("verify", "--json") == 3
    damage = json.loads(capsys.readouterr().out)["damage"]
    assert [(item["kind"], item["path"]) for item in damage] == [("extra", "metadata/9.snapshot.json")]


def test_a_machine_that_lost_its_mirror_brings_the_decisions_too(
    released: Vendor, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the metadata that they are about, though most of it is in force no more."""
    root = Path(shutil.copy(released.published / "metadata/1.root.json", tmp_path / "shipped.json"))
    shelf.filled_by(released)
    for found in (3, 0):
        shutil.rmtree(released.published) if found else None
        released.done("store", "pull", "--root", str(root), "--decisions")
        assert f"decisions of {found} records are new here" in capsys.readouterr().out
        expected = {path: data for path, data in shelf.tree().items() if not path.startswith("targets/payloads/")}
        assert mirror(released) == expected
    released.done("verify")
    released.publish(released.prepare_release("1.1"))
    released.done("store", "pull", "--decisions")
    assert "decisions of 1 records are new here" in capsys.readouterr().out


def test_of_two_publishers_who_read_the_same_base_one_wins_and_the_other_can_rebase(
    gated: Vendor, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release and a timestamp job on two machines, both held until both are about to swap."""
    with proxied(bucket.endpoint) as proxy:
        shelf = Shelf(bucket, tmp_path.name, proxy)
        other = shelf.filled_by(gated).copied_to(tmp_path / "other")
        proxy.fate = meeting(2)
        with ThreadPoolExecutor(2) as pool:
            job = pool.submit(other.run, "timestamp")
            release = pool.submit(gated.run, "release", "publish", "phone-1.0")
        proxy.mend()

        assert sorted([job.result(), release.result()]) == [0, 2], "exactly one wins"
        assert "error: metadata/timestamp.json: somebody else published first" in capsys.readouterr().err
        assert gated.device_sees(fetcher=shelf.store) == ("1.0" if release.result() == 0 else None)
        for step in ("verify", "gate", "publish") if release.result() else ():
            gated.done("release", step, "phone-1.0")
        other.done("timestamp")
        assert gated.device_sees(fetcher=shelf.store) == "1.0"


def meeting(publishers: int) -> Callable[[int, str], Fate]:
    """The first swaps of the timestamp go through at the same moment; whoever must try again is not held."""
    gate, left = threading.Barrier(publishers), iter(range(publishers))

    def fate(number: int, request: str) -> Fate:
        del number
        swap = request.startswith("PUT") and unquote(request).partition("?")[0].endswith("/timestamp.json")
        if swap and next(left, None) is not None:
            gate.wait(30)
        return Fate.PASS

    return fate


def test_of_several_machines_that_publish_the_same_release_one_does_and_the_others_see_it(
    gated: Vendor, bucket: Bucket, tmp_path: Path
) -> None:
    """Each with a timestamp of its own."""
    with proxied(bucket.endpoint) as proxy:
        shelf = Shelf(bucket, tmp_path.name, proxy)
        machines = [shelf.filled_by(gated), *(gated.copied_to(tmp_path / f"machine-{number}") for number in range(3))]
        for machine in machines[1:]:
            machine.done("release", "verify", "phone-1.0")
            machine.done("release", "gate", "phone-1.0")
        proxy.fate = meeting(len(machines))

        with ThreadPoolExecutor(len(machines)) as pool:
            list(pool.map(lambda machine: machine.done("release", "publish", "phone-1.0"), machines))

        said = [machine.record("phone-1.0").steps[-1].findings[0].evidence for machine in machines]
        assert sorted(said) == ["11 files, out already under another timestamp"] * 3 + ["11 files, timestamp last"]
        winner = machines[said.index("11 files, timestamp last")]
        staged = winner.workspace.staged("phone-1.0") / "metadata" / "timestamp.json"
        assert shelf.timestamp() == staged.read_bytes(), "nobody wrote over it"


def test_a_release_that_another_machine_published_long_ago_is_recognised(
    gated: Vendor, shelf: Shelf, tmp_path: Path
) -> None:
    other = shelf.filled_by(gated).copied_to(tmp_path / "other")
    other.done("release", "publish", "phone-1.0")
    other.publish(other.prepare_release("2.0"))
    before = shelf.tree()

    gated.done("release", "publish", "phone-1.0")

    assert "out already" in gated.record("phone-1.0").steps[-1].findings[0].evidence
    assert shelf.tree() == before


def test_the_loser_is_told_what_to_do(
    gated: Vendor, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shelf.filled_by(gated).copied_to(tmp_path / "other")
    other.done("timestamp")
    before = shelf.tree()

    assert gated.run("release", "publish", "phone-1.0") == 2

    told = capsys.readouterr().err
    assert "something else was published since it was verified" in told
    assert "hint: run `enigm-repo release verify phone-1.0` again" in told
    assert shelf.tree() == before, "not one object was written"
    for step in ("verify", "gate", "publish"):
        gated.done("release", step, "phone-1.0")
    assert gated.device_sees(fetcher=shelf.store) == "1.0"


def test_a_release_of_other_bytes_under_a_published_name_is_a_conflict_that_names_it(
    gated: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(gated)
    (staged,) = (gated.workspace.staged("phone-1.0") / "metadata").glob("*.snapshot.json")
    shelf.store.put(f"metadata/{staged.name}", b"{}", "create")

    assert gated.run("release", "publish", "phone-1.0") == 2

    assert f"metadata/{staged.name}: published already, with other bytes" in capsys.readouterr().err
    assert gated.device_sees(fetcher=shelf.store) is None


def test_of_two_timestamp_jobs_at_once_one_wins(vendor: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    machines = [shelf.filled_by(vendor), *(vendor.copied_to(tmp_path / f"machine-{number}") for number in range(3))]
    before = version(shelf.timestamp())

    with ThreadPoolExecutor(len(machines)) as pool:
        ended = list(pool.map(lambda machine: machine.run("timestamp"), machines))

    assert set(ended) <= {0, 2}
    assert version(shelf.timestamp()) == before + ended.count(0), "each success is one version, none was lost"
    for machine in machines:
        machine.done("timestamp")


def version(timestamp: bytes) -> int:
    number: int = json.loads(timestamp)["signed"]["version"]
    return number


def test_a_second_machine_follows_what_the_first_one_published(vendor: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    second = shelf.filled_by(vendor).copied_to(tmp_path / "second")
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.done("product", "add", "tablet", "--channel", "stable")
    vendor.publish("product-tablet")

    second.done("store", "pull")

    heads = {path for path in mirror(vendor) if path not in mirror(second)}
    assert {path.split(".", 1)[1] for path in heads} <= {"snapshot.json", "timestamp.json"}, "only what was passed over"
    assert second.device_sees(fetcher=shelf.store) == "1.0"
    second.done("store", "pull", "--payloads")
    newest = {path: data for path, data in shelf.tree().items() if path.startswith("targets/payloads/")}
    assert newest.items() <= mirror(second).items()
    second.done("timestamp")
    vendor.done("status")
    assert mirror(vendor)["metadata/timestamp.json"] == shelf.timestamp()


def test_a_lost_mirror_is_made_again_from_the_first_root(
    vendor: Vendor, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(vendor).publish(vendor.prepare_release("1.0"))
    root = shutil.copy(vendor.published / "metadata/1.root.json", tmp_path / "root.json")
    shutil.rmtree(vendor.published)

    assert vendor.run("status") == 2
    assert "hint: run `enigm-repo store pull --root FILE`" in capsys.readouterr().err
    vendor.clock.time += timedelta(days=800)  # everything has expired by now, and somebody has to renew it
    vendor.done("store", "pull", "--root", str(root))
    vendor.clock.time -= timedelta(days=800)

    assert set(mirror(vendor)) < set(shelf.tree())
    vendor.publish(vendor.prepare_release("2.0"))
    assert vendor.device_sees(fetcher=shelf.store) == "2.0"


def test_a_mirror_takes_no_root_that_the_old_one_did_not_sign(
    vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(vendor)
    root = json.loads(shelf.store.fetch("metadata/1.root.json", 2**20))
    root["signed"]["version"] = 2
    shelf.store.put("metadata/2.root.json", json.dumps(root).encode(), "create")
    before = mirror(vendor)

    assert vendor.run("timestamp") == 3

    assert "SIGNATURE-THRESHOLD" in capsys.readouterr().err
    assert mirror(vendor) == before


def test_an_interrupted_step_is_repaired_by_the_next_one(gated: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    """The bucket was published to, and the machine died before its mirror was."""
    twin = shelf.filled_by(gated).copied_to(tmp_path / "twin")
    twin.done("release", "publish", "phone-1.0")

    gated.done("timestamp")

    assert set(mirror(twin)) <= set(mirror(gated))
    gated.done("release", "verify", "phone-1.0")


@pytest.mark.rule("STORE-MIRROR", "accept")
def test_a_store_that_is_ahead_of_the_mirror_is_followed(vendor: Vendor, shelf: Shelf, tmp_path: Path) -> None:
    other = shelf.filled_by(vendor).copied_to(tmp_path / "other")
    other.done("timestamp")

    vendor.done("store", "pull")

    assert mirror(vendor)["metadata/timestamp.json"] == shelf.timestamp()


@pytest.mark.rule("STORE-MIRROR", "reject")
def test_a_store_that_was_set_back_is_refused(vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.filled_by(vendor)
    old = shelf.timestamp()
    vendor.done("timestamp")
    shelf.store.put("metadata/timestamp.json", old, "overwrite")

    assert vendor.run("timestamp") == 3

    assert "STORE-MIRROR" in capsys.readouterr().err
    assert shelf.timestamp() == old


@pytest.mark.rule("STORE-MIRROR", "reject")
def test_a_store_with_another_timestamp_of_the_same_version_is_refused(
    vendor: Vendor, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = vendor.copied_to(tmp_path / "other")  # publishes in its own directory, and signs the same version
    other.done("timestamp")
    shelf.filled_by(vendor)
    vendor.done("timestamp")
    shelf.store.put("metadata/timestamp.json", (other.published / "metadata/timestamp.json").read_bytes(), "overwrite")

    assert vendor.run("timestamp") == 3

    assert "STORE-MIRROR" in capsys.readouterr().err


@pytest.mark.rule("STORE-MIRROR", "reject")
def test_an_empty_store_is_refused_until_it_is_filled(
    vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.taken_by(vendor)

    assert vendor.run("timestamp") == 3

    told = capsys.readouterr().err
    assert "STORE-MIRROR" in told
    assert "enigm-repo store push" in told


@pytest.mark.rule("PUBLISHED-TREE", "reject")
def test_an_extra_object_in_the_bucket_that_nobody_signed_is_found(
    vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(vendor).done("store", "check")
    shelf.store.put("metadata/9.snapshot.json", b"{}", "create")

    assert vendor.run("store", "check") == 3

    assert "PUBLISHED-TREE" in capsys.readouterr().err


def test_a_bucket_is_named_on_the_command_line(vendor: Vendor, shelf: Shelf) -> None:
    shelf.taken_by(vendor)
    file = vendor.workspace.configuration_file
    file.write_text(file.read_text().replace(shelf.url, f"{shelf.url}-elsewhere"))

    vendor.done("store", "push", "--store", shelf.url)

    assert vendor.device_sees(fetcher=shelf.store) is None


@pytest.mark.rule("PUBLISHED-TREE", "reject")
def test_a_stranger_in_the_directory_does_not_move_into_the_bucket(
    vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.taken_by(vendor)
    (vendor.published / "index.html").write_text("hello")

    assert vendor.run("store", "push") == 3

    assert "PUBLISHED-TREE: index.html" in capsys.readouterr().err
    assert shelf.tree() == {}


def test_a_step_with_nothing_new_asks_the_bucket_twice(vendor: Vendor, bucket: Bucket, tmp_path: Path) -> None:
    with proxied(bucket.endpoint) as proxy:
        Shelf(bucket, tmp_path.name, proxy).filled_by(vendor)
        proxy.mend()

        vendor.done("status")

        assert [request.partition(" ")[0] for request in proxy.requests] == ["GET", "GET"], proxy.requests


@pytest.mark.parametrize(
    ("suffix", "status", "told"), [("", 3, "TARGET-HASH"), (".chunks", 2, "must hash to the chunk root")]
)
def test_what_is_brought_from_the_bucket_for_a_bundle_is_verified(
    vendor: Vendor,
    shelf: Shelf,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    suffix: str,
    status: int,
    told: str,
) -> None:
    shelf.filled_by(vendor).publish(vendor.prepare_release("1.0"))
    (path,) = (name for name in shelf.tree() if name.endswith(f"ota.zip{suffix}"))
    data = shelf.store.fetch(path, 2**24)
    shelf.store.put(path, data[:-1] + bytes([data[-1] ^ 1]), "overwrite")
    out = tmp_path / "phone.enigmbundle"
    command = ["bundle", "phone", "--channel", "stable", "--out", str(out)]

    assert vendor.run(*command) == status

    assert told in capsys.readouterr().err
    assert not out.exists()
    shelf.store.put(path, data, "overwrite")
    vendor.done(*command)
    with tarfile.open(out) as bundle:
        assert path in bundle.getnames()


def test_a_tree_in_a_bucket_is_not_served_from_its_mirror(
    vendor: Vendor, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.filled_by(vendor)

    assert vendor.run("serve", "--port", "0") == 2

    assert f"published in {shelf.url}" in capsys.readouterr().err
