"""The scan for private keys: in files, archives inside archives, Git history, an environment, and what is published."""
