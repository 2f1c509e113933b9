"""Looks at a movie with a parser that is not ours and says as JSON what is in it.

    check-movie.py FILE

Every sample must lie within the media and overlap no other; samples of H.264 must be units whose lengths add up. What
does not is an error, and the exit status 1.
"""

import json
import struct
import sys

from pymp4.parser import Box


def top_level(file):
    """Type, start, start of the contents and end of each box of the file."""
    file.seek(0, 2)
    length = file.tell()
    position = 0
    while position < length:
        file.seek(position)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,), header = struct.unpack(">Q", file.read(8)), 16
        assert header <= size <= length - position, f"box {kind} at {position} has size {size}"
        yield kind.decode("latin-1"), position, position + header, position + size
        position += size


def find(box, *path):
    """The boxes below one by a path of types."""
    if not path:
        return [box]
    return [found for child in box.children if child.type == path[0] for found in find(child, *path[1:])]


def samples(table):
    """Offset and size of each sample of a track, by its tables."""
    by_type = {child.type: child for child in table.children}
    sizes = by_type[b"stsz"]
    sizes = [sizes.sample_size] * sizes.sample_count if sizes.sample_size else list(sizes.entry_sizes)
    wide = b"co64" in by_type
    chunks = [entry.chunk_offset for entry in by_type[b"co64" if wide else b"stco"].entries]
    runs = by_type[b"stsc"].entries
    found = []
    for index, run in enumerate(runs):
        end = runs[index + 1].first_chunk if index + 1 < len(runs) else len(chunks) + 1
        for chunk in range(run.first_chunk, end):
            position = chunks[chunk - 1]
            for _ in range(run.samples_per_chunk):
                size = sizes[len(found)]
                found.append((position, size))
                position += size
    assert len(found) == len(sizes), f"{len(found)} samples in chunks, {len(sizes)} sizes"
    return found, wide


def check_units(file, offset, size):
    """An H.264 sample is units, each with its length in front in four bytes."""
    position = offset
    while position < offset + size:
        file.seek(position)
        (length,) = struct.unpack(">I", file.read(4))
        position += 4 + length
        assert length > 0, f"an empty unit at {position}"
    assert position == offset + size, f"the units of the sample at {offset} end at {position}"


def main(path):
    with open(path, "rb") as file:
        boxes = list(top_level(file))
        (index,) = [box for box in boxes if box[0] == "moov"]
        media = [(start, end) for kind, _, start, end in boxes if kind == "mdat"]
        file.seek(index[1])
        movie = Box.parse(file.read(index[3] - index[1]))
        tracks = []
        everything = []
        for track in find(movie, b"trak"):
            (header,) = find(track, b"mdia", b"mdhd")
            (handler,) = find(track, b"mdia", b"hdlr")
            (table,) = find(track, b"mdia", b"minf", b"stbl")
            (description,) = find(table, b"stsd")
            (times,) = find(table, b"stts")
            found, wide = samples(table)
            codec = description.entries[0].format
            for offset, size in found:
                inside = any(start <= offset and offset + size <= end for start, end in media)
                assert inside, f"a sample at {offset} lies outside of the media"
                if codec == b"avc1":
                    check_units(file, offset, size)
            everything += found
            assert sum(entry.sample_count for entry in times.entries) == len(found), "times and samples differ in number"
            tracks.append(
                {
                    "kind": handler.handler_type.decode("latin-1"),
                    "codec": codec.decode("latin-1"),
                    "samples": len(found),
                    "seconds": sum(e.sample_count * e.sample_delta for e in times.entries) / header.timescale,
                    "wide": wide,
                }
            )
        everything.sort()
        for (offset, size), (following, _) in zip(everything, everything[1:]):
            assert offset + size <= following, f"the samples at {offset} and {following} overlap"
        print(json.dumps({"boxes": [box[0] for box in boxes], "tracks": tracks}))


try:
    main(sys.argv[1])
except AssertionError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
