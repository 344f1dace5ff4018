"""A vendor's PKCS#11 module, through python-pkcs11: what the worker does for each call. Runs in the worker only.

One thread, one session. Keys are found by label, or as ``id=HEX`` by CKA_ID.
"""

import contextlib
import secrets
from contextlib import AbstractContextManager
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag, exceptions
from pkcs11.constants import DEFAULT

from enigm_tuf.authorities.tokens.hsm.attributes import MECHANISMS, SET, first_difference
from enigm_tuf.authorities.tokens.hsm.failures import guarded
from enigm_tuf.authorities.tokens.hsm.init_token import init_token
from enigm_tuf.authorities.tokens.hsm.mechanisms import MECHANICS, Mapper, Mechanics, spki_of
from enigm_tuf.authorities.tokens.hsm.messages import write_identity, write_key, write_object, write_signed
from enigm_tuf.authorities.tokens.hsm.objects import attributes_of, described, identity_of, read, text_of
from enigm_tuf.authorities.tokens.hsm.vendors import STANDARD, Vendor, vendor_of
from enigm_tuf.errors import (
    MalformedError,
    MisuseError,
    NoTokenError,
    WrongPinError,
)
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.ports import Algorithm, TokenIdentity, TokenKey

_WRONG_PIN = (exceptions.PinIncorrect, exceptions.PinLenRange, exceptions.PinInvalid)


