"""Families of tests that need a program of the machine: they skip without it, unless they are required."""

import os
from typing import NoReturn

import pytest


def absent(family: str, reason: str) -> NoReturn:
    """Skip a test whose family lacks what it needs, or fail it where `ABRI_REQUIRE` names the family."""
    if family in os.environ.get("ABRI_REQUIRE", "").split(","):
        pytest.fail(f"ABRI_REQUIRE asks for {family}: {reason}")
    pytest.skip(reason)
