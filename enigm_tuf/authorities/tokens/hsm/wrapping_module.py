"""What the worker does for backups: wrapping keys, made by two security officers; wrap, unwrap, restore.

A wrapping key is agreed upon by two tokens (CKM_ECDH1_DERIVE, P-384): it is never outside of either (ADR 20).
"""

import secrets
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pkcs11 import KDF, Attribute, KeyType, Mechanism, ObjectClass, exceptions
from pkcs11.constants import DEFAULT
from pkcs11.util.ec import decode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import decode_rsa_public_key

from enigm_tuf.authorities.tokens.hsm.attributes import MECHANISMS
from enigm_tuf.authorities.tokens.hsm.failures import WRONG_PIN
from enigm_tuf.authorities.tokens.hsm.mechanisms import MECHANICS, Mapper
from enigm_tuf.authorities.tokens.hsm.messages import write_identity, write_key, write_object
from enigm_tuf.authorities.tokens.hsm.module import Module
from enigm_tuf.authorities.tokens.hsm.objects import described, identity_of, read
from enigm_tuf.authorities.tokens.hsm.wrapping_attributes import UNWRAPS_INTO, WRAPPING, use_of
from enigm_tuf.errors import MisuseError, TokenError, WrongPinError
from enigm_tuf.model.keys import KeyClass
from enigm_tuf.model.wrapping import WRAP_MECHANISMS, Use, WrapMechanism
from enigm_tuf.ports import Algorithm

_AGREES_ON = "secp384r1"
_KEY_BITS = 256
_COPIED: KeyClass = "wrapped-backup"


