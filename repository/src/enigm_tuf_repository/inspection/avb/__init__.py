"""Android Verified Boot 2.0: vbmeta images, footers, descriptors, hash trees."""
