"""Tokens behind PKCS#11: any module, through python-pkcs11. EC keys on P-256 and P-384.

One lock round every call: the library initialises modules without locking, and SoftHSM crashes under threads.
A session exists only while logged in. Keys are made on the token; their attributes are read back and compared
after they are made and before every signature.
"""

import contextlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag, exceptions
from pkcs11.constants import DEFAULT
from pkcs11.util.ec import encode_ec_public_key, encode_ecdsa_signature, encode_named_curve_parameters

from enigm_tuf.authorities.tokens.init_token import init_token
from enigm_tuf.authorities.tokens.key_attributes import SET, read_attributes, require_attributes
from enigm_tuf.authorities.tokens.self_check import digest_for, require_valid
from enigm_tuf.errors import MisuseError, NoTokenError, PinLockedError, TokenError, TokenRemovedError, WrongPinError
from enigm_tuf.model.public_keys import algorithm_of
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Algorithm, PinCallback, TokenIdentity, TokenKey, TokenObject
from enigm_tuf.trust.signable import Signable

_LOCK = threading.RLock()
_CURVES: dict[Algorithm, str] = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1"}


@dataclass(frozen=True, slots=True)
class TokenName:
    """Which token: the module's path, and its label or its serial or both (RFC 7512 ``token``, ``serial``)."""

    module: str
    label: str | None
    serial: str | None

    def __str__(self) -> str:
        return self.label or f"serial {self.serial}"


class Pkcs11Token:
    """Implements ``enigm_tuf.ports.Token``.

    A key's life: ``session.generate`` makes it, ``session.keys`` reads it back, ``session.sign`` uses it; nothing
    here can export or delete it.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("SO PIN", "user PIN")

    def __init__(self, name: TokenName) -> None:
        self._name = name

    def initialise(self, *secrets: str) -> None:
        """Give the first uninitialised token of the module this label and these PINs (C_InitToken, C_InitPIN)."""
        so_pin, user_pin = secrets
        with _guarded(str(self._name)):
            library = _library(self._name.module)
            if self._name.label is None:
                raise MisuseError("a new token needs a label: pkcs11:token=LABEL?module-path=FILE")
            if _matching(library, self._name):
                raise MisuseError(f"{self._name}: initialised already; nothing was changed")
            init_token(self._name.module, _uninitialised_slot(library, self._name), so_pin, self._name.label)
            session = _find(self._name).open(rw=True, so_pin=so_pin)
            try:
                session.init_pin(user_pin)
            finally:
                session.close()

    def identity(self) -> TokenIdentity:
        """Read without a PIN; NoTokenError."""
        with _guarded(str(self._name)):
            return token_identity(_find(self._name))

    @contextlib.contextmanager
    def session(self, pin: PinCallback) -> Iterator["Pkcs11Session"]:
        """Log in with the PIN that ``pin`` gives; log out whatever happens."""
        with _guarded(str(self._name)):
            token = _find(self._name)
            session = _log_in(self._name, token, pin(f"PIN of token {self._name}"))
        try:
            yield Pkcs11Session(token_identity(token), session)
        finally:
            with _LOCK, contextlib.suppress(exceptions.PKCS11Error):
                session.close()


class Pkcs11Session:
    """Implements ``enigm_tuf.ports.TokenSession``."""

    def __init__(self, identity: TokenIdentity, session: pkcs11.Session) -> None:
        self._identity = identity
        self._session = session

    @property
    def identity(self) -> TokenIdentity:
        return self._identity

    def keys(self) -> tuple[TokenKey, ...]:
        """All EC key pairs with both halves on the token, by label."""
        with _guarded(self._identity.label):
            privates = list(self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))
            labels = sorted({str(key[Attribute.LABEL]) for key in privates if key[Attribute.KEY_TYPE] == KeyType.EC})
            return tuple(self._key(label) for label in labels)

    def generate(self, label: str, algorithm: Algorithm) -> TokenKey:
        """A new key pair; RefusedError TOKEN-ATTRIBUTES if the token gave it other attributes than asked."""
        with _guarded(self._identity.label):
            if list(self._session.get_objects({Attribute.LABEL: label})):
                raise MisuseError(
                    f"token {self._identity.label} has a key {label} already", hint="choose another label"
                )
            parameters = self._session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[algorithm])}, local=True
            )
            parameters.generate_keypair(
                store=True,
                label=label,
                id=secrets.token_bytes(16),  # nothing to derive it from before the key exists, and MODIFIABLE is false
                public_template=_PUBLIC,
                private_template=_PRIVATE,
            )
            key = self._key(label)
        require_attributes(label, key.attributes)
        return key

    def sign(self, label: str, message: Signable) -> bytes:
        """A DER ECDSA signature, verified before it is returned."""
        with _guarded(self._identity.label):
            key = self._key(label)
            require_attributes(label, key.attributes)
            digest = digest_for(key.algorithm, message.data)
            raw = self._private(label).sign(digest, mechanism=Mechanism.ECDSA)
        signature = bytes(encode_ecdsa_signature(raw))
        require_valid(key.spki, signature, message.data, f"{self._identity.label}, key {label}")
        return signature

    def objects(self) -> tuple[TokenObject, ...]:
        """All objects of the token, whatever they are."""
        with _guarded(self._identity.label):
            return tuple(_described(found) for found in self._session.get_objects())

    def destroy(self, label: str) -> None:
        """C_DestroyObject on both halves."""
        with _guarded(self._identity.label):
            halves = [self._private(label), self._object(label, ObjectClass.PUBLIC_KEY)]
            for half in halves:
                half.destroy()

    def attestation(self, label: str) -> tuple[bytes, ...]:
        """PKCS#11 has no attestation: attributes read back, and the custodian's word."""
        del label
        return ()

    def _key(self, label: str) -> TokenKey:
        private, public = self._private(label), self._object(label, ObjectClass.PUBLIC_KEY)
        spki = bytes(encode_ec_public_key(public))
        return TokenKey(label, algorithm_of(spki), spki, read_attributes(private))

    def _private(self, label: str) -> Any:
        return self._object(label, ObjectClass.PRIVATE_KEY)

    def _object(self, label: str, kind: ObjectClass) -> Any:
        found = list(self._session.get_objects({Attribute.LABEL: label, Attribute.CLASS: kind}))
        if len(found) == 1:
            return found[0]
        if found:
            raise MisuseError(
                f"token {self._identity.label} has {len(found)} keys {label}", hint="labels must be unique"
            )
        privates = self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        there = sorted({str(key[Attribute.LABEL]) for key in privates})
        raise MisuseError(f"{self._identity.label} has no key {label}; it has: {', '.join(there) or 'none'}")


