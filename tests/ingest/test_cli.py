import functools
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

import ingest.__main__ as command_line
from db.settings import ROOT, load_settings
from ingest.__main__ import main
from ingest.pipeline import Order
from ingest.sample import CHECKPOINT
from tests.ingest.photos import photo_bytes, write_broken, write_photos
from tests.photo_host import Answer, photo_host

Environ = dict[str, str]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def elsewhere(tmp_path: Path, model: str) -> Environ:
    """The environment of a process that keeps everything in a folder of the test."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "EXPLORER_DATA": str(tmp_path / "data"),
        "CLIP_MODEL": model,
        "HF_HUB_OFFLINE": "1",
    }


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    database_url: str,
    model: str,
) -> Run:
    """Runs a command in this process, against a database of the test's own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CLIP_MODEL", model)
    monkeypatch.setenv("UNSPLASH_URL", "http://127.0.0.1:9/nobody")

    def run_main(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run_main


def in_a_process(*arguments: object, environ: Environ) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest", *map(str, arguments)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(text: str) -> str:
    """The last line of what a terminal shows: a bar is drawn over itself."""
    return text.strip().splitlines()[-1].rsplit("\r", 1)[-1]


# --- in a process of its own ------------------------------------------------------------------


def test_a_folder_twice_and_then_the_status(photos: Path, elsewhere: Environ) -> None:
    first = in_a_process("folder", photos, environ=elsewhere)
    assert (first.returncode, first.stdout) == (
        0,
        "10 photos in photos, 10 added, 0 already there, 0 skipped\n",
    ), first.stderr
    assert "10/10" in first.stderr
    again = in_a_process("folder", photos, environ=elsewhere)
    assert (again.returncode, again.stdout) == (
        0,
        "10 photos in photos, 0 added, 10 already there, 0 skipped\n",
    ), again.stderr
    status = in_a_process("status", environ=elsewhere)
    engine, collection = status.stdout.splitlines()
    assert re.fullmatch(r"engine: chDB \(embedded\) [\d.]+ at chdb:///.*/database", engine)
    model = elsewhere["CLIP_MODEL"]
    assert collection == f"photos: 10 photos, model {model}, index built, from folder {photos}"
    assert (status.returncode, status.stderr) == (0, "")


def test_a_model_that_can_not_be_had_is_one_line(photos: Path, elsewhere: Environ) -> None:
    done = in_a_process("folder", photos, "--model", "someone/nothing", environ=elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    line = last_line(done.stderr)
    assert line.startswith("error: Can't load the CLIP model someone/nothing: ")
    assert line.endswith(
        "Without the internet, set CLIP_MODEL or --model to a folder that holds a checkpoint, "
        "or to sample"
    )


def test_a_second_process_is_told_who_holds_the_database(
    tmp_path: Path, elsewhere: Environ
) -> None:
    path = tmp_path / "data" / "database"
    hold = f"from db.connection import connect; c = connect('chdb://{path}'); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=ROOT,
        env=elsewhere,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = in_a_process("status", environ=elsewhere)
        holder.communicate("\n")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        f"error: {path}/status is locked by process {holder.pid}, and the embedded database "
        "serves one process: stop that one, or, if it is the app, load photos from its "
        "Collection page\n",
    )
    free = in_a_process("status", environ=elsewhere)
    assert (free.returncode, free.stderr) == (0, "")


@pytest.mark.skipif(not CHECKPOINT.is_dir(), reason="the sample's model is not there yet")
def test_the_sample_needs_nothing_but_the_program(elsewhere: Environ) -> None:
    del elsewhere["CLIP_MODEL"]
    done = in_a_process("sample", "--limit", 5, environ=elsewhere)
    assert (done.returncode, done.stdout) == (
        0,
        "5 photos in sample, 5 added, 0 already there, 0 skipped\n",
    ), done.stderr


# --- what a run says --------------------------------------------------------------------------


def test_skipped_files_are_named_as_they_come(run: Run, photos: Path) -> None:
    write_broken(photos)
    status, out, err = run("folder", photos, "--collection", "mine", "--batch-size", 3)
    assert status == 0
    assert out.startswith("10 photos in mine, 10 added, 0 already there, 4 skipped (")
    named = [line.rsplit("\r", 1)[-1] for line in err.splitlines() if "skipping" in line]
    assert f"skipping {(photos / '005-cut.jpg').as_uri()}: image cut short" in named
    assert len(named) == 4


def test_the_limit_and_the_collection_are_obeyed(run: Run, photos: Path) -> None:
    assert run("folder", photos, "--limit", 3, "--collection", "few")[1] == (
        "3 photos in few, 3 added, 0 already there, 0 skipped\n"
    )
    assert run("folder", photos, "--limit", 5, "--collection", "few")[1] == (
        "5 photos in few, 2 added, 3 already there, 0 skipped\n"
    )


def test_a_named_model_wins_over_the_setting(run: Run, photos: Path, other_model: str) -> None:
    run("folder", photos, "--model", other_model, "--limit", 1)
    assert f"model {other_model}, index built" in run("status")[1]


def test_another_model_than_the_collections_is_one_line(
    run: Run, photos: Path, other_model: str
) -> None:
    run("folder", photos, "--limit", 1)
    status, out, err = run("folder", photos, "--model", other_model)
    assert (status, out) == (1, "")
    assert last_line(err).startswith("error: The vectors of photos were made with ")


def test_an_unsplash_table_fills_the_default_collection(run: Run, tmp_path: Path) -> None:
    with photo_host() as host:
        files = []
        for part in range(2):
            file = tmp_path / f"photos.tsv00{part}"
            url = host.serve(f"/{part}", Answer(photo_bytes(part)))
            file.write_text(f"photo_id\tphoto_image_url\nid{part}\t{url}\n")
            files.append(file)
        status, out, _ = run("unsplash", "--photos", *files)
    assert (status, out) == (
        0,
        "2 photos in unsplash_25k, 2 added, 0 already there, 0 skipped\n",
    )
    assert "from Unsplash photos.tsv000, photos.tsv001" in run("status")[1]


def test_without_a_table_the_archive_is_downloaded_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with photo_host() as host:
        photos = "photo_id\tphoto_image_url\n" + "".join(
            f"id{n}\t{host.serve(f'/{n}', Answer(photo_bytes(n)))}\n" for n in range(3)
        )
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("photos.csv000", photos)
            archive.writestr("keywords.csv000", "photo_id\tkeyword\nid1\tlake\n")
        host.serve("/lite/1.3.0", Answer(packed.getvalue()))
        monkeypatch.setenv("UNSPLASH_URL", f"{host.url}/lite")
        first = run("unsplash", "--version", "1.3.0", "--image-size", 48, "--limit", 2)
        again = run("unsplash", "--version", "1.3.0")
    assert first[:2] == (0, "2 photos in unsplash_25k, 2 added, 0 already there, 0 skipped\n")
    assert again[1] == "3 photos in unsplash_25k, 1 added, 2 already there, 0 skipped\n"
    assert host.asked.count("/lite/1.3.0") == 1
    assert "/1?w=48&h=48&fit=crop&fm=jpg&q=85" in host.asked
    assert "from Unsplash Lite 1.3.0" in run("status")[1]


def test_an_archive_that_can_not_be_had_is_one_line(run: Run) -> None:
    status, out, err = run("unsplash")
    assert (status, out) == (1, "")
    assert last_line(err).startswith("error: Can't download http://127.0.0.1:9/nobody/1.4.0: ")


def test_failures_are_listed_and_tried_again_on_request(run: Run, tmp_path: Path) -> None:
    with photo_host() as host:
        table = tmp_path / "photos.csv000"
        good, gone = (host.serve(path, Answer(photo_bytes(1))) for path in ("/good", "/gone"))
        host.serve("/gone", Answer(b"", 404))
        table.write_text(f"photo_id,photo_image_url\ngood,{good}\ngone,{gone}\n")
        first = run("unsplash", "--photos", table)[1]
        assert first.endswith("1 skipped (1 HTTP 404)\n")
        assert "1 failed (status --failures lists them)" in run("status")[1]
        header, failure = (line.split("\t") for line in run("status", "--failures")[1].splitlines())
        assert header == ["collection", "id", "url", "reason", "when"]
        assert failure[:4] == ["unsplash_25k", "gone", gone, "HTTP 404"]
        assert run("unsplash", "--photos", table)[1].endswith("1 known to fail not tried again\n")
        host.serve("/gone", Answer(photo_bytes(2)))
        last = run("unsplash", "--photos", table, "--retry-failed")[1]
    assert last == "2 photos in unsplash_25k, 1 added, 1 already there, 0 skipped\n"
    assert run("status", "--failures")[1] == "collection\tid\turl\treason\twhen\n"


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b"])
def test_a_part_that_is_none_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str], shard: str
) -> None:
    with pytest.raises(SystemExit):
        run("sample", "--shard", shard)
    assert "is not a part of a whole: write i/n, from 1/n to n/n" in capsys.readouterr().err


