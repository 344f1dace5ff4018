"""A vendor's PKCS#11 module, through python-pkcs11: what the worker does for each call. Runs in the worker only.

One thread, one session. Keys are found by label, or as ``id=HEX`` by CKA_ID.
"""

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag, exceptions
from pkcs11.constants import DEFAULT

from enigm_tuf.authorities.tokens.hsm.attributes import MECHANISMS, READ, SET, UNREADABLE
from enigm_tuf.authorities.tokens.hsm.init_token import init_token
from enigm_tuf.authorities.tokens.hsm.mechanisms import MECHANICS, Mapper, Mechanics, spki_of
from enigm_tuf.authorities.tokens.hsm.messages import write_identity, write_key, write_object
from enigm_tuf.authorities.tokens.hsm.vendors import STANDARD, Vendor, vendor_of
from enigm_tuf.errors import (
    MalformedError,
    MisuseError,
    NoTokenError,
    PinLockedError,
    TokenError,
    TokenRemovedError,
    WrongPinError,
)
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Algorithm, TokenIdentity, TokenKey, TokenObject

_KINDS = {
    ObjectClass.PRIVATE_KEY: "private-key",
    ObjectClass.PUBLIC_KEY: "public-key",
    ObjectClass.CERTIFICATE: "certificate",
    ObjectClass.SECRET_KEY: "secret-key",
    ObjectClass.DATA: "data",
}


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
            return [write_identity(_identity(token)) for token in self._tokens()]

    def do_identity(self, wanted: dict[str, str]) -> dict[str, str]:
        with self._guarded():
            return write_identity(_identity(self._find(wanted)))

    def do_initialise(self, so_pin: bytearray, user_pin: bytearray, label: str) -> None:
        """C_InitToken on the first uninitialised token, then C_InitPIN."""
        self._name = label
        with self._guarded():
            if any(token.label == label for token in self._tokens()):
                raise MisuseError(f"{label}: initialised already; nothing was changed")
            init_token(self._path, self._uninitialised_slot(label), so_pin.decode(), label)
            self._loaded().reinitialize()
            session = self._find({"label": label}).open(rw=True, so_pin=so_pin.decode())
            try:
                session.init_pin(user_pin.decode())
            finally:
                session.close()

    def do_open(self, pin: bytearray, wanted: dict[str, str]) -> dict[str, Any]:
        """Log in; the identity of what was opened, and who made the module."""
        with self._guarded():
            token = self._find(wanted)
            identity = _identity(token)
            self._name = identity.label or f"serial {identity.serial}"
            library = _text(self._loaded().manufacturer_id)
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
            labels = {str(key[Attribute.LABEL]) for key in privates if _read(key, Attribute.KEY_TYPE) in types}
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

    def do_sign(self, label: str, algorithm: Algorithm, data: str) -> str:
        """``data``: what C_Sign gets, in hex. The signature in TUF's form, in hex."""
        with self._guarded():
            (private, _), mechanics = self._pair(label), self._mechanics(algorithm)
            again = {"pin": self._pin.decode()} if _read(private, Attribute.ALWAYS_AUTHENTICATE) is True else {}
            mechanism = Mechanism[MECHANISMS[algorithm]]
            raw = private.sign(bytes.fromhex(data), mechanism=mechanism, mechanism_param=mechanics.parameter, **again)
            return mechanics.encode(raw).hex()

    def do_objects(self) -> list[dict[str, Any]]:
        """Everything on the token."""
        with self._guarded():
            return [write_object(_described(found)) for found in self._session.get_objects()]

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
        return TokenKey(label, algorithm_of(spki), spki, _attributes(private))

    def _pair(self, label: str) -> tuple[Any, bytes]:
        """Looked for once in a session; the attributes are read each time."""
        if label not in self._known:
            private = self._object(label, ObjectClass.PRIVATE_KEY)
            self._known[label] = private, spki_of(self._public_half(private, label))
        return self._known[label]

    def _public_half(self, private: Any, label: str) -> Any:
        """By CKA_ID, which both halves share (PKCS#11 v3.1, 4.8); some modules give them labels of their own."""
        identifier = _read(private, Attribute.ID)
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
        found = [token for token in tokens if _matches(_identity(token), wanted)]
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
        except (exceptions.PinIncorrect, exceptions.PinLenRange, exceptions.PinInvalid) as error:
            final = TokenFlag.USER_PIN_FINAL_TRY in token.slot.get_token().flags
            raise WrongPinError(f"token {self._name}", 1 if final else None) from error

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """The one place where the library's exceptions become ours. Most of them have no text."""
        try:
            yield
        except exceptions.PinLocked as error:
            raise PinLockedError(
                f"token {self._name}: the PIN is locked", hint="the security officer resets it"
            ) from error
        except (exceptions.DeviceRemoved, exceptions.TokenNotPresent, exceptions.ObjectHandleInvalid) as error:
            raise TokenRemovedError(f"token {self._name}: went away ({type(error).__name__})") from error
        except (exceptions.DeviceError, exceptions.SessionHandleInvalid) as error:
            raise TokenRemovedError(f"token {self._name}: does not answer ({type(error).__name__})") from error
        except exceptions.PKCS11Error as error:
            raise TokenError(f"token {self._name}: {type(error).__name__} {error}".rstrip()) from error


def _by(label: str) -> dict[Attribute, Any]:
    if label.startswith("id="):
        return {Attribute.ID: bytes.fromhex(label.removeprefix("id="))}
    return {Attribute.LABEL: label}


def _matches(identity: TokenIdentity, wanted: dict[str, str]) -> bool:
    return all(getattr(identity, name) == value for name, value in wanted.items())


def _identity(token: Any) -> TokenIdentity:
    major, minor = token.firmware_version
    return TokenIdentity(
        home="hsm",
        manufacturer=_text(token.manufacturer_id),
        model=_text(token.model),
        serial=_text(token.serial),
        firmware=f"{major}.{minor}",
        label=token.label,
    )


def _text(value: bytes | str) -> str:
    return (value.decode(errors="replace") if isinstance(value, bytes) else value).strip("\x00 ")


def _described(found: Any) -> TokenObject:
    kind = _KINDS.get(_read(found, Attribute.CLASS), "other")
    attributes = _attributes(found) if kind in {"private-key", "secret-key"} else {}
    label, number = _read(found, Attribute.LABEL) or "", _read(found, Attribute.ID) or b""
    return TokenObject(kind, str(label), bytes(number).hex(), _spki_sha256(found, kind), attributes)


def _spki_sha256(found: Any, kind: str) -> str | None:
    if kind != "public-key":
        return None
    try:
        return sha256(spki_of(found))
    except (TokenError, ValueError, exceptions.PKCS11Error):
        return None  # an object that is listed all the same


def _attributes(key: Any) -> dict[str, bool | str]:
    """All in one call; one by one where the token does not know one of them."""
    wanted = {name: Attribute[name.upper()] for name in READ}
    try:
        read = key.get_attributes(list(wanted.values()))
    except exceptions.PKCS11Error:
        read = {attribute: _read(key, attribute) for attribute in wanted.values()}
    return {name: _as_text(read.get(attribute)) for name, attribute in wanted.items()}


def _as_text(value: Any) -> bool | str:
    if value is None:
        return UNREADABLE
    return value if isinstance(value, bool) else str(value)


def _read(found: Any, attribute: Attribute) -> Any:
    """None where the token does not tell."""
    try:
        return found[attribute]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive, NotImplementedError):
        return None
