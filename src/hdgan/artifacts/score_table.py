"""Tables of scores as people paste them: CSV, TSV, Markdown, or columns two spaces apart."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from hdgan.artifacts.score_columns import (
    ScoreColumns,
    found_header,
    name_of_row,
    titles_of_unknown,
)
from hdgan.artifacts.score_lines import Line, lines_of, looks_like_latex, tables_in
from hdgan.artifacts.score_summaries import (
    Said,
    is_said,
    said_in,
    said_in_block,
    summaries_of,
    summary_of,
    why_not_read,
)
from hdgan.artifacts.score_titles import column_of
from hdgan.artifacts.score_words import (
    averaging_of,
    is_background,
    is_total,
    number_in,
    summary_words,
)
from hdgan.errors import InputError
from hdgan.method.printed_scores import ClassRow, Interval, Measure, Printed, ScoreTable, Summary


def score_table_of(data: bytes, name: str, last_digit: float = 0.5) -> ScoreTable:
    """The scores in a text.

    Args:
        data: the text, UTF-8.
        name: what errors call it.
        last_digit: how far a printed number may be from what was meant, in units of its last
            digit: .5 where it was rounded, 1 where it may have been cut off.

    Raises:
        InputError: it is no text, too large, has a row that does not fit its header, two columns of
            one score, two tables, or no score.
    """
    lines = lines_of(data, name)
    tables = tables_in([line for line in lines if not is_said(line)])
    blocks = [said_in_block(table) for table in tables]
    said = [*said_in([line for line in lines if is_said(line)]), *chain(*blocks)]
    rest = [table for table, block in zip(tables, blocks, strict=True) if not block]
    grid, others = _only_table([table for table in rest if table], name)
    rows, header, other_titles = found_header(grid)
    if not header:
        _refuse_latex(lines, name)
    columns = ScoreColumns(header or [""], rows, last_digit, name)
    table = _Reader(columns).table(said, [*other_titles, *others])
    if not table.classes and not table.summaries:
        raise InputError(
            f"{name} has no score that is understood. Needed is a row a class under a header with "
            "recall (or sensitivity, accuracy), precision, Dice (or F1), IoU, pixels; or a line "
            f"such as `mean Dice: 0.92`.{_found_instead(table.not_read)}"
        )
    return table


def _only_table(tables: Sequence[Sequence[Line]], name: str) -> tuple[list[list[str]], list[str]]:
    """The cells of the table that names a score, and the titles of those above it that do not.

    Raises:
        InputError: another table stands below it.
    """
    grids = [[line.cells for line in table] for table in tables]
    known = [i for i, grid in enumerate(grids) if found_header(grid)[1]]
    first = known[0] if known else len(grids)
    if len(grids) > first + 1:
        begin = [" | ".join(cells)[:60] for cells in (grids[first][0], grids[first + 1][0])]
        raise InputError(
            f"{name} has more than one table: the first begins with '{begin[0]}', the next with "
            f"'{begin[1]}'. Give one at a time, or leave out titles that stand there again."
        )
    titles = [title for grid in grids[:first] for title in titles_of_unknown(grid)]
    return (grids[first] if known else []), titles


def _refuse_latex(lines: Sequence[Line], name: str) -> None:
    if looks_like_latex(lines):
        raise InputError(
            f"{name} has rows of a LaTeX table, whose cells are parted by &, and they are not "
            "read. Put | for each & and leave out the \\\\ at the ends."
        )


def _found_instead(not_read: Mapping[str, str]) -> str:
    """Titles of columns of which none is a score, as a sentence."""
    if not not_read:
        return ""
    return f" Its columns are {', '.join(not_read)[:300]}."


class _Reader:
    """Reads the rows under a header."""

    def __init__(self, columns: ScoreColumns) -> None:
        self.columns = columns
        self.last_digit = columns.last_digit

    def table(self, said: Sequence[Said], other_titles: Sequence[str]) -> ScoreTable:
        """All that is read, and all that is not.

        Args:
            said: what is said of all classes beside the table.
            other_titles: titles of what is no column.
        """
        classes = self._classes()
        names = [row.name for row in classes]
        return ScoreTable(
            classes,
            [*summaries_of(said, names, self.last_digit), *self._means(names)],
            is_whole=self._is_whole(classes),
            read_as=self.columns.read_as(),
            not_read=self.columns.not_read()
            | {title: column_of(title).why_not for title in other_titles},
            rows_not_read=[*self._not_read(), *((s.name, why_not_read(s)) for s in said)],
            doubtful=list(self._doubtful()),
        )

    def _classes(self) -> list[ClassRow]:
        """The rows that are of one class."""
        found = list(map(self._class, self.columns.classes))
        return found if any(row.scores or row.pixels for row in found) else []

    def _class(self, cells: list[str]) -> ClassRow:
        numbers = self.columns.numbers(cells)
        pixels = numbers.pop("pixels", None)
        scores: dict[Measure, Printed] = {**numbers}  # type: ignore[dict-item]
        return ClassRow(name_of_row(cells), scores, _count(pixels))

    def _doubtful(self) -> Iterator[ClassRow]:
        """Rows that are named as something else, and may be classes."""
        for cells, _ in self.columns.others:
            if len(cells) == len(self.columns.columns):
                row = self._class(cells)
                if row.scores:
                    yield row

    def _not_read(self) -> Iterator[tuple[str, str]]:
        """Rows that are no classes, and why; and what stands in others for numbers."""
        for cells in (*self.columns.classes, *self.columns.means):
            unread = self.columns.unread(cells)
            yield name_of_row(cells), ", ".join(f"'{cell}'" for cell in unread)
        for cells, why_not in self.columns.others:
            yield name_of_row(cells), why_not

    def _is_whole(self, classes: Sequence[ClassRow]) -> bool:
        """Whether no class is left out.

        So it is if the accuracy, which is of all pixels, is said to be of as many as the classes
        have; or if a row `total` is, and the background, which is left out first, is a class.
        """
        counts = [row.pixels for row in classes if row.pixels is not None]
        if not counts or len(counts) < len(classes):
            return False
        of_all = Interval(sum(count.low for count in counts), sum(count.high for count in counts))
        has_background = any(is_background(row.name) for row in classes)
        totals = [self._total(row, has_background=has_background) for row in self.columns.means]
        known = [total for total in totals if total is not None]
        return bool(known) and all(total.meets(of_all) for total in known)

    def _total(self, cells: list[str], *, has_background: bool) -> Interval | None:
        """Of how many pixels a row says that all are."""
        name = name_of_row(cells)
        if summary_words(name) == ("recall", "accuracy"):
            numbers = [number for number in map(number_in, cells[1:]) if number is not None]
            if numbers[1:] and numbers[-1].value >= 2:
                return numbers[-1].printed(1.0, self.last_digit, whole=True).could_be
        elif has_background and is_total(name):
            return _count(self.columns.numbers(cells).get("pixels"))
        return None

    def _means(self, classes: Sequence[str]) -> Iterator[Summary]:
        """What rows such as `macro avg` say of each column, and `accuracy` of itself."""
        for cells in self.columns.means:
            name = name_of_row(cells)
            alone = summary_words(name)
            if alone is not None:
                in_column = self.columns.cell_of(cells, alone[0])
                given = [cell for cell in (in_column, *cells[1:]) if number_in(cell)][:1]
                said = [Said(name, cell) for cell in given]
                yield from summaries_of(said, classes, self.last_digit)
                continue
            numbers = self.columns.numbers(cells)
            averaging = averaging_of(name)
            for measure in ("recall", "precision", "dice", "iou"):
                if measure in numbers and averaging is not None:
                    says = f"{name} {measure}"
                    yield summary_of(says, (measure, averaging), numbers[measure], classes)


def _count(pixels: Printed | None) -> Interval | None:
    if pixels is None or pixels.could_be.high <= 0:
        return None
    return Interval(max(0.0, pixels.could_be.low), pixels.could_be.high)
