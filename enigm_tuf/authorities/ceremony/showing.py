"""Text of others on a terminal: what does not print is shown as its number, so that nothing moves, hides or forges."""


def printable(text: str) -> str:
    """One line."""
    return "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in text)
