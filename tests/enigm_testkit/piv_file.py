"""A virtual card in a file, so that one process makes it and another uses it.

The file holds private keys: it belongs in a temporary folder, and the keys are for tests alone.
"""

import json
import os
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_state import Secret, Slot, SlotKey


def save_card(card: VirtualPivCard, path: Path) -> None:
    """Everything but the finger and the connection; readable by its owner alone."""
    key, own = card.attestation
    document = {
        "serial": card.serial,
        "firmware": card.firmware,
        "attestation": [_der(key), own.public_bytes(Encoding.DER).hex()],
        "pin": _secret(card.pin),
        "puk": _secret(card.puk),
        "signatures": card.signatures,
        "management": [card.management_algorithm, card.management_key.hex()],
        "slots": {number: _slot(slot) for number, slot in card.slots.items()},
        "objects": {name.hex(): value.hex() for name, value in card.objects.items()},
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file)


def load_card(path: Path) -> VirtualPivCard:
    """The card that ``save_card`` wrote."""
    document: dict[str, Any] = json.loads(path.read_text())
    major, minor, patch = document["firmware"]
    card = VirtualPivCard(document["serial"], firmware=(major, minor, patch))
    key, own = document["attestation"]
    card.attestation = cast("ec.EllipticCurvePrivateKey", _key(key)), x509.load_der_x509_certificate(bytes.fromhex(own))
    for secret, (value, total, left) in ((card.pin, document["pin"]), (card.puk, document["puk"])):
        secret.value, secret.total, secret.left = bytes.fromhex(value), total, left
    card.signatures = document["signatures"]
    card.management_algorithm, management_key = document["management"]
    card.management_key = bytes.fromhex(management_key)
    for number, (algorithm, private, *policies) in document["slots"].items():
        card.slots[int(number)] = Slot(algorithm, _key(private), *policies)
    card.objects = {bytes.fromhex(name): bytes.fromhex(value) for name, value in document["objects"].items()}
    return card


def _secret(secret: Secret) -> list[object]:
    return [secret.value.hex(), secret.total, secret.left]


def _slot(slot: Slot) -> list[object]:
    return [slot.algorithm, _der(slot.key), slot.pin_policy, slot.touch_policy, slot.made_here]


def _der(key: SlotKey) -> str:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).hex()


def _key(text: str) -> SlotKey:
    return cast("SlotKey", load_der_private_key(bytes.fromhex(text), None))
