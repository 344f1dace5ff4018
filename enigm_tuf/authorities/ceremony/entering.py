"""What must hold before a ceremony or a rehearsal opens, and before it goes on."""

from typing import NoReturn

from enigm_tuf.authorities.ceremony.people import People, require_people
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.trust.rules import Rule


def require_entry(room: Room, people: People) -> None:
    """RefusedError CEREMONY-POLICY, REHEARSAL-ONLY, CEREMONY-PEOPLE. The script is checked by its own rules before."""
    script, home = room.script, room.home
    if (script.authority, script.environment) != (home.authority, home.environment):
        _refuse(
            CeremonyRule.CEREMONY_POLICY,
            f"{home.authority} authority, {home.environment}",
            f"{script.authority} authority, {script.environment}",
        )
    if script.policy != home.policy_pin:
        pin = home.policy_pin
        _refuse(
            CeremonyRule.CEREMONY_POLICY,
            f"policy version {pin.version}, {pin.sha256}",
            f"version {script.policy.version}, {script.policy.sha256}",
        )
    if room.rehearsal and home.environment == "production":
        _refuse(CeremonyRule.REHEARSAL_ONLY, "staging or development", "production")
    if script.type == "rehearsal" and not room.rehearsal:
        _refuse(CeremonyRule.REHEARSAL_ONLY, "enigm-sign ceremony rehearse", "a rehearsal that is run")
    require_people(script, people, room.operators)


def _refuse(rule: Rule, expected: str, got: str) -> NoReturn:
    raise RefusedError(rule, "script", expected=expected, got=got)
