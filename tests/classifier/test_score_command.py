import csv
import os
import sys
from datetime import UTC, datetime
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from classifier.__main__ import main
from classifier.clip import Clip, load_clip
from classifier.exports.cells import plain
from classifier.exports.snippet import scoring_code
from classifier.weight import to_safetensors
from db.classifiers import SavedClassifier
from ingest.sources import read_url
from tests.checkpoints import make_checkpoint, make_siglip
from tests.conftest import unit_vectors
from tests.ingest.photos import photo_bytes, write_broken, write_photos


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return load_clip(str(make_checkpoint(tmp_path_factory.mktemp("models") / "small")))


def saved(clip: Clip, **other: object) -> SavedClassifier:
    facts = {
        "id": "an-id", "name": "Lakes", "collection": "photos", "model": clip.model_id,
        "fingerprint": clip.fingerprint, "prompt": "a lake", "session": "", "method": "whitened",
        "rounds": 1, "ups": 1, "downs": 1, "weight": unit_vectors(1)[0],
        "created": datetime.now(UTC),
    }  # fmt: skip
    return SavedClassifier(**{**facts, **other})


@pytest.fixture
def weight(tmp_path: Path, clip: Clip) -> Path:
    path = tmp_path / "Lakes.safetensors"
    path.write_bytes(to_safetensors(saved(clip), 0.01))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 40)


def scores(clip: Clip, paths: list[Path]) -> np.ndarray:
    return clip.encode_images([read_url(path.as_uri()) for path in paths]) @ unit_vectors(1)[0]


def test_every_image_below_a_folder_is_scored(
    clip: Clip, weight: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_broken(folder)
    (folder / "=1.jpg").write_bytes((folder / "001.jpg").read_bytes())
    assert main(["score", str(weight), str(folder)]) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(StringIO(told.out)))
    paths = [Path(plain(row["path"])) for row in rows]
    assert paths == sorted(paths)
    assert len(rows) == 41
    expected = scores(clip, paths)
    assert [float(row["score"]) for row in rows] == pytest.approx(expected, abs=2e-3)
    assert [row["kept"] for row in rows] == [str(int(float(r["score"]) >= 0.01)) for r in rows]
    lines = told.err.splitlines()
    assert f"skipping {folder}/000-note.jpg: not a JPEG, PNG" in lines[0]
    assert f"skipping {folder}/999-gone.jpg: No such file or directory" in told.err
    kept = sum(row["kept"] == "1" for row in rows)
    assert lines[-1] == f"{kept} of 41 images score at least 0.010, 4 skipped"


