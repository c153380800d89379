"""Build the WSGI application of a service.

Requests take the direct lane; Flask with Connexion's routes is behind it for everything the lane does not know, and
calls the very same compiled views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import flask
import msgspec
import orjson
from werkzeug.exceptions import HTTPException

from core.kernel.operation import Contract
from server import clients, docs, published, routing
from server.headers import SECURITY_HEADERS
from server.lane import Lane
from server.logs import Log
from server.observe import Observer
from server.ports import DefinitionSet
from server.request import Request
from server.router import Router, View
from server.schemas import Schemas
from server.service import Service
from server.snapshot import Follower
from server.state import State, StreamOpener
from server.streams import Streams
from server.telemetry import Telemetry
from server.view import compile_view


class HandlerMissing(Exception):
    """An operation that no function answers; such a contract is not served in production."""


def create_app(
    service: Service, *, observer: Observer | None = None, streams: StreamOpener | None = None
) -> flask.Flask:
    """Compile a service into a WSGI application; without an observer or streams of its owner, it gets its own.

    Raises:
        HandlerMissing: an operation has no handler and the profile is not dev.
    """
    _check_handlers(service)
    telemetry = Telemetry(Log(service.settings.log_level))
    ports = service.ports
    streams = streams or Streams(ports.events, ports.verifier, service.settings, telemetry)
    state = State(service, observer or telemetry, streams)
    contract, handlers = service.contract, service.handlers
    views = {
        row.id: compile_view(row, state=state, contract=contract, schemas=state.schemas, handlers=handlers)
        for row in contract.operations
    }
    resolve_client = clients.resolver(service.settings.trusted_proxies)
    lane = Lane(
        contract.operations, views, state=state, resolve_client=resolve_client, follower=_follower(state, contract)
    )
    app = flask.Flask("accord", static_folder=None)
    app.extensions["accord"] = state
    app.url_rule_class = routing.ExactRule  # type: ignore[assignment]  # same rule, fewer arguments
    app.url_map.merge_slashes = False  # a redirect to another spelling of the path is no answer of the contract
    app.register_blueprint(
        routing.blueprint(
            orjson.loads((service.contract_dir / "routes.json").read_bytes()), _routed(views, resolve_client)
        )
    )
    app.register_blueprint(docs.blueprint())
    published.publish(service.contract_dir, service.ports.definitions)
    app.register_error_handler(HTTPException, lane.render)
    app.register_error_handler(Exception, lane.render)
    app.after_request(_complete)
    app.wsgi_app = lane.before(app.wsgi_app)  # type: ignore[method-assign,assignment]  # as Flask has middleware added
    return app


def _check_handlers(service: Service) -> None:
    missing = [row for row in service.contract.operations if row.id not in service.handlers]
    if missing and not service.settings.is_dev:
        names = "\n".join(f"  {row.id} ({row.origin})" for row in missing)
        raise HandlerMissing(f"operations without a handler; `accord new <operationId>` writes one:\n{names}")


def _routed(views: Mapping[str, View], resolve_client: clients.Resolver) -> dict[str, Callable[..., flask.Response]]:
    """Wrap the compiled views for Flask's router, which passes path values by name, in the template's order."""

    def wrap(view: View) -> Callable[..., flask.Response]:
        def routed(**values: str) -> flask.Response:
            environ = flask.request.environ
            request = Request(environ, *resolve_client(environ))
            request.path = flask.request.path
            return view(request, tuple(values.values())).response()

        return routed

    return {name: wrap(view) for name, view in views.items()}


def _follower(state: State, contract: Contract) -> Follower | None:
    source = state.service.ports.definitions
    if source is None:
        return None

    def compile_set(loaded: DefinitionSet) -> Router:
        own = msgspec.structs.replace(contract, operations=loaded.operations)
        schemas, router = Schemas(loaded.bundle), Router()
        for row in loaded.operations:
            view = compile_view(row, state=state, contract=own, schemas=schemas, handlers=loaded.handlers)
            router.add(row.method, row.path, view)
        return router

    return Follower(source, compile_set)


def _complete(response: flask.Response) -> flask.Response:
    """Give what Flask's own routes answer the headers that compiled views have already."""
    for name, value in SECURITY_HEADERS:
        response.headers.setdefault(name, value)
    return response
