"""The title of the report, from the environment of the space."""

import os


def title() -> str:
    return os.environ["REPORT_TITLE"].upper()
