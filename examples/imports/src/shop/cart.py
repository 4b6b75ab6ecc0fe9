from units.money import euros


def label(cents):
    return f"only {euros(cents)}"
