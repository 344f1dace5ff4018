"""The virtual PIV card in process, and in a real reader through the PKCS#11 modules of OpenSC and of the maker."""

import contextlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from cryptography import x509
from yubikit.piv import SLOT

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.modules import Target
from enigm_testkit.modules.pkcs11_tokens import named
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_people import MANAGEMENT_KEY, PIN, pin, ready_token
from enigm_testkit.vpcd import VpcdPlug, pcscd
from enigm_tuf.authorities.tokens.piv import PivToken
from enigm_tuf.model.public_keys import ALGORITHMS
from enigm_tuf.ports import Algorithm

_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
_SERIAL = 12345678
_NOT_THERE: dict[Algorithm, str] = dict.fromkeys(ALGORITHMS, "its module makes no keys")
_FOREIGN: tuple[Algorithm, ...] = ("rsa-pss-3072", "rsa-pss-4096", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87")
_NOT_ON_CARDS: dict[Algorithm, str] = {algorithm: f"a PIV card makes no {algorithm} key" for algorithm in _FOREIGN}


@contextlib.contextmanager
def in_process(_: Path) -> Iterator[Target]:
    """Our own PIV backend on a virtual card; it makes a key in 9c or 9a."""
    card = VirtualPivCard(_SERIAL, attestation_ca=AttestationCa())
    ready_token(card)
    token = PivToken(_SERIAL, InProcessCards(card), lambda _: MANAGEMENT_KEY, lambda *_: nullcontext())
    yield Target(
        "PIV card", lambda: token, PIN, lacks=_NOT_ON_CARDS, signatures=lambda: card.signatures, label=lambda _: "9c"
    )


@contextlib.contextmanager
def opensc(_: Path) -> Iterator[Target]:
    """OpenSC shows a key only beside a certificate in its slot."""
    with _in_reader() as (card, module_label):
        module = _LIBRARIES / "opensc-pkcs11.so"
        yield _through("OpenSC", module, module_label, "SIGN key", card, "SO PIN: wrong PIN")


@contextlib.contextmanager
def ykcs11(_: Path) -> Iterator[Target]:
    """The maker's module."""
    with _in_reader() as (card, _label):
        module = _LIBRARIES / "libykcs11.so.2"
        yield _through(
            "ykcs11", module, f"YubiKey PIV #{_SERIAL}", "Private key for Digital Signature", card, "ArgumentsBad"
        )


def _through(name: str, module: Path, label: str, key: str, card: VirtualPivCard, no_officer: str) -> Target:
    return Target(
        name,
        lambda: named(module, label),
        PIN,
        lacks=_NOT_THERE,
        has=(key,),
        no_copies=no_officer,
        signatures=lambda: card.signatures,
    )


@contextlib.contextmanager
def _in_reader() -> Iterator[tuple[VirtualPivCard, str]]:
    """A card with a key and its certificate in slot 9c, and the certificate's name: OpenSC takes it for the token's."""
    card = VirtualPivCard(_SERIAL, attestation_ca=AttestationCa())
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
        certificate = x509.load_der_x509_certificate(session.attestation("9c")[0])
        piv: Any = session._piv  # no authority writes certificates
        piv.authenticate(bytes.fromhex(MANAGEMENT_KEY))
        piv.put_certificate(SLOT.SIGNATURE, certificate)
    name = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    with pcscd(), VpcdPlug(card):
        yield card, str(name)
