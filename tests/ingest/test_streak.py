from db.photo import Photo
from ingest.streak import Skip, Streak


def skip(number: int) -> Skip:
    return Skip(Photo(f"{number}", f"https://host/{number}"), "HTTP 503", final=False)


def test_skips_are_held_until_they_are_released() -> None:
    streak = Streak(3)
    assert streak.release() == []
    streak.hold(skip(1))
    streak.hold(skip(2))
    assert not streak.too_long
    assert streak.release() == [skip(1), skip(2)]
    assert streak.release() == []


def test_it_is_too_long_at_its_length_and_starts_anew_after_a_release() -> None:
    streak = Streak(3)
    for number in range(3):
        assert not streak.too_long
        streak.hold(skip(number))
    assert streak.too_long
    assert streak.complaint() == (
        "3 photos in a row failed, the last one with HTTP 503 (https://host/2): the photo host, or "
        "the way to it, is down. What is in the table stays; once that address opens in a browser, "
        "run it again to go on"
    )
    streak.release()
    assert not streak.too_long


def test_without_a_host_none_is_too_long() -> None:
    streak = Streak(None)
    for number in range(1000):
        streak.hold(skip(number))
    assert not streak.too_long


def test_a_skip_becomes_a_failure_with_its_facts() -> None:
    failure = skip(4).failure()
    assert (failure.id, failure.url, failure.reason, failure.final) == (
        "4",
        "https://host/4",
        "HTTP 503",
        False,
    )
