"""``python -m enigm_tuf_repository`` is ``enigm-repo``."""

import sys

from enigm_tuf_repository.cli import main

if __name__ == "__main__":
    sys.exit(main())
