from pathlib import Path
from urllib.parse import quote

import pytest

from db.answers import Answers
from db.dsn import unencrypted, uses_tls
from db.errors import ExplorerError
from db.faults import fault_of, shown_url
from db.settings import ROOT, load_settings, typed_path

NO_SECRETS = Path("/nonexistent/secrets.toml")


def test_the_default_is_an_absolute_path_in_the_data_folder() -> None:
    settings = load_settings({}, NO_SECRETS)
    assert settings.data == ROOT / "data"
    assert settings.database_url == f"chdb://{ROOT}/data/database"
    assert settings.clip_model == "openai/clip-vit-base-patch32"


def test_a_relative_data_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"EXPLORER_DATA": "my data"}, NO_SECRETS)
    assert settings.data == tmp_path / "my data"
    assert settings.database_url == f"chdb://{tmp_path}/my%20data/database"


def test_the_environment_wins_over_the_secrets_file(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        'CLIP_MODEL = "from-file"\nDATABASE_URL = "http://file:8123/db"\nother = 3\n'
    )
    settings = load_settings({"CLIP_MODEL": "from-environment"}, secrets)
    assert settings.clip_model == "from-environment"
    assert settings.database_url == "http://file:8123/db"


def test_broken_secrets_are_named(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("CLIP_MODEL = ")
    with pytest.raises(ExplorerError, match=r"secrets\.toml is not valid TOML .*correct or delete"):
        load_settings({}, secrets)


@pytest.mark.parametrize("url", ["chdb://data/x", "chdb:data", "chdb://memory"])
def test_an_embedded_path_that_would_be_misread_is_refused(url: str) -> None:
    with pytest.raises(ExplorerError, match="write chdb:///absolute/path"):
        load_settings({"DATABASE_URL": url}, NO_SECRETS)


def test_a_url_without_a_scheme_is_refused() -> None:
    with pytest.raises(ExplorerError, match="DATABASE_URL has no scheme"):
        load_settings({"DATABASE_URL": "localhost"}, NO_SECRETS)


def test_an_unknown_home_folder_is_left_as_it_stands() -> None:
    assert typed_path("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    assert typed_path("  ") is None


def test_a_shown_url_survives_a_bad_port() -> None:
    assert shown_url("https://u:p@host:abc/db") == "https://host:abc/db"


def test_a_shown_url_keeps_the_password_to_itself() -> None:
    shown = shown_url("https://me:s3cret@db.example:8443/photos?compress=lz4")
    assert shown == "https://db.example:8443/photos"


def test_a_separate_password_goes_into_the_url_and_is_not_printed() -> None:
    settings = load_settings(
        {"DATABASE_URL": "https://me@host:443/db", "DATABASE_PASSWORD": "p@ss/1"}, NO_SECRETS
    )
    assert settings.database_url == "https://me:p%40ss%2F1@host:443/db"
    assert "p%40ss" not in repr(settings)


def test_two_passwords_are_refused() -> None:
    with pytest.raises(ExplorerError, match="delete one of them") as caught:
        load_settings(
            {"DATABASE_URL": "https://me:one@host/db", "DATABASE_PASSWORD": "two"}, NO_SECRETS
        )
    assert "one" not in str(caught.value).replace("one of them", "")


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("http://host:8123/db", False),
        ("http://host:9000/db?secure=true", True),
        ("https://host:9000/db", True),
        ("http://host:8443/db", True),
        ("https://host/db?secure=false", False),
    ],
)
def test_tls_is_used_where_the_url_asks_for_it(url: str, tls: bool) -> None:
    assert uses_tls(url) is tls


def test_an_unclear_secure_is_refused() -> None:
    with pytest.raises(ExplorerError, match="write secure=true or secure=false"):
        uses_tls("http://host/db?secure=maybe")


def test_myscales_alpha_travels_in_the_dsn() -> None:
    environ = {"DATABASE_URL": "https://u:p@h:443/db?secure=true", "MYSCALE_ALPHA": "3"}
    assert load_settings(environ, NO_SECRETS).database_url.endswith("/db?secure=true&alpha=3")
    plain = load_settings({"MYSCALE_ALPHA": "3"}, NO_SECRETS).database_url
    assert "alpha" not in plain, "the embedded engine has no such thing"


@pytest.mark.parametrize("alpha", ["0", "5", "2.5", "high"])
def test_another_alpha_is_refused(alpha: str) -> None:
    environ = {"DATABASE_URL": "http://h", "MYSCALE_ALPHA": alpha}
    with pytest.raises(ExplorerError, match=f"MYSCALE_ALPHA={alpha} is not an accuracy.* 1, 2, 3"):
        load_settings(environ, NO_SECRETS)


