"""What lies on a token, as values: identities, attributes, objects. Runs in the worker."""

from typing import Any

from pkcs11 import Attribute, ObjectClass, exceptions

from enigm_tuf.authorities.tokens.hsm.attributes import READ, UNREADABLE
from enigm_tuf.authorities.tokens.hsm.mechanisms import spki_of
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
    attributes = attributes_of(found) if kind in {"private-key", "secret-key"} else {}
    label, number = read(found, Attribute.LABEL) or "", read(found, Attribute.ID) or b""
    return TokenObject(kind, str(label), bytes(number).hex(), _spki_sha256(found, kind), attributes)


def _spki_sha256(found: Any, kind: str) -> str | None:
    if kind != "public-key":
        return None
    try:
        return sha256(spki_of(found))
    except (TokenError, ValueError, exceptions.PKCS11Error):
        return None  # an object that is listed all the same


def attributes_of(key: Any) -> dict[str, bool | str]:
    """All in one call; one by one where the token does not know one of them."""
    try:
        found = key.get_attributes(_WANTED)
    except exceptions.PKCS11Error:
        found = {attribute: read(key, attribute) for attribute in _WANTED}
    return {name: _as_text(found.get(attribute)) for name, attribute in zip(READ, _WANTED, strict=True)}


_WANTED = [Attribute[name.upper()] for name in READ]


def _as_text(value: Any) -> bool | str:
    if value is None:
        return UNREADABLE
    return value if isinstance(value, bool) else str(value)


def read(found: Any, attribute: Attribute) -> Any:
    """None where the token does not tell."""
    try:
        return found[attribute]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive, NotImplementedError):
        return None
