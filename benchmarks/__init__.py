"""Our client and its peers, side by side in one run. Not part of any distribution; see README.md."""