def test_the_cluster_travels_in_the_dsn() -> None:
    environ = {"DATABASE_URL": "http://h/db?alpha=2", "DATABASE_CLUSTER": " {cluster} "}
    url = load_settings(environ, NO_SECRETS).database_url
    assert url == "http://h/db?alpha=2&cluster=%7Bcluster%7D"
    assert load_settings({"DATABASE_URL": url}, NO_SECRETS).database_url == url


@pytest.mark.parametrize("name", ["it's", "a.b", "{cluster", "x y", "n" * 65])
def test_a_name_that_is_no_clusters_is_refused(name: str) -> None:
    for environ in (
        {"DATABASE_URL": "http://h/db", "DATABASE_CLUSTER": name},
        {"DATABASE_URL": f"http://h/db?cluster={quote(name)}"},
    ):
        with pytest.raises(ExplorerError, match="can't name a cluster: write its name in the"):
            load_settings(environ, NO_SECRETS)


@pytest.mark.parametrize("value", ["true", " True", "YES", "1", '"on"'])
def test_yes_is_read_however_it_is_written(value: str) -> None:
    assert load_settings({"PRIVATE_HOSTS": value}, NO_SECRETS).private_hosts


@pytest.mark.parametrize("value", ["", "False", " no ", "0", "'off'"])
def test_so_is_no(value: str) -> None:
    assert not load_settings({"PRIVATE_HOSTS": value}, NO_SECRETS).private_hosts


def test_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ExplorerError, match=r"^PRIVATE_HOSTS=maybe is neither yes nor no: write"):
        load_settings({"PRIVATE_HOSTS": "maybe"}, NO_SECRETS)


def test_a_secrets_file_may_say_true(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("PRIVATE_HOSTS = true\nMYSCALE_ALPHA = 3\nDATABASE_URL = 'http://h/d'")
    settings = load_settings({}, secrets)
    assert settings.private_hosts
    assert settings.database_url.endswith("alpha=3")


def test_spaces_and_quotes_around_a_value_are_no_part_of_it() -> None:
    given = {"CLIP_MODEL": ' "a/b" ', "DATABASE_URL": "'http://h/d'", "DATABASE_PASSWORD": " 'p' "}
    settings = load_settings(given, NO_SECRETS)
    assert settings.clip_model == "a/b"
    assert settings.database_url == "http://default:%20%27p%27%20@h/d"


SECRET = "s3cr3tpw"
# Where a password may stand, and what people and their generators put into one.
DSNS = [
    *(f"http://u:{sign}{SECRET}@127.0.0.1:1/d" for sign in "/?#@%[]\\: é'\"$&;=+`*"),
    *(f"http://u:{SECRET}{sign}@127.0.0.1:1/d" for sign in "/?#@%[]\\: é\n"),
    *(f"http://u:1{sign}{SECRET}@127.0.0.1:1" for sign in "/?#"),
    *(f"chdb:{slashes}u:{SECRET}@host" for slashes in ("", "/", "//", "///", "////")),
    *(f"{scheme}u:{SECRET}@127.0.0.1:1/d" for scheme in ("", "//", "http:/", "http//", "a b://")),
    *(f"http://u:{SECRET}@{host}" for host in ("[::1/", "[::1", "::1/d", "h:port/", "h:99999", "")),
    *(f"http://h:1/d?{name}={SECRET}" for name in ("password", "PASSWORD", "access_token", "x")),
    *(f"{scheme}://u:{SECRET}@h:1/d" for scheme in ("clickhouse", "mysql", "https", "HTTP")),
    f"http://u/{SECRET}@127.0.0.1:1",
    f"http://u:{SECRET}@h:1/d?connect_timeout={SECRET}",
    f"http://u:{SECRET}@h:1/d?secure=true#{SECRET}",
    f"http://:{SECRET}@h:1/",
    f"http://u:a@{SECRET}@h/d?user=me@example.com",
]


@pytest.mark.parametrize("url", DSNS)
def test_no_way_of_writing_a_dsn_puts_its_password_on_screen(url: str) -> None:
    try:
        settings = load_settings({"DATABASE_URL": url}, NO_SECRETS)
    except ExplorerError as error:
        told = [str(error)]
    else:
        dsn = settings.database_url
        told = [repr(settings), repr(Answers(dsn)), shown_url(dsn), unencrypted(dsn)]
        told.append(fault_of(OSError(f"lost {dsn}"), dsn).line)
    assert [line for line in told if SECRET in line or "\n" in line] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8123/db",
        "https://me:p%2Fw%40d@db.example:443/my_db?secure=true",
        "http://me@[::1]:8123/db",
        "http://a:b@c@host/db",
        "https://host",
        "chdb:///home/me@work/a%20b",
    ],
)
def test_a_dsn_that_is_meant_is_taken_as_it_is(url: str) -> None:
    assert load_settings({"DATABASE_URL": url}, NO_SECRETS).database_url == url
