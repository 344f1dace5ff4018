"""Digests as words that people can read aloud: proquints (arXiv:0901.4016), 16 bits a word."""

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"


def words(digest: str) -> tuple[str, ...]:
    """The words of a hex text whose length is a multiple of four; ``7f000001`` gives ``lusab babad``."""
    return tuple(_word(int(digest[index : index + 4], 16)) for index in range(0, len(digest), 4))


def last_words(digest: str) -> str:
    """The four last words (64 bits): what a person types to say which digest they mean."""
    return " ".join(words(digest)[-4:])


def _word(bits: int) -> str:
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )
