"""A cart; the currency comes from the environment of the space."""

import os

from units import cents


def total(prices: list[str]) -> str:
    """The sum of the prices, with the currency."""
    amount = sum(cents(price) for price in prices)
    return f"{amount / 100:.2f} {os.environ['SHOP_CURRENCY']}"
