"""The client's few names: all there, and none imported before it is used."""

import subprocess
import sys

import enigm_tuf_client

LEAN = """
import sys
import enigm_tuf_client.updater, enigm_tuf_client.store, enigm_tuf_client.http
heavy = {"typing", "dataclasses", "pathlib", "contextlib", "logging", "ssl", "urllib", "http.client", "cryptography",
         "argparse", "threading", "inspect", "hashlib", "tuf", "securesystemslib",
         "re", "enum", "collections", "functools", "json", "datetime", "types", "operator"}
print(sorted(heavy & set(sys.modules)))
"""


def test_every_name_of_the_api_is_there() -> None:
    for name in enigm_tuf_client.__all__:
        assert getattr(enigm_tuf_client, name).__name__ == name


def test_what_a_check_imports_is_lean() -> None:
    """Each of these costs a device milliseconds at every start (ADR 12, ADR 17)."""
    done = subprocess.run([sys.executable, "-c", LEAN], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
