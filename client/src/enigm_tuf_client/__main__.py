"""``python -m enigm_tuf_client`` is ``enigm-update``."""

import sys

from enigm_tuf_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
