"""The stores behind the seam of ``publication``: a directory, and object storage with its settings and its probe."""
