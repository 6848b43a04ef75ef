"""What may go wrong, as a tree.

HdganError                  one clear sentence; the command line prints it and exits with 2
|- SettingsError            a choice that cannot work
|- InputError               a file or folder that a user hands in
|  |- ImageError            an image that cannot be read or does not fit
|  |- NetworkFileError      a published network that cannot be imported
|  |- EncoderError          an encoder that cannot be read
|  |- LabelError            a label map that does not fit its image or its class map
|  `- ClassMapError         a class map that cannot be read
|- ArtifactError            a folder that a verb wrote, or should have
|  |- MissingArtifactError  not there, or not finished
|  |- WrongArtifactError    another kind, or made from something else
|  |- DamagedArtifactError  its files are not those that were written
|  `- LeakError             tested on what it has learned from
|- StorageError             the disk is full, read-only or in use by another run
|- StaleRevisionError       somebody else has painted on the same tile meanwhile
`- FinishedError            the annotation set is written and takes no more strokes
"""


class HdganError(Exception):
    """Anything that may befall a user. Its text says what, found, needed, what to do."""


class SettingsError(HdganError):
    """A choice that cannot work."""


class InputError(HdganError):
    """A file or folder that a user hands in cannot be used."""


class ImageError(InputError):
    """An image cannot be read, or does not fit."""


class NetworkFileError(InputError):
    """A file of a published network is damaged, of another kind, or wants to execute something."""


class EncoderError(InputError):
    """A file of an encoder cannot be read, or holds another network."""


class LabelError(InputError):
    """A label map does not fit its image or its class map."""


class ClassMapError(InputError):
    """A class map cannot be read."""


class ArtifactError(HdganError):
    """A folder that a verb wrote cannot be used."""


class MissingArtifactError(ArtifactError):
    """The folder is not there, or the verb that writes it has not finished."""


class WrongArtifactError(ArtifactError):
    """The folder is of another kind, or was made from something else."""


class DamagedArtifactError(ArtifactError):
    """The folder's files are not those that were written."""


class LeakError(ArtifactError):
    """What is to be tested has learned from the tiles that it is tested on."""


class StorageError(HdganError):
    """The disk is full or read-only, or another run is writing there."""


class StaleRevisionError(HdganError):
    """A stroke was painted on a revision that is no longer the newest."""

    def __init__(self, base: int, newest: object) -> None:
        """Say on which one.

        Args:
            base: the revision that it was painted on.
            newest: the newest revision; None if there is none.
        """
        super().__init__(
            f"This was painted on revision {base}, but another one has been saved meanwhile. Load "
            "it, or save yours over it; nothing is lost."
        )
        self.newest = newest


class FinishedError(HdganError):
    """The annotation set is written and takes no more strokes."""
