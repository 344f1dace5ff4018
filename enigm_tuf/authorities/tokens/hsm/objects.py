"""What lies on a token, as values: identities, attributes, objects. Runs in the worker."""

from typing import Any

from pkcs11 import Attribute, ObjectClass, exceptions

from enigm_tuf.authorities.tokens.hsm.attributes import READ, UNREADABLE
from enigm_tuf.authorities.tokens.hsm.mechanisms import spki_of
from enigm_tuf.authorities.tokens.hsm.wrapping_attributes import READ_WRAPPING
from enigm_tuf.errors import TokenError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import TokenIdentity, TokenObject

_KINDS = {
    ObjectClass.PRIVATE_KEY: "private-key",
    ObjectClass.PUBLIC_KEY: "public-key",
    ObjectClass.CERTIFICATE: "certificate",
    ObjectClass.SECRET_KEY: "secret-key",
    ObjectClass.DATA: "data",
}


def identity_of(token: Any) -> TokenIdentity:
    """What the token says that it is."""
    major, minor = token.firmware_version
    return TokenIdentity(
        home="hsm",
        manufacturer=text_of(token.manufacturer_id),
        model=text_of(token.model),
        serial=text_of(token.serial),
        firmware=f"{major}.{minor}",
        label=token.label,
    )


def text_of(value: bytes | str) -> str:
    """Without the padding of PKCS#11."""
    return (value.decode(errors="replace") if isinstance(value, bytes) else value).strip("\x00 ")


def described(found: Any) -> TokenObject:
    """Any object, also one of a kind that we have no use for."""
    kind = _KINDS.get(read(found, Attribute.CLASS), "other")
    names = {"private-key": READ, "secret-key": READ_WRAPPING}.get(kind)
    attributes = attributes_of(found, names) if names else {}
    label, number = read(found, Attribute.LABEL) or "", read(found, Attribute.ID) or b""
    return TokenObject(kind, str(label), bytes(number).hex(), _spki_sha256(found, kind), attributes)


def _spki_sha256(found: Any, kind: str) -> str | None:
    if kind != "public-key":
        return None
    try:
        return sha256(spki_of(found))
    except (TokenError, ValueError, exceptions.PKCS11Error):
        return None  # an object that is listed all the same


def attributes_of(key: Any, names: tuple[str, ...] = READ) -> dict[str, bool | str]:
    """All in one call; one by one where the token does not know one of them."""
    wanted = _WANTED[names]
    try:
        found = key.get_attributes(wanted)
    except exceptions.PKCS11Error:
        found = {attribute: read(key, attribute) for attribute in wanted}
    return {name: _as_text(found.get(attribute)) for name, attribute in zip(names, wanted, strict=True)}


_WANTED = {names: [Attribute[name.upper()] for name in names] for names in (READ, READ_WRAPPING)}


def _as_text(value: Any) -> bool | str:
    if value is None:
        return UNREADABLE
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, bool) else str(value)


def read(found: Any, attribute: Attribute) -> Any:
    """None where the token does not tell."""
    try:
        return found[attribute]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive, NotImplementedError):
        return None
