"""enigm-sign explain: from the published tree alone, with the real authorities' answers."""

import json
import shlex
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.vendor import release_toml
from enigm_testkit.web_log import served
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.model.bundle import pack, unpack
from enigm_tuf.model.strict_json import encode, sha256
from enigm_tuf_repository.cli import main as enigm_repo
from enigm_tuf_repository.integrity.checking import Known, check_tree
from enigm_tuf_repository.integrity.tree import DirectoryTree

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "explain-a-release.md"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A release is out."""
    house = build_house(tmp_path_factory.mktemp("explained") / "house").with_root()
    house.repo("product", "add", "phone", "--channel", "stable")
    _out(house, "product-phone")
    (house.path / "ota.zip").write_bytes(b"an image")
    (house.path / "slsa.json").write_text("{}")
    (house.path / "release.toml").write_text(release_toml("1.0"))
    house.repo("release", "prepare", "--config", house.path / "release.toml")
    _out(house, "phone-1.0")
    return house


@pytest.fixture
def tree(house: House, tmp_path: Path) -> Path:
    """A copy of what is published: nothing else of the house is there."""
    return Path(shutil.copytree(house.path / "repository" / "published", tmp_path / "tree"))


def _out(house: House, record: str) -> None:
    payload = house.signed_by(house.request(record, "release"), "payload-a", "payload-b")
    house.publish(record, *payload, *house.signed_by(house.request(record, "manifest"), "manifest-a"))


def _registry(house: House, authority: str) -> Path:
    return house.path / f"{authority}.operators.json"


def explain(house: House, tree: Path, *more: object, record: str = "phone-1.0", known: bool = True) -> int:
    registries = [part for name in ("release", "manifest") for part in ("--operators", _registry(house, name))]
    options = [*(registries if known else []), *more]
    root = house.path / "repository/published/metadata/1.root.json"
    return enigm_sign([str(part) for part in ("explain", record, "--tree", tree, "--root", root, *options)])


@pytest.mark.rule("DECISION-PROVEN", "accept")
def test_a_release_is_explained_from_the_tree_alone(
    house: House, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(house, tree, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["decisions"]) == 3
    signed = {(made["role"], made["custodian"]) for item in told["decisions"] for made in item["signatures"]}
    payload, manifest = house.key("payload-a").custodian, house.key("manifest-a").custodian
    assert {("phone.payload", payload), ("phone.manifest", manifest), ("snapshot", manifest)} <= signed
    for item in told["decisions"]:
        assert {vote["operator"] for vote in item["approvals"]} == {"alice", "bob"}
        assert item["unverified"] == []
        summary = item["summary"]["predicate"]
        assert summary["verificationResult"] == "PASSED"
        assert len(summary["inputAttestations"]) == 2
        for made, subject in zip(item["signatures"], item["summary"]["subject"], strict=True):
            assert subject["name"] == f"{made['role']}.{made['version']}.json"


def test_the_page_s_commands_work(
    house: House, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for authority in ("release", "manifest"):
        shutil.copy(_registry(house, authority), tree.parent)
    shutil.copy(tree / "metadata/1.root.json", tree.parent)
    tree.rename(tree.parent / "published")
    monkeypatch.chdir(tree.parent)
    commands = [line[2:] for line in PAGE.read_text().splitlines() if line.startswith("$ enigm-sign explain")]
    told = []
    for command in commands:
        assert enigm_sign(shlex.split(command)[1:]) == 0
        told.append(capsys.readouterr().out)
    assert "approved by bob of security" in told[0]
    assert json.loads(told[1])["record"] == "phone-1.0"


def test_a_bundle_carries_who_decided_and_the_proof_from_the_log(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unpacked it is a tree: explained offline, from the bundle and a root that the reader trusts."""
    house.repo("bundle", "phone", "--channel", "stable", "--out", tmp_path / "phone.enigmbundle")
    with tarfile.open(tmp_path / "phone.enigmbundle") as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    capsys.readouterr()
    assert explain(house, tmp_path / "unpacked", "--json") == 0
    told = json.loads(capsys.readouterr().out)["decisions"]
    signed = [made["role"] for item in told for made in item["signatures"]]
    assert sorted(signed) == ["phone.manifest", "phone.payload", "phone.payload", "snapshot"]
    assert all(made["log_entry"] for item in told for made in item["signatures"])


