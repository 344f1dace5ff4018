"""A card that answers nonsense: an error with a name, never a crash, and nothing enrolled that is not true."""

from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_desk import Desk, Holder, desk_with_key
from enigm_tuf.authorities.tokens.attestation import verify_record
from enigm_tuf.model.keys import read_key_record

COMMANDS = 40
"""More than enrolment sends."""


class Liar(VirtualPivCard):
    """Answers command number ``at`` with ``lie``, or with its true answer where one byte is changed or the end is cut.

    Its status word says that all is well.
    """

    def lies(self, at: int, lie: bytes | None, place: int, bits: int) -> None:
        self.told, self.at, self.lie, self.place, self.bits = 0, at, lie, place, bits

    def transmit(self, raw: bytes) -> bytes:
        answer = super().transmit(raw)
        self.told += 1
        if self.told - 1 != self.at:
            return answer
        return (self.lie if self.lie is not None else self._changed(answer[:-2])) + b"\x90\x00"

    def _changed(self, data: bytes) -> bytes:
        place = self.place % (len(data) or 1)
        changed = bytes([data[place] ^ self.bits]) if self.bits and data else b""
        return data[:place] + changed + (data[place + 1 :] if self.bits else b"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lies")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, COMMANDS),
    lie=st.none() | st.binary(max_size=40),
    place=st.integers(0, 2_000),
    bits=st.integers(0, 255),
)
def test_whatever_one_answer_is_there_is_no_crash_and_no_false_record(
    folder: Path, capsys: pytest.CaptureFixture[str], at: int, lie: bytes | None, place: int, bits: int
) -> None:
    desk = desk_of(folder, capsys)
    liar = Liar(1001)
    vars(liar).update(vars(desk.card))
    liar.lies(at, lie, place, bits)
    desk.record.unlink(missing_ok=True)
    status = desk.enrol(Holder(liar), InProcessCards(liar))
    assert status in {0, 2, 3}
    assert desk.record.exists() == (status == 0)
    if status == 0:
        root = x509.load_pem_x509_certificate((desk.folder / "maker.pem").read_bytes())
        record = read_key_record(desk.record.read_bytes(), "")
        assert verify_record(record, (root.public_bytes(Encoding.DER),)).serial == 1001
        assert record.enrolled < datetime.max.replace(tzinfo=record.enrolled.tzinfo)


_DESKS: dict[Path, Desk] = {}


def desk_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Made once: a key costs more than a lie."""
    if folder not in _DESKS:
        _DESKS[folder] = desk_with_key(folder, capsys)
    return Desk(_DESKS[folder].card, folder, capsys)
