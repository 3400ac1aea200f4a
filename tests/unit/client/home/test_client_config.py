"""Settings of the client."""

from __future__ import annotations

import pytest

from padan_client.base.errors import BadInputError
from padan_client.home.config import load_config, write_template
from padan_server.base.config import UnitConfig


def test_the_template_loads_and_is_not_written_twice(tmp_path):
    assert write_template(tmp_path, "bkn")
    assert not write_template(tmp_path, "kemnaker")
    config = load_config(tmp_path)
    assert config.party == "bkn"
    assert config.timeouts.call == 30
    port = UnitConfig.model_fields["listen"].default.rpartition(":")[2]
    assert config.unit == f"localhost:{port}", "where a unit listens if nobody says otherwise"


def test_the_environment_overrides_the_file(tmp_path, monkeypatch):
    write_template(tmp_path, "bkn")
    monkeypatch.setenv("PADAN_CLIENT_UNIT", "unit.example:443")
    monkeypatch.setenv("PADAN_CLIENT_TLS__CA", "/elsewhere/ca.pem")
    monkeypatch.setenv("PADAN_CLIENT_TIMEOUTS__CALL", "5")
    config = load_config(tmp_path)
    assert config.unit == "unit.example:443"
    assert str(config.tls.ca) == "/elsewhere/ca.pem"
    assert str(config.tls.key) == "tls/client.key"
    assert (config.timeouts.call, config.timeouts.stream) == (5, 300)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('unit = "a:1"', "party"),
        ('party = "bkn"\nunit = "https://a"', "unit"),
        ('party = "bkn"\nport = 1', "port"),
        ('party = "bkn"\n[timeouts]\ncall = -1', "timeouts.call"),
        ('party = "bkn"\n[tls]\npassword = "x"', "tls.password"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, name):
    (tmp_path / "client.toml").write_text(text)
    with pytest.raises(BadInputError, match=name):
        load_config(tmp_path)


@pytest.mark.parametrize("content", [b"party = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(tmp_path, content):
    (tmp_path / "client.toml").write_bytes(content)
    with pytest.raises(BadInputError, match=r"client\.toml"):
        load_config(tmp_path)