def test_the_status_of_an_empty_database_says_how_to_begin(run: Run) -> None:
    status, printed, _ = run("status")
    assert (status, printed.splitlines()[1:]) == (
        0,
        ["no collections yet: python -m ingest sample"],
    )


def test_the_status_lists_every_collection(run: Run, photos: Path, tmp_path: Path) -> None:
    more = write_photos(tmp_path / "more", 2)
    run("folder", photos)
    run("folder", more)
    lines = run("status")[1].splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["photos: 10 photos", "more: 2 photos"]


def test_an_interrupted_run_says_how_to_go_on(
    run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "load", interrupted)
    status, out, err = run("folder", photos)
    assert (status, out) == (130, "")
    assert last_line(err) == "stopped: what is in the table stays; run the same command to go on"


# --- what a run refuses -----------------------------------------------------------------------


def assert_one_line(said: tuple[int, str, str], line: str) -> None:
    status, out, err = said
    assert (status, out) == (1, "")
    assert "Traceback" not in err
    assert last_line(err) == f"error: {line}"


def test_a_folder_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    line = f"{nowhere} is not a folder: give one that holds images"
    assert_one_line(run("folder", nowhere), line)


def test_a_name_that_no_table_can_have_is_one_line(run: Run, photos: Path) -> None:
    line = (
        "'my photos' can't name a collection: use 1 to 64 letters, digits and underscores, "
        "not starting with a digit"
    )
    assert_one_line(run("folder", photos, "--collection", "my photos"), line)


