"""The rows of tokens: a signature through our layer, and beside it python-pkcs11 alone, on the same key."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Goal, Row, absolute, attempted, compared, seconds
from enigm_testkit.modules import Target
from enigm_testkit.modules.pkcs11_tokens import softhsm, tpm2
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token
from enigm_tuf.trust.signable import proof_of_possession

MESSAGE = proof_of_possession(b"b" * 32)
_RAW = """
import statistics, sys, time
import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass
module, label, pin, repeats = sys.argv[1:]
session = pkcs11.lib(module).get_token(token_label=label).open(rw=True, user_pin=pin)
key = session.get_key(label="bench", object_class=ObjectClass.PRIVATE_KEY)
again = {"pin": pin} if key[Attribute.ALWAYS_AUTHENTICATE] else {}
took = []
for _ in range(int(repeats)):
    start = time.perf_counter()
    key.sign(bytes(32), mechanism=Mechanism.ECDSA, **again)
    took.append(time.perf_counter() - start)
print(statistics.median(took))
"""


class TokenRows:
    """``rounds`` of ``repeats`` P-256 signatures on each token, ours and the peer's in turn."""

    def __init__(self, folder: Path, rounds: int, repeats: int) -> None:
        self._folder, self._rounds, self._repeats = folder, rounds, repeats

    def rows(self) -> list[Row]:
        return [
            *attempted("a signature on SoftHSM", Goal(0.005), self._softhsm),
            *attempted("a signature on a TPM", Goal(1.1), self._tpm),
        ]

    def _softhsm(self) -> list[Row]:
        """200 a second at least; SoftHSM alone is faster than any HSM."""
        folder = self._folder / "softhsm"
        folder.mkdir()
        with softhsm(folder) as target:
            ours, peer = self._measured(target)
        return [absolute("a signature on SoftHSM", "python-pkcs11", ours, peer, Goal(0.005), seconds)]

    def _tpm(self) -> list[Row]:
        """A token that is slow itself: our layer costs under a tenth."""
        folder = self._folder / "tpm"
        folder.mkdir()
        with tpm2(folder) as target:
            ours, peer = self._measured(target)
        return [compared("a signature on a TPM", "python-pkcs11", ours, peer, Goal(1.1), seconds)]

    def _measured(self, target: Target) -> tuple[list[float], list[float]]:
        with target.open().session(lambda _: target.pin) as session:
            session.generate("bench", "ecdsa-p256")
        pairs = [(self._ours(target), self._peer(target)) for _ in range(self._rounds)]
        return [ours for ours, _ in pairs], [peer for _, peer in pairs]

    def _ours(self, target: Target) -> float:
        """With everything that a signature goes through: attributes read back, self-check."""
        took = []
        with target.open().session(lambda _: target.pin) as session:
            for _ in range(self._repeats):
                start = time.perf_counter()
                session.sign("bench", MESSAGE)
                took.append(time.perf_counter() - start)
        return statistics.median(took)

    def _peer(self, target: Target) -> float:
        token = target.open()
        if not isinstance(token, Pkcs11Token):
            raise TypeError(f"{target.name} is no PKCS#11 token")
        name = token._name  # noqa: SLF001 - the same module and token for both
        command = [sys.executable, "-c", _RAW, name.module, name.wanted["label"], target.pin, str(self._repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return float(done.stdout)
