"""Keys whose private half the world knows, by SHA-256 of their SubjectPublicKeyInfo (GOVERNANCE, "Test keys").

No such key is ever in force, in no environment. Digests were computed from the public halves, and only
digests stand here. AOSP: platform/build, target/product/security and tools/releasetools/testdata (in
aosp-mirror/platform_build at 045a3d6a). AVB: external/avb, test/data (in open-vela/external_avb at 57d2a3a1). Snapp
Automotive: the keys that replaced AOSP's in snappautomotive/firmware-aosp-build at a3ae965d, private halves beside
them. python-tuf at 4abccdcf, tests/repository_data/keystore. securesystemslib at e3ccdc48, tests/data/pems.
"""

KNOWN_TEST_KEYS: dict[str, str] = {
    "2cc5efa35e17880782afab42ee043a342b2cdf39415857b7de4d4711fb6dda30": "Snapp Automotive testkey",
    "fc4aa0e2baf2683342adab43228d2edbcc1e3b22b195998a8d3f859890293545": "Snapp Automotive platform",
    "87ba9a233efa2599b6b0371caab517bde7bf9569abfd4e4adb77725fcf5cdad8": "Snapp Automotive shared",
    "2258fededa510b0853558dc883170aab95ba5efab441cb319f1eebd3b1c4bdc9": "Snapp Automotive media",
    "8451ecf7de2dcc201a8a09c1fa3f233b4e9c39c7eb7e8124e948fe56b517f6da": "Snapp Automotive networkstack",
    "b3a3c49c93d52bff7f6cce915fa6b85a1c6f39805fe5f72362583455842fde56": "Snapp Automotive verity",
    "091377d6fd00e4e217b750571d45cbe1a32c7fa74075138fc529fdf162b5416f": "AOSP media",
    "3d3df7dc9bf26e02d4cd76256d41d45e41a4dedebe7feb95c40e3697681be8a7": "AOSP platform",
    "69a8a0b88ff834f913e603ca7e709d4769034dda60a2c1a0ffec269d61217bc2": "AOSP releasetools testkey",
    "052337e01e85810a288c40865544b8d4e8067782561a5d08cd6a11a95fbe006a": "AOSP releasetools testkey_with_passwd",
    "c24ec7bc163f00aa276c66fbd6a98168ef82a2be48b16189382441cdf935c76b": "AOSP verity",
    "5c465203f66d5e55a381455ff1ed69403623aa5fde02d6805eabecc9a3fecd75": "AVB testkey_atx_pik",
    "991259d9f9f6a9a29ba41babde3a50c50078dcafbaf57040b91989a866db8289": "AVB testkey_atx_prk",
    "bfdebdfa61ed3fd68d6ed274e162fc170af3cb3700e41d0fd71c54db1a34a7a5": "AVB testkey_atx_psk",
    "000d7b990448ba4ab1f682e4166cf342ef192e1d037686010052abf3bb093c1d": "AVB testkey_atx_puk",
    "27f501a05553b8086eaea2ddabeb46c96b3ca30cd6ceb0d4f30e5bc0c543d507": "AVB testkey_rsa2048",
    "9841073d16a7abbe21059e026da71976373d8f74fdb91cc46aa0a7d622b925b9": "AVB testkey_rsa4096",
    "8d11ff993173d66a268020ce91ea4801a90b358ddd639dfe771204330c33da01": "AVB testkey_rsa8192",
    "ef57b690165cb561b5026922c00d2d6574e8b184fa7d161e076f06e06e6d35db": "AOSP testkey",
    "2b59625f19b7d0d143a69fb7a02d42b151480ddfe60b0572070ac24afca212a0": "AOSP shared",
    "7bfcc5541e9f18e3738b1d5fa0b8524d44bac99424cfdcc6594d9386d4daaf15": "AOSP networkstack",
    "de5b1ddc59331bbdeee26d6467dd4f9fc09719098ba7dcb6a973045781a0e36c": "AOSP bluetooth",
    "d2e67bf7c0aaa67f3a4f7dc35dd2d45aa111a91e06a2cc517eaf9c249de31454": "AOSP sdk_sandbox",
    "9318ca97d2c148ca94639603b68d0928068158113d23a1cfca30acc4df2cac37": "AOSP nfc",
    "4d850245247af73aaf72fe598c7c7ef73f618391d771763299d5f5139ca43f2c": "AOSP cts_uicc_2021",
    "0577e1ffdee7979da5bdb2367c13cdeec061d5ab1167f804f28cbac0d599eb9f": "AOSP releasetools testkey_EC",
    "ef2a95601f9c82f23ce0518990aad4b2a51ddc3bad3f7e40535df1c3d01f06cd": "AOSP releasetools testkey_RSA4096",
    "bb9b8caf6e192cfb64b6d79ec547a1a0f2397e03a364094361bcc0094ee0be38": "python-tuf root_key",
    "4c6ed36e536767a7f418bc3831b68d2d017dd2dacc7a369fab15f949969d486c": "python-tuf targets_key",
    "d88534d5a038ae0e565f6d9bc6342eddd3deea6143a576d83b2acdfb3c110a6b": "python-tuf snapshot_key",
    "b0f92a3742bbc2a6117600931d8f1ba388f0cc6a1525c8e9ea813c4b0a9a96ba": "python-tuf timestamp_key",
    "f656159207f33b641ad825e76b21243bb75594c8ea081c5d6b4c9133f0d6aeca": "python-tuf delegation_key",
    "3d923b1544d12fe1dac8540d28a2ba8de4c7af4e91f2f90bd31871ddc6e0afdf": "securesystemslib ecdsa",
    "c77475dac256e948b3f688150b94191f46871aa66c1748ff7dc300cc2e5aea27": "securesystemslib ecdsa_secp384r1",
    "1129915d18385ab21984504825071ef09e1fdd57dfdad5bd434df44c3889b450": "securesystemslib ecdsa_secp521r1",
    "0f930f5ce4a828751465e98a728243a6b0758c5c754e0fb84e3c325ed6b54e06": "securesystemslib ed25519",
    "c3c3d6c1331d6b8afea224a661aa13d5858cf62e65cb7776b810f87ae6dbec8b": "securesystemslib rsa",
}


def known_test_key(spki_sha256: str) -> str | None:
    """The name and source of a key that everybody has, None for any other."""
    return KNOWN_TEST_KEYS.get(spki_sha256)
