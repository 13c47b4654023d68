"""Lists that are written while they are computed: whole rows to standard output, files whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from convcalc.cli.group import GeneralOptions
from convcalc.cli.output.atomic_files import Destination, Destinations, open_destination
from convcalc.cli.output.targets import OutputTarget, surface_of
from convcalc.render import STREAMS
from convcalc.render.results.row_list import Rows, RowStream
from convcalc.report.row_list import Listing


class RowOutput:
    """One list, in several formats and to several places."""

    def __init__(self, streams: Sequence[tuple[RowStream, Destination]]) -> None:
        self._streams = streams

    def add(self, rows: Rows) -> None:
        """Write rows."""
        for stream, where in self._streams:
            where.write(stream.add(rows))

    def end(self, errors: Rows = ()) -> None:
        """Write what comes after the last row."""
        for stream, where in self._streams:
            where.write(stream.end(errors))


@contextlib.contextmanager
def open_output(settings: GeneralOptions, targets: Sequence[OutputTarget], listing: Listing) -> Iterator[RowOutput]:
    """Give what rows are written to. Files get into their places when all is done, and not if anything goes wrong."""
    with Destinations() as places:
        streams = [
            (
                STREAMS[target.format].stream(listing, surface_of(settings, target)),
                places.add(open_destination(target.path)),
            )
            for target in targets
        ]
        yield RowOutput(streams)
        places.commit()
