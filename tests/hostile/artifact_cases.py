"""Hostile artifacts, class maps and tables."""

import hashlib
import json
import sqlite3
import zipfile
from io import BytesIO
from pathlib import Path

from hdgan.artifacts.manifest import MANIFEST
from tests.hostile.case import Case, a_file, an_artifact, with_file, with_text
from tests.tiny_world import TinyWorld

DEEP = b"[" * 100_000 + b"]" * 100_000
MANY_CLASSES = json.dumps(
    {"classes": [{"name": str(i), "colour": f"#{i:06x}"} for i in range(100_000)]}
).encode()
CLASSES = "import-annotations samples painted OUT --classes IN"


def _manifest(name: str, data: bytes, says: str) -> Case:
    return Case(
        "manifest",
        name,
        "show IN",
        an_artifact("samples", lambda folder: (folder / MANIFEST).write_bytes(data)),
        says,
    )


def _leads_out(name: str) -> Case:
    """A tile set that reads a file from beside it, whose digest somebody knows."""

    def change(folder: Path) -> None:
        secret = b"tile\n"
        (folder.parent / "secret.csv").write_bytes(secret)
        text = json.loads((folder / MANIFEST).read_bytes())
        text["files"][name] = hashlib.sha256(secret).hexdigest()
        row = (folder / "tiles.csv").read_text().splitlines()[1].split(",")[0]
        with_file("tiles.csv", (folder / "tiles.csv").read_bytes())(folder)
        text["files"][f"images/{row}.png"] = "0" * 64
        (folder / MANIFEST).write_text(json.dumps(text))

    says = "would lie outside|SHA-256"
    return Case(
        "manifest", f"names {name}", "segment segmenter IN OUT", an_artifact("tiles", change), says
    )


def _tile_called(name: str, stored: str) -> Case:
    """A tile set whose tile would be written to another place by what is made from it."""

    def change(folder: Path) -> None:
        rows = (folder / "tiles.csv").read_text().splitlines()
        cells = rows[1].split(",")
        old = cells[0]
        image = (folder / "images" / f"{old}.png").read_bytes()
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{name}.png", image)
        with_file(f"shards/{cells[1]}.zip", packed.getvalue())(folder)
        rows[1] = rows[1].replace(old, name, 1).replace(",png", f",{stored}")
        with_file("tiles.csv", "\n".join([*rows, ""]).encode())(folder)

    return Case(
        "table of an artifact",
        f"a tile called {name} in {stored}",
        "segment segmenter IN OUT --folds 0",
        an_artifact("tiles", change),
        r"tiles\.csv is damaged \(row 0, tile",
    )


def _history(name: str, script: str, says: str) -> Case:
    def make(world: TinyWorld, folder: Path) -> Path:
        scratch = folder / "begun" / ".unfinished"
        scratch.mkdir(parents=True)
        classes = json.loads(world.classes.read_bytes())["classes"]
        command = {"kind": "annotation-set", "settings": {"classes": classes}, "parents": {}}
        (scratch / "command.json").write_text(json.dumps(command))
        connection = sqlite3.connect(scratch / "history.sqlite3")
        connection.executescript(script)
        connection.close()
        return folder / "begun"

    return Case("history", name, "annotate samples OUT --finish --start-from IN", make, says)


def _network(part: str, old: str, new: str, says: str) -> Case:
    words = {
        "generator": "sample IN OUT --num-samples 1",
        "segmenter": "segment IN tiles OUT --folds 0",
        "classifier": "synthesize IN OUT --num-pairs 1 --generator generator --workers 1",
    }
    name = "ensemble.json" if part == "classifier" else "network.json"
    change = an_artifact(part, with_text(name, old, new))
    return Case(f"{part}'s {name}", new, words[part], change, says)


CASES = [
    _manifest("empty", b"", r"manifest\.json is damaged"),
    _manifest("nested deeply", b'{"layout": ' + DEEP + b"}", r"manifest\.json is damaged"),
    _manifest("a list", b"[1, 2]", r"manifest\.json is damaged"),
    _manifest("bytes", bytes(range(256)) * 100, r"manifest\.json is damaged"),
    _manifest("a number without end", b'{"layout": ' + b"9" * 10**6 + b"}", "is damaged"),
    _manifest("another layout", b'{"layout": 9223372036854775808}', "has layout 92233720368547"),
    _leads_out("../secret.csv"),
    _leads_out("images/../../secret.csv"),
    _tile_called("../../../outside", "zip/png"),
    _tile_called("/outside", "zip/png"),
    Case(
        "manifest",
        "moves the cursor",
        "sample IN OUT",
        an_artifact(
            "samples", with_text(MANIFEST, "sample-set", "\\u001b[2J\\nhdgan: all is well")
        ),
        r"is of kind .\[2J hdgan: all is well, but generator is needed",
    ),
    _network("generator", '"mapping_layers": 2', '"mapping_layers": 1000000000', "whose mapping_"),
    _network("generator", '"z_dim": 8', '"z_dim": 1099511627776', "whose z_dim is"),
    _network("generator", '"resolution": 16', '"resolution": "x"', "resolution: Input should be"),
    _network("generator", '"resolution": 16', '"resolution": 32768', "does not fit the network"),
    _network("segmenter", '"num_levels": 4', '"num_levels": 1000000000', "whose num_levels is"),
    _network("segmenter", '"num_levels": 4', '"num_levels": 1', "does not fit the network"),
    _network("segmenter", '"width": 4', '"width": 1000000', "does not fit the network"),
    _network("classifier", '"decision": "mean"', '"decision": "x"', "decision: Input should be"),
    _network("classifier", '"num_members": 3', '"num_members": 1000000000', "does not fit"),
    _history("no history", "CREATE TABLE revisions (b);", "history"),
    *(
        Case("class map", name, CLASSES, a_file("c.json", data), says)
        for name, data, says in (
            ("empty", b"", "is no class map"),
            ("nested deeply", DEEP, "is no class map"),
            ("nested deeply inside", b'{"classes": ' + DEEP + b"}", "is no class map"),
            ("bytes", bytes(range(256)), "is no class map"),
            ("no classes", b'{"classes": []}', "of 0 classes"),
            (
                "100,000 classes",
                MANY_CLASSES,
                "of 100000 classes",
            ),
        )
    ),
]
"""Of artifacts."""
