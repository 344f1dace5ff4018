"""What must hold before a ceremony or a rehearsal opens, and before it goes on."""

from typing import NoReturn

from enigm_tuf.authorities.ceremony.people import People, require_people
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.trust.rules import Rule


def require_entry(room: Room, people: People) -> None:
    """RefusedError CEREMONY-POLICY for another authority's script, REHEARSAL-ONLY, CEREMONY-PEOPLE.

    The script is checked by its own rules before.
    """
    script, home = room.script, room.home
    if (script.authority, script.environment) != (home.authority, home.environment):
        _refuse(
            CeremonyRule.CEREMONY_POLICY,
            f"{home.authority} authority, {home.environment}",
            f"{script.authority} authority, {script.environment}",
        )
    if room.rehearsal and home.environment == "production":
        _refuse(CeremonyRule.REHEARSAL_ONLY, "staging or development", "production")
    if script.type == "rehearsal" and not room.rehearsal:
        _refuse(CeremonyRule.REHEARSAL_ONLY, "enigm-sign ceremony rehearse", "a rehearsal that is run")
    require_people(script, people, room.operators)


def require_policy(room: Room) -> None:
    """RefusedError CEREMONY-POLICY, before a step. To end a ceremony, another policy may be in force by then."""
    pin, named = room.home.policy_pin, room.script.policy
    if named != pin:
        expected = f"policy version {pin.version}, {pin.sha256}"
        _refuse(CeremonyRule.CEREMONY_POLICY, expected, f"version {named.version}, {named.sha256}")


def _refuse(rule: Rule, expected: str, got: str) -> NoReturn:
    raise RefusedError(rule, "script", expected=expected, got=got)
