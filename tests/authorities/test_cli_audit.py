"""enigm-sign audit: what a checkpoint kept elsewhere, a witness and the published repository find, each by its rule."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from enigm_testkit.audit_logs import Change, edit_entries, entries_of, forge, log_state, restore
from enigm_testkit.house import House
from enigm_testkit.recovery import get_on, leave_intent, propose_finding
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log, read_log


def audit(house: House, verb: str, *options: object, authority: str = "release", **answers: str) -> int:
    return house.sign("audit", verb, *options, "--home", house.home(authority), **answers)


def log_of(house: House, authority: str = "release") -> Path:
    return house.home(authority) / "audit.log"


def renumbered(change: Change) -> Change:
    """A forger sets numbers and times right."""

    def act(lines: list[bytes]) -> list[bytes]:
        values = [json.loads(line) for line in change(lines)]
        made = [value | {"sequence": number, "time": values[0]["time"]} for number, value in enumerate(values, 1)]
        return [json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() for value in made]

    return act


@pytest.fixture
def signed(house: House) -> House:
    """Root 1 is published, both authorities trust it, and a checkpoint of the release log was kept: ``kept``."""
    house.with_root()
    assert audit(house, "checkpoint", "--note", house.path / "kept") == 0
    return house


def grow(house: House) -> None:
    """One more entry in the release authority's log."""
    with open_log(log_of(house), house.clock) as log:
        log.append(EntryType.SESSION_CLOSE, {"key": "0" * 64})


def witness(house: House, name: str, *options: object) -> int:
    """The release authority's checkpoint goes over to the manifest authority and comes back."""
    asked, given = house.path / f"{name}.add-checkpoint", house.path / f"{name}.cosigned"
    assert audit(house, "checkpoint", "--out", asked, *options) == 0
    status = house.sign("audit", "witness", asked, "--home", house.home("manifest"), "--out", given)
    return status or audit(house, "checkpoint", "--cosigned", given)


@pytest.mark.rule("LOG-SIGNATURES", "accept")
def test_every_published_signature_is_in_the_log(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    options = ["--since", signed.path / "kept", "--repository", signed.path / "repository" / "published"]
    assert audit(signed, "verify", *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["signatures"] == 2
    assert audit(signed, "verify", "--repository", signed.path / "repository" / "published", authority="manifest") == 0


@pytest.mark.rule("LOG-SIGNATURES", "reject")
def test_a_signature_without_its_entry_is_found(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    """As after a signature that was made beside the tool: the log is whole, one entry never was."""
    lines = entries_of(log_of(signed))
    last = max(number for number, line in enumerate(lines) if b'"sign.performed"' in line)
    forge(log_of(signed), renumbered(lambda all_: [*all_[:last], *all_[last + 1 :]]))
    capsys.readouterr()
    assert audit(signed, "verify") == 0
    assert audit(signed, "verify", "--repository", signed.path / "repository" / "published") == 3
    assert "error: LOG-SIGNATURES" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "change", "rule"),
    [
        pytest.param(edit_entries, lambda lines: [lines[1], lines[0], *lines[2:]], "LOG-TREE", id="reordered"),
        pytest.param(
            edit_entries, lambda lines: [a.replace(b"alice", b"alicf") for a in lines], "LOG-TREE", id="edited"
        ),
        pytest.param(forge, lambda lines: lines[:-1], "LOG-CONSISTENT", id="truncated with the key"),
        pytest.param(
            forge,
            renumbered(lambda lines: [lines[1], lines[0], *lines[2:]]),
            "LOG-CONSISTENT",
            id="reordered with the key",
        ),
        pytest.param(
            forge,
            lambda lines: [a.replace(b"alice", b"alicf") for a in lines],
            "LOG-CONSISTENT",
            id="edited with the key",
        ),
    ],
)
def test_a_checkpoint_that_was_kept_elsewhere_finds_it(
    signed: House,
    how: Callable[[Path, Change], None],
    change: Change,
    rule: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    how(log_of(signed), change)
    capsys.readouterr()
    assert audit(signed, "verify", "--since", signed.path / "kept") == 3
    assert f"error: {rule}" in capsys.readouterr().err


def test_a_witness_cosigns_a_log_that_grew_and_proofs_say_so(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert witness(signed, "first") == 0
    request = signed.request("root-1")
    again = signed.path / "again.enigmresp"
    votes = signed.votes(request)
    assert signed.sign("response", "again", request, "--home", signed.home("release"), *votes, "--out", again) == 0
    assert b"/staging/manifest " in again.read_bytes()  # the cosignature's line
    assert signed.sign("inventory", "propose", "--home", signed.home("release"), "--out", signed.path / "p.json") in {
        0,
        2,
    }
    assert witness(signed, "second") == 0
    capsys.readouterr()
    assert audit(signed, "show", "--type", "checkpoint.witnessed", "--json", authority="manifest") == 0
    assert len(json.loads(capsys.readouterr().out)["entries"]) == 2


def test_a_witness_finds_a_split_view(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Two logs of one size, both signed with the log's key: one for the witness, one for others."""
    assert witness(signed, "first") == 0
    forge(log_of(signed), lambda lines: [*lines[:-1], lines[-1].replace(b'"version":1', b'"version":2')])
    capsys.readouterr()
    asked = signed.path / "second.add-checkpoint"
    state = log_state(log_of(signed, "manifest"))
    (signed.home("release") / "cosigned.checkpoint").unlink()
    size = len(entries_of(log_of(signed)))
    assert audit(signed, "checkpoint", "--since-size", size, "--out", asked) == 0
    assert signed.sign("audit", "witness", asked, "--home", signed.home("manifest"), "--out", signed.path / "x") == 3
    assert "error: LOG-CONSISTENT" in capsys.readouterr().err
    assert log_state(log_of(signed, "manifest")) == state
    assert not (signed.path / "x").exists()


def test_a_witness_finds_a_log_that_was_put_back(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    before = log_state(log_of(signed))
    entries = entries_of(log_of(signed))
    grow(signed)
    assert witness(signed, "first") == 0
    restore(log_of(signed), before)
    (signed.home("release") / "cosigned.checkpoint").unlink()
    capsys.readouterr()
    asked = signed.path / "second.add-checkpoint"
    assert audit(signed, "checkpoint", "--since-size", len(entries), "--out", asked) == 0
    assert signed.sign("audit", "witness", asked, "--home", signed.home("manifest"), "--out", signed.path / "x") == 3
    assert "error: LOG-CONSISTENT" in capsys.readouterr().err
    assert not (signed.path / "x").exists()


def test_an_export_is_read_by_others(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert audit(signed, "export", "--out", signed.path / "export", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    theirs = TilesReader(LocalBackend(signed.path / "export"))
    checkpoint = theirs.get_checkpoint()
    checkpoint.verify(Vkey.from_string(said["public_key"]))
    assert theirs.calculate_root_hash() == checkpoint.root_hash
    assert checkpoint.size == said["entries"]
    assert audit(signed, "export", "--out", signed.path / "export") == 2


def test_nothing_in_doubt_is_nothing_to_recover(signed: House, capsys: pytest.CaptureFixture[str]) -> None:
    leave_intent(signed)
    finding = propose_finding(signed)
    get_on(signed, "first.json")
    capsys.readouterr()
    assert audit(signed, "recover", finding) == 2
    assert "nothing is in doubt" in capsys.readouterr().err
    assert [entry.type for entry in read_log(log_of(signed))].count(EntryType.SIGN_RECOVERED) == 1
