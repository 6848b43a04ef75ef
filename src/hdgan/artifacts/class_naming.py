"""Which class an outline is of: what its file calls it, and what the user says that this means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hdgan.artifacts.class_colours import coloured
from hdgan.artifacts.outlines.drawn_labels import (
    AMBIGUOUS_NAME,
    UNLABELLED_NAME,
    ClassNumbers,
    class_numbers,
    unknown_classes,
)
from hdgan.artifacts.outlines.outline import class_key
from hdgan.class_map import UNLABELLED, ClassMap
from hdgan.errors import SettingsError


@dataclass(frozen=True)
class ClassNaming:
    """What the names in files mean."""

    unnamed: str | None = None
    """The class of outlines that name none."""

    renames: Mapping[str, str] = field(default_factory=dict)
    """The class that a name stands for; neither case nor spaces around the name matter."""

    background: str | None = None
    """The class of what no outline covers."""

    def meant(self, name: str) -> str:
        """The class that a name in a file stands for; empty if nothing says so."""
        if not name:
            return self.unnamed or ""
        return {class_key(old): new for old, new in self.renames.items()}.get(class_key(name), name)

    def new_class_map(self, found: Mapping[str, int]) -> ClassMap:
        """A class map of the classes that were found, after the background if it is none of them.

        Args:
            found: how many outlines have each name, in the order of their first appearance.

        Raises:
            LabelError: an outline names no class, and nothing says what that means.
            ClassMapError: there is no class, or too many.
        """
        spelling: dict[str, str] = {}
        for name in map(self.meant, found):
            if name and class_key(name) not in (AMBIGUOUS_NAME, UNLABELLED_NAME):
                spelling.setdefault(class_key(name), name)
        names = list(spelling.values())
        if self.background and class_key(self.background) not in spelling:
            names.insert(0, self.background)
        if found.get("") and not self.unnamed:
            raise unknown_classes({"": found[""]}, names)
        return coloured(names)

    def numbers(self, found: Mapping[str, int], class_map: ClassMap) -> dict[str, int]:
        """The value of each name that was found.

        Raises:
            LabelError: some are of no class.
        """
        known = ClassNumbers(class_numbers(class_map))
        values = {name: known.get(self.meant(name)) for name in found}
        unknown = {name: found[name] for name, value in values.items() if value is None}
        if unknown:
            raise unknown_classes(unknown, class_map.names)
        return {name: value for name, value in values.items() if value is not None}

    def background_number(self, class_map: ClassMap) -> int:
        """The value of what no outline covers.

        Raises:
            SettingsError: it is no class.
        """
        if self.background is None:
            return UNLABELLED
        value = ClassNumbers(class_numbers(class_map)).get(self.background)
        if value is None:
            raise SettingsError(
                f"--background {self.background} is no class; the classes are "
                f"{', '.join(class_map.names)}."
            )
        return value
