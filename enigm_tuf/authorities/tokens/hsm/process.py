"""The worker's process, from outside: started, asked, given a time for each answer, and ended whatever happens.

Vendor code that crashes or hangs is an error with a name here, not the end of a ceremony.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from enigm_tuf.authorities.tokens.hsm.messages import Call, NonsenseError, call_frames, read_answer
from enigm_tuf.errors import ModuleCrashedError, ModuleTimeoutError

SECONDS = 60
"""For one answer. A network HSM that needs longer is one that somebody must look at."""

_WORKER = "enigm_tuf.authorities.tokens.hsm.worker"


class Worker:
    """One process that has loaded one PKCS#11 module. Threads may share it: one call at a time."""

    def __init__(self, module: str, seconds: float = SECONDS) -> None:
        self._module = module
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", _WORKER, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # some modules print what they were given
            bufsize=0,
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self._received = bytearray()
        self._poll = select.poll()
        self._poll.register(self._process.stdout.fileno(), select.POLLIN)

    def call(self, name: str, *secrets: bytearray, **arguments: Any) -> Any:
        """What the worker answers; its errors as ours. ModuleCrashedError, ModuleTimeoutError: nothing is left running.

        ``secrets`` are overwritten, sent or not.
        """
        frames = call_frames(Call(name, arguments, secrets))
        try:
            with self._lock:
                return self._exchange(name, frames)
        finally:
            for data in (*frames, *secrets):
                data[:] = bytes(len(data))

    def end(self) -> None:
        """Let it go; kill it if it does not. Twice does no harm."""
        process = self._process
        if process.stdin and not process.stdin.closed:
            process.stdin.close()  # it leaves when there will be no more calls
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def _exchange(self, name: str, frames: list[bytearray]) -> Any:
        if self._process.poll() is not None:
            raise self._crashed(name)
        deadline = time.monotonic() + self._seconds
        try:
            self._require_quiet()
            for data in frames:
                self._send(data)
            return read_answer(lambda count: self._receive(count, deadline))
        except (EOFError, BrokenPipeError) as error:
            self.end()
            raise self._crashed(name) from error
        except TimeoutError as error:
            self._process.kill()
            self.end()
            raise ModuleTimeoutError(
                f"{self._module}: no answer to {name!r} in {self._seconds:g} seconds; its process was ended",
                hint="is the HSM reachable? run the command again",
            ) from error
        except NonsenseError as error:
            self._process.kill()
            self.end()
            raise self.nonsense(name, error) from error

    def nonsense(self, name: str, error: NonsenseError) -> ModuleCrashedError:
        """What to say of an answer that is none."""
        return ModuleCrashedError(f"{self._module}: answered {name!r} with nonsense ({error})", hint=_HINT)

    def _crashed(self, name: str) -> ModuleCrashedError:
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return ModuleCrashedError(f"{self._module}: its process died at {name!r} ({how})", hint=_HINT)

    def _require_quiet(self) -> None:
        if self._received:
            raise NonsenseError("more than one answer")

    def _send(self, data: bytearray) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        view = memoryview(data)
        while view:
            view = view[os.write(self._process.stdin.fileno(), view) :]

    def _receive(self, count: int, deadline: float) -> bytes:
        """What is there beyond ``count`` is kept for the next call: an answer is mostly one piece."""
        assert self._process.stdout is not None  # noqa: S101
        descriptor = self._process.stdout.fileno()
        while len(self._received) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            piece = os.read(descriptor, 2**16)
            if not piece:
                raise EOFError
            self._received += piece
        data = bytes(self._received[:count])
        del self._received[:count]
        return data


_HINT = "the vendor's module failed, not the key: run the command again"
