"""Every sample of the documentation is run against a running server, in Python, in TypeScript and by curl."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codegen import ir
from codegen.bundle import bundle
from codegen.load import Sources
from codegen.sdk import documentation
from tests import provider_endpoint
from tests.conftest import ROOT
from tests.databases import Databases, read_settings
from tests.fuzz.seeds import WELL_KNOWN
from tests.live import Launcher, Live, LiveServer
from tests.oracle import Oracle
from tests.sdk.documented import ENDLESS, FIRST, LANGUAGES, Documented, Library, Logins, provider_settings
from tests.sdk.running_samples import PythonSamples, Runner, ShellSamples, TypeScriptSamples, says

CONTRACT = ir.build(bundle(Sources(ROOT, "spec/openapi.yaml")))
OPERATIONS = sorted(operation.id for operation in CONTRACT.operations)


@pytest.fixture(scope="module")
def library(launcher: Launcher, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Hold a server to which GitHub and Apple are an endpoint of the test's."""
    profiles = {op.spec["x-rate-profile"] for op in oracle.operations.values() if "x-rate-profile" in op.spec}
    unlimited = {name: {"limit": 1_000_000, "window_seconds": 1} for name in sorted(profiles)}
    with provider_endpoint.serving() as endpoint:
        settings = provider_settings(endpoint) | {
            "rate_profiles": json.dumps(unlimited),
            "well_known_entries": json.dumps({WELL_KNOWN: "Contact: mailto:security@example.com\n"}),
        }
        with launcher.launched(tmp_path_factory.mktemp("samples"), **settings) as live:
            yield Library(CONTRACT, oracle, live, Logins(live, endpoint))


@pytest.fixture
def runner(language: str, request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    if language == "Python":
        return PythonSamples(request.getfixturevalue("installed"))
    if language == "TypeScript":
        return TypeScriptSamples(tmp_path, request.getfixturevalue("tarball"))
    return ShellSamples()


@pytest.fixture
def first_server(databases: Databases, tmp_path: Path) -> Callable[[str], LiveServer]:
    """Start servers that nobody has set up."""

    def start(name: str) -> LiveServer:
        folder = tmp_path / name
        folder.mkdir()
        return LiveServer(read_settings(folder, database_url=databases.create(folder, "migrated")), workers=1)

    return start


def test_each_operation_shows_three_languages() -> None:
    written = documentation.code_samples(CONTRACT)
    assert sorted(written) == OPERATIONS
    for operation, samples in written.items():
        assert [sample["lang"] for sample in samples] == [*LANGUAGES] * (len(samples) // 3), operation
        assert len({sample["label"] for sample in samples}) == len(samples)


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)], ids=["a-fourth", "all"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_do_what_they_show(
    library: Library, runner: Runner, language: str, step: int, first_server: Callable[[str], LiveServer]
) -> None:
    samples = list(library.samples(language, set(OPERATIONS[::step])))
    assert not [difference for sample in samples if (difference := sample.difference())]
    runner.prepare(samples)
    plain = [sample for sample in samples if sample.operation not in FIRST | ENDLESS]
    faults = dict(zip(((s.operation, s.label) for s in plain), runner.run(plain), strict=True))
    for sample in samples:
        if sample.operation in FIRST:
            faults[sample.operation, sample.label] = _first(runner, sample, first_server(sample.operation))
        elif sample.operation in ENDLESS:
            faults[sample.operation, sample.label] = _endless(runner, sample, library.live)
    wrong = {key: fault for key, fault in faults.items() if fault is not None}
    print(f"\n{language}: {len(faults) - len(wrong)} of {len(faults)} samples")
    assert not wrong, "\n".join(f"{key}: {fault}" for key, fault in wrong.items())
    assert len(faults) == len(samples)


def _first(runner: Runner, sample: Documented, server: LiveServer) -> str | None:
    try:
        return runner.run([replace(sample, variables={"BASE_URL": server.url})])[0]
    finally:
        server.close()


def _endless(runner: Runner, sample: Documented, live: Live) -> str | None:
    """Expect that the sample prints what happens in its conversation."""
    conversation = next(iter(sample.values))
    return says(runner, sample, "thread.new", lambda: _say(live, conversation))


def _say(live: Live, conversation_id: str) -> None:
    body = {"content": "Hello", "role": "system"}
    path = {"conversation_id": conversation_id}
    answer = live.client.call("threads_create", path=path, body=body, as_=live.people.ada)
    assert answer.status == 201, answer.text
