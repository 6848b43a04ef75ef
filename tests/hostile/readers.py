"""Everything that parses what strangers have made."""

from tests.hostile import artifact_readers, file_readers, network_readers
from tests.hostile.reader import Reader

READERS: list[Reader] = [
    *artifact_readers.READERS,
    *file_readers.READERS,
    *network_readers.READERS,
]
"""One for each place where bytes from outside are parsed."""
