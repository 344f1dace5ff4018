"""KEY: keys that count lie in hardware that is known to be sound, and that says so itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from enigm_tuf.errors import refuse
from enigm_tuf.model.shapes import VERSION, version_key
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Question
from enigm_tuf.ports import Home
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import Rule


class HardwareRule(Rule):
    """Family KEY."""

    KEY_FIRMWARE = "KEY-FIRMWARE", "no PIV card whose key counts has older firmware than the policy says"
    KEY_ATTESTED = "KEY-ATTESTED", "every key that counts is attested by its token, where the policy demands it"


@dataclass(frozen=True, slots=True)
class _Seat:
    """Where a key lies, whoever's it is."""

    whose: str
    home: Home
    firmware: str
    attested: bool


def firmware(question: Question) -> str:
    """KEY-FIRMWARE: No PIV card of a custodian, as root records it, and none of an active operator, as the registry
    does, has firmware below ``key.piv_firmware``. Cards before 5.7.0 leak ECDSA keys to who holds them
    (CVE-2024-45678), and firmware cannot be updated: such a card is replaced.

    Evidence: the number of cards.
    """
    lowest, cards = question.policy.key.piv_firmware, 0
    for seat in _seats(question):
        if seat.home == "piv":
            cards += 1
            if not VERSION.accepts(seat.firmware) or version_key(seat.firmware) < version_key(lowest):
                refuse(HardwareRule.KEY_FIRMWARE, seat.whose, f"firmware {lowest} or newer", seat.firmware)
    return f"{cards} cards, none below {lowest}"


def attested(question: Question) -> str:
    """KEY-ATTESTED: Every key of a home that ``key.attested`` names, in root and in the registry, was enrolled with
    the attestation of its token, which the enrolment verified up to a pinned root of the maker: a key that was made
    elsewhere and brought in has none.

    Evidence: the number of keys that are attested.
    """
    found = 0
    for seat in _seats(question):
        if seat.home in question.policy.key.attested:
            found += 1
            if not seat.attested:
                refuse(HardwareRule.KEY_ATTESTED, seat.whose, "an attestation", "none")
    return f"{found} keys attested"


def _seats(question: Question) -> Iterator[_Seat]:
    """Of the proposed root if there is one, else of the trusted one; and of the people who are active."""
    proposal = question.proposals.get("root")
    root = proposal.signed if proposal and isinstance(proposal.signed, Root) else question.root_to_judge_by()
    for info in view_root(root).extension.keyinfo.values() if root else ():
        yield _Seat(f"key of {info.custodian}", info.home, info.token.firmware, info.attestation is not None)
    for person in question.operators.operators:
        for item in person.approval_keys if person.active else ():
            record = item.record
            yield _Seat(f"operator {person.id}", record.home, record.token.firmware, bool(record.attestation))


RULES = {HardwareRule.KEY_FIRMWARE: firmware, HardwareRule.KEY_ATTESTED: attested}
