"""What an authority signs can be found in its log, and its log is the one that root pins."""

import pytest

from enigm_testkit.audit_logs import entries_of, write_log
from enigm_testkit.house import House, read
from enigm_tuf.audit.including import require_logged
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import create_log, log_signer, read_log
from enigm_tuf.audit.pins import PinnedLog
from enigm_tuf.model.request import unpack_response
from enigm_tuf.model.strict_json import sha256


@pytest.mark.rule("LOG-PINNED", "accept")
def test_each_signature_comes_with_its_proof_also_when_the_response_is_written_again(house: House) -> None:
    request = house.request("root-1")
    first, second = house.signed_by(request, "root-a", "root-b")
    again, other = house.path / "again.enigmresp", house.path / "again.2.enigmresp"
    home = house.home("release")
    assert house.sign("response", "again", request, "--home", home, *house.votes(request), "--out", again) == 0
    pin = PinnedLog(log_signer(home / "audit.log").log, (), 0)
    (root,) = read(request).below("payloads").values()
    payloads = {"root": sha256(root)}
    for path in (first, second, again, other):
        response, _, proofs = unpack_response(path.read_bytes(), path.name)
        assert len(require_logged(response, proofs, payloads, [pin], path.name)) == 1


@pytest.mark.rule("LOG-PINNED", "reject")
def test_an_authority_whose_log_root_does_not_pin_signs_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same entries under another key: as after a restore without ``log.key``."""
    request, log = house.request("root-1"), house.home("release") / "audit.log"
    votes, entries = house.votes(request), entries_of(log)
    log.rename(log.with_name("old"))
    log.with_name("log.key").unlink()
    create_log(log, "staging/release")
    write_log(log, entries)
    assert house.signs(request, "root-a", votes) == 3
    assert "error: LOG-PINNED" in capsys.readouterr().err
    assert EntryType.SIGN_INTENT not in {entry.type for entry in read_log(log)}
