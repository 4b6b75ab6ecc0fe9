"""Amounts."""
