"""Archives: zip files, web archives (WARC), and what gzip packed."""

from __future__ import annotations

import contextlib
import gzip
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from rag.readers.reader import Member
from rag.readers.skipped import UnreadableError

MAX_MEMBER_BYTES = 256 * 2**20
"""A larger file in an archive is skipped."""
MAX_RATIO = 200
"""An archive that unpacks to more than so many times its size is no archive of texts."""
MAX_MEMBERS = 200_000
_FREE_BYTES = 2**24  # what may be unpacked whatever the ratio
# What is read of a web archive, and how such files are named elsewhere.
_ENDINGS = {
    "text/html": ".html",
    "application/xhtml": ".html",
    "text/plain": ".txt",
    "application/pdf": ".pdf",
    "application/rss": ".xml",
    "application/atom": ".xml",
    "application/xml": ".xml",
    "text/xml": ".xml",
}


class ZipContainer:
    """`.zip`: the files in it, in the order of its directory."""

    name = "zip"
    suffixes = (".zip",)

    def fits(self, start: bytes) -> bool:
        """Never: Word files and books are zip files too."""
        return False

    def members(self, stream: IO[bytes]) -> Iterator[Member]:
        """The files in it, except hidden ones."""
        try:
            files = zipfile.ZipFile(stream)
            infos = files.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise UnreadableError(f"broken: {error}") from error
        if len(infos) > MAX_MEMBERS:
            raise UnreadableError(f"more than {MAX_MEMBERS:,} files in it")
        n_unpacked = 0
        n_packed = stream.seek(0, 2)
        for info in infos:
            name = info.filename
            if info.is_dir() or _is_hidden(name):
                continue
            if _leads_out(name):
                yield Member(name, None, "its name leads out of the archive")
                continue
            try:
                data = bounded(files, info)
            except UnreadableError as error:
                yield Member(name, None, str(error))
                continue
            n_unpacked += len(data)
            if n_unpacked > MAX_RATIO * n_packed + _FREE_BYTES:
                raise UnreadableError(f"unpacks to more than {MAX_RATIO} times its size")
            yield Member(name, data)


def bounded(files: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a file in an archive.

    Raises:
        UnreadableError: it is encrypted, broken, too big, or packed beyond belief.
    """
    if info.flag_bits & 1:
        raise UnreadableError("encrypted")
    try:
        with files.open(info) as stream:
            most = min(MAX_MEMBER_BYTES, MAX_RATIO * info.compress_size + _FREE_BYTES)
            data = stream.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError,
            RuntimeError) as error:  # fmt: skip
        raise UnreadableError(f"broken: {error}") from error
    if len(data) > most:
        raise UnreadableError(f"unpacks to more than {most:,} bytes")
    return data


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.split("/"))


def _leads_out(name: str) -> bool:
    clean = name.replace("\\", "/")
    return clean.startswith("/") or ".." in posixpath.normpath(clean).split("/") or ":" in clean[:2]


class GzipContainer:
    """`.gz`: the one file in it, such as `news.jsonl.gz`."""

    name = "gzip"
    suffixes = (".jsonl.gz", ".csv.gz", ".txt.gz", ".html.gz", ".xml.gz", ".gz")

    def fits(self, start: bytes) -> bool:
        """Never: web archives are packed so too."""
        return False

    def members(self, stream: IO[bytes]) -> Iterator[Member]:
        """The file in it."""
        n_packed = stream.seek(0, 2)
        stream.seek(0)
        most = min(MAX_MEMBER_BYTES, MAX_RATIO * n_packed + _FREE_BYTES)
        try:
            with gzip.GzipFile(fileobj=stream) as packed:
                data = packed.read(most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableError(f"broken: {error}") from error
        if len(data) > most:
            raise UnreadableError(f"unpacks to more than {most:,} bytes")
        yield Member("", data)


class WarcContainer:
    """`.warc`, `.warc.gz` (and the older `.arc`): pages as a crawler got them, with addresses."""

    name = "warc"
    suffixes = (".warc", ".warc.gz", ".arc", ".arc.gz")

    def fits(self, start: bytes) -> bool:
        """Whether it begins with a record."""
        return start.startswith((b"WARC/1.", b"WARC/0.", b"filedesc://"))

    def members(self, stream: IO[bytes]) -> Iterator[Member]:
        """What servers answered or was stored otherwise: pages and documents, no pictures."""
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed

        number = n_found = 0
        try:
            for record in _quietly(ArchiveIterator(stream, arc2warc=True)):
                number += 1
                if record.rec_type not in ("response", "resource"):
                    continue
                headers = record.http_headers
                kind = headers.get_header("Content-Type") if headers else record.content_type
                status = headers.get_statuscode() if headers else "200"
                url = record.rec_headers.get_header("WARC-Target-URI")
                kind = (kind or "text/html").lower().strip()
                is_page = kind.startswith(tuple(_ENDINGS))
                if status == "200" and is_page and not (url or "").startswith("metadata:"):
                    n_found += 1
                    yield _record(record, number, url, kind)
        except ArchiveLoadFailed as error:
            raise UnreadableError(f"broken behind record {number}: {_line(error)}") from error
        except (OSError, EOFError, zlib.error, ValueError, AttributeError, UnicodeError) as error:
            raise UnreadableError(f"broken behind record {number}: {_line(error)}") from error
        if not n_found:
            raise UnreadableError(f"no page among its {number:,} records")


def _quietly(records: Iterator[Any]) -> Iterator[Any]:
    """The records, without what the library writes to stderr about them."""
    while True:
        with contextlib.redirect_stderr(io.StringIO()):
            record = next(records, None)
        if record is None:
            return
        yield record


def _record(record: Any, number: int, url: str | None, kind: str) -> Member:
    hint = next((end for start, end in _ENDINGS.items() if kind.startswith(start)), ".html")
    try:
        # Whatever a server said of the length; chunks and compression are undone.
        data = record.content_stream().read(MAX_MEMBER_BYTES + 1)
    except Exception as error:  # noqa: BLE001 - broken records raise what their decoders raise
        return Member("", None, f"broken: {error}"[:300], url, number=number)
    if len(data) > MAX_MEMBER_BYTES:
        return Member("", None, f"more than {MAX_MEMBER_BYTES:,} bytes", url, number=number)
    return Member("", data, None, url, hint=hint, number=number)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
