"""Servers over HTTP, against small fakes on the loopback interface that speak the recorded formats."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from tests.trace.tiny_pipelines import LIMIT, TEXTS, sound
from workbench.contenders.manual.pooling import pool
from workbench.errors import ModelSourceError
from workbench.trace.diff import diff
from workbench.trace.pipelines import manual_pipeline, record
from workbench.trace.servers import record_server


class Fake:
    """What a server would answer, computed with the tiny BERT."""

    def __init__(self, pooling: str = "mean", broken: str = "") -> None:
        self.pooling, self.broken = pooling, broken
        self.steps = sound("bert", prompt="")

    def states(self, texts):
        rows = []
        for text in texts:
            batch = self.steps.tokenize(self.steps.tokenizer, [text])
            with torch.inference_mode():
                rows.append((self.steps.encoder(**batch).last_hidden_state, batch["attention_mask"]))
        return rows

    def vectors(self, texts, normalize=True):
        rows = torch.cat([pool(hidden, mask, (self.pooling,)) for hidden, mask in self.states(texts)])
        return (torch.nn.functional.normalize(rows, dim=1) if normalize else rows).tolist()

    def answer(self, path, body):
        if self.broken == "shape":
            return {"nonsense": 1}
        if path == "/info":
            return {"model_id": "tiny", "model_dtype": "float32", "max_input_length": LIMIT}
        if path == "/tokenize":
            return [self.tokens(text) for text in body["inputs"]]
        if path == "/embed_all":
            return [hidden[0].tolist() for hidden, _ in self.states(body["inputs"])]
        if path == "/embed":
            return self.vectors(body["inputs"], body["normalize"])
        if path == "/v1/embeddings":
            rows = self.vectors(body["input"])
            data = [{"index": i, "object": "embedding", "embedding": row} for i, row in enumerate(rows)]
            return {"object": "list", "data": data[::-1], "model": body["model"]}
        if path == "/api/embed":
            return {"model": body["model"], "embeddings": self.vectors(body["input"]), "prompt_eval_count": 1}
        return None

    def tokens(self, text):
        encoding = self.steps.tokenizer(text, verbose=False).encodings[0]
        return [
            {"id": i, "text": token, "special": bool(special), "start": 0, "stop": 0}
            for i, token, special in zip(
                encoding.ids, encoding.tokens, encoding.special_tokens_mask, strict=True
            )
        ]


@contextmanager
def serving(fake):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(fake.answer(self.path, body))

        def do_GET(self):
            self.reply(fake.answer(self.path, None))

        def reply(self, answer):
            content = b"{" if fake.broken == "json" else json.dumps(answer).encode()
            self.send_response(500 if fake.broken == "status" or answer is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def reference():
    return record(manual_pipeline(sound("bert", prompt=""), "left"), TEXTS)


@pytest.mark.parametrize("kind", ["tei", "openai", "ollama"])
def test_a_sound_server_agrees(reference, kind: str) -> None:
    with serving(Fake()) as address:
        trace = record_server(kind, address, TEXTS, model="tiny")
    found = diff(reference, trace)
    assert found.verdict in ("identical", "float noise"), found.first
    assert any(rung.stage == "tokens" for rung in found.rungs) == (kind == "tei")


@pytest.mark.parametrize("kind", ["tei", "openai", "ollama"])
def test_a_server_with_another_pooling_is_told(reference, kind: str) -> None:
    with serving(Fake("cls")) as address:
        trace = record_server(kind, address, TEXTS, model="tiny")
    found = diff(reference, trace)
    assert found.verdict == "different"
    if kind == "tei":
        assert found.cause is not None and found.cause.key == "pooling-cls"


@pytest.mark.parametrize(
    ("broken", "code"), [("shape", "server-answer"), ("json", "server-answer"), ("status", "server-error")]
)
@pytest.mark.parametrize("kind", ["tei", "openai", "ollama"])
def test_a_broken_answer_is_refused(kind: str, broken: str, code: str) -> None:
    with serving(Fake(broken=broken)) as address, pytest.raises(ModelSourceError) as caught:
        record_server(kind, address, ["a"], model="tiny")
    assert caught.value.code == code


def test_no_server_is_refused() -> None:
    with serving(Fake()) as address:
        pass
    with pytest.raises(ModelSourceError) as caught:
        record_server("ollama", address, ["a"], timeout_s=2)
    assert caught.value.code == "server-unreachable"


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://x", "nonsense", ""])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="server-address"):
        record_server("tei", address, ["a"])


def test_another_kind_is_refused() -> None:
    with pytest.raises(KeyError, match="unknown-server"):
        record_server("soap", "http://127.0.0.1:1", ["a"])