_PUBLIC = {
    Attribute.PRIVATE: False,
    Attribute.VERIFY: True,
    Attribute.DERIVE: DEFAULT,
    Attribute.ENCRYPT: DEFAULT,
    Attribute.WRAP: DEFAULT,
}
_PRIVATE = dict(SET)


_KINDS = {
    ObjectClass.PRIVATE_KEY: "private-key",
    ObjectClass.PUBLIC_KEY: "public-key",
    ObjectClass.CERTIFICATE: "certificate",
    ObjectClass.SECRET_KEY: "secret-key",
    ObjectClass.DATA: "data",
}


def _described(found: Any) -> TokenObject:
    kind = _KINDS.get(_attribute(found, Attribute.CLASS), "other")
    spki = sha256(bytes(encode_ec_public_key(found))) if kind == "public-key" and _is_ec(found) else None
    attributes = read_attributes(found) if kind in {"private-key", "secret-key"} else {}
    label, number = _attribute(found, Attribute.LABEL) or "", _attribute(found, Attribute.ID) or b""
    return TokenObject(kind, str(label), bytes(number).hex(), spki, attributes)


def _is_ec(found: Any) -> bool:
    return bool(_attribute(found, Attribute.KEY_TYPE) == KeyType.EC)


def _attribute(found: Any, attribute: Attribute) -> Any:
    try:
        return found[attribute]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive):
        return None


def list_tokens(module: str) -> tuple[TokenIdentity, ...]:
    """Every initialised token of a module; TokenError if the module does not load."""
    with _guarded(module):
        slots = _library(module).get_slots(token_present=True)
        tokens = [slot.get_token() for slot in slots]
        return tuple(token_identity(token) for token in tokens if TokenFlag.TOKEN_INITIALIZED in token.flags)


def token_identity(token: pkcs11.Token) -> TokenIdentity:
    """What the token says that it is."""
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


def _library(module: str) -> Any:
    try:
        return pkcs11.lib(module)
    except (exceptions.PKCS11Error, RuntimeError, OSError) as error:
        raise NoTokenError(f"{module}: not a PKCS#11 module that loads here ({error})") from error


def _find(name: TokenName) -> Any:
    library = _library(name.module)
    found = _matching(library, name)
    if not found:
        library.reinitialize()  # a token made after the module was loaded shows only so
        found = _matching(library, name)
    if len(found) == 1:
        return found[0]
    there = [token.label for token in library.get_tokens(token_flags=TokenFlag.TOKEN_INITIALIZED)]
    problem = f"{len(found)} tokens match" if found else f"no such token; there are: {', '.join(there) or 'none'}"
    raise NoTokenError(f"{name}: {problem}")


def _uninitialised_slot(library: Any, name: TokenName) -> int:
    for slot in library.get_slots(token_present=True):
        if TokenFlag.TOKEN_INITIALIZED not in slot.get_token().flags:
            return int(slot.slot_id)
    raise NoTokenError(f"{name}: the module has no uninitialised token")


def _matching(library: Any, name: TokenName) -> list[Any]:
    wanted = {"token_label": name.label, "token_serial": name.serial.encode() if name.serial else None}
    filters = {key: value for key, value in wanted.items() if value}
    return list(library.get_tokens(token_flags=TokenFlag.TOKEN_INITIALIZED, **filters))


def _log_in(name: TokenName, token: Any, pin: str) -> Any:
    try:
        return token.open(rw=True, user_pin=pin)
    except (exceptions.PinIncorrect, exceptions.PinLenRange, exceptions.PinInvalid) as error:
        _library(name.module).reinitialize()  # the library leaks the session of a failed login
        final = TokenFlag.USER_PIN_FINAL_TRY in _find(name).flags
        raise WrongPinError(f"token {name}", 1 if final else None) from error


@contextlib.contextmanager
def _guarded(subject: str) -> Iterator[None]:
    """The lock, and the one place where the library's exceptions become ours."""
    with _LOCK:
        try:
            yield
        except exceptions.PinLocked as error:
            raise PinLockedError(
                f"token {subject}: the PIN is locked", hint="the security officer resets it"
            ) from error
        except (exceptions.DeviceRemoved, exceptions.TokenNotPresent, exceptions.ObjectHandleInvalid) as error:
            raise TokenRemovedError(f"token {subject}: went away ({type(error).__name__})") from error
        except (exceptions.DeviceError, exceptions.SessionHandleInvalid) as error:
            raise TokenRemovedError(f"token {subject}: does not answer ({type(error).__name__})") from error
        except exceptions.PKCS11Error as error:
            raise TokenError(f"token {subject}: {type(error).__name__} {error}".rstrip()) from error
