"""What several tests look at."""

from tests.determinism.kidney import kidney, kidney_classifier
from tests.supply.two_runs import two_runs

__all__ = ["kidney", "kidney_classifier", "two_runs"]
