"""Recording servers that answer over HTTP: TEI, OpenAI-style, Ollama. Recorded formats, not live-tested.

The formats are those of each server's public documentation and source; the tests run against small fakes on
the loopback interface, never against the real thing. For Python and the command line alone: an address that
a visitor types must never reach this module.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.token_parts import take_apart
from workbench.contenders.trace_assembly import cosine_scores, score_stages
from workbench.contenders.trace_contract import STAGES, StageRecord, Trace
from workbench.errors import InvalidValueError, ModelSourceError, UnknownNameError

_ANSWER_BYTES = 64 * 2**20
_BATCH = 16


def record_server(
    kind: str,
    address: str,
    texts: Sequence[str],
    *,
    model: str = "",
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> Trace:
    """Record what a server shows of itself.

    TEI shows ids (``/tokenize``), token vectors (``/embed_all``), the raw pooled vector and the finished one
    (``/embed`` without and with ``normalize``); the other two show the final vector alone.

    Args:
        kind: ``tei``, ``openai`` or ``ollama``.
        address: ``http://host:port`` of the server, your own.
        model: Name of the model, where the server holds several.
        headers: Such as an authorisation.

    Raises:
        UnknownNameError: Another kind.
        InvalidValueError: No texts, or an address that is no http address.
        ModelSourceError: ``server-*``: no answer, an error, too much, or another shape than documented.
    """
    if kind not in SERVERS:
        raise UnknownNameError("unknown-server", f"{kind!r}", expected=f"one of {', '.join(SERVERS)}")
    if not texts:
        raise InvalidValueError("texts-missing", "No texts", expected="at least one text to record")
    server = Server(address, dict(headers or {}), timeout_s)
    stages = SERVERS[kind](server, list(texts), model)
    stages = {key: stages[key] for key in STAGES if key in stages}
    return Trace(f"{kind} {model}".strip(), tuple(texts), {"server": kind, "model": model}, stages)


class Server:
    """One address, asked with JSON and answering JSON; redirects are not followed."""

    def __init__(self, address: str, headers: Mapping[str, str], timeout_s: float) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidValueError("server-address", f"{address[:100]!r}", expected="http://host:port")
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}
        self._timeout = timeout_s

    def ask(self, path: str, body: Any = None) -> Any:
        """POST a body, or GET without one.

        Raises:
            ModelSourceError: No answer, an error, too much, or no JSON.
        """
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            payload = None if body is None else json.dumps(body).encode("utf-8")
            connection.request(
                "GET" if body is None else "POST", self._path + path, payload, headers=self._headers
            )
            answer = connection.getresponse()
            content = answer.read(_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise _failed(
                "server-unreachable", f"no answer: {error}", path, "Check address and port"
            ) from error
        finally:
            connection.close()
        if answer.status != 200:
            said = content[:200].decode("utf-8", "replace")
            raise _failed("server-error", f"status {answer.status}: {said}", path, "Read the server's log")
        if len(content) > _ANSWER_BYTES:
            raise _failed(
                "server-answer-too-big", f"more than {_ANSWER_BYTES:,} bytes", path, "Send fewer texts"
            )
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _failed("server-answer", "no JSON", path, "Check that it is this kind of server") from error

    def rows(self, path: str, body: Any, pick: Callable[[Any], Any], count: int) -> list[NDArray[Any]]:
        """One array a text out of an answer.

        Raises:
            ModelSourceError: Another shape than documented.
        """
        answer = self.ask(path, body)
        try:
            rows = [np.asarray(row, dtype=np.float32) for row in pick(answer)]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _failed("server-answer", f"unexpected: {str(answer)[:120]}", path, _KIND) from error
        if len(rows) != count or any(not row.size or not np.isfinite(row).all() for row in rows):
            raise _failed(
                "server-answer", f"{len(rows)} vectors for {count} texts, or not finite", path, _KIND
            )
        return rows


_KIND = "Check that it is this kind of server, and its version"


def _tei(server: Server, texts: list[str], model: str) -> dict[str, StageRecord]:
    info = server.ask("/info")
    listed = [_tei_tokens(server, batch) for batch in _batches(texts)]
    tokens = [row for batch in listed for row in batch]
    special = frozenset(index for row in tokens for index, marked in row if marked)
    # The answer to /tokenize is not cut; what the encoder saw shows in the number of its token vectors.
    states = _each(server, texts, "/embed_all", lambda batch: {"inputs": batch, "truncate": True})
    pooled = _each(
        server, texts, "/embed", lambda batch: {"inputs": batch, "normalize": False, "truncate": True}
    )
    final = _each(
        server, texts, "/embed", lambda batch: {"inputs": batch, "normalize": True, "truncate": True}
    )
    parts = [take_apart([index for index, _ in row], None, special) for row in tokens]
    kept = [
        min(len(part.content), len(rows) - len(part.prefix) - len(part.suffix))
        for part, rows in zip(parts, states, strict=True)
    ]
    return {
        "provenance": StageRecord(facts={"info": info} if isinstance(info, dict) else {}),
        "tokens": StageRecord(plain={"content": tuple(list(part.content) for part in parts)}),
        "specials": StageRecord(
            plain={
                "prefix": tuple(list(part.prefix) for part in parts),
                "suffix": tuple(list(part.suffix) for part in parts),
            }
        ),
        "truncation": StageRecord(plain={"kept": tuple(kept)}),
        "layers": StageRecord(arrays={"output": tuple(states)}),
        "pooling": StageRecord(arrays={"pooled": tuple(pooled)}),
        "modules": StageRecord(facts={"names": ["Normalize"]}, arrays={"finished": tuple(final)}),
        "precision": StageRecord(facts=_tei_dtype(info)),
        **_final(final),
    }


def _tei_tokens(server: Server, texts: list[str]) -> list[list[tuple[int, bool]]]:
    answer = server.ask("/tokenize", {"inputs": texts, "add_special_tokens": True})
    try:
        rows = [[(int(token["id"]), bool(token["special"])) for token in row] for row in answer]
    except (KeyError, TypeError, ValueError) as error:
        raise _failed("server-answer", f"unexpected: {str(answer)[:120]}", "/tokenize", _KIND) from error
    if len(rows) != len(texts):
        raise _failed("server-answer", f"{len(rows)} rows for {len(texts)} texts", "/tokenize", _KIND)
    return rows


def _tei_dtype(info: Any) -> dict[str, Any]:
    stated = str(info.get("model_dtype", "")) if isinstance(info, dict) else ""
    return {"weights": [stated]} if stated else {}


def _openai(server: Server, texts: list[str], model: str) -> dict[str, StageRecord]:
    rows: list[NDArray[Any]] = []
    for batch in _batches(texts):
        body = {"input": batch, "model": model, "encoding_format": "float"}
        rows += server.rows("/v1/embeddings", body, _in_order, len(batch))
    return _final(rows)


def _in_order(answer: Any) -> list[Any]:
    # The entries carry their index: a server may answer in another order.
    return [entry["embedding"] for entry in sorted(answer["data"], key=lambda entry: int(entry["index"]))]


def _ollama(server: Server, texts: list[str], model: str) -> dict[str, StageRecord]:
    rows: list[NDArray[Any]] = []
    for batch in _batches(texts):
        body = {"model": model, "input": batch, "truncate": True}
        rows += server.rows("/api/embed", body, lambda answer: answer["embeddings"], len(batch))
    return _final(rows)


def _each(
    server: Server, texts: list[str], path: str, body: Callable[[list[str]], Any]
) -> list[NDArray[Any]]:
    rows: list[NDArray[Any]] = []
    for batch in _batches(texts):
        rows += server.rows(path, body(batch), lambda answer: answer, len(batch))
    return rows


def _final(rows: Sequence[NDArray[Any]]) -> dict[str, StageRecord]:
    if len({row.shape for row in rows}) != 1 or rows[0].ndim != 1:
        raise _failed("server-answer", f"vectors of shapes {sorted({row.shape for row in rows})}", "", _KIND)
    return {
        "batching": StageRecord(arrays={"embedding": tuple(rows)}),
        **score_stages(cosine_scores(np.stack(rows)), "cosine"),
    }


def _batches(texts: list[str]) -> list[list[str]]:
    return [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]


def _failed(code: str, came: str, path: str, fix: str) -> ModelSourceError:
    return ModelSourceError(code, came, where=path, fix=fix)


SERVERS: Mapping[str, Callable[[Server, list[str], str], dict[str, StageRecord]]] = {
    "tei": _tei,
    "openai": _openai,
    "ollama": _ollama,
}
