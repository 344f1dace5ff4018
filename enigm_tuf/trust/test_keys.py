KNOWN_TEST_KEYS: dict[str, str] = {}


def known_test_key(spki_sha256: str) -> str | None:
    return KNOWN_TEST_KEYS.get(spki_sha256)
