"""The deny list holds digests and names, and knows the keys that everybody means."""

import re

import pytest

from enigm_tuf.trust.test_keys import KNOWN_TEST_KEYS, known_test_key

AOSP_TESTKEY = "ef57b690165cb561b5026922c00d2d6574e8b184fa7d161e076f06e06e6d35db"


def test_the_deny_list_holds_lower_case_digests_and_names_only() -> None:
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in KNOWN_TEST_KEYS)
    assert all(KNOWN_TEST_KEYS.values())


@pytest.mark.parametrize(
    "name", ["AOSP testkey", "AOSP platform", "AOSP shared", "AOSP media", "AOSP networkstack", "AVB testkey_rsa4096"]
)
def test_each_name_stands_for_one_key(name: str) -> None:
    assert list(KNOWN_TEST_KEYS.values()).count(name) == 1


def test_the_aosp_testkey_is_known_and_another_key_is_not() -> None:
    assert known_test_key(AOSP_TESTKEY) == "AOSP testkey"
    assert known_test_key("0" + AOSP_TESTKEY[1:]) is None
