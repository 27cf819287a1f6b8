"""Which files are photos, by their names, and why the others are none."""

from pathlib import PurePath

# Lower case. A file's bytes decide what it is; its ending only whether they are looked at.
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp"),
        *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib"),
        *(".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"),
    }
)

NAMES = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC"

_LEFT_OUT = {
    "RAW files (export them as JPEG)": "3fr ari arw cr2 cr3 crw dcr dng erf fff iiq k25 kdc mef "
    "mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f",
    "videos": "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv webm wmv",
    "drawings (export them as PNG)": "ai eps pdf svg svgz",
    "pictures of kinds that are not read (export them as JPEG)": "cur exr ico icns j2k jp2 jpx jxl "
    "jxr hdr pcx pgm pict pnm ppm psb psd tga wdp xcf",
}
_REASONS = {f".{ending}": reason for reason, words in _LEFT_OUT.items() for ending in words.split()}

# Copies, waste and programs' own pictures that machines keep beside photos.
_FOLDERS = frozenset({"@eadir", "#recycle", "$recycle.bin", "node_modules", "__macosx"})


def suffix(name: str) -> str:
    """The ending of a file's name, with its dot, in lower case."""
    return PurePath(name).suffix.lower()


def reason_of_file(name: str) -> str | None:
    """Why a file of that name is left out; None for a photo; "" for what is no picture at all."""
    ending = suffix(name)
    if name.startswith("."):
        return "hidden files" if ending in SUFFIXES else ""
    return None if ending in SUFFIXES else _REASONS.get(ending, "")


def reason_of_folder(name: str) -> str | None:
    """Why a folder of that name is left out, or None."""
    if name.lower() in _FOLDERS or name.startswith(".Trash-"):
        return "folders of waste or of programs"
    return "hidden folders" if name.startswith(".") else None
