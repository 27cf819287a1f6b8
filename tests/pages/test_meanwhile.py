"""A Classifiers page that stands open while another tab changes what it shows."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from db.classifiers import SavedClassifier
from db.sessions import UP
from pages.services import Services
from tests.pages.plain import plain
from tests.pages.test_sharpening import healthy, opened, press


@pytest.fixture
def other(services: Services, saved: SavedClassifier) -> SavedClassifier:
    """A newer classifier, which is the first of the list."""
    services.database.classifiers.save(replace(saved, id="newer", name="Newer"))
    found = services.database.classifiers.find("newer")
    assert found is not None
    return found


@pytest.fixture
def page(services: Services, saved: SavedClassifier, other: SavedClassifier) -> AppTest:
    """The page with the older one chosen."""
    page = opened(services)
    page.selectbox(key="classifier").set_value(saved.id)
    return healthy(page.run())


def names(services: Services) -> list[str]:
    return sorted(one.name for one in services.database.classifiers.all())


def told(page: AppTest) -> str:
    return "\n".join(plain(each.value) for each in (*page.warning, *page.info, *page.error))


@pytest.mark.parametrize("key", ["delete", "rename", "refit", "publish", "draw_check", "sharpen"])
def test_a_click_on_a_classifier_that_is_gone_is_for_no_other(
    page: AppTest, services: Services, saved: SavedClassifier, other: SavedClassifier, key: str
) -> None:
    button = page.button(key=f"delete-{saved.id}" if key == "delete" else key)
    services.database.delete(saved)
    button.click()
    healthy(page.run())
    assert names(services) == ["Newer"]
    assert len(services.database.classifiers.versions(other)) == 1
    assert services.database.views.of(other) is None
    assert services.database.checks.latest(other.id) is None
    assert "Lakes · drawings was deleted meanwhile" in told(page)
    assert page.selectbox(key="classifier").value == other.id
    assert "was deleted meanwhile" not in told(healthy(page.run()))


def test_a_classifier_that_was_renamed_elsewhere_stays_on_its_page(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    services.database.classifiers.rename(saved, "Ponds")
    press(page, f"delete-{saved.id}")
    assert names(services) == ["Newer"]


def test_a_second_click_deletes_no_second_classifier(
    page: AppTest, services: Services, saved: SavedClassifier, other: SavedClassifier
) -> None:
    press(page, f"delete-{saved.id}")
    assert names(services) == ["Newer"]
    assert "was deleted meanwhile" not in told(page)
    buttons = [button.key for button in page.button if button.label == "Delete"]
    assert buttons == [f"delete-{other.id}"], "what is under the mouse is another button"


def test_a_classifier_that_is_renamed_stays_chosen(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    page.text_input(key=f"rename-{saved.id}").set_value("Ponds")
    press(page, "rename")
    assert page.selectbox(key="classifier").value == saved.id
    assert names(services) == ["Newer", "Ponds"]


def test_one_goes_back_to_no_version_that_was_not_asked_for(
    services: Services, saved: SavedClassifier
) -> None:
    services.database.classifiers.add_version(saved, saved)
    page = opened(services)
    assert "Use version 1 again" in [button.label for button in page.button]
    services.database.classifiers.use(saved)
    next(button for button in page.button if button.label == "Use version 1 again").click()
    healthy(page.run())
    assert services.database.classifiers.all()[0].number == 1


def test_a_sample_that_another_tab_drew_is_not_drawn_over(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    press(opened_at(services, saved), "draw_check")
    check = services.database.checks.latest(saved.id)
    assert check is not None
    services.database.checks.label(saved.id, check, next(iter(check.labels)), UP)
    press(page, "draw_check")
    again = services.database.checks.latest(saved.id)
    assert again is not None
    assert again.drawn == check.drawn


def opened_at(services: Services, classifier: SavedClassifier) -> AppTest:
    page = opened(services)
    page.selectbox(key="classifier").set_value(classifier.id)
    return healthy(page.run())
