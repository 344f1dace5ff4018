"""Ceremony scripts and transcripts, for the fuzzer: read, and held against every rule that needs no token."""

from datetime import UTC, datetime
from pathlib import Path

from enigm_testkit.requests import policy_toml
from enigm_tuf.authorities.ceremony.checking import check
from enigm_tuf.authorities.ceremony.page import page
from enigm_tuf.authorities.ceremony.progress import follow
from enigm_tuf.authorities.ceremony.shipped import Filling, marks_in, tokens_of, write_shipped
from enigm_tuf.authorities.cli.ceremony_options import CONFIGURES
from enigm_tuf.authorities.home import Home
from enigm_tuf.model.ceremony import CeremonyToken, CeremonyType, read_script
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.transcript import TranscriptEntry, TranscriptType, read_entry, write_entry

_KINDS: tuple[CeremonyType, ...] = ("routine-sign", "root-keygen", "backup")
_NOW = datetime(2026, 11, 26, tzinfo=UTC)


def run_script(data: bytes) -> object:
    script = read_script(data, "fuzz")
    page(script, data, rehearsal=True)
    return check(script, CONFIGURES)


def script_seeds() -> list[bytes]:
    home = Home(Path("release"), "release", "staging", policy_toml("release").encode())
    return [write_shipped(kind, home, _filling(kind)).encode() for kind in _KINDS]


def _filling(kind: CeremonyType) -> Filling:
    texts = dict.fromkeys(marks_in(kind), "word")
    tokens = {name: CeremonyToken(f"piv:serial={place}", str(place)) for place, name in enumerate(tokens_of(kind), 1)}
    return Filling(texts, tokens)


def run_transcript(data: bytes) -> object:
    """One entry, at the start of a transcript of a script."""
    return follow(read_script(script_seeds()[0], "fuzz"), [read_entry(data, "fuzz")])


def transcript_seeds() -> list[bytes]:
    body = {
        "ceremony": "0a",
        "type": "routine-sign",
        "script_sha256": "1" * 64,
        "authority": "release",
        "environment": "staging",
        "policy": PolicyPin(1, "2" * 64),
        "rehearsal": False,
        "people": {"custodian": ("alice",), "witness": ("bob",)},
    }
    return [write_entry(TranscriptEntry(1, "0" * 64, _NOW, TranscriptType.OPENED, body))]
