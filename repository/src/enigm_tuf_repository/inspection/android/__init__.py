"""A/B OTA packages of Android: the package, its payload, its metadata, its signatures."""
