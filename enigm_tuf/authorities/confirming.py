"""A person says which digest they decide on: its last four words, not ``y``."""

from collections.abc import Callable

from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.words import last_words, words


def digest_lines(digest: str) -> tuple[str, ...]:
    """The digest in hex and in words, to be compared with what others read out."""
    spoken = words(digest)
    return (f"digest  {digest}", f"words   {' '.join(spoken[:8])}", f"        {' '.join(spoken[8:])}")


def require_words(digest: str, subject: str, ask: Callable[[str], str]) -> None:
    """RefusedError CONFIRM-WORDS unless the last four words of ``digest`` are typed."""
    typed = " ".join(ask(f"Type the last four words of {subject}: ").lower().split())
    if typed != last_words(digest):
        raise RefusedError(
            SigningRule.CONFIRM_WORDS,
            subject,
            expected="the last four words of its digest",
            got=repr(typed[:60]),
            hint="read them off the screen; nothing was done",
        )
