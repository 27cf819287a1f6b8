"""The files that a selection can become, by what people call them."""

from collections.abc import Callable
from dataclasses import dataclass

from classifier.exports import coco, fiftyone, label_studio, labels, places
from classifier.exports.entries import Selection

LABEL_STUDIO = "Label Studio"


@dataclass(frozen=True)
class Format:
    """A file that another program reads.

    Attributes:
        title: what to call it.
        ending: of the file's name, after the classifier's.
        mime: its media type.
        write: makes the file's content.
        hint: how to open it, where that is not plain, as Markdown.
    """

    title: str
    ending: str
    mime: str
    write: Callable[[Selection], str]
    hint: str = ""


FORMATS = (
    Format("Labels (CSV)", "-labels.csv", "text/csv", labels.to_csv),
    Format("Labels (JSONL)", "-labels.jsonl", "application/jsonl", labels.to_jsonl),
    Format("Paths or addresses, one a line", ".txt", "text/plain", places.to_lines),
    Format(
        "COCO",
        "-coco.json",
        "application/json",
        coco.to_json,
        "A category for each photo: the box is the whole photo where its size is known.",
    ),
    Format(
        "FiftyOne",
        "-fiftyone.json",
        "application/json",
        fiftyone.to_json,
        "`fiftyone.Dataset.from_dir(labels_path=FILE, "
        "dataset_type=fiftyone.types.FiftyOneImageClassificationDataset)` reads it, on this "
        "machine. It holds photos that are files; others are left out: write those to folders "
        "for yes and no, which `fiftyone.types.ImageClassificationDirectoryTree` reads.",
    ),
    Format(
        LABEL_STUDIO,
        "-label-studio.json",
        "application/json",
        label_studio.to_json,
        "Import it into a project with the labelling interface below. Photos of this machine are "
        "shown where Label Studio was started with `LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true` "
        "and `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=/`, and has their folder as local storage.",
    ),
)


@dataclass(frozen=True)
class FolderFormat:
    """Photos in a folder.

    Attributes:
        title: what to call it.
        by_class: whether yes and no get a folder each.
        link: whether files are linked.
        hint: how to open it, as Markdown.
    """

    title: str
    by_class: bool
    link: bool
    hint: str = ""


FOLDERS = (
    FolderFormat(
        "Copies in a folder, for Hugging Face datasets too",
        by_class=False,
        link=False,
        hint='`datasets.load_dataset("imagefolder", data_dir=FOLDER)` reads it.',
    ),
    FolderFormat("Links in a folder", by_class=False, link=True),
    FolderFormat(
        "A folder for yes and one for no (ImageFolder)",
        by_class=True,
        link=False,
        hint="`torchvision.datasets.ImageFolder(FOLDER)` reads it.",
    ),
)
