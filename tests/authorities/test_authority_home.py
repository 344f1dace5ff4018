"""enigm-sign authority init and trust: the home of an authority, and the root that it begins with."""

from pathlib import Path

import pytest

from enigm_testkit.audit_logs import log_state, restore
from enigm_testkit.house import House, copy_house, init_options
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.home import open_home


def published(house: House) -> House:
    """The root is signed and published; nobody trusts it yet."""
    house.publish("root-1", *house.signed_by(house.request("root-1"), "root-a", "root-b"))
    return house


def trusts(house: House, authority: str) -> bool:
    return bool(open_home(house.home(authority)).roots())


def test_a_home_holds_its_policy_and_a_log_with_its_beginning(house: House) -> None:
    home = open_home(house.home("release"))
    assert (home.authority, home.environment, home.roots()) == ("release", "staging", [])
    assert home.policy_data == (house.path / "release.policy.toml").read_bytes()
    entry, _operators, _inventory = read_log(home.log)
    assert entry.type == EntryType.AUTHORITY_CREATED
    assert entry.body["policy_sha256"] == home.policy_pin.sha256


def test_a_home_is_made_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(house.home("release").iterdir())
    assert house.sign("authority", "init", *init_options(house, "release")) == 2
    assert "exists already" in capsys.readouterr().err
    assert sorted(house.home("release").iterdir()) == before


@pytest.mark.parametrize(("option", "value"), [("--authority", "release"), ("--environment", "development")])
def test_an_authority_takes_no_policy_of_another(
    house: House, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = init_options(house, "manifest")
    options[1] = house.path / "new.home"
    options[options.index(option) + 1] = value
    assert house.sign("authority", "init", *options) == 2
    assert "is the policy of the manifest authority in staging" in capsys.readouterr().err
    assert not [path for path in house.path.iterdir() if "new.home" in path.name]


def test_a_folder_that_is_no_home(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert house.sign("audit", "verify", "--home", tmp_path) == 2
    assert "not the home of an authority" in capsys.readouterr().err


@pytest.mark.rule("ROOT-OWN", "accept")
def test_both_authorities_trust_the_root_that_the_release_authority_signed(house: House) -> None:
    published(house)
    for authority in ("release", "manifest"):
        assert house.trust(authority, house.first_root) == 0
        assert read_log(house.home(authority) / "audit.log")[-1].type == EntryType.ROOT_TRUSTED
        assert trusts(house, authority)


@pytest.mark.rule("ROOT-OWN", "reject")
def test_the_release_authority_trusts_no_root_that_it_did_not_sign(
    new_house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same root, the same keys: only the log of the home does not know of it."""
    house = published(copy_house(new_house, tmp_path / "house"))
    log = house.home("release") / "audit.log"
    restore(log, log_state(new_house.home("release") / "audit.log"))
    assert house.trust("release", house.first_root) == 3
    assert "error: ROOT-OWN" in capsys.readouterr().err
    assert not trusts(house, "release")


def test_a_root_that_pins_another_policy_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    published(house)
    policy = house.home("manifest") / "policy.toml"
    policy.write_bytes(policy.read_bytes() + b"\n")
    assert house.trust("manifest", house.first_root) == 3
    assert "error: POLICY-PINNED" in capsys.readouterr().err
    assert not trusts(house, "manifest")


def test_wrong_words_trust_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    published(house)
    assert house.trust("manifest", house.first_root, last_four_words="y") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert not trusts(house, "manifest")


def test_a_root_whose_signature_was_changed_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    published(house)
    data = house.first_root.read_bytes()
    changed = house.path / "changed.json"
    changed.write_bytes(data.replace(b'"threshold":2', b'"threshold":1', 1))
    assert house.trust("manifest", changed) == 3
    assert "error: SIGNATURE-THRESHOLD" in capsys.readouterr().err


def test_the_first_root_is_trusted_once(rooted: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert rooted.trust("manifest", rooted.first_root) == 2
    assert "trusts a root already" in capsys.readouterr().err


def test_without_a_root_nothing_but_the_first_root_is_signed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The request is good; this home has not been told to trust the root."""
    published(house)
    house.repo("product", "add", "phone", "--channel", "stable")
    request = house.request("product-phone", "manifest")
    assert house.signs(request, "manifest-a", house.votes(request)) == 3
    assert "a trusted root" in capsys.readouterr().err
