"""Keys whose private half the world knows, by SHA-256 of their SubjectPublicKeyInfo (GOVERNANCE, "Test keys").

No such key is ever in force, in no environment. Only digests stand here, each below the repository, commit and folder
that it was computed from. In each of them the private half lies beside the public one, in the clear or under a
password that is published with it.
"""

from enigm_tuf.model.lean import Mapping, MappingProxyType

KNOWN_TEST_KEYS: Mapping[str, str] = MappingProxyType(
    {
        # aosp-mirror/platform_build@045a3d6a:target/product/security
        "ef57b690165cb561b5026922c00d2d6574e8b184fa7d161e076f06e06e6d35db": "AOSP testkey",
        "3d3df7dc9bf26e02d4cd76256d41d45e41a4dedebe7feb95c40e3697681be8a7": "AOSP platform",
        "2b59625f19b7d0d143a69fb7a02d42b151480ddfe60b0572070ac24afca212a0": "AOSP shared",
        "091377d6fd00e4e217b750571d45cbe1a32c7fa74075138fc529fdf162b5416f": "AOSP media",
        "7bfcc5541e9f18e3738b1d5fa0b8524d44bac99424cfdcc6594d9386d4daaf15": "AOSP networkstack",
        "de5b1ddc59331bbdeee26d6467dd4f9fc09719098ba7dcb6a973045781a0e36c": "AOSP bluetooth",
        "9318ca97d2c148ca94639603b68d0928068158113d23a1cfca30acc4df2cac37": "AOSP nfc",
        "d2e67bf7c0aaa67f3a4f7dc35dd2d45aa111a91e06a2cc517eaf9c249de31454": "AOSP sdk_sandbox",
        "4d850245247af73aaf72fe598c7c7ef73f618391d771763299d5f5139ca43f2c": "AOSP cts_uicc_2021",
        # aosp-mirror/platform_build@045a3d6a:target/product/gsi
        "8d20d749f933381508210ad208615c166caae796afa9b3c6626b29af214143c1": "AOSP GSI testkey_rsa2048",
        # aosp-mirror/platform_build@045a3d6a:tools/releasetools/testdata
        "69a8a0b88ff834f913e603ca7e709d4769034dda60a2c1a0ffec269d61217bc2": "AOSP releasetools testkey",
        "052337e01e85810a288c40865544b8d4e8067782561a5d08cd6a11a95fbe006a": "AOSP releasetools testkey_with_passwd",
        "0577e1ffdee7979da5bdb2367c13cdeec061d5ab1167f804f28cbac0d599eb9f": "AOSP releasetools testkey_EC",
        "ef2a95601f9c82f23ce0518990aad4b2a51ddc3bad3f7e40535df1c3d01f06cd": "AOSP releasetools testkey_RSA4096",
        # aosp-mirror/platform_build@bf11e348:target/product/security
        "c24ec7bc163f00aa276c66fbd6a98168ef82a2be48b16189382441cdf935c76b": "AOSP verity",
        # aosp-mirror/platform_build@10255c89:target/product/security
        "7f81311d3c4f0adbd96b8251257622d992f30069e62d8d5aa1ee3f16c5ba9ca4": "AOSP fsverity",
        # aosp-mirror/platform_build@2683a137:target/product/security
        "58287cc23a13419a42aef7da1f9138f306e2041e4bb9b0456aed63af9893bccc": "AOSP apex_debug_key",
        # aosp-mirror/platform_build@87ec538e:target/product/security
        "5b785dcce829ce257d11d622a845c6e81f596f39a675eb946366afd8049316ec": "AOSP com.android.conscrypt",
        "23cd7aef3f0b785d517fa63fa5bf73fc323f81c8ebfdb6f4e58b8d0cfbb1c5e3": "AOSP com.android.media",
        "bcad0bfa1cd89b0a9f2bc06ea8192542e8b63d83ab845066681df62a921b0fc6": "AOSP com.android.resolv",
        "ae8501cf7c4b1e8a3bb99ccfebc531c9496636c9b08b6504249ca691e3d36fcf": "AOSP com.android.runtime.debug",
        "97285f51d83d46aff17f4222cd0a6a7d87f8a40a08b51bcba0ab7634954122d3": "AOSP com.android.runtime.release",
        "5067d48840e61e3b27c83482246ba45395398c732c26518a613d560066d26617": "AOSP com.android.tzdata",
        # open-vela/external_avb@57d2a3a1:test/data
        "27f501a05553b8086eaea2ddabeb46c96b3ca30cd6ceb0d4f30e5bc0c543d507": "AVB testkey_rsa2048",
        "9841073d16a7abbe21059e026da71976373d8f74fdb91cc46aa0a7d622b925b9": "AVB testkey_rsa4096",
        "8d11ff993173d66a268020ce91ea4801a90b358ddd639dfe771204330c33da01": "AVB testkey_rsa8192",
        "5c465203f66d5e55a381455ff1ed69403623aa5fde02d6805eabecc9a3fecd75": "AVB testkey_atx_pik",
        "991259d9f9f6a9a29ba41babde3a50c50078dcafbaf57040b91989a866db8289": "AVB testkey_atx_prk",
        "bfdebdfa61ed3fd68d6ed274e162fc170af3cb3700e41d0fd71c54db1a34a7a5": "AVB testkey_atx_psk",
        "000d7b990448ba4ab1f682e4166cf342ef192e1d037686010052abf3bb093c1d": "AVB testkey_atx_puk",
        # coreboot/vboot@29a919a2:tests/devkeys
        "70e77657f629e2096ebfcf31a91b0a285eb5866f266075e6238f459277f45e42": "Chromium vboot root_key",
        "929a146d299dc7ac03a95e81039d9a0fe1f28e30bf64f527417f0bd18b037e6e": "Chromium vboot recovery_key",
        "c60aca937f3cc7ed3416f0ac91a06d3f830f31d6e0fc5d6ae56a60d366b09d4e": "Chromium vboot firmware_data_key",
        "fc8bff88251cc8d3c454ba61445dd65ae19c91d9b54b765e030c2dd188966381": "Chromium vboot kernel_subkey",
        "c5ee686b359463564b5385e9dae8ad34d5733b23ed2e8abb1291a19f0b8a919c": "Chromium vboot kernel_data_key",
        "258412d0f8384ab9d0a675f909dcd9333bac3f1bbc4082f9cc551911155c6a9d": "Chromium vboot recovery_kernel_data_key",
        "c208049b78f8d213ff9131c2d48ecaf91f91beac2771189a93dec43329c4bb42": "Chromium vboot minios_kernel_data_key",
        "4a74c68c6243a7120695a9d2df5a73cabfba85da1324bc23bccadea7904ef3ac": "Chromium vboot arv_platform",
        "af9231e28c32131e70a89388520a7cbfc72da8d55959d9c2691709cc835da1a0": "Chromium vboot android/releasekey",
        "ccd52f79fd91e98e70dfa6e7fae458a571e56951545654a5d96f8bb8bee25fbd": "Chromium vboot android/platform",
        "5fa33c9039a141a5271894c38d91c1ed8c5d5e860be2d34a577c71bef9191ca4": "Chromium vboot android/shared",
        "b0428bea4b8ab5f6c5f785a6ab798a5e7227d5d30e4e42dc152311f17668a047": "Chromium vboot android/media",
        "4e8d4dbc1b90cef3572425299f4b252e301c107311e1eb1611124baa22405c91": "Chromium vboot android/networkstack",
        "e3d8a0644bb2012b9925ecc103549599f15a2249d7b2886399ef517d90a692a8": "Chromium vboot uefi/crdyshim",
        "d16ab267f475ce9dd7655a6fb9e9f671c6041e193b8d0566e5b53da97b326ceb": "Chromium vboot uefi/crdyshim-v2",
        "7c6211727e289481ce7b7feb7a82fdb5a0928f8926256796773eb9b04ffd5ef9": "Chromium vboot uefi/db_child",
        "2b3bbb6b83ab050f7780ed36a4ccf070bfde3fcc8ce0afe71dccf2dddecfc2c8": "Chromium vboot cr50",
        # coreboot/vboot@29a919a2:tests/devkeys-pkc
        "9d9bc68d6b93ef2a4a22896ee9841ce0cd38627f4440c7af4ed3e07f7c51d679": "Chromium vboot pkc dev_firmware_data_key",
        "ad0574b980b263c209c0ff701915658073570e69596f48a74062a55e7ce33bdb": "Chromium vboot pkc nv_pkc",
        # theupdateframework/python-tuf@4abccdcf:tests/repository_data/keystore
        "bb9b8caf6e192cfb64b6d79ec547a1a0f2397e03a364094361bcc0094ee0be38": "python-tuf root_key",
        "4c6ed36e536767a7f418bc3831b68d2d017dd2dacc7a369fab15f949969d486c": "python-tuf targets_key",
        "d88534d5a038ae0e565f6d9bc6342eddd3deea6143a576d83b2acdfb3c110a6b": "python-tuf snapshot_key",
        "b0f92a3742bbc2a6117600931d8f1ba388f0cc6a1525c8e9ea813c4b0a9a96ba": "python-tuf timestamp_key",
        "f656159207f33b641ad825e76b21243bb75594c8ea081c5d6b4c9133f0d6aeca": "python-tuf delegation_key",
        # theupdateframework/python-tuf@411505d4:tests/repository_data/keystore
        "3c9b6a0edbb991f2c8eb88f898cc82c46f29d1b1673769b3a7ba8ba7dcb33f47": "python-tuf root_key2",
        "4cc22679f791e9c05e8fa83412e1846564ce7321be7547a4749798dc5ec6cad1": "python-tuf root_key3",
        # secure-systems-lab/securesystemslib@e3ccdc48:tests/data/pems
        "3d923b1544d12fe1dac8540d28a2ba8de4c7af4e91f2f90bd31871ddc6e0afdf": "securesystemslib ecdsa",
        "c77475dac256e948b3f688150b94191f46871aa66c1748ff7dc300cc2e5aea27": "securesystemslib ecdsa_secp384r1",
        "1129915d18385ab21984504825071ef09e1fdd57dfdad5bd434df44c3889b450": "securesystemslib ecdsa_secp521r1",
        "0f930f5ce4a828751465e98a728243a6b0758c5c754e0fb84e3c325ed6b54e06": "securesystemslib ed25519",
        "c3c3d6c1331d6b8afea224a661aa13d5858cf62e65cb7776b810f87ae6dbec8b": "securesystemslib rsa",
        # secure-systems-lab/securesystemslib@109b47ec:tests/data/legacy
        "33ba00e4507a23df3669c7f1455b1dc97ee5ce16f35355b8592c8c6c4297b380": "securesystemslib legacy ecdsa",
        "825f8f1f7490db702518aab28b86ba4fda76bb532f842f4ff5bee9ee224a34ee": "securesystemslib legacy ed25519",
        "c50323af50d3a73ea3c40a044c006f0d8778c9787fdbe63d25306f727b061dc0": "securesystemslib legacy rsa",
        # secure-systems-lab/securesystemslib@8df5fcd1:tests/data/keystore
        "46f286a690288d310a450cb565ccb7665e63f6ce5ed8df97408156cd7879dc90": "securesystemslib ecdsa_key",
        "f09ca0fd9fe210cf686044f905e4a060b0d8b1fa65b7c43061fb6e4b72e7b23d": "securesystemslib ed25519_key",
        "5b935757a91be45bfa42baf7e0e3cc82bd6d0cd5d7523d75a0c98306f8c7e9d6": "securesystemslib rsa_key",
        # thibmeu/rfc9500@ddef5611:pem
        "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e": "RFC 9500 testECCP256",
        "c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a": "RFC 9500 testECCP384",
        "acb1b8327fef995e2458fdf5e3c33b2dc0749feabd6a894cb9bda9d70ac06c24": "RFC 9500 testECCP521",
        "9a9e5b0f404f4e2d4386e38b04ac91e535946dc2a7f8d84a31404b476e5c35e1": "RFC 9500 testRSA1024",
        "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878": "RFC 9500 testRSA2048",
        "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9": "RFC 9500 testRSA4096",
        # snappautomotive/firmware-aosp-build@a3ae965d:target/product/security
        "2cc5efa35e17880782afab42ee043a342b2cdf39415857b7de4d4711fb6dda30": "Snapp Automotive's AOSP testkey",
        "fc4aa0e2baf2683342adab43228d2edbcc1e3b22b195998a8d3f859890293545": "Snapp Automotive's AOSP platform",
        "87ba9a233efa2599b6b0371caab517bde7bf9569abfd4e4adb77725fcf5cdad8": "Snapp Automotive's AOSP shared",
        "2258fededa510b0853558dc883170aab95ba5efab441cb319f1eebd3b1c4bdc9": "Snapp Automotive's AOSP media",
        "8451ecf7de2dcc201a8a09c1fa3f233b4e9c39c7eb7e8124e948fe56b517f6da": "Snapp Automotive's AOSP networkstack",
        "b3a3c49c93d52bff7f6cce915fa6b85a1c6f39805fe5f72362583455842fde56": "Snapp Automotive's AOSP verity",
    }
)


def known_test_key(spki_sha256: str) -> str | None:
    """The name and source of a key that everybody has, None for any other."""
    return KNOWN_TEST_KEYS.get(spki_sha256)
