"""The runs that several tests look at."""

from tests.supply.two_runs import two_runs

__all__ = ["two_runs"]
