"""Fuzz one target: ``PYTHONPATH=tests python -m fuzz NAME FOLDER [libFuzzer options]``.

FOLDER keeps the corpus and, as ``crash-*`` or ``timeout-*``, what was found. A file instead of options replays it.
"""

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["enigm_tuf", "enigm_tuf_client", "enigm_tuf_repository", "tarfile", "tomllib"]):
    from enigm_tuf.errors import EnigmTufError
    from fuzz.targets import TARGETS

KEEP_STRUCTURE = 0.85  # the share of inputs that the target's own mutator makes; the rest are plain bytes
OPTIONS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1", "-use_value_profile=0")


def main(name: str, folder: str, options: list[str]) -> None:
    """Never returns: libFuzzer ends the process, with status 0 only if nothing was found."""
    target = TARGETS[name]

    def run(data: bytes) -> None:
        try:
            target.run(data)
        except EnigmTufError:
            pass

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < KEEP_STRUCTURE:
            try:
                return target.mutator(data, dice)[:max_size]
            except (ValueError, RecursionError):
                pass
        return atheris.Mutate(data, max_size)

    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
        target.run(seed)  # a seed that is refused would leave most of the target unseen
    replayed = options and not options[0].startswith("-")
    inputs = [] if replayed else [str(corpus)]
    arguments = [sys.argv[0], *OPTIONS, f"-artifact_prefix={folder}/", *options, *inputs]
    atheris.Setup(arguments, run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
