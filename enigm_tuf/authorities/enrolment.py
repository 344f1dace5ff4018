"""Enrolment: a key on a token becomes a key record, with proof of possession (GOVERNANCE, "Keys")."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.authorities.token_fit import find_key, require_fit, require_home
from enigm_tuf.authorities.tokens.attestation import require_same_card, verify_attestation
from enigm_tuf.authorities.tokens.attestation_chain import complete
from enigm_tuf.authorities.tokens.hsm.attributes import is_restored, key_class_of
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.keys import (
    Environment,
    KeyClass,
    KeyRecord,
    Proof,
    Purpose,
    TokenRecord,
    attribute_records,
    stated,
)
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.ports import TokenIdentity, TokenKey, TokenSession
from enigm_tuf.trust.key_class import require_class_of_purpose
from enigm_tuf.trust.possession import require_possession
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.signable import proof_of_possession
from enigm_tuf.trust.test_keys import known_test_key


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the people who enrol a key say about it. ``roots`` are pinned DER attestation roots.

    ``intermediates`` (DER) may stand between a card and a root; nothing is trusted because of them.
    """

    purpose: Purpose
    environment: Environment
    custodian: str
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    key_class: KeyClass = "non-extractable"


def enrol(session: TokenSession, label: str, enrolment: Enrolment, now: datetime) -> KeyRecord:
    """Read the key back, prove that it answers, verify its attestation; RefusedError, TokenError."""
    identity, key = session.identity, find_key(session, label)
    require_fit(identity, enrolment.environment)
    require_home(identity, enrolment.environment, enrolment.purpose)
    require_no_test_key(key)
    _require_class(key, enrolment)
    attestation = _attestation(session, key, enrolment, now)
    public = tuf_key(key.spki)
    record = KeyRecord(
        purpose=enrolment.purpose,
        environment=enrolment.environment,
        home=identity.home,
        custodian=enrolment.custodian,
        keyid=public.keyid,
        key=public.to_dict(),
        spki_sha256=sha256(key.spki),
        token=described(identity),
        label=key.label,
        attributes=attribute_records(key.attributes),
        attestation=tuple(b64encode(certificate).decode() for certificate in attestation),
        proof=NO_PROOF,
        enrolled=now,
        key_class=enrolment.key_class,
    )
    return with_proof(session, record)


def described(identity: TokenIdentity) -> TokenRecord:
    """What a key record says of a token."""
    return TokenRecord(identity.manufacturer, identity.model, identity.serial, identity.firmware)


NO_PROOF = Proof("", "")


def with_proof(session: TokenSession, record: KeyRecord) -> KeyRecord:
    """The record with its key's signature over a new challenge and all that it says."""
    challenge = secrets.token_bytes(32)
    signature = session.sign(record.label, proof_of_possession(challenge, stated(record)))
    proved = replace(record, proof=Proof(challenge.hex(), signature.hex()))
    require_possession(proved)
    return proved


def _require_class(key: TokenKey, enrolment: Enrolment) -> None:
    """KEY-CLASS: what the people say is what the token says, the purpose allows it, and it was made there."""
    subject = f"key {key.label}"
    require_class_of_purpose(enrolment.key_class, enrolment.purpose, subject)
    found = key_class_of(key.attributes)
    if found != enrolment.key_class or is_restored(key.attributes):
        got = "restored there" if is_restored(key.attributes) else found
        raise RefusedError(
            AuthorityRule.KEY_CLASS,
            subject,
            expected=f"{enrolment.key_class}, made on this token",
            got=got,
            hint="name its class with --class; the record of a restored key is written by enigm-sign key restore",
        )


def require_no_test_key(key: TokenKey) -> None:
    """TEST-KEY: a key whose private half the world knows is enrolled nowhere."""
    if name := known_test_key(sha256(key.spki)):
        raise RefusedError(AuthorityRule.TEST_KEY, f"key {key.label}", expected="a key that is ours alone", got=name)


def _attestation(session: TokenSession, key: TokenKey, enrolment: Enrolment, now: datetime) -> tuple[bytes, ...]:
    if session.identity.home != "piv":
        return ()
    if not enrolment.roots:
        raise MisuseError("a PIV key is enrolled with its maker's root", hint="give --attestation-root FILE.pem")
    chain = complete(session.attestation(key.label), enrolment.intermediates)
    require_same_card(verify_attestation(chain, enrolment.roots, key.spki, now), session.identity)
    return chain