def test_a_new_file_takes_the_csv_and_none_is_overwritten(
    weight: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    call = ["score", str(weight), str(folder), "--out", str(out), "--threshold", "-1"]
    assert main([*call, "--exclude", "00*"]) == 0
    assert capsys.readouterr().out == ""
    rows = list(csv.DictReader(StringIO(out.read_text())))
    assert len(rows) == 30
    assert {row["kept"] for row in rows} == {"1"}
    before = out.read_bytes()
    assert main(call) == 1
    assert capsys.readouterr().err == f"error: {out} is there already: name a new file\n"
    assert out.read_bytes() == before


def test_what_cant_be_scored_is_one_line(
    clip: Clip, weight: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, long, bad = (tmp_path / f"{name}.safetensors" for name in ("other", "long", "bad"))
    other.write_bytes(to_safetensors(saved(clip, fingerprint="0123456789abcdef"), 0.1))
    long.write_bytes(to_safetensors(saved(clip, weight=np.ones(768, np.float32)), 0.1))
    bad.write_bytes(save({"a": np.ones(3, np.float32)}))
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.jpg").write_text("no image")
    for call, text in [
        ([other, folder], "with the fingerprint 0123456789abcdef, and "),
        ([long, folder], ", 768 numbers each, and "),
        ([bad, folder], f"{bad} is no classifier of this program: it does not tell its name"),
        ([tmp_path / "none", folder], f"Can't read {tmp_path / 'none'}: No such file"),
        ([folder, folder], f"Can't read {folder}: Is a directory"),
        ([weight, tmp_path / "none"], "is not a folder: give one that holds images"),
        ([weight, tmp_path / "empty"], "holds no images (of JPEG"),
        ([weight, broken], f"No image in {broken} could be read"),
        ([weight, broken, "--out", tmp_path / "none.csv"], f"No image in {broken} could be read"),
        ([weight, folder, "--out", tmp_path / "none" / "x.csv"], "No such file or directory"),
        ([weight, folder, "--model", tmp_path / "nothing"], "there is no such folder"),
    ]:
        assert main(["score", *map(str, call)]) == 1
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("error: ")
        assert text in last
    assert not (tmp_path / "none.csv").exists()


def test_what_is_printed_is_utf_8_and_may_end_early(
    weight: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "caf\u00e9.jpg").write_bytes((folder / "001.jpg").read_bytes())
    call = ["score", str(weight), str(folder)]
    printed = BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", TextIOWrapper(printed, encoding="ascii", write_through=True))
        assert main(call) == 0
        assert f"{folder}/caf\u00e9.jpg," in printed.getvalue().decode("utf-8")
    capfd.readouterr()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as nobody, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", nobody)
        assert main(call) == 141
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("text", ["much", "nan", "inf"])
def test_a_threshold_is_a_number(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["score", "x", "y", "--threshold", text])
    assert f"'{text}' is not a score: write a number from -1 to 1" in capsys.readouterr().err


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a file is left open
@pytest.mark.parametrize("family", ["clip", "siglip", "naflex"])
def test_the_twelve_lines_give_the_same_scores(
    family: str,
    clip: Clip,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if family != "clip":
        clip = load_clip(str(make_siglip(tmp_path / family, naflex=family == "naflex")))
    weight = unit_vectors(1)[0][: clip.dimension]
    saved_one = saved(clip, weight=weight / np.linalg.norm(weight))
    (tmp_path / "Lakes.safetensors").write_bytes(to_safetensors(saved_one, 0.01))
    for number, name in enumerate(("IMG_1.JPG", "sub/a.jpeg", "sub/B.JPEG")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / f"00{number}.jpg").read_bytes())
    for name, content in (("broken.jpg", b"no image"), ("cut.jpg", photo_bytes(1)[:900])):
        (folder / name).write_bytes(content)
    code = scoring_code("Lakes.safetensors", clip.model_id, 0.01)
    assert len(code.splitlines()) == 12
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["score.py", "photos"])
    exec(code, {})  # noqa: S102 -- as the page shows it
    told = capsys.readouterr()
    rows = [line.split("\t") for line in told.out.splitlines()]
    assert [line.split()[:2] for line in told.err.splitlines() if line.startswith("skip")] == [
        ["skipped", "photos/broken.jpg"],
        ["skipped", "photos/cut.jpg"],
    ]
    images = [read_url(Path(path).resolve().as_uri()) for _, _, path in rows]
    assert len(rows) == 43
    expected = clip.encode_images(images) @ saved_one.weight
    assert [float(row[0]) for row in rows] == pytest.approx(expected, abs=2e-3)
    assert [row[1] for row in rows] == [
        "kept" if float(row[0]) >= 0.01 else "left out" for row in rows
    ]


def test_the_lines_name_the_checkpoint_as_transformers_takes_it(tmp_path: Path) -> None:
    assert 'from_pretrained("' not in scoring_code("x", "a/b", 0)
    assert "AutoModel.from_pretrained('a/b')\n" in scoring_code("x", "a/b", 0)
    assert "from_pretrained('a/b', revision='v1')\n" in scoring_code("x", "a/b@v1", 0)
    at = tmp_path / "a@b"
    at.mkdir()
    assert f"from_pretrained({str(at)!r})\n" in scoring_code("x", str(at), 0)
    assert f"from_pretrained({str(at)!r})\n" in scoring_code("x", "sample", 0, at)
    hostile = scoring_code("'); import os #", "a'b{}", 0)
    compile(hostile, "snippet", "exec")
