"""What the Python client costs next to httpx, openai-python and stripe-python: importing, the first call, each call, size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.processes import ROOT, Server
from tests.bench.rounds import Line

_CALLS = 150
_STREAMS = 12
_WARM_CALLS = 10
_IMPORT_MOST, _FIRST_CALL_MOST = 0.3, 1.5
_IMPORTS = {
    "nothing": "pass",
    "httpx": "import httpx",
    "accord_client": "import accord_client",
    "openai": "import openai",
    "stripe": "import stripe",
}
_FIRST_CALLS = {
    "httpx": "import httpx\nwith httpx.Client(headers={{'Authorization': 'Bearer {token}'}}) as client:\n"
    "    client.get('{url}/v1/models').raise_for_status().json()",
    "accord_client": "from accord_client import Client\nwith Client('{url}', bearer='{token}') as client:\n    client.models.list()",
    "openai": "from openai import OpenAI\nwith OpenAI(base_url='{url}/v1', api_key='{token}') as client:\n    client.models.list()",
}
_CLIENTS = {
    "httpx": "import httpx\nclient = httpx.Client(base_url='{url}', headers={{'Authorization': 'Bearer {token}'}})\n"
    "def whole(asked): return client.post('/v1/chat/completions', json=asked).json()['choices'][0]['message']['content']",
    "accord_client": "from accord_client import Client\nclient = Client('{url}', bearer='{token}')\n"
    "def whole(asked): return client.completions.create(**asked).choices[0].message.content\n"
    "def pieces(asked): return sum(1 for chunk in client.completions.create_stream(**asked) if chunk.choices)",
    "openai": "from openai import OpenAI\nclient = OpenAI(base_url='{url}/v1', api_key='{token}')\n"
    "def whole(asked): return client.chat.completions.create(**asked).choices[0].message.content\n"
    "def pieces(asked): return sum(1 for c in client.chat.completions.create(**asked, stream=True) if c.choices)",
    "openai with a key": "from openai import OpenAI\nfrom uuid import uuid4\nclient = OpenAI(base_url='{url}/v1', api_key='{token}')\n"
    "def whole(asked):\n    headers = {{'Idempotency-Key': uuid4().hex}}\n"
    "    return client.chat.completions.create(**asked, extra_headers=headers).choices[0].message.content",
}
_MEASURE = """
import json, time
asked = {{"model": "gpt-4", "messages": [{{"role": "user", "content": "one two three four five six seven eight"}}]}}
def per_call(call, count):
    for _ in range(min(count, {warm})):
        assert call(asked)
    wall, used = time.perf_counter(), time.process_time()
    for _ in range(count):
        call(asked)
    return (time.perf_counter() - wall) / count, (time.process_time() - used) / count
told = {{"whole": per_call(whole, {calls})}}
if "pieces" in globals():
    told["streamed"] = per_call(pieces, {streams})
