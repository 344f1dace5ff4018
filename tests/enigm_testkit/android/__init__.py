"""Builds of Android made at run time with the real tools: mke2fs, mkbootimg, veritysetup, openssl, protoc, signapk."""
