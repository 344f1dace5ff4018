"""One step's action: by hand, or the command of enigm-sign that it names."""

from collections.abc import Callable
from dataclasses import dataclass

from enigm_tuf.authorities.ceremony.arguments import tokens_in
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.authorities.confirming import require_words
from enigm_tuf.authorities.signing_log import one_line
from enigm_tuf.durable import require_new
from enigm_tuf.errors import MisuseError, NoTokenError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.ceremony import BY_HAND, Step
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.transcript import SAID_LINES, SAID_WIDTH

_SOFTWARE = "SoftHSM"  # what the one PKCS#11 token in software that we know says of itself


@dataclass(frozen=True, slots=True)
class Said:
    """What an action had to say, whole."""

    lines: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """For the transcript: shortened, with the digest of the whole."""
        short = tuple(one_line(line, SAID_WIDTH) for line in self.lines[:SAID_LINES])
        return {"said": short, "said_sha256": sha256("\n".join(self.lines).encode())}


def prepare(room: Room, step: Step, serials: dict[str, str]) -> dict[str, str]:
    """What can be refused before anything is done: the serials of the step's tokens, by name.

    RefusedError CEREMONY-TOKEN, REHEARSAL-ONLY; MisuseError if the file to be written is there; NoTokenError.
    """
    return {} if step.action in BY_HAND else _serials(room, step, serials)


def require_room_for_out(room: Room, step: Step) -> None:
    """MisuseError if the file that the step writes is there already, before the step begins for the first time."""
    if out := room.out(step):
        require_new(out)


def perform(room: Room, step: Step, actor: str) -> Said:
    """Do it. Whatever the command raises, and the refusal where it only reports one."""
    if step.action in BY_HAND:
        return _HANDS[step.action](room, step, actor)
    outcome = room.commands[step.action].run(room.parsed(step))
    if outcome.refusal:
        room.say("\n".join(outcome.lines))
        raise outcome.refusal
    return Said(tuple(outcome.lines))


def _serials(room: Room, step: Step, known: dict[str, str]) -> dict[str, str]:
    read = {}
    for name in tokens_in(step):
        token = room.script.tokens[name]
        expected = token.serial or known.get(name)
        try:
            identity = room.open_token(token.uri).identity()
        except NoTokenError:
            if step.action == "token init" and expected is None:
                continue
            raise
        if expected is not None and identity.serial != expected:
            raise RefusedError(
                CeremonyRule.CEREMONY_TOKEN, f"token {name}", expected=f"serial {expected}", got=identity.serial
            )
        if room.rehearsal and identity.home != "development" and _SOFTWARE not in identity.manufacturer:
            got = f"{identity.manufacturer}, serial {identity.serial}"
            raise RefusedError(CeremonyRule.REHEARSAL_ONLY, f"token {name}", expected="SoftHSM", got=got)
        read[name] = identity.serial
    return read


def _do(room: Room, step: Step, actor: str) -> Said:
    del room
    return Said((f"{actor} did {step.id} by hand",))


def _compare_bag(room: Room, step: Step, actor: str) -> Said:
    name = str(step.bag)
    expected = room.script.tokens[name].bag
    typed = " ".join(room.ask(f"{actor}: the number on the bag of {name}: ").split())
    if typed != expected:
        raise RefusedError(
            CeremonyRule.CEREMONY_MATERIAL, f"bag of {name}", expected=str(expected), got=repr(typed[:60])
        )
    return Said((f"bag {typed} of {name} is whole, said {actor}",))


def _compare_image(room: Room, step: Step, actor: str) -> Said:
    del step
    digest = str(room.script.image_sha256)
    require_words(digest, "the image, as this machine shows them", room.ask)
    return Said((f"image {digest}, said {actor}",))


def _compare_policy(room: Room, step: Step, actor: str) -> Said:
    del step
    digest = room.script.policy.sha256
    require_words(digest, f"policy version {room.script.policy.version}, from your own copy", room.ask)
    return Said((f"policy {digest}, said {actor}",))


def _compare_time(room: Room, step: Step, actor: str) -> Said:
    now = room.clock.now().replace(microsecond=0).isoformat()
    typed = room.ask(f"{actor}: this machine has {now}; type right if your watch agrees: ").strip()
    if typed != "right":
        raise MisuseError(f"step {step.id}: the clock of this machine is said to be wrong: {typed[:60]!r}")
    return Said((f"the clock showed {now}, said {actor}",))


_HANDS: dict[str, Callable[[Room, Step, str], Said]] = {
    "do": _do,
    "compare-bag": _compare_bag,
    "compare-image": _compare_image,
    "compare-policy": _compare_policy,
    "compare-time": _compare_time,
}


def out_sha256(room: Room, step: Step) -> str | None:
    """The digest of the file that the step wrote, if it wrote one."""
    out = room.out(step)
    if out is None or not out.is_file():
        return None
    with out.open("rb") as file:
        return sha256(file.read(LIMITS.request_bytes + 1))
