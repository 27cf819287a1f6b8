import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ingest import images
from ingest.budget import Budget
from ingest.images import decode, full_size

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 0)
ORIENTATION = 0x0112
NOT_AN_IMAGE = r"^not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC image$"

# What a viewer has to do with the stored pixels to see them upright, and the opposite, by the
# numbers of the EXIF standard.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def four_corners() -> Image.Image:
    """48 x 32 pixels, each quarter of another colour, so that no turn looks like another."""
    image = Image.new("RGB", (48, 32), RED)
    image.paste(GREEN, (24, 0, 48, 16))
    image.paste(BLUE, (0, 16, 24, 32))
    image.paste(YELLOW, (24, 16, 48, 32))
    return image


def saved(image: Image.Image, form: str, **options: Any) -> BytesIO:
    file = BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


def pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(image)


def noise(side: int = 64) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_exif_orientation_is_applied_to_the_pixel(orientation: int, form: str) -> None:
    turn = STORED_AS[orientation]
    stored = four_corners() if turn is None else four_corners().transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    upright = decode(saved(stored, form, exif=exif.tobytes(), **options))
    np.testing.assert_array_equal(pixels(upright), pixels(four_corners()))


@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_jpeg_is_turned_upright_too(orientation: int) -> None:
    turn = STORED_AS[orientation]
    stored = four_corners() if turn is None else four_corners().transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    upright = decode(saved(stored, "JPEG", quality=100, subsampling=0, exif=exif.tobytes()))
    assert upright.size == (48, 32)
    difference = pixels(upright).astype(int) - pixels(four_corners()).astype(int)
    assert np.abs(difference).max() < 8


def test_an_image_without_exif_stays_as_it_is() -> None:
    image = decode(saved(four_corners(), "PNG"))
    np.testing.assert_array_equal(pixels(image), pixels(four_corners()))


@pytest.mark.parametrize(
    ("mode", "stored", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("LA", (77, 255), (77, 77, 77)),
        ("LA", (77, 0), (255, 255, 255)),
    ],
)
def test_every_mode_of_a_png_becomes_rgb(mode: str, stored: Any, expected: Any) -> None:
    image = decode(saved(Image.new(mode, (8, 6), stored), "PNG"))
    assert (image.mode, image.size, image.getpixel((3, 3))) == ("RGB", (8, 6), expected)


def test_half_transparent_pixels_are_half_white() -> None:
    image = decode(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"))
    assert image.getpixel((0, 0)) == (127, 127, 127)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_palette_gives_its_colours(form: str) -> None:
    palette = four_corners().quantize(4)
    image = decode(saved(palette, form))
    assert image.mode == "RGB"
    np.testing.assert_array_equal(pixels(image), pixels(palette.convert("RGB")))


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_transparent_palette_entry_becomes_white(form: str) -> None:
    palette = Image.new("P", (8, 4), 1)
    palette.putpalette([*RED, *GREEN, *BLUE])
    palette.paste(0, (0, 0, 4, 4))
    image = decode(saved(palette, form, transparency=0))
    assert (image.getpixel((0, 0)), image.getpixel((6, 2))) == ((255, 255, 255), GREEN)


def test_a_transparent_colour_of_an_rgb_png_becomes_white() -> None:
    image = decode(saved(four_corners(), "PNG", transparency=RED))
    assert (image.getpixel((0, 0)), image.getpixel((40, 0))) == ((255, 255, 255), GREEN)


def test_a_cmyk_jpeg_shows_its_colour() -> None:
    image = decode(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100))
    red, green, blue = image.getpixel((8, 8))  # type: ignore[misc]
    assert (image.mode, red > 245, green < 10, blue < 10) == ("RGB", True, True, True)


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 256, 32768, 65535]], dtype=np.uint16)
    image = decode(saved(Image.fromarray(values), "PNG"))
    assert pixels(image)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_an_animated_gif_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    image = decode(saved(first, "GIF", save_all=True, append_images=[second]))
    assert image.getpixel((4, 4)) == RED


def test_an_animated_webp_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    file = saved(first, "WEBP", save_all=True, append_images=[second], lossless=True)
    assert decode(file).getpixel((4, 4)) == RED


