"""Fuzz one target: ``PYTHONPATH=tests python -m fuzz NAME FOLDER [libFuzzer options]``.

FOLDER keeps the corpus and, as ``crash-*`` or ``timeout-*``, what was found. A file instead of options replays it.
"""

import contextlib
import random
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped] # publishes no types

INSTRUMENTED = ["enigm_tuf", "enigm_tuf_client", "enigm_tuf_repository", "tarfile", "tomllib"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from enigm_tuf.errors import EnigmTufError
    from fuzz.targets import CRASHING, TARGETS

KEEP_STRUCTURE = 0.85  # the share of inputs that the target's own mutator makes; the rest are plain bytes
OPTIONS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1", "-use_value_profile=0")


def main(name: str, folder: str, options: list[str]) -> None:
    """Never returns: libFuzzer ends the process, with status 0 only if nothing was found."""
    target = CRASHING if name == "a-parser-that-crashes" else TARGETS[name]

    def run(data: bytes) -> None:
        with contextlib.suppress(EnigmTufError):
            target.run(data)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < KEEP_STRUCTURE:
            with contextlib.suppress(ValueError, RecursionError):
                return target.mutator(data, dice)[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    replayed = options and not options[0].startswith("-")
    inputs = [] if replayed else [str(corpus)]
    arguments = [sys.argv[0], *OPTIONS, f"-artifact_prefix={folder}/", *options, *inputs]
    atheris.Setup(arguments, run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