class Module:
    """Each ``do_`` method is a call. ``wanted`` names a token by some of label, serial, manufacturer and model."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._library: Any = None
        self._session: Any = None
        self._vendor: Vendor = STANDARD
        self._mechanisms: frozenset[Any] = frozenset()
        self._name = path
        self._pin = bytearray()
        self._known: dict[str, tuple[Any, bytes]] = {}  # private key object and SPKI by label, within the session

    def do_list(self) -> list[dict[str, str]]:
        """Every initialised token."""
        with self._guarded():
            return [write_identity(identity_of(token)) for token in self._tokens()]

    def do_identity(self, wanted: dict[str, str]) -> dict[str, str]:
        with self._guarded():
            return write_identity(identity_of(self._find(wanted)))

    def do_initialise(self, so_pin: bytearray, user_pin: bytearray, label: str) -> None:
        """C_InitToken on the first uninitialised token, then C_InitPIN."""
        self._name = label
        with self._guarded():
            if any(token.label == label for token in self._tokens()):
                raise MisuseError(f"{label}: initialised already; nothing was changed")
            init_token(self._path, self._uninitialised_slot(label), so_pin.decode(), label)
            self._loaded().reinitialize()
            self._init_pin(self._find({"label": label}), so_pin, user_pin)

    def do_unblock(self, so_pin: bytearray, user_pin: bytearray, wanted: dict[str, str]) -> None:
        """C_InitPIN on a token that is in use; its keys stay."""
        with self._guarded():
            token = self._find(wanted)
            self._name = token.label
            self._init_pin(token, so_pin, user_pin)

    def _init_pin(self, token: Any, so_pin: bytearray, user_pin: bytearray) -> None:
        try:
            session = token.open(rw=True, so_pin=so_pin.decode())
        except _WRONG_PIN as error:
            raise WrongPinError(f"token {self._name}, SO PIN", None) from error
        try:
            session.init_pin(user_pin.decode())
        finally:
            session.close()

    def do_open(self, pin: bytearray, wanted: dict[str, str]) -> dict[str, Any]:
        """Log in; the identity of what was opened, and who made the module."""
        with self._guarded():
            token = self._find(wanted)
            identity = identity_of(token)
            self._name = identity.label or f"serial {identity.serial}"
            library = text_of(self._loaded().manufacturer_id)
            self._vendor = vendor_of(library, identity.manufacturer)
            self._mechanisms = frozenset(token.slot.get_mechanisms())
            self._session = self._logged_in(token, pin)
            self._pin = bytearray(pin)
            return {"identity": write_identity(identity), "library": library}

    def do_keys(self) -> list[dict[str, Any]]:
        """All key pairs that we could sign with, by label."""
        with self._guarded():
            privates = self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
            types = {mechanics.key_type for mechanics in MECHANICS.values()}
            labels = {str(key[Attribute.LABEL]) for key in privates if read(key, Attribute.KEY_TYPE) in types}
            return [write_key(key) for label in sorted(labels) if (key := self._key_of_ours(label))]

    def do_key(self, label: str) -> dict[str, Any]:
        with self._guarded():
            return write_key(self._key(label))

    def do_generate(self, label: str, algorithm: Algorithm) -> dict[str, Any]:
        """A new key pair with the attributes of the table."""
        with self._guarded():
            if list(self._session.get_objects({Attribute.LABEL: label})):
                raise MisuseError(f"token {self._name} has a key {label} already", hint="choose another label")
            self._generate(label, algorithm)
            return write_key(self._key(label))

    def do_sign(self, label: str, algorithm: Algorithm, data: str) -> dict[str, Any]:
        """``data``: what C_Sign gets, in hex. The attributes as read now, and the signature in TUF's form, in hex; or
        null, and nothing signed, unless the attributes are those of the table."""
        with self._guarded():
            (private, spki), mechanics = self._pair(label), self._mechanics(algorithm)
            attributes = attributes_of(private)
            if first_difference(TokenKey(label, algorithm, spki, attributes), self._vendor):
                return write_signed(attributes, None)
            again = {"pin": self._pin.decode()} if attributes["always_authenticate"] is True else {}
            mechanism = Mechanism[MECHANISMS[algorithm]]
            raw = private.sign(bytes.fromhex(data), mechanism=mechanism, mechanism_param=mechanics.parameter, **again)
            return write_signed(attributes, mechanics.encode(raw))

    def do_objects(self) -> list[dict[str, Any]]:
        """Everything on the token."""
        with self._guarded():
            return [write_object(described(found)) for found in self._session.get_objects()]

    def do_destroy(self, label: str) -> None:
        """C_DestroyObject on both halves."""
        with self._guarded():
            private = self._object(label, ObjectClass.PRIVATE_KEY)
            public = self._public_half(private, label)
            self._known.clear()
            private.destroy()  # first: tpm2-pkcs11 breaks the other way round
            public.destroy()

    def do_close(self) -> None:
        """Log out, and give the module back (C_Finalize). Whatever it says to that."""
        self._pin[:] = bytes(len(self._pin))
        for step in (self._session and self._session.close, self._library and self._library.finalize):
            with contextlib.suppress(exceptions.PKCS11Error):
                if step:
                    step()
        self._session = self._library = None

    def _generate(self, label: str, algorithm: Algorithm) -> None:
        mechanics = self._mechanics(algorithm)
        public = {
            Attribute.PRIVATE: False,  # so that it can be read without a PIN
            Attribute.VERIFY: True,
            **dict.fromkeys((Attribute.DERIVE, Attribute.ENCRYPT, Attribute.WRAP), DEFAULT),
        }
        private: dict[Attribute, Any] = {Attribute[name.upper()]: value for name, value in SET.items()}
        private[Attribute.ALLOWED_MECHANISMS] = MECHANISMS[algorithm]
        for name in self._vendor.leaves_out:
            private[Attribute[name.upper()]] = DEFAULT
        identifier = secrets.token_bytes(16)  # nothing to derive it from before the key exists, and MODIFIABLE is false
        made = {"store": True, "label": label, "id": identifier, "mechanism": mechanics.generates}
        templates = {"public_template": public, "private_template": private}
        bits = mechanics.parameters.get(Attribute.MODULUS_BITS)
        if bits:
            self._session.generate_keypair(KeyType.RSA, bits, **made, **templates)
        elif mechanics.key_type == KeyType.ML_DSA:
            templates["public_template"] = public | mechanics.parameters
            self._session.generate_keypair(KeyType.ML_DSA, **made, **templates)
        else:
            domain = self._session.create_domain_parameters(mechanics.key_type, mechanics.parameters, local=True)
            domain.generate_keypair(**made, **templates)

    def _mechanics(self, algorithm: Algorithm) -> Mechanics:
        """MisuseError that names what the module lacks."""
        if Mechanism[MECHANISMS[algorithm]] not in self._mechanisms:
            raise MisuseError(
                f"token {self._name}: cannot sign with {algorithm}: its module lacks CKM_{MECHANISMS[algorithm]}",
                hint="choose another algorithm, or ask the maker for newer firmware",
            )
        return MECHANICS[algorithm]

    def _key_of_ours(self, label: str) -> TokenKey | None:
        """None for one of an algorithm that nobody here signs with: a token may hold such beside ours."""
        try:
            return self._key(label)
        except MalformedError:
            return None

    def _key(self, label: str) -> TokenKey:
        private, spki = self._pair(label)
        return TokenKey(label, algorithm_of(spki), spki, attributes_of(private))

    def _pair(self, label: str) -> tuple[Any, bytes]:
        """Looked for once in a session; the attributes are read each time."""
        if label not in self._known:
            private = self._object(label, ObjectClass.PRIVATE_KEY)
            self._known[label] = private, spki_of(self._public_half(private, label))
        return self._known[label]

    def _public_half(self, private: Any, label: str) -> Any:
        """By CKA_ID, which both halves share (PKCS#11 v3.1, 4.8); some modules give them labels of their own."""
        identifier = read(private, Attribute.ID)
        return self._object(f"id={identifier.hex()}" if identifier else label, ObjectClass.PUBLIC_KEY)

    def _object(self, label: str, kind: ObjectClass) -> Any:
        found = list(self._session.get_objects(_by(label) | {Attribute.CLASS: kind}))
        if len(found) == 1:
            return found[0]
        if found:
            raise MisuseError(f"token {self._name} has {len(found)} keys {label}", hint="labels must be unique")
        privates = self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        there = sorted({str(key[Attribute.LABEL]) for key in privates})
        raise MisuseError(f"{self._name} has no key {label}; it has: {', '.join(there) or 'none'}")

    def _loaded(self) -> Any:
        if self._library is None:
            try:
                self._library = pkcs11.lib(self._path)
            except (exceptions.PKCS11Error, RuntimeError, OSError) as error:
                raise NoTokenError(f"{self._path}: not a PKCS#11 module that loads here ({error})") from error
        return self._library

    def _tokens(self) -> list[Any]:
        tokens = (slot.get_token() for slot in self._loaded().get_slots(token_present=True))
        return [token for token in tokens if TokenFlag.TOKEN_INITIALIZED in token.flags]

    def _find(self, wanted: dict[str, str]) -> Any:
        tokens = self._tokens()
        found = [token for token in tokens if _matches(identity_of(token), wanted)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(token.label for token in tokens) or "none"
        problem = f"{len(found)} tokens match" if found else f"no such token; there are: {there}"
        name = wanted.get("label") or ", ".join(f"{what} {value}" for what, value in wanted.items())
        raise NoTokenError(f"{name}: {problem}")

    def _uninitialised_slot(self, label: str) -> int:
        for slot in self._loaded().get_slots(token_present=True):
            if TokenFlag.TOKEN_INITIALIZED not in slot.get_token().flags:
                return int(slot.slot_id)
        raise NoTokenError(f"{label}: the module has no uninitialised token")

    def _logged_in(self, token: Any, pin: bytearray) -> Any:
        try:
            return token.open(rw=True, user_pin=pin.decode(), attribute_mapper=Mapper())
        except _WRONG_PIN as error:
            final = TokenFlag.USER_PIN_FINAL_TRY in token.slot.get_token().flags
            raise WrongPinError(f"token {self._name}", 1 if final else None) from error

    def _guarded(self) -> AbstractContextManager[None]:
        return guarded(lambda: self._name)


def _by(label: str) -> dict[Attribute, Any]:
    if label.startswith("id="):
        return {Attribute.ID: bytes.fromhex(label.removeprefix("id="))}
    return {Attribute.LABEL: label}


def _matches(identity: TokenIdentity, wanted: dict[str, str]) -> bool:
    return all(getattr(identity, name) == value for name, value in wanted.items())