def test_the_ending_of_the_name_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really a png.jpg"
    path.write_bytes(saved(four_corners(), "PNG").getvalue())
    np.testing.assert_array_equal(pixels(decode(path)), pixels(four_corners()))


@pytest.mark.parametrize("body", [b"", b"<html>no photo here</html>", b"\x00" * 500, b"\xff"])
def test_what_is_no_image_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=NOT_AN_IMAGE):
        decode(BytesIO(body))


@pytest.mark.parametrize("form", ["EPS", "ICO", "PPM", "JPEG2000"])
def test_an_image_of_another_kind_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=NOT_AN_IMAGE):
        decode(saved(four_corners(), form))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP"])
def test_what_is_there_of_an_image_cut_short_is_shown_on_white(form: str) -> None:
    whole = gradient(96, 128)
    options = {"GIF": {"interlace": 0}, "JPEG": {"quality": 100, "subsampling": 0}}
    body = saved(whole, form, **options.get(form, {})).getvalue()
    image = pixels(decode(BytesIO(body[: int(len(body) * 0.6)]))).astype(int)
    white = (image == 255).all(axis=2).all(axis=1)
    there = np.flatnonzero(~white)
    assert 40 < len(there) < 110
    # A BMP begins at the bottom.
    assert there.tolist() == list(range(there[0], there[-1] + 1))
    assert (there[-1] == 127) if form == "BMP" else (there[0] == 0)
    inner = there[1:-1]  # the last row may be there in part
    assert np.abs(image[inner] - pixels(whole).astype(int)[inner]).max() < 24


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_an_image_that_is_mostly_missing_is_refused(form: str) -> None:
    body = saved(noise(128), form).getvalue()
    with pytest.raises(ValueError, match=r"^(image cut short|broken image|not a .* image)$"):
        decode(BytesIO(body[: len(body) // 8]))


@pytest.mark.parametrize("form", ["WEBP", "AVIF"])
def test_a_kind_of_which_no_part_can_be_shown_is_refused(form: str) -> None:
    body = saved(noise(128), form).getvalue()
    with pytest.raises(ValueError, match=r"^(image cut short|broken image)$"):
        decode(BytesIO(body[: len(body) * 9 // 10]))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_its_end_marker_is_whole(options: dict[str, Any]) -> None:
    body = saved(gradient(96, 128), "JPEG", quality=95, **options).getvalue()
    assert body.endswith(b"\xff\xd9")
    np.testing.assert_array_equal(pixels(decode(BytesIO(body[:-2]))), pixels(decode(BytesIO(body))))
    np.testing.assert_array_equal(
        pixels(decode(BytesIO(body[:-2]), 32)), pixels(decode(BytesIO(body), 32))
    )


def test_a_photo_of_two_pictures_as_telephones_make_them_gives_the_first() -> None:
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    red, _, blue = decode(  # type: ignore[misc]
        saved(first, "MPO", save_all=True, append_images=[second])
    ).getpixel((8, 8))
    assert red > 245
    assert blue < 10


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_damaged_bytes_end_in_an_image_or_a_refusal_and_nothing_else(form: str) -> None:
    body = saved(noise(32), form).getvalue()
    rng = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(body)
        for place in rng.integers(0, len(body), size=3):
            damaged[place] = rng.integers(256)
        try:
            image = decode(BytesIO(bytes(damaged)))
        except (OSError, ValueError):
            continue
        assert image.mode == "RGB"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "gone.jpg")


def test_a_decompression_bomb_is_refused_by_its_megapixels() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = struct.pack(">I", 99) + b"IDAT" + bytes(103)
    with pytest.raises(ValueError, match=r"^more than 250 megapixels$"):
        decode(BytesIO(b"\x89PNG\r\n\x1a\n" + chunk + data))


def test_an_image_that_takes_too_much_memory_is_refused_with_what_it_would_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "BUDGET", Budget(1_000_000))
    assert decode(saved(gradient(200, 300), "PNG")).size == (200, 300)
    with pytest.raises(ValueError, match=r"^needs 0\.0 GB of memory: make it smaller, or save it"):
        decode(saved(gradient(600, 600), "PNG"))


def test_sloppy_exif_does_not_keep_a_photo_from_being_turned(tmp_path: Path) -> None:
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    # YCbCrPositioning is a number, not a text.
    sloppy = struct.pack("<HHI4s", 0x0213, 2, 4, b"cen\0")
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + orientation + sloppy + bytes(4)
    path = tmp_path / "sloppy.jpg"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    assert decode(path).size == (20, 40)


def test_of_a_strip_the_middle_is_read(tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    strip = Image.new("RGB", (2, 1000), RED)
    strip.paste(GREEN, (0, 451, 2, 549))
    strip.save(path)
    image = decode(path)
    assert (image.size, full_size(image)) == ((2, 100), (2, 1000))
    assert image.getpixel((0, 0)) == RED
    assert image.getpixel((1, 50)) == GREEN
    strip.resize((2, 100)).save(path)
    assert decode(path).size == (2, 100)


# --- as many pixels as will do ----------------------------------------------------------------


def gradient(width: int, height: int) -> Image.Image:
    """Smooth, and without a symmetry."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, (x + y) / 4], axis=-1).astype(np.uint8))


@pytest.mark.parametrize(
    ("side", "read"),
    [
        (None, (801, 1200)),
        (1000, (801, 1200)),
        (401, (801, 1200)),
        (400, (401, 600)),
        (201, (401, 600)),
        (200, (201, 300)),
        (100, (101, 150)),
        (32, (101, 150)),
    ],
)
def test_a_jpeg_of_twice_the_side_or_more_is_read_smaller(
    side: int | None, read: tuple[int, int]
) -> None:
    image = decode(saved(gradient(801, 1200), "JPEG"), side)
    assert (image.mode, image.size, full_size(image)) == ("RGB", read, (801, 1200))


def test_a_smaller_read_shows_the_same_picture() -> None:
    whole = gradient(800, 1200)
    reduced = decode(saved(whole, "JPEG", quality=95), 200)
    expected = pixels(whole.resize(reduced.size, Image.Resampling.BOX)).astype(int)
    assert np.abs(pixels(reduced).astype(int) - expected).max() < 8


@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_smaller_read_is_upright_and_knows_the_size_of_the_upright_file(
    orientation: int,
) -> None:
    turn = STORED_AS[orientation]
    picture = four_corners().resize((960, 640), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = picture if turn is None else picture.transpose(turn)
    image = decode(saved(stored, "JPEG", quality=95, exif=exif.tobytes()), 160)
    assert (image.size, full_size(image)) == ((240, 160), (960, 640))
    for place, colour in {(60, 40): RED, (180, 40): GREEN, (60, 120): BLUE}.items():
        assert np.abs(np.subtract(image.getpixel(place), colour)).max() < 8


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_other_formats_are_read_whole(form: str) -> None:
    image = decode(saved(gradient(400, 300), form), 100)
    assert image.size == full_size(image) == (400, 300)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_in_grey_or_for_print_is_read_smaller_too(mode: str) -> None:
    image = decode(saved(gradient(400, 300).convert(mode), "JPEG"), 75)
    assert (image.mode, image.size, full_size(image)) == ("RGB", (100, 75), (400, 300))


def test_a_jpeg_cut_short_is_judged_when_read_smaller_too() -> None:
    body = saved(noise(512), "JPEG").getvalue()
    half = pixels(decode(BytesIO(body[: len(body) // 2]), 64))
    assert half.shape == (64, 64, 3)
    assert (half[-24:] == 255).all()
    assert half[:24].mean() < 200
    with pytest.raises(ValueError, match=r"^image cut short$"):
        decode(BytesIO(body[: len(body) // 8]), 64)


def test_an_image_from_elsewhere_has_the_size_it_has() -> None:
    assert full_size(gradient(30, 20)) == (30, 20)


def test_a_decoded_image_outlives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    gradient(64, 48).save(path)
    image = decode(path)
    path.unlink()
    assert image.resize((8, 6)).size == (8, 6)
    np.testing.assert_array_equal(pixels(image.copy()), pixels(image))
