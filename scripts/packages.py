"""Fail if the environment holds packages that must not come along."""

import shutil
import sys
from importlib.metadata import distributions

names = {distribution.metadata["Name"].lower() for distribution in distributions()}
unwanted = sorted(names & {"torchvision", "torchaudio", "lightning", "pytorch-lightning"})
if shutil.which("nvidia-smi") is None:
    unwanted += sorted(name for name in names if name.startswith("nvidia-"))
if unwanted:
    sys.exit(f"packages that must not be installed here: {', '.join(unwanted)}")
