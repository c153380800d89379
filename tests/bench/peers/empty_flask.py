"""The same function without work, through an empty Flask view: what Flask alone costs on the worker it runs on."""

from __future__ import annotations

import flask

from tests.bench import contracts
from tests.bench.peers.bare_wsgi import CREATED, FOUND

app = flask.Flask(__name__)


@app.post("/contacts")
def contacts_create() -> flask.Response:
    """Read the body, answer fixed bytes."""
    flask.request.get_data()
    return flask.Response(CREATED, 201, mimetype="application/json")


@app.get("/contacts/<int:contact_id>")
def contacts_get(contact_id: int) -> flask.Response:
    """Answer fixed bytes."""
    return flask.Response(FOUND, mimetype="application/json")


for _method, _path, _operation_id in contracts.filler_paths():
    _rule = _path.replace("{", "<int:").replace("}", ">")
    app.add_url_rule(_rule, _operation_id, lambda **_: flask.Response(FOUND), methods=[_method.upper()])
