"""Metrics."""

from __future__ import annotations

from tests.client import Client


def test_metrics_are_in_the_text_format(client: Client) -> None:
    client.call("setup_get")
    answer = client.call("metrics_get")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE accord_" in answer.text


def test_unknown_query_parameter_is_422(client: Client) -> None:
    assert client.call("metrics_get", query={"x": "1"}).status == 422
