"""The options that name a token and a key, the same in every command."""

import argparse

from enigm_tuf.authorities.tokens.uri import key_in
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.keys import KEY_CLASS


def add_token(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument(
        "--token",
        metavar="URI",
        required=required,
        help="pkcs11:token=LABEL[;object=KEY]?module-path=FILE (RFC 7512), piv:serial=NUMBER, or development:FILE; "
        "PINs are asked for",
    )


def add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label", help="the key's label on the token, id=HEX, or the PIV slot (9c), unless the URI names the key"
    )


def add_class(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--class",
        dest="key_class",
        choices=KEY_CLASS.words,
        default="non-extractable",
        help="wrapped-backup: a payload key that may be copied to a spare token under a trusted wrapping key",
    )


def label_of(arguments: argparse.Namespace) -> str:
    """Which key: ``--label``, or what the URI says; MisuseError if neither does or both do."""
    named = key_in(arguments.token)
    if bool(named) == bool(arguments.label):
        raise MisuseError("which key?", hint="give --label, or object= or id= in --token, and not both")
    label: str = named or arguments.label
    return label