def test_a_table_of_something_else_is_one_line(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "keywords.tsv000"
    table.write_text("keyword\tscore\nlake\t1\n")
    line = (
        f"{table} has no column photo_id and no column photo_image_url, of 2. "
        "Give the photos table of the Unsplash dataset"
    )
    assert_one_line(run("unsplash", "--photos", table), line)


def test_a_precision_that_there_is_not_is_refused(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["folder", str(photos), "--precision", "int8"])
    assert "argument --precision: invalid choice: 'int8'" in capsys.readouterr().err


def test_the_precision_reaches_the_load(
    photos: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Order] = []
    monkeypatch.setattr(command_line, "_load", lambda order, settings: loaded.append(order))
    run("folder", photos)
    run("folder", photos, "--precision", "bfloat16")
    assert [order.precision for order in loaded] == ["float32", "bfloat16"]


@pytest.mark.parametrize("option", ["--limit", "--batch-size"])
@pytest.mark.parametrize("number", ["0", "-3", "many", "1.5", ""])
def test_a_number_that_is_none_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str], option: str, number: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        run("sample", option, number)
    assert stop.value.code == 2
    assert f"argument {option}: " in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("films",), ("folder",)])
def test_a_command_that_is_none_is_refused_with_the_usage(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m ingest")


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            "chdb://data/x",
            "DATABASE_URL=chdb://data/x is not an absolute path: write chdb:///absolute/path",
        ),
        (
            "localhost",
            "DATABASE_URL has no scheme: write chdb:///absolute/path, "
            "or https://user:password@host:443/database",
        ),
    ],
)
def test_a_database_that_can_not_be_meant_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str, line: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert_one_line(run("status"), line)


def test_secrets_that_are_not_toml_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("DATABASE_URL = ")
    monkeypatch.setattr(
        command_line, "load_settings", functools.partial(load_settings, secrets=secrets)
    )
    status, out, err = run("status")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith(f"error: {secrets} is not valid TOML (")


def test_a_data_folder_that_can_not_be_made_is_one_line(tmp_path: Path, elsewhere: Environ) -> None:
    (tmp_path / "a file").write_text("")
    elsewhere["EXPLORER_DATA"] = str(tmp_path / "a file" / "data")
    done = in_a_process("status", environ=elsewhere)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert last_line(done.stderr).startswith("error: Can't open the embedded database in ")


# --- another source ---------------------------------------------------------------------------


def test_another_folder_of_the_same_name_is_asked_about(
    run: Run, photos: Path, tmp_path: Path
) -> None:
    run("folder", photos)
    other = write_photos(tmp_path / "more" / "photos", 2)
    line = (
        f"photos holds photos from folder {photos}, and none from folder {other}: --into photos "
        "puts them beside each other, --collection NAME keeps them apart"
    )
    assert_one_line(run("folder", other), line)
    assert_one_line(run("folder", other, "--collection", "photos"), line)
    assert run("folder", other, "--into", "photos")[1].startswith("12 photos in photos, 2 added")
    (other / "001.jpg").unlink()
    assert "0 changed, 0 moved, 1 gone (--prune" in run("folder", other)[1]
    assert run("folder", other, "--prune")[1] == (
        "11 photos in photos, 0 added, 1 already there, 0 changed, 0 moved, 1 gone and taken out, "
        "0 skipped\n"
    )


def test_nothing_is_mixed_into_the_sample(run: Run, photos: Path) -> None:
    assert run("sample", "--limit", 2)[0] == 0
    status, _, err = run("folder", photos, "--collection", "sample", "--model", "sample")
    assert status == 1
    assert last_line(err).startswith("error: sample holds photos from drawn scenes, and none from ")
