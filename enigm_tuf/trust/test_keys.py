"""Keys whose private half the world knows, by SHA-256 of their SubjectPublicKeyInfo (GOVERNANCE, "Test keys").

No such key is ever in force, in no environment. Digests were computed from the public halves in the Android Open
Source Project: platform/build, target/product/security and tools/releasetools/testdata (as in
snappautomotive/firmware-aosp-build at a3ae965d), and external/avb, test/data (as in open-vela/external_avb at
57d2a3a1). Only digests stand here.
"""

KNOWN_TEST_KEYS: dict[str, str] = {
    "2cc5efa35e17880782afab42ee043a342b2cdf39415857b7de4d4711fb6dda30": "AOSP testkey",
    "fc4aa0e2baf2683342adab43228d2edbcc1e3b22b195998a8d3f859890293545": "AOSP platform",
    "87ba9a233efa2599b6b0371caab517bde7bf9569abfd4e4adb77725fcf5cdad8": "AOSP shared",
    "2258fededa510b0853558dc883170aab95ba5efab441cb319f1eebd3b1c4bdc9": "AOSP media",
    "8451ecf7de2dcc201a8a09c1fa3f233b4e9c39c7eb7e8124e948fe56b517f6da": "AOSP networkstack",
    "b3a3c49c93d52bff7f6cce915fa6b85a1c6f39805fe5f72362583455842fde56": "AOSP verity",
    "091377d6fd00e4e217b750571d45cbe1a32c7fa74075138fc529fdf162b5416f": "AOSP releasetools media",
    "3d3df7dc9bf26e02d4cd76256d41d45e41a4dedebe7feb95c40e3697681be8a7": "AOSP releasetools platform",
    "69a8a0b88ff834f913e603ca7e709d4769034dda60a2c1a0ffec269d61217bc2": "AOSP releasetools testkey",
    "052337e01e85810a288c40865544b8d4e8067782561a5d08cd6a11a95fbe006a": "AOSP releasetools testkey_with_passwd",
    "c24ec7bc163f00aa276c66fbd6a98168ef82a2be48b16189382441cdf935c76b": "AOSP releasetools verity",
    "5c465203f66d5e55a381455ff1ed69403623aa5fde02d6805eabecc9a3fecd75": "AVB testkey_atx_pik",
    "991259d9f9f6a9a29ba41babde3a50c50078dcafbaf57040b91989a866db8289": "AVB testkey_atx_prk",
    "bfdebdfa61ed3fd68d6ed274e162fc170af3cb3700e41d0fd71c54db1a34a7a5": "AVB testkey_atx_psk",
    "000d7b990448ba4ab1f682e4166cf342ef192e1d037686010052abf3bb093c1d": "AVB testkey_atx_puk",
    "27f501a05553b8086eaea2ddabeb46c96b3ca30cd6ceb0d4f30e5bc0c543d507": "AVB testkey_rsa2048",
    "9841073d16a7abbe21059e026da71976373d8f74fdb91cc46aa0a7d622b925b9": "AVB testkey_rsa4096",
    "8d11ff993173d66a268020ce91ea4801a90b358ddd639dfe771204330c33da01": "AVB testkey_rsa8192",
}


def known_test_key(spki_sha256: str) -> str | None:
    """The name and source of a key that everybody has, None for any other."""
    return KNOWN_TEST_KEYS.get(spki_sha256)
