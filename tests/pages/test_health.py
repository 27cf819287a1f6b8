"""What a balancer hears, and how many files the app may have open."""

import logging
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from db.database import open_database
from db.errors import ExplorerError
from pages import open_files
from pages.guard import Guard
from pages.health import Health
from pages.services import Services
from tests.clickhouse_server import ClickHouseServer


@contextmanager
def asked(health: Health) -> Iterator[TestClient]:
    app = Starlette(routes=[health.route()], middleware=[Middleware(Guard)])
    with TestClient(app, base_url="http://10.0.0.7:8501") as client:
        yield client


def test_a_balancer_hears_by_any_address_that_all_is_well(services: Services) -> None:
    with asked(Health(lambda: services)) as client:
        found = client.get("/healthz")
        assert (found.status_code, found.json()) == (200, {"status": "ok"})
        assert found.headers["cache-control"] == "no-store"
        assert client.get("/elsewhere").status_code == 403
        assert client.post("/healthz").status_code == 405


def test_it_hears_that_the_database_is_away_and_nothing_else(
    services: Services, server: ClickHouseServer, server_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(server_url)
    services = Services(
        services.settings, database, services.thumbnails, services.loader, services.load_model
    )
    with asked(Health(lambda: services)) as client:
        assert client.get("/healthz").status_code == 200
        server.stop()
        found = client.get("/healthz")
        assert (found.status_code, found.json()) == (
            503,
            {"status": "the database does not answer"},
        )
        database.close()


def test_a_database_that_can_not_be_opened_is_told_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away() -> Services:
        raise ExplorerError("Nothing answers at http://secret.example:8123")

    with asked(Health(away)) as client:
        found = client.get("/healthz")
        assert (found.status_code, found.json()) == (
            503,
            {"status": "the database can't be opened"},
        )
        assert caplog.messages == ["Nothing answers at http://secret.example:8123"]


def test_one_that_is_slow_keeps_nobody_waiting_and_one_thread_busy(
    monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    monkeypatch.setattr("pages.health.WITHIN", 0.05)
    calls = []

    def slow() -> Services:
        calls.append(1)
        time.sleep(1)
        return services

    with asked(Health(slow)) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 503
        assert calls == [1]


@pytest.mark.parametrize(
    ("limits", "after", "told"),
    [
        ((256, 4_096), 4_096, ""),
        ((256, resource.RLIM_INFINITY), 65_536, ""),
        ((256, 512), 512, "may have 512 files open"),
        ((100_000, 200_000), 100_000, ""),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), resource.RLIM_INFINITY, ""),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limits: tuple[int, int],
    after: int,
    told: str,
) -> None:
    now = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: now.append(wanted))
    with caplog.at_level(logging.WARNING):
        open_files.raise_limit()
    assert now[-1] == (after, limits[1])
    assert told in open_files.too_few()
    assert bool(caplog.messages) is bool(told)
