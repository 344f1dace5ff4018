"""The options that name a token and a key, the same in every command."""

import argparse


def add_token(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument(
        "--token",
        metavar="URI",
        required=required,
        help="pkcs11:token=LABEL?module-path=FILE, piv:serial=NUMBER, or development:FILE; PINs are asked for",
    )


def add_label(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--label", required=required, help="the key's label on the token, or the PIV slot (9c)")
