"""A command for every verb that writes, on the fault world."""

from dataclasses import dataclass
from pathlib import Path

OUT = "OUT"
"""In a command's tokens: where it writes."""

KEPT = "keep.txt"
"""A file of the user's beside the output, which no run may touch."""


@dataclass(frozen=True)
class Command:
    """What is run, and what it begins from."""

    name: str
    """The verb, and what is special about this command of it."""

    tokens: tuple[str, ...]
    """What follows the verb; names of things in the world stand for their paths."""

    begins_with: str | None = None
    """What in the world is copied to the output before each trial; None: nothing is there."""

    output: str = "out"
    """Name of the output."""

    workers: bool = False
    """Whether it starts processes of its own."""

    slow: bool = False
    """Whether one run takes seconds of a CPU, so that it is disturbed less often."""

    @property
    def verb(self) -> str:
        """What it runs."""
        return self.name.split()[0]

    def parents(self, world: Path) -> list[Path]:
        """What it reads, of the things in the world that it names."""
        return [world / token for token in self.tokens if (world / token).exists()]

    def words(self, world: Path, runs: Path) -> list[str]:
        """The command line, for an output in `runs`."""
        words = [self.verb]
        for token in self.tokens:
            if token == OUT:
                words.append(str(runs / self.output))
            else:
                words.append(str(world / token) if (world / token).exists() else token)
        return words


def _command(name: str, tokens: str, **more: str | bool) -> Command:
    return Command(name, tuple(tokens.split()), **more)  # type: ignore[arg-type]


_GENERATOR = (
    "--resolution 16 --kimg 0.064 --preset small --batch 8 --channel-base 128 --channel-max 8 "
    "--latent-dim 8 --snapshot-kimg 0.03 --threads 1"
)
_UNET = "--steps 8 --batch 2 --crop-px 16 --width 4 --device cpu"
_UNLABELLED = f"{_UNET} --unlabelled tiles"
_CLASSIFIER = "--preset paper --steps 20 --batch 64 --num-members 2 --device cpu"
_LAYOUTS = (
    "plain",
    "nnunet",
    "coco",
    "huggingface",
    "huggingface-folder",
    "webdataset",
    "qupath",
    "monai",
)
_METHODS = ("mean-teacher", "fixmatch", "pseudo-label", "transformation-consistency", "mixmatch")

COMMANDS = (
    _command("tile", "drawn/images OUT --patient-pattern ^(patient[0-9]+)_"),
    _command("tile slides", "slides OUT --side-px 64 --num-folds 2 --workers 1"),
    _command(
        "tile shards",
        "slides OUT --side-px 64 --num-folds 2 --workers 2 --storage shards",
        workers=True,
        slow=True,
    ),
    _command("train-generator", f"tiles OUT {_GENERATOR}", slow=True),
    _command("export-generator", "generator OUT", output="out.safetensors"),
    _command("import-generator", "network.safetensors OUT"),
    _command(
        "score-generator",
        "generator tiles encoder.npz OUT --num-images 20 --num-nearest 2 --device cpu",
        slow=True,
    ),
    _command("sample", "generator OUT --num-samples 12 --select 5 --device cpu"),
    _command(
        "sample second round", "generator OUT --num-samples 6 --classifier classifier --device cpu"
    ),
    _command("annotate finish", "samples OUT --finish --goal 2 1 2", begins_with="begun"),
    _command("annotate from other", "samples OUT --finish --goal 2 1 2 --start-from annotations"),
    _command("annotate to-qupath", "samples --to-qupath OUT"),
    _command("import-annotations", "samples painted OUT --classes classes.json"),
    _command("import-annotations outlines", "samples outlines OUT"),
    _command("train-classifier", f"annotations OUT {_CLASSIFIER}"),
    _command(
        "train-classifier context",
        "annotations OUT --steps 10 --batch 64 --num-members 2",
        slow=True,
    ),
    _command("train-classifier regenerate", f"annotations OUT {_CLASSIFIER} --features regenerate"),
    _command(
        "train-classifier gradient-matching",
        "truth OUT --generator generator --real-labels gradient-matching --crops-per-tile 1 "
        "--num-images 1 --steps 10 --device cpu",
        slow=True,
    ),
    _command("evaluate", "classifier annotations OUT --num-pictures 2 --device cpu"),
    _command("evaluate segmenter", "segmenter truth OUT --fold 0 --device cpu"),
    _command("synthesize", "classifier OUT --num-pairs 10 --workers 1 --device cpu"),
    _command(
        "synthesize more",
        "classifier OUT --num-pairs 14 --workers 1",
        begins_with="pairs",
    ),
    _command(
        "synthesize shards",
        "classifier OUT --num-pairs 8 --workers 2 --files shards --device cpu",
        workers=True,
        slow=True,
    ),
    _command(
        "synthesize composed",
        "classifier OUT --num-pairs 4 --at-least arteriole=0.05 --num-pilot 8 --most-draws 2 "
        "--workers 1 --device cpu",
    ),
    *[_command(f"export {name}", f"pairs OUT --layout {name} --threads 2") for name in _LAYOUTS],
    _command("export annotations", "annotations OUT --layout coco --threads 1"),
    _command("train-segmenter", f"pairs OUT {_UNET}"),
    *[
        _command(f"train-segmenter {name}", f"pairs OUT --method {name} {_UNLABELLED}")
        for name in _METHODS
    ],
    _command(
        "train-segmenter random-forest", "truth OUT --method random-forest --device cpu", slow=True
    ),
    _command(
        "train-segmenter frozen-features",
        "truth OUT --method frozen-features --encoder transformer.safetensors --device cpu",
        slow=True,
    ),
    _command("segment", "segmenter tiles OUT --folds 0 --device cpu"),
    _command("segment slides", "segmenter slides OUT --window-px 64 --device cpu"),
    _command(
        "compare",
        "truth OUT --annotated-samples annotations --arms supervised hdgan --counts 2 --draws 1 "
        "--seeds 2 --steps 2 --batch 2 --width 4 --num-pairs 4 --classifier-steps 4 "
        "--classifier-members 2 --num-pictures 2 --workers 1 --device cpu --folds 0",
        slow=True,
    ),
    _command("show", "pairs --html OUT", output="out.html"),
    _command("demo", "OUT --num-samples 36 --classifier-steps 10 --num-pairs 3", slow=True),
)
"""Every verb that writes, some of them in several ways."""

WITHOUT_OUTPUT = {"check-scores": "it reads a table and prints"}
"""Verbs that write nothing, and why they need no command here."""
