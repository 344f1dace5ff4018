"""``enigm-repo verify`` on the repository that is named; nothing may be damaged."""

import sys

from enigm_tuf_repository.cli import main

sys.exit(main(["verify", "--repository", sys.argv[1], "--json"]))
