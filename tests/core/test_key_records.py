"""A key record: signed by its key whole (KEY-POSSESSION), and of a class that its purpose allows (KEY-CLASS)."""

from typing import Any

import pytest

from enigm_testkit.custodians import SoftKey, key_record, soft_key
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.keys import AttributeRecord, KeyRecord, Proof, TokenRecord, attribute_records, stated
from enigm_tuf.model.value import replace
from enigm_tuf.trust.key_class import require_class_of_purpose, require_key_class
from enigm_tuf.trust.possession import require_possession
from enigm_tuf.trust.signable import POSSESSION_DOMAIN, proof_of_possession

KEY = soft_key("payload-a")
RECORD = key_record(KEY, "payload")


def signed(record: KeyRecord, by: SoftKey = KEY) -> KeyRecord:
    """The record as ``by`` would sign it."""
    challenge = b"c" * 32
    signature = by.sign(proof_of_possession(challenge, stated(record)).data)
    return replace(record, proof=Proof(challenge.hex(), signature.hex()))


def refusal(record: KeyRecord) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        require_possession(record)
    assert caught.value.rule == "KEY-POSSESSION"
    return caught.value


@pytest.mark.rule("KEY-POSSESSION", "accept")
def test_a_record_that_its_key_signed_passes() -> None:
    require_possession(RECORD)
    require_possession(signed(replace(RECORD, custodian="dave")))


@pytest.mark.rule("KEY-POSSESSION", "reject")
@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": "root"},
        {"environment": "production"},
        {"home": "piv"},
        {"custodian": "mallory"},
        {"label": "other"},
        {"token": TokenRecord("Maker", "Model", "another", "1.0")},
        {"attributes": {"extractable": AttributeRecord(True, None)}},
        {"attestation": ("AAAA",)},
        {"key_class": "wrapped-backup"},
        {"enrolled": RECORD.enrolled.replace(year=2025)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_record_that_says_one_thing_otherwise_is_refused(changed: dict[str, Any]) -> None:
    assert "a signature by that key" in refusal(replace(RECORD, **changed)).expected


def test_another_key_s_proof_is_none() -> None:
    other = soft_key("other")
    assert refusal(signed(RECORD, other)).subject == "key payload-a of payload-a"


def test_a_proof_says_nothing_without_its_challenge_and_domain() -> None:
    challenge = bytes.fromhex(RECORD.proof.challenge)
    assert proof_of_possession(challenge, stated(RECORD)).data == POSSESSION_DOMAIN + challenge + stated(RECORD)
    refusal(replace(RECORD, proof=replace(RECORD.proof, challenge="00" * 32)))


COPIED = replace(RECORD, key_class="wrapped-backup", attributes=attribute_records({"extractable": True}))


@pytest.mark.rule("KEY-CLASS", "accept")
def test_a_payload_key_may_have_copies_and_any_key_none() -> None:
    require_key_class(COPIED)
    require_key_class(RECORD)
    require_key_class(replace(RECORD, purpose="root", attributes=attribute_records({"extractable": False})))


@pytest.mark.rule("KEY-CLASS", "reject")
@pytest.mark.parametrize("purpose", ["root", "manifest", "timestamp", "approval"])
def test_a_key_of_another_purpose_has_no_copies(purpose: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        require_key_class(replace(COPIED, purpose=purpose))
    assert (caught.value.rule, caught.value.got) == ("KEY-CLASS", "wrapped-backup")
    assert caught.value.expected == f"a {purpose} key that never leaves its token"
    assert "make a new key" in caught.value.hint
    require_class_of_purpose("non-extractable", purpose, "key")


@pytest.mark.parametrize(
    ("record", "got"),
    [
        (replace(COPIED, key_class="non-extractable"), "EXTRACTABLE true"),
        (replace(COPIED, attributes=attribute_records({"extractable": False})), "EXTRACTABLE not true"),
        (replace(COPIED, attributes=attribute_records({"extractable": "unreadable"})), "EXTRACTABLE not true"),
        (replace(COPIED, attributes={}), "EXTRACTABLE not true"),
    ],
)
def test_the_attributes_say_what_the_class_says(record: KeyRecord, got: str) -> None:
    with pytest.raises(RefusedError) as caught:
        require_key_class(record)
    assert caught.value.rule == "KEY-CLASS"
    assert (caught.value.expected, caught.value.got) == (f"attributes of a key of class {record.key_class}", got)
    assert caught.value.subject == "key payload-a of payload-a"