print(json.dumps(told))
"""


class _Calls(NamedTuple):
    """Medians of one client and way to call: calls a second, and CPU of the client for a call (ms)."""

    per_second: float
    cpu_ms: float


def lines(server: Server, token: str, folder: Path, *, rounds: int) -> list[Line]:
    """Measure everything against one server; CPU is what is compared, since a busy machine stretches wall time only."""
    places = {"url": f"http://127.0.0.1:{server.port}", "token": token}
    wheel = _install(folder)
    imports = _cpu_ms(_IMPORTS, folder, rounds)
    first_calls = _cpu_ms({name: text.format(**places) for name, text in _FIRST_CALLS.items()}, folder, rounds)
    calls = _calls(places, folder, rounds)
    print(_starts_table(imports, first_calls), _calls_table(calls), _sizes(wheel, folder), sep="\n\n")
    paid = {name: spent - imports["nothing"] for name, spent in imports.items()}
    begun = {name: spent - imports["nothing"] for name, spent in first_calls.items()}
    ours = "accord_client"
    found = [
        Line("import accord_client / httpx, CPU", paid[ours] / paid["httpx"], _IMPORT_MOST, is_ceiling=True),
        Line("import to first call, / httpx, CPU", begun[ours] / begun["httpx"], _FIRST_CALL_MOST, is_ceiling=True),
        Line("import to first call, / openai, CPU", begun[ours] / begun["openai"], 1.0, is_ceiling=True),
    ]
    for way in ("whole", "streamed"):
        value = calls[ours, way].cpu_ms / calls["openai", way].cpu_ms
        found.append(Line(f"a {way} completion, accord_client / openai, CPU", value, 1.0, is_ceiling=True))
    return found


def _install(folder: Path) -> Path:
    """Build the wheel, install it into a folder and return where the wheel is."""
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--output", str(folder / "dist")]
    wheel = Path(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder / "installed"), str(wheel)], check=True)
    return wheel


def _cpu_ms(programs: Mapping[str, str], folder: Path, rounds: int) -> dict[str, float]:
    """Return the median CPU time of programs that are run in turn, each once before it counts, so that nothing is compiled."""
    for program in programs.values():
        _spent_ms(program, folder)
    spent: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(max(rounds, 5)):
        for name, program in programs.items():
            spent[name].append(_spent_ms(program, folder))
    return {name: median(values) for name, values in spent.items()}


def _spent_ms(program: str, folder: Path) -> float:
    pid = os.spawnve(os.P_NOWAIT, sys.executable, [sys.executable, "-c", program], _environment(folder))
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"the program failed:\n{program}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(folder / "installed")}


def _calls(places: Mapping[str, str], folder: Path, rounds: int) -> dict[tuple[str, str], _Calls]:
    found: dict[tuple[str, str], list[_Calls]] = {}
    ending = _MEASURE.format(warm=_WARM_CALLS, calls=_CALLS, streams=_STREAMS)
    for _ in range(rounds):
        for name, text in _CLIENTS.items():
            command = [sys.executable, "-c", text.format(**places) + ending]
            done = subprocess.run(command, env=_environment(folder), capture_output=True, text=True, check=True)
            for way, (wall, used) in json.loads(done.stdout).items():
                found.setdefault((name, way), []).append(_Calls(1 / wall, used * 1000))
    return {key: _Calls(*(median(column) for column in zip(*rows, strict=True))) for key, rows in found.items()}


def _starts_table(imports: Mapping[str, float], first_calls: Mapping[str, float]) -> str:
    rows = [f"{'CPU ms from the start':<22}{'import':>10}{'first call':>12}"]
    for name, spent in imports.items():
        first = f"{first_calls[name]:>12.0f}" if name in first_calls else f"{'':>12}"
        rows.append(f"{name:<22}{spent:>10.0f}{first}")
    return "\n".join(rows)


def _calls_table(calls: Mapping[tuple[str, str], _Calls]) -> str:
    rows = [f"{'completions':<22}{'':<10}{'calls/s':>10}{'CPU ms':>12}"]
    rows += [
        f"{name:<22}{way:<10}{found.per_second:>10.0f}{found.cpu_ms:>12.2f}" for (name, way), found in calls.items()
    ]
    return "\n".join(rows)


def _sizes(wheel: Path, folder: Path) -> str:
    """Say what each package weighs, installed and without compiled files."""
    ours = [path for path in (folder / "installed/accord_client").rglob("*") if path.is_file()]
    rows = [f"the wheel of accord_client: {wheel.stat().st_size / 1000:.0f} kB"]
    rows.append(_size("accord_client", ours))
    for name in ("httpx", "openai", "stripe"):
        rows.append(_size(name, [Path(str(file.locate())) for file in distribution(name).files or ()]))
    return "\n".join(rows)


def _size(name: str, files: Sequence[Path]) -> str:
    kept = [path for path in files if path.suffix != ".pyc" and path.is_file()]
    return f"{name:<22}{len(kept):>6} files{sum(path.stat().st_size for path in kept) / 1000:>10,.0f} kB"
