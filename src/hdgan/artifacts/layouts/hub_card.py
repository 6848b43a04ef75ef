"""What the Hugging Face hub reads from the first lines of a dataset's README.md."""

import json
import re

from hdgan.artifacts.layouts.labelled_images import SHORT_SPLITS, LabelledImages

LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "odbl", "odc-by", "pddl"),
        *("cdla-permissive-2.0", "cdla-sharing-1.0", "gpl-3.0", "agpl-3.0", "bsd-3-clause"),
        "unknown",
    }
)
"""Names that the hub knows, of https://huggingface.co/docs/hub/repositories-licenses."""

_SIZES = ((10**3, "1K"), (10**4, "10K"), (10**5, "100K"), (10**6, "1M"), (10**7, "10M"))


def front_matter(dataset: LabelledImages, pattern: str) -> str:
    """The YAML block of a dataset card.

    Args:
        dataset: what it is about.
        pattern: where the files of a split are; `{split}` stands for its name.

    Texts are written as JSON, which YAML contains.
    """
    there = {image.split for image in dataset.images}
    files = [
        line
        for split, name in SHORT_SPLITS.items()
        if split in there
        for line in (f"  - split: {name}", f"    path: {json.dumps(pattern.format(split=name))}")
    ]
    lines = [
        *_licence_lines(dataset.licence),
        f"pretty_name: {json.dumps(dataset.title, ensure_ascii=False)}",
        "task_categories:",
        "- image-segmentation",
        "size_categories:",
        f"- {size_category(len(dataset.images))}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *files,
    ]
    return "\n".join(["---", *lines, "---", "", ""])


def size_category(count: int) -> str:
    """How many there are, as the hub says it: `n<1K`, `1K<n<10K` and so on."""
    below = ""
    for limit, name in _SIZES:
        if count < limit:
            return f"{below}<n<{name}" if below else f"n<{name}"
        below = name
    return f"{below}<n<100M"


def _licence_lines(licence: str | None) -> list[str]:
    if licence is None:
        return ["license: unknown"]
    known = re.sub(r"[\s_]+", "-", licence.strip().lower())
    if known in LICENCES:
        return [f"license: {known}"]
    return ["license: other", f"license_name: {json.dumps(licence, ensure_ascii=False)}"]