def test_people_read_who_signed_and_what_is_not_proved(
    house: House, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(house, tree) == 0
    told = capsys.readouterr().out
    assert "approved by alice of engineering" in told
    assert f"signed phone.payload version 2: key {house.key('payload-a').spki_sha256}" in told
    assert "says QUORUM-COUNT: " in told
    assert "not proved" in told


def test_without_a_registry_approvals_are_not_called_verified(
    house: House, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(house, tree, known=False) == 0
    told = capsys.readouterr().out
    assert "not verified, no registry of operators" in told
    assert "approved by" not in told


def changed(tree: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """One decision of the release authority with another member; its name has its new digest."""
    file = min((tree / "decisions/phone-1.0").glob("release-*"))
    members = unpack(file.read_bytes(), "decision")
    change(members)
    data = pack(members)
    file.unlink()
    (file.parent / f"release-{sha256(data)}.enigmresp").write_bytes(data)


@pytest.mark.rule("DECISION-PROVEN", "reject")
def test_a_signature_that_the_tree_does_not_hold_is_refused(
    house: House, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def another_signature(members: dict[str, bytes]) -> None:
        index = json.loads(members["index.json"])
        made = index["signatures"][0]["signature"]
        index["signatures"][0]["signature"] = made[:-2] + f"{int(made[-2:], 16) ^ 1:02x}"
        members["index.json"] = json.dumps(index, sort_keys=True, separators=(",", ":")).encode()

    changed(tree, another_signature)
    assert explain(house, tree) == 3
    assert "error: DECISION-PROVEN: decisions/phone-1.0/release-" in capsys.readouterr().err


def test_an_approval_by_nobody_of_the_registry_is_refused(
    house: House, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(house, tree, known=False) == 0
    other = ["--operators", _registry(house, "manifest")]
    data = json.loads(_registry(house, "manifest").read_bytes())
    data["authority"] = "release"
    data["operators"] = [item for item in data["operators"] if item["id"] != "alice"]
    forged = tree / "forged.json"
    forged.write_text(json.dumps(data))
    assert explain(house, tree, *other, "--operators", forged, known=False) == 3
    assert "DECISION-PROVEN" in capsys.readouterr().err


def test_a_decision_under_another_name_is_refused(house: House, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = min((tree / "decisions/phone-1.0").iterdir())
    file.rename(file.parent / f"{file.name.partition('-')[0]}-{'ab' * 32}.enigmresp")
    assert explain(house, tree) == 3
    assert "a file named by its authority and its SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize("record", ["phone-9.9", "../metadata", "", "phone-1.0/.."])
def test_a_release_that_is_not_there_is_one_clear_line(
    house: House, tree: Path, record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(house, tree, record=record) == 2
    told = capsys.readouterr().err
    assert "no decisions" in told
    assert "phone-1.0, product-phone, root-1" in told


def test_another_root_explains_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tree / "metadata/1.root.json"
    other = json.loads(root.read_bytes())
    other["signed"]["expires"] = "2039-01-01T00:00:00Z"
    root.write_text(json.dumps(other))
    status = enigm_sign(["explain", "phone-1.0", "--tree", str(tree), "--root", str(root)])
    assert status == 3
    assert "SIGNATURE-THRESHOLD" in capsys.readouterr().err


def test_a_copy_over_http_explains_it_too(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can list a folder; and what was superseded before the copy began is there as well."""
    published = house.path / "repository/published"
    root, copy = published / "metadata/1.root.json", tmp_path / "copy"
    with served(tmp_path / "nginx", published) as server:
        for found in (3, 0):
            arguments = ["mirror", server.url, str(copy), "--root", str(root), "--decisions"]
            assert enigm_repo(arguments) == 0
            assert f"decisions of {found} records are new here" in capsys.readouterr().out
    for record in ("root-1", "product-phone", "phone-1.0"):
        assert explain(house, copy, record=record) == 0
    assert check_tree(DirectoryTree(copy), Known("staging")).damage == []
    assert not (tmp_path / "copy/.incoming/left").exists()


def test_without_being_asked_a_copy_brings_none(house: House, tmp_path: Path) -> None:
    published = house.path / "repository/published"
    arguments = ["mirror", str(published), str(tmp_path / "copy"), "--root", str(published / "metadata/1.root.json")]
    assert enigm_repo(arguments) == 0
    assert not (tmp_path / "copy/decisions").exists()


def _another_answer(tree: Path) -> None:
    """An answer of another record in this one's place, by its right name."""
    index = json.loads((tree / "decisions/snapshot.2.json").read_bytes())
    other = next((tree / "decisions/product-phone").glob("release-*"))
    answer = unpack(other.read_bytes(), "answer")
    data = pack({**answer, "index.json": answer["index.json"].replace(b'"version":1', b'"version":2')})
    name = f"release-{sha256(data)}.enigmresp"
    (tree / "decisions/phone-1.0" / name).write_bytes(data)
    index["answers"] = [name]
    (tree / "decisions/snapshot.2.json").write_bytes(encode(index))


def _another_byte(tree: Path) -> None:
    path = min((tree / "decisions/phone-1.0").iterdir())
    path.write_bytes(path.read_bytes() + b"\0" * 512)


def _unsigned_metadata(tree: Path) -> None:
    path = tree / "metadata/1.snapshot.json"
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_bytes(encode(document))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_another_answer, "STORE-MIRROR: decisions/phone-1.0/release-"),
        (_another_byte, "decisions/phone-1.0/"),
        (_unsigned_metadata, "SIGNATURE-THRESHOLD: metadata/1.snapshot.json"),
    ],
)
def test_a_copy_takes_no_decision_that_nobody_made(
    damage: Callable[[Path], None],
    told: str,
    house: House,
    tree: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And is whole all the same for devices."""
    damage(tree)
    root, copy = house.path / "repository/published/metadata/1.root.json", tmp_path / "copy"
    assert enigm_repo(["mirror", str(tree), str(copy), "--root", str(root), "--decisions"]) in {2, 3}
    assert told in capsys.readouterr().err
    assert check_tree(DirectoryTree(copy), Known("staging")).damage == []


def test_what_was_pruned_at_the_source_is_left_out(house: House, tree: Path, tmp_path: Path) -> None:
    (tree / "metadata/1.snapshot.json").unlink()
    root, copy = house.path / "repository/published/metadata/1.root.json", tmp_path / "copy"
    assert enigm_repo(["mirror", str(tree), str(copy), "--root", str(root), "--decisions"]) == 0
    assert explain(house, copy) == 0
    assert explain(house, copy, record="product-phone") == 2
    assert not (copy / "decisions/product-phone").exists()
    assert check_tree(DirectoryTree(copy), Known("staging")).damage == []
