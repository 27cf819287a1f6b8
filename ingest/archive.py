"""The archive of an Unsplash dataset: downloaded, checked, and its tables unpacked."""

import hashlib
import logging
import lzma
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from db.errors import ExplorerError, first_line
from db.faults import shown_url
from db.private import private_folder
from db.settings import load_settings
from ingest.deadline import Deadline
from ingest.download import CONNECT_TIMEOUT, READ_TIMEOUT, refuse_busy
from ingest.public import PrivateError, public_session
from ingest.retry import Retries, Stopped, TransientError

VERSION = "1.4.0"
# From the release's own page.
CHECKSUMS = {"1.4.0": "7af3e90a4983fc87d0ee8c0f8c645349c6011d63efec489cfe734a74ed64d69c"}
TABLE = re.compile(r"(photos|keywords)\.[ct]sv[0-9]*")

_LOG = logging.getLogger(__name__)
HEAD_TIMEOUT = 60  # seconds for connecting and the head of the answer
_PIECE = 1 << 20
_DIGITS = 16  # of a length that can be one
_CLEAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,31}")

Tell = Callable[[str, float | None], None]


class Archive:
    """One release of the dataset, kept in a folder."""

    def __init__(self, base_url: str, version: str, folder: Path, retries: Retries) -> None:
        """Name the release.

        Args:
            base_url: where the releases are: the archive of version v is at `base_url/v`.
            version: such as 1.4.0, or latest.
            folder: where tables and what was downloaded so far are kept.
            retries: what to do about faults that may pass.

        Raises:
            ExplorerError: the version is no version.
        """
        if not _CLEAN.fullmatch(version):
            raise ExplorerError(f"--version {version} is none: write {VERSION}, or latest")
        self.version = version
        self._url = f"{base_url.rstrip('/')}/{version}"
        self._shown = shown_url(self._url)  # a mirror may want a password
        self._tables = folder / version
        self._part = folder / f"{version}.zip.part"
        self._validator = folder / f"{version}.zip.validator"
        self._retries = retries
        self._private = load_settings().private_hosts

    def tables(self, tell: Tell) -> Path:
        """The folder that holds the tables, downloaded and unpacked if they are not there.

        The archive itself is deleted then: nothing needs it any more.

        Args:
            tell: called with what is being done and how much of it is done, 0 to 1 or unknown.

        Raises:
            ExplorerError: the archive can't be had, or is not the one that was expected.
            Stopped: the retries' stop was set; what was downloaded stays.
        """
        if not self._tables.is_dir():
            private_folder(self._part.parent)
            self._download(tell)
            tell("Checking the archive", None)
            self._check()
            tell("Unpacking the archive", None)
            self._unpack()
            self._forget()
        return self._tables

    # ---- downloading

    def _download(self, tell: Tell) -> None:
        try:
            while not self._retries.call(lambda: self._go_on(tell)):
                pass
        except (TransientError, PrivateError, requests.exceptions.RequestException) as error:
            if self._retries.stop.is_set():
                raise Stopped from error
            raise ExplorerError(
                f"Can't download {self._shown}: {self._said(error)}. What is there of it stays: "
                "run it again to go on, or name the tables of a dataset that you have (--photos)"
            ) from error

    def _said(self, error: Exception) -> str:
        if isinstance(error, requests.exceptions.RequestException) and isinstance(
            error, ValueError
        ):
            return "that is no address (UNSPLASH_URL)"  # its own words quote a part of it
        return first_line(error).replace(self._url, self._shown)

    def _go_on(self, tell: Tell) -> bool:
        """Download what is missing; whether that is all.

        An attempt that got further counts as none: there may be many on the way to 700 MB.
        """
        before = self._size()
        try:
            self._attempt(tell)
        except TransientError:
            if self._size() <= before or self._retries.stop.is_set():
                raise
            return False
        return True

    def _attempt(self, tell: Tell) -> None:
        validator = self._known_validator()
        have = self._size() if validator else 0
        resume = {"Range": f"bytes={have}-", "If-Range": validator}
        # Compressed on the way, its bytes could not be counted.
        headers = {"Accept-Encoding": "identity", **(resume if have else {})}
        try:
            with self._asked(headers) as response:
                refuse_busy(response)
                if have and response.status_code == requests.codes.requested_range_not_satisfiable:
                    self._settle(response, have)
                    return
                self._receive(response, have, tell)
        except (requests.exceptions.Timeout, ReadTimeoutError) as error:
            raise TransientError("timed out") from error
        except requests.exceptions.ConnectionError as error:
            raise TransientError("no connection") from error
        except (HTTPError, HTTPException) as error:
            raise TransientError("cut short") from error

    def _asked(self, headers: dict[str, str]) -> requests.Response:
        """The head of the answer, which has a deadline; its body may take as long as it comes."""
        with public_session(private=self._private) as session, Deadline(HEAD_TIMEOUT) as deadline:
            try:
                response = session.get(
                    self._url, headers=headers, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), stream=True
                )
            except (OSError, HTTPError, HTTPException) as error:
                if deadline.passed:
                    raise TransientError("timed out") from error
                raise
        if deadline.passed:
            response.close()
            raise TransientError("timed out")
        return response

    def _known_validator(self) -> str:
        """What tells whether the rest belongs to the same file; "" where nothing does."""
        if not self._validator.is_file():
            return ""
        text = self._validator.read_text(encoding="utf-8", errors="replace")
        return text if text.isascii() and text.isprintable() else ""

    def _settle(self, response: requests.Response, have: int) -> None:
        """What a host says of a file that is there as a whole already, or has shrunk since."""
        if response.headers.get("Content-Range", "") != f"bytes */{have}":
            self._forget()
            raise TransientError("it has changed meanwhile")

    def _receive(self, response: requests.Response, have: int, tell: Tell) -> None:
        if response.status_code == requests.codes.partial_content:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                self._forget()
                raise TransientError("it was answered with another part")
        elif response.status_code == requests.codes.ok:
            have = 0
            self._remember(response)
        else:
            raise ExplorerError(
                f"Can't download {self._shown}: HTTP {response.status_code}. Check --version and "
                "UNSPLASH_URL, or name the tables of a dataset that you have (--photos)"
            )
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() and len(length) < _DIGITS else 0
        with self._part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while piece := response.raw.read1(_PIECE):
                have += file.write(piece)
                tell("Downloading the archive", have / total if total else None)
                if self._retries.stop.is_set():
                    raise TransientError("stopped")

    def _remember(self, response: requests.Response) -> None:
        """Keep what tells whether the rest, another time, belongs to the same file."""
        etag = response.headers.get("ETag", "")
        validator = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
        if validator:
            self._validator.write_text(validator)
        else:
            self._validator.unlink(missing_ok=True)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)

    # ---- checking and unpacking

    def _check(self) -> None:
        expected = CHECKSUMS.get(self.version)
        if expected is None:
            _LOG.warning(
                "no checksum is known of version %s: only the archive's own are checked",
                self.version,
            )
            with self._opened() as archive:
                broken = archive.testzip()
            if broken is not None:
                raise self._refusal(f"{broken} in it is broken")
            return
        with self._part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise self._refusal(f"its SHA-256 is {found}, not {expected}")

    def _unpack(self) -> None:
        """Unpack into a folder that gets its name when it is complete."""
        unpacking = self._tables.with_suffix(".unpacking")
        shutil.rmtree(unpacking, ignore_errors=True)
        unpacking.mkdir()
        with self._opened() as archive:
            wanted = list(self._members(archive))
            need, free = sum(m.file_size for m in wanted), shutil.disk_usage(unpacking).free
            if need > free:
                raise ExplorerError(
                    f"The tables of {self._shown} take {need >> 20:,} MB and {unpacking.parent} "
                    f"has {free >> 20:,} MB: free some space and run it again"
                )
            for member in wanted:
                # Flat: its folders, if it has any, tell nothing.
                name = Path(member.filename).name
                with archive.open(member) as packed, (unpacking / name).open("xb") as file:
                    shutil.copyfileobj(packed, file, _PIECE)
        unpacking.rename(self._tables)

    def _members(self, archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
        """The tables, once every name in the archive was found to stay inside a folder."""
        for member in archive.infolist():
            parts = re.split(r"[/\\]", member.orig_filename)
            link = stat.S_ISLNK(member.external_attr >> 16)
            if link or parts[0] == "" or ".." in parts or ":" in parts[0]:
                raise self._refusal(f"{member.orig_filename} in it leads out of its folder")
        found = [m for m in archive.infolist() if TABLE.fullmatch(Path(m.filename).name)]
        if not any(Path(m.filename).name.startswith("photos.") for m in found):
            raise self._refusal("it holds no table photos.csv000 or photos.tsv000")
        yield from found

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        """The archive; whatever is broken in it becomes a refusal."""
        try:
            with zipfile.ZipFile(self._part) as archive:
                yield archive
        except (
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
            struct.error,
            EOFError,
            OverflowError,
            RuntimeError,
            ValueError,
            FileExistsError,
        ) as error:
            # RuntimeError: it is encrypted, or packed in a way that Python doesn't know.
            raise self._refusal(first_line(error)) from error

    def _refusal(self, why: str) -> ExplorerError:
        """An error after which the download starts anew."""
        self._forget()
        return ExplorerError(
            f"{self._shown} is not the archive that it should be: {why}. It was deleted: run it "
            "again to download it anew, or name the tables of a dataset that you have (--photos)"
        )
