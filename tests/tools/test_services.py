"""The servers that the suite brings along are real, private and what the fixtures promise."""

from pathlib import Path

import redis
from sqlalchemy import create_engine

from tests.support.servers import RedisServer


def test_the_embedded_redis_is_reached_through_a_private_socket_only(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
    assert (redis_server.folder / "r.sock").stat().st_mode & 0o077 == 0


def test_what_the_embedded_redis_was_told_survives_a_kill(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("kept", "yes")
    redis_server.kill()
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("kept") == b"yes"


def test_postgresql_is_new_and_empty(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("select count(*) from pg_tables where schemaname = 'public'").scalar()
    engine.dispose()
    assert tables == 0


def test_nginx_and_chromium_are_programs(nginx: Path, chromium_path: Path) -> None:
    assert nginx.is_file()
    assert chromium_path.is_file()
