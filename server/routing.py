"""The only module that imports Connexion: it resolves operationIds and routes them into Flask; we give it compiled views.

Connexion reads a 3.0.3 skeleton without schemas (routes.json), because it refuses OpenAPI 3.1, and as a dict, because
it runs a file through Jinja. Its own parsing, validation and ASGI layers are not in the path of any request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flask
import werkzeug.routing
from connexion.apps.flask import FlaskApi
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification

RoutedView = Callable[..., flask.Response]


class ExactRule(werkzeug.routing.Rule):
    """A rule that answers its declared methods only: no HEAD beside every GET, no automatic OPTIONS.

    Nothing here asks Flask for the URL of an endpoint, so the functions that would write one are not compiled: they were a
    third of building the application.
    """

    def __init__(self, string: str, **options: Any) -> None:
        super().__init__(string, **options)
        if self.methods is not None and "HEAD" not in (options.get("methods") or ()):
            self.methods.discard("HEAD")

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _no_url


def _no_url(rule: werkzeug.routing.Rule, **values: Any) -> tuple[str, str]:
    raise NotImplementedError(f"{rule.endpoint}: URLs are the contract's to say")


class CompiledApi(FlaskApi):
    """Connexion's Flask API whose operations are our compiled views."""

    def make_operation(self, operation: Any) -> RoutedView:
        view: RoutedView = operation.function
        return view

    def _add_operation_internal(self, method: str, path: str, operation: RoutedView, name: str | None = None) -> None:
        self.blueprint.add_url_rule(
            path, name, operation, methods=[method.upper()], provide_automatic_options=False, strict_slashes=True
        )


class Skeleton(OpenAPISpecification):
    """The compiler's skeleton as Connexion reads it, not validated again at every start: the compiler's tests do that."""

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        """Take the skeleton as it is; the check took half of the time of a start."""


def blueprint(routes: dict[str, Any], views: Mapping[str, RoutedView]) -> flask.Blueprint:
    """Route a skeleton's operations to `views` (operationId → view).

    Raises:
        connexion.exceptions.ResolverError: an operationId has no view.
    """
    api = CompiledApi(Skeleton(routes), resolver=Resolver(lambda operation_id: views[operation_id]))
    found: flask.Blueprint = api.blueprint
    return found
