"""The staged tree under attack: what a device must refuse of it, whoever owns the server. Used by NEGATIVE-CLIENT."""
