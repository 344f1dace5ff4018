"""The process that loads a vendor's PKCS#11 module: reads calls on standard input, answers on standard output.

``python -I -m enigm_tuf.authorities.tokens.hsm.worker MODULE``. It leaves when its input ends, also while the module
hangs, and leaves no core dump: PINs are in its memory.
"""

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from enigm_tuf.authorities.core_dumps import forbid_core_dumps
from enigm_tuf.authorities.tokens.hsm.messages import Call, NonsenseError, answer_frame, error_frame, read_call
from enigm_tuf.errors import EnigmTufError, TokenError


def main() -> int:
    """Returns the exit status."""
    forbid_core_dumps()
    answers = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # a module that prints must not be taken for us
    threading.Thread(target=_leave_with_the_caller, daemon=True).start()
    from enigm_tuf.authorities.tokens.hsm.module import Module

    module = Module(sys.argv[1])
    while call := _next(sys.stdin.buffer):
        _write(answers, _answer(module, call))
    module.do_close()
    return 0


def _next(source: BinaryIO) -> Call | None:
    try:
        return read_call(lambda count: _exactly(source, count))
    except (EOFError, NonsenseError, OSError):
        return None


def _leave_with_the_caller() -> None:
    """When nobody can call any more. The main thread has a moment to leave in order: a TPM keeps what is not given
    back."""
    poll = select.poll()
    poll.register(0, 0)  # tells of the end alone
    poll.poll()
    time.sleep(_FAREWELL_SECONDS)
    os._exit(1)


_FAREWELL_SECONDS = 1.5


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _answer(module: Any, call: Call) -> bytearray:
    method: Callable[..., object] = getattr(module, f"do_{call.name}")
    try:
        return answer_frame(method(*call.secrets, **call.arguments))
    except EnigmTufError as error:
        return error_frame(error)
    except Exception as error:
        return error_frame(TokenError(f"{sys.argv[1]}: {type(error).__name__} in {call.name}"))
    finally:
        for secret in call.secrets:
            secret[:] = bytes(len(secret))


def _write(descriptor: int, data: bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    sys.exit(main())