class WrappingModule(Module):
    """The calls beside those of ``Module``. A wrapping key is found by its CKA_ID, in hex."""

    _agreeing: Any = None

    def do_open_officer(self, so_pin: bytearray, wanted: dict[str, str]) -> dict[str, Any]:
        """Log in as security officer; what the token is, and which of the mechanisms for wrapping it has."""
        with self._guarded():
            token = self._find(wanted)
            self._name = token.label
            self._mechanisms = frozenset(token.slot.get_mechanisms())
            self._session = self._as_officer(token, so_pin)
            wraps = [name for name in WRAP_MECHANISMS if Mechanism[name] in self._mechanisms]
            return {"identity": write_identity(identity_of(token)), "wraps": wraps}

    def do_offer(self, identifier: str, label: str) -> str:
        """The public point of a key pair that lives until the session ends, in hex, as X9.62 writes it."""
        with self._guarded():
            if list(self._session.get_objects({Attribute.LABEL: label})) or self._wrapping_keys(identifier):
                raise MisuseError(f"token {self._name} has an object {label} already", hint="choose another label")
            if Mechanism.ECDH1_DERIVE not in self._mechanisms:
                raise MisuseError(f"token {self._name}: its module lacks CKM_ECDH1_DERIVE: it can agree on no key")
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_AGREES_ON)}
            domain = self._session.create_domain_parameters(KeyType.EC, curve, local=True)
            public, self._agreeing = domain.generate_keypair(
                store=False, public_template=_AGREEING_PUBLIC, private_template=_AGREEING
            )
            return _bare_point(bytes(public[Attribute.EC_POINT])).hex()

    def do_agree(self, peer: str, identifier: str, label: str, use: Use, mechanism: WrapMechanism) -> dict[str, Any]:
        """Derive the wrapping key from the other token's point; as it then lies on this one."""
        with self._guarded():
            wanted: dict[str, Any] = {**use_of(use), **WRAPPING, "allowed_mechanisms": mechanism}
            if use == "unwrap":
                wanted["unwrap_template"] = UNWRAPS_INTO
            wanted["modifiable"] = wanted.pop("modifiable")
            self._agreeing.derive_key(
                KeyType.AES,
                _KEY_BITS,
                id=bytes.fromhex(identifier),
                label=label,
                store=True,
                mechanism=Mechanism.ECDH1_DERIVE,
                mechanism_param=(KDF.NULL, None, bytes.fromhex(peer)),
                template={Attribute[name.upper()]: value for name, value in wanted.items()},
            )
            return write_object(described(self._wrapping_key(identifier)))

    def do_destroy_wrapping(self, identifier: str) -> None:
        """C_DestroyObject."""
        with self._guarded():
            self._wrapping_key(identifier).destroy()

    def do_wrap(self, label: str, identifier: str, mechanism: WrapMechanism) -> str:
        """The wrapped private key, in hex."""
        with self._guarded():
            private, _ = self._pair(label)
            try:
                kek = self._wrapping_key(identifier, "wrap")
                wrapped: bytes = kek.wrap_key(private, mechanism=Mechanism[mechanism])
            except (exceptions.KeyNotWrappable, exceptions.KeyUnextractable) as error:
                name = type(error).__name__
                raise MisuseError(
                    f"token {self._name} does not wrap key {label} ({name})",
                    hint="its class must be wrapped-backup, the wrapping key TRUSTED; few modules wrap Ed25519 keys",
                ) from error
            return wrapped.hex()

    def do_unwraps_in_the_clear(
        self, blob: str, identifier: str, mechanism: WrapMechanism, algorithm: Algorithm
    ) -> bool:
        """Whether the token would give the key without SENSITIVE. Nothing is read, and what it made is destroyed."""
        with self._guarded():
            clear = {**_LEFT_OUT, Attribute.PRIVATE: False, Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
            try:
                made = self._unwrap(blob, identifier, mechanism, algorithm, clear, store=False)
            except exceptions.PKCS11Error:
                return False
            made.destroy()
            return True

    def do_prove(self, blob: str, identifier: str, mechanism: WrapMechanism, algorithm: Algorithm, data: str) -> str:
        """Unwrap for this session alone, sign ``data`` (what C_Sign gets), destroy; the signature in TUF's form."""
        with self._guarded():
            template = self._restored_template(algorithm)
            private = self._unwrapped(blob, identifier, mechanism, algorithm, template, store=False)
            try:
                return self._signed(private, algorithm, bytes.fromhex(data))
            finally:
                private.destroy()

    def do_restore(
        self, blob: str, identifier: str, mechanism: WrapMechanism, algorithm: Algorithm, label: str, spki: str
    ) -> dict[str, Any]:
        """Unwrap for good, with the public half beside it."""
        with self._guarded():
            if list(self._session.get_objects({Attribute.LABEL: label})):
                raise MisuseError(f"token {self._name} has a key {label} already", hint="choose another label")
            place = {Attribute.LABEL: label, Attribute.ID: secrets.token_bytes(16)}
            template = {**place, **self._restored_template(algorithm)}
            private = self._unwrapped(blob, identifier, mechanism, algorithm, template, store=True)
            try:
                self._session.create_object(_public_half(bytes.fromhex(spki), algorithm) | place)
            except BaseException:
                private.destroy()
                raise
            return write_key(self._key(label))

    def _as_officer(self, token: Any, so_pin: bytearray) -> Any:
        try:
            return token.open(rw=True, so_pin=so_pin.decode(), attribute_mapper=Mapper())
        except WRONG_PIN as error:
            raise WrongPinError(f"token {self._name}, SO PIN", None) from error

    def _wrapping_keys(self, identifier: str) -> list[Any]:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: bytes.fromhex(identifier)}
        return list(self._session.get_objects(wanted))

    def _wrapping_key(self, identifier: str, use: Use | None = None) -> Any:
        found = self._wrapping_keys(identifier)
        if len(found) != 1:
            raise MisuseError(f"token {self._name} has {len(found) or 'no'} wrapping keys {identifier}")
        if use is not None and read(found[0], Attribute[use.upper()]) is not True:
            raise MisuseError(f"token {self._name}: wrapping key {identifier} may not {use} there")
        return found[0]

    def _restored_template(self, algorithm: Algorithm) -> dict[Attribute, Any]:
        return {**_LEFT_OUT, **self._private_template(algorithm, _COPIED)}

    def _unwrapped(
        self, blob: str, identifier: str, mechanism: WrapMechanism, algorithm: Algorithm, template: Any, *, store: bool
    ) -> Any:
        try:
            return self._unwrap(blob, identifier, mechanism, algorithm, template, store=store)
        except exceptions.PKCS11Error as error:
            name = type(error).__name__
            raise TokenError(
                f"token {self._name} does not unwrap this backup ({name})",
                hint="was it wrapped under this very wrapping key? the inventory says where it lies",
            ) from error

    def _unwrap(
        self, blob: str, identifier: str, mechanism: WrapMechanism, algorithm: Algorithm, template: Any, *, store: bool
    ) -> Any:
        return self._wrapping_key(identifier, "unwrap").unwrap_key(
            ObjectClass.PRIVATE_KEY,
            MECHANICS[algorithm].key_type,
            bytes.fromhex(blob),
            mechanism=Mechanism[mechanism],
            store=store,
            template=template,
        )

    def _signed(self, private: Any, algorithm: Algorithm, data: bytes) -> str:
        mechanics = MECHANICS[algorithm]
        again = {"pin": self._pin.decode()} if read(private, Attribute.ALWAYS_AUTHENTICATE) is True else {}
        mechanism = Mechanism[MECHANISMS[algorithm]]
        return mechanics.encode(
            private.sign(data, mechanism=mechanism, mechanism_param=mechanics.parameter, **again)
        ).hex()


_AGREEING: dict[Attribute, Any] = {
    Attribute.PRIVATE: False,  # the security officer's
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: False,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: True,
}
_AGREEING_PUBLIC: dict[Attribute, Any] = {
    Attribute.PRIVATE: False,
    **dict.fromkeys((Attribute.ENCRYPT, Attribute.WRAP, Attribute.VERIFY, Attribute.DERIVE), DEFAULT),
}
_LEFT_OUT = dict.fromkeys((Attribute.ENCRYPT, Attribute.WRAP, Attribute.VERIFY), DEFAULT)
"""python-pkcs11 would ask for these of a private key; SoftHSM refuses them there."""


def _bare_point(point: bytes) -> bytes:
    """Without the DER OCTET STRING that PKCS#11 puts round it."""
    return point[2:] if point[:2] == bytes([4, len(point) - 2]) else point


def _public_half(spki: bytes, algorithm: Algorithm) -> dict[Attribute, Any]:
    """What C_CreateObject gets, from a DER SubjectPublicKeyInfo."""
    if MECHANICS[algorithm].key_type == KeyType.RSA:
        pkcs1 = load_der_public_key(spki).public_bytes(Encoding.DER, PublicFormat.PKCS1)
        public: dict[Attribute, Any] = decode_rsa_public_key(pkcs1)
    else:
        public = decode_ec_public_key(spki)
    return public | {Attribute.TOKEN: True, Attribute.PRIVATE: False, Attribute.MODIFIABLE: False}
