"""Who plays which role, and with which approval key they sign the transcript."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.ceremony import Script
from enigm_tuf.model.operators import Operator
from enigm_tuf.model.shapes import NAME

People = Mapping[str, tuple[str, ...]]
"""Operators by role, each role's sorted."""


@dataclass(frozen=True, slots=True)
class SigningPlace:
    """Where a participant's approval key is: the token's name, and the key's label."""

    uri: str
    label: str


def read_people(texts: Iterable[str]) -> People:
    """``ROLE=OPERATOR``, any number for a role; MisuseError."""
    people: dict[str, set[str]] = {}
    for text in texts:
        role, equals, operator = text.partition("=")
        if not equals:
            raise MisuseError(f"--person {text[:80]}: must be ROLE=OPERATOR")
        people.setdefault(NAME.read(role, "--person", ""), set()).add(NAME.read(operator, "--person", ""))
    return {role: tuple(sorted(names)) for role, names in sorted(people.items())}


def everybody(people: People) -> tuple[str, ...]:
    """Each person once."""
    return tuple(sorted({name for names in people.values() for name in names}))


def require_people(script: Script, people: People, operators: Mapping[str, Operator]) -> None:
    """RefusedError CEREMONY-PEOPLE."""
    if set(people) != set(script.roles):
        _refuse("roles", f"people for {', '.join(sorted(script.roles))}", f"for {', '.join(people) or 'none'}")
    for name, role in script.roles.items():
        if len(people[name]) < role.minimum:
            _refuse(f"role {name}", f"{role.minimum} people", f"{len(people[name])}: {', '.join(people[name])}")
        for other in role.excludes:
            if both := set(people[name]) & set(people[other]):
                _refuse(f"role {name}", f"nobody who is {other} too", ", ".join(sorted(both)))
    for person in everybody(people):
        if person not in operators or not operators[person].active or not operators[person].approval_keys:
            _refuse(f"person {person}", "an operator with an approval key", "none in the registry")


def signing_place(operator: Operator, given: Mapping[str, str], key_in: Callable[[str], str | None]) -> SigningPlace:
    """``--key OPERATOR=URI``, or slot 9a of the PIV card that the registry names; MisuseError."""
    uri = given.get(operator.id, f"piv:serial={operator.approval_keys[0].device}")
    label = key_in(uri) or ("9a" if uri.startswith("piv:") else None)
    if label is None:
        raise MisuseError(f"--key {operator.id}={uri[:80]}: which key?", hint="name it in the URI: object=LABEL")
    return SigningPlace(uri, label)


def read_keys(texts: Iterable[str]) -> dict[str, str]:
    """``OPERATOR=URI``; MisuseError."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, uri in pairs:
        if not (name and equals and uri):
            raise MisuseError(f"--key {name[:80]}: must be OPERATOR=URI")
    return {name: uri for name, _, uri in pairs}


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(CeremonyRule.CEREMONY_PEOPLE, subject, expected=expected, got=got)
