"""C_InitToken, the one PKCS#11 call that python-pkcs11 does not have (PKCS#11 v2.40, section 5.5)."""

import ctypes

from enigm_tuf.errors import MisuseError, TokenError

_LABEL_BYTES = 32  # CK_TOKEN_INFO.label: padded with blanks, not terminated


def init_token(module: str, slot: int, so_pin: str, label: str) -> None:
    """Initialise the token in ``slot``; everything on it is lost. The module is loaded and initialised already."""
    padded = label.encode()
    if len(padded) > _LABEL_BYTES:
        raise MisuseError(f"{label}: a token label has at most {_LABEL_BYTES} bytes")
    function = ctypes.CDLL(module).C_InitToken
    function.argtypes = (ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
    function.restype = ctypes.c_ulong
    pin = so_pin.encode()
    result = function(slot, pin, len(pin), padded.ljust(_LABEL_BYTES))
    if result != 0:
        raise TokenError(f"token {label}: C_InitToken failed with CKR 0x{result:08x}")
