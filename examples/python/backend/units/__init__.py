"""Amounts of money in cents."""


def cents(text: str) -> int:
    """`12.50` as 1250."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2] or 0)
