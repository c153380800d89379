"""Counters in Redis: one script a request, run alone and by the clock of the server.

Keys carry their expiry, so nothing is swept. How much a restart of Redis forgets is Redis's own setting. A connection
is never carried over a fork: the client is made anew in each process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.kernel.problems import Unavailable
from core.limits.counters import GRACE_SECONDS, Taken
from core.limits.meters import Charge, State

_PREFIX = "accord:"
_TIMEOUT_SECONDS = 2.0
_CONNECTIONS = 64
_RETRY = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
"""A connection that the server has closed is opened once more; what timed out is not sent again, it may have been counted."""
# Lua's numbers are doubles, exact to 2^53: microseconds since 1970 stay below until the year 2255. They are written with
# %.0f because Lua's own conversion rounds to 14 digits. ARGV: now or "", then algorithm, limit, window, end of each key.
_TAKE = """
local function text(number) return string.format('%.0f', number) end
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local before, after, admitted = {}, {}, true
for i, key in ipairs(KEYS) do
  local algorithm, limit = ARGV[4 * i - 2], tonumber(ARGV[4 * i - 1])
  local window, ends = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local step = math.ceil(window / limit)
  local row = redis.call('HMGET', key, 'a', 'b')
  local a, b = tonumber(row[1]), tonumber(row[2])
  before[2 * i - 1], before[2 * i] = row[1] or '', row[2] or ''
  if algorithm == 'gcra' then
    local full = a and math.min(math.max(a, now), now + step * limit) or now
    full = full + step
    admitted = admitted and full - now <= step * limit
    after[i] = {full, 0, full}
  elseif algorithm == 'token_bucket' then
    local tokens, at = limit, now
    if a then
      at = math.min(b, now)
      local back = math.floor((now - at) / step)
      if a + back >= limit then at = now else tokens, at = a + back, at + back * step end
    end
    admitted = admitted and tokens >= 1
    after[i] = {tokens - 1, at, at + (limit - tokens + 1) * step}
  else
    local count, stop = a or 0, ends
    if ends == 0 then
      if not a or b <= now then count, stop = 0, now + window else stop = math.min(b, now + window) end
    end
    admitted = admitted and count < limit
    after[i] = {count + 1, stop, stop}
  end
end
if admitted then
  for i, key in ipairs(KEYS) do
    redis.call('HSET', key, 'a', text(after[i][1]), 'b', text(after[i][2]))
    redis.call('PEXPIRE', key, text(math.ceil(math.max(0, after[i][3] - now) / 1000) + GRACE_MS))
  end
end
return {admitted and 1 or 0, text(now), before}
""".replace("GRACE_MS", str(GRACE_SECONDS * 1000))
_NOW_MS = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local until_ms = string.format('%.0f', now + tonumber(ARGV[1]))
"""
_ENTER = f"""{_NOW_MS}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], until_ms, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
_KEEP = f"""{_NOW_MS}
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, until_ms, ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
"""
ResultT = TypeVar("ResultT")


class RedisCounters:
    """The Counters interface over a Redis server (or what speaks its protocol); not over a cluster of them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pid = 0
        self._client: Any = None
        self._scripts: dict[str, Any] = {}

    def take(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Charge every bucket, or none of them."""
        arguments: list[Any] = ["" if now_us is None else now_us]
        for charge in charges:
            arguments += charge[1:]
        is_admitted, now, before = self._run(_TAKE, [_PREFIX + charge.key for charge in charges], arguments)
        states = [_state(a, b) for a, b in zip(before[::2], before[1::2], strict=True)]
        return Taken(bool(is_admitted), int(now), states)

    def look(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Read the buckets."""

        def ask(client: Any) -> list[Any]:
            pipeline = client.pipeline(transaction=True).time()
            for charge in charges:
                pipeline.hmget(_PREFIX + charge.key, "a", "b")
            return list(pipeline.execute())

        (seconds, micros), *rows = self._ask(ask)
        now = int(seconds) * 1_000_000 + int(micros) if now_us is None else now_us
        return Taken(True, now, [_state(a, b) for a, b in rows])

    def enter(self, key: str, slot: str, *, cap: int, seconds: float) -> bool:
        """Hold a slot, unless there are too many."""
        return bool(self._run(_ENTER, [f"{_PREFIX}slots:{key}"], [int(seconds * 1000), slot, cap]))

    def keep(self, slots: Sequence[tuple[str, str]], *, seconds: float) -> None:
        """Hold these slots on."""
        keys = [f"{_PREFIX}slots:{key}" for key, _ in slots]
        self._run(_KEEP, keys, [int(seconds * 1000), *(slot for _, slot in slots)])

    def leave(self, key: str, slot: str) -> None:
        """Give a slot back."""
        self._ask(lambda client: client.zrem(f"{_PREFIX}slots:{key}", slot))

    def sweep(self) -> int:
        """Forget nothing: keys expire by themselves."""
        return 0

    def ping(self) -> None:
        """Ask whether the store answers."""
        self._ask(lambda client: client.ping())

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        def call(client: Any) -> Any:
            prepared = self._scripts.get(script) or client.register_script(script)
            self._scripts[script] = prepared
            return prepared(keys=keys, args=arguments)

        return self._ask(call)

    def _ask(self, action: Callable[[Any], ResultT]) -> ResultT:
        if self._pid != os.getpid():
            self._pid, self._scripts = os.getpid(), {}
            pool = redis.BlockingConnectionPool.from_url(
                self._url,
                max_connections=_CONNECTIONS,
                timeout=_TIMEOUT_SECONDS,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                retry=_RETRY,
            )
            self._client = redis.Redis(connection_pool=pool)
        try:
            return action(self._client)
        except redis.RedisError as error:
            raise Unavailable("The counters cannot be reached.", retry_after_seconds=1, cause=str(error)) from error


def _state(a: bytes | None, b: bytes | None) -> State | None:
    return (int(a), int(b)) if a and b else None
