from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPImageProcessorPil

from classifier import preprocess
from classifier.preprocess import Pixels, preparer

# Width and height: square, 3:2 and 4:3, where a part is resized and where the whole is.
SHAPES = [(224, 224), (225, 225), (448, 448), (672, 448), (448, 672), (600, 400), (640, 480)]
SHAPES += [(480, 640), (1920, 1080), (999, 1000), (223, 224), (224, 223), (230, 224), (224, 231)]
SMALL = [(1, 1), (2, 3), (7, 5), (33, 32), (100, 57), (223, 223), (150, 100), (6, 4)]
STRIPS = [(1, 50), (50, 1), (1, 2), (3, 149), (149, 3), (20, 1000), (1000, 20), (21, 1050), (9, 31)]


def reference(processor: CLIPImageProcessorPil, image: Image.Image) -> Pixels:
    """What the library makes of an image."""
    pixels: Pixels = processor(image, return_tensors="np")["pixel_values"][0]
    return pixels


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Pixels that have nothing to do with their neighbours: no shift goes unseen."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def assert_the_librarys(processor: CLIPImageProcessorPil, image: Image.Image) -> None:
    ours, theirs = preparer(processor)(image), reference(processor, image)
    assert (ours.shape, ours.dtype) == (theirs.shape, np.float32)
    assert ours.flags.c_contiguous
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5, err_msg=str(image.size))


@pytest.mark.parametrize("size", SHAPES + SMALL + STRIPS)
def test_an_image_becomes_what_the_library_makes_of_it(size: tuple[int, int]) -> None:
    assert_the_librarys(CLIPImageProcessorPil(), noise(*size))


@pytest.mark.parametrize("seed", range(60))
def test_images_of_any_size_become_what_the_library_makes_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    short = int(rng.integers(1, 300))
    long = int(short * rng.uniform(1, 50 if seed % 3 == 0 else 3))
    size = (short, long) if seed % 2 else (long, short)
    assert_the_librarys(CLIPImageProcessorPil(), noise(*size, seed))


@pytest.mark.parametrize("parts", [(3, 2), (2, 1), (5, 4), (25, 14), (7, 3)])
@pytest.mark.parametrize("times", [1, 8, 56, 112, 160, 250])
def test_where_only_a_part_is_resized_the_pixels_stay_the_same(
    parts: tuple[int, int], times: int
) -> None:
    wide, high = parts[0] * times, parts[1] * times
    for size in ((wide, high), (high, wide)):
        assert_the_librarys(CLIPImageProcessorPil(), noise(*size))


def test_a_part_is_resized_where_it_gives_the_same() -> None:
    # The crop begins and ends on whole pixels of the photo.
    across, _ = preprocess._spans((6000, 4000), (336, 224), (224, 224))
    assert (across.start, across.stop, across.resized, across.before) == (1000, 5000, 224, 0)


def test_the_whole_is_resized_where_no_part_fits() -> None:
    # No places but the ends fall on whole pixels of both.
    across, _ = preprocess._spans((4000, 3000), (298, 224), (224, 224))
    assert (across.start, across.stop, across.resized, across.before) == (0, 4000, 298, 37)


def test_the_whole_is_resized_where_a_part_would_be_in_another_order() -> None:
    _, down = preprocess._spans((20, 1000), (224, 11200), (224, 224))
    assert (down.start, down.stop, down.resized, down.before) == (0, 1000, 11200, 5488)


CONFIGS: dict[str, dict[str, Any]] = {
    "the older form": {"size": 224, "crop_size": 224},
    "the sample's": {
        "size": {"shortest_edge": 96},
        "crop_size": {"height": 96, "width": 96},
        "image_mean": [0.45] * 3,
        "image_std": [0.25] * 3,
    },
    "one mean for all": {"image_mean": 0.5, "image_std": 0.5},
    "a smaller crop": {"size": {"shortest_edge": 256}, "crop_size": {"height": 200, "width": 224}},
    "an odd crop": {"size": {"shortest_edge": 97}, "crop_size": {"height": 96, "width": 95}},
    "bilinear": {"resample": 2},
    "Lanczos": {"resample": 1},
    "no normalising": {"do_normalize": False},
    "another factor": {"rescale_factor": 1 / 127.5},
}
UNUSUAL: dict[str, dict[str, Any]] = {
    "nearest": {"resample": 0},
    "box": {"resample": 4},
    "a square, whatever the shape": {"size": {"height": 224, "width": 224}},
    "a longest side": {"size": {"shortest_edge": 224, "longest_edge": 300}},
    "a crop larger than the image": {"crop_size": {"height": 256, "width": 256}},
    "no resizing": {"do_resize": False},
    "no rescaling": {"do_rescale": False},
    "padding": {"do_pad": True, "pad_size": {"height": 240, "width": 240}},
}
SIZES = [(300, 200), (97, 120), (224, 224), (40, 1), (301, 450)]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_checkpoints_own_settings_are_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    processor = CLIPImageProcessorPil(**CONFIGS[name])
    monkeypatch.delattr(preprocess, "_by_the_library")
    for size in SIZES:
        assert_the_librarys(processor, noise(*size))


@pytest.mark.parametrize("name", UNUSUAL)
def test_settings_that_are_not_usual_are_left_to_the_library(name: str) -> None:
    processor = CLIPImageProcessorPil(**UNUSUAL[name])
    for size in SIZES:
        theirs = reference(processor, noise(*size))
        np.testing.assert_array_equal(preparer(processor)(noise(*size)), theirs)


def test_without_a_crop_it_is_left_to_the_library() -> None:
    processor = CLIPImageProcessorPil(do_center_crop=False)
    pixels = preparer(processor)(noise(300, 200))
    assert pixels.shape == (3, 224, 336)


def test_the_image_itself_is_not_changed() -> None:
    image = noise(300, 200)
    before = image.tobytes()
    preparer(CLIPImageProcessorPil())(image)
    assert image.tobytes() == before
