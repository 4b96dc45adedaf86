"""The class users see: modules, encode, similarity, save and load, each one call into the rooms below."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from workbench.data.input_example import InputExample
from workbench.data.texts import CheckedTexts, check_texts
from workbench.encoding.arguments import check_arguments
from workbench.encoding.encode import OutputValue, Rows, encode_texts
from workbench.encoding.linear import Compute
from workbench.encoding.output import Precision, converted
from workbench.encoding.processes import Job, encode_on_devices
from workbench.encoding.report import EncodeReport
from workbench.encoding.to_parquet import CHUNK_TEXTS, encode_into_parquet
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.models.folder import open_and_load, save_modules
from workbench.models.folder_config import ModelConfig
from workbench.models.model_card import model_card
from workbench.models.pooling import Pooling
from workbench.models.protocols import InputModule
from workbench.models.transformer import Transformer
from workbench.persistence.upload import upload_folder
from workbench.training import FitSettings, TrainingResult
from workbench.training import fit as train
from workbench.training.collate import Loader, smart_batching_collate
from workbench.training.events import Progress
from workbench.training.settings import DEFAULT_OPTIMIZER
from workbench.training.settings import Precision as TrainingPrecision
from workbench.util.similarity import SimilarityFunction

logger = logging.getLogger(__name__)


class SentenceTransformer(nn.Sequential):
    """A sentence-embedding model: an encoder, a pooling, and what follows.

    Args:
        model_name_or_path: The bundled name, a local folder, or a name on the Hub.
        modules: The modules themselves, instead of a name.
        device: Where it computes; by default a GPU where there is one.
        prompts: Name → text put before an input.
        default_prompt_name: The prompt used where a call names none.
        similarity_fn_name: ``"cosine"``, ``"dot"``, ``"euclidean"`` or ``"manhattan"``.
        truncate_dim: Keep the first so many dimensions of every embedding.
        revision: Commit, tag or branch on the Hub.
        token: Access token for the Hub; none is taken from the environment.
        local_files_only: Ask the cache, never the Hub.

    Attributes:
        encode_report: What happened to the texts of the last ``encode``; None before the first.
        notices: What loading changed or assumed.
        warn_truncated: Log a warning where ``encode`` cut texts; ``encode_report`` counts them either way.

    Raises:
        InvalidValueError: Neither or both of a name and modules.
        ModelSourceError: The model cannot be found or fetched.
        ModelFolderError: The folder is not admitted.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        model_name_or_path: str | Path | None = None,
        modules: Sequence[nn.Module] | None = None,
        device: str | torch.device | None = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        *,
        similarity_fn_name: str | SimilarityFunction | None = None,
        truncate_dim: int | None = None,
        revision: str | None = None,
        token: str | None = None,
        local_files_only: bool = False,
    ) -> None:
        if (model_name_or_path is None) == (modules is None):
            raise InvalidValueError(
                "model-or-modules",
                "Both came" if modules is not None else "Neither a model nor modules came",
                expected="either a name or path, or modules=[...]",
            )
        name: str | None = None
        stated: ModelConfig | None = None
        notices: tuple[str, ...] = ()
        if modules is None:
            checked, loaded = open_and_load(
                cast(str, model_name_or_path),
                revision=revision,
                token=token,
                local_files_only=local_files_only,
            )
            modules, stated, notices = [m for _, m in loaded.modules], loaded.config, checked.notices
            name = checked.admitted.name
        super().__init__(*modules)
        self.base_model_name = name
        self.notices = notices
        self.prompts: dict[str, str] = dict(
            prompts if prompts is not None else stated.prompts if stated else {}
        )
        self.default_prompt_name = default_prompt_name or (stated.default_prompt_name if stated else None)
        if self.default_prompt_name is not None:
            self._prompt(None, self.default_prompt_name)
        self.similarity_fn_name = SimilarityFunction(
            similarity_fn_name or (stated.similarity_fn_name if stated else None) or "cosine"
        )
        self.truncate_dim = truncate_dim or (stated.truncate_dim if stated else None)
        self.encode_report: EncodeReport | None = None
        self.warn_truncated = True
        self.to(torch.device(device) if device is not None else _best_device())
        self.eval()

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Run the modules in order: features in, features with ``sentence_embedding`` out."""
        for module in self:
            features = module(features)
        return features

    def encode(
        self,
        sentences: str | Sequence[str],
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        output_value: OutputValue | None = "sentence_embedding",
        precision: Precision = "float32",
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        device: str | torch.device | Sequence[str] | None = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        chunk_size: int | None = None,
        compute: Compute = "float32",
    ) -> Any:
        """Embed texts; the order is kept, whatever the batches.

        Args:
            sentences: One text or a list of texts.
            prompt_name: Name of a prompt of this model; ignored where ``prompt`` is given.
            prompt: Text put before every input.
            batch_size: Most texts a forward call; None counts tokens instead, or takes 32 with padding.
            show_progress_bar: By default shown where logging is at INFO or below.
            output_value: ``"sentence_embedding"``, ``"token_embeddings"`` (one tensor
                ``(tokens, dim)`` a text), or None for all features of each text.
            precision: ``"float32"``, or a quantised form; see ``quantize_embeddings``.
            convert_to_numpy: One array.
            convert_to_tensor: One tensor on the device; wins over ``convert_to_numpy``.
            device: Where to compute; a list takes one process a device.
            normalize_embeddings: Scale to unit length, after truncation.
            truncate_dim: Keep the first so many dimensions.
            chunk_size: Texts a task where ``device`` is a list.
            compute: In which type the encoder's linear layers multiply. ``"float32"`` is exact;
                ``"bfloat16"`` and, on the CPU, ``"int8"`` are faster at a cost that ``docs/speed.md`` states.

        Returns:
            Shape ``(texts, dim)``; a single text gives ``(dim,)``; no texts give ``(0, dim)`` float32.
            ``encode_report`` says what was cut, empty or repaired, and whether texts ran without padding.

        Raises:
            InvalidTypeError: A row that is no string.
            InvalidValueError: An argument out of range.
            UnknownNameError: A prompt that this model has not.
        """
        several = isinstance(device, list | tuple)
        check_arguments(batch_size, precision, output_value, compute, several)
        single = isinstance(sentences, str)
        checked = check_texts([sentences] if single else sentences)
        prefix = self._prompt(prompt, prompt_name)
        if show_progress_bar is None:
            show_progress_bar = logger.getEffectiveLevel() <= logging.INFO
        dim, cut = self._dims(truncate_dim)
        plain = output_value == "sentence_embedding"
        if several:
            job = Job(prefix, batch_size, normalize_embeddings, cut, dim, compute)
            rows = self._encode_on(cast(Sequence[str], device), checked.texts, job, chunk_size)
        else:
            if device is not None:
                self.to(torch.device(cast(str, device)))
            self.eval()
            rows = encode_texts(
                self,
                self._input_module,
                checked.texts,
                prompt=prefix,
                batch_size=batch_size,
                device=self.device,
                dim=dim,
                output_value=output_value,
                normalize=normalize_embeddings,
                truncate_dim=cut,
                to_cpu=convert_to_numpy and not convert_to_tensor,
                progress=show_progress_bar,
                compute=compute,
            )
        self._report(checked, rows, compute)
        if not plain:
            return rows.parts[0] if single else rows.parts
        result = converted(rows.embeddings, precision, convert_to_numpy, convert_to_tensor)
        return result[0] if single else result

    def encode_query(self, sentences: str | Sequence[str], **kwargs: Any) -> Any:
        """Embed queries: the prompt named ``query``, where there is one. Arguments as ``encode``."""
        return self._encode_as(("query",), sentences, kwargs)

    def encode_document(self, sentences: str | Sequence[str], **kwargs: Any) -> Any:
        """Embed documents with the first prompt of ``document``, ``passage``, ``corpus``; see ``encode``."""
        return self._encode_as(("document", "passage", "corpus"), sentences, kwargs)

    def encode_to_parquet(
        self,
        texts: Iterable[str],
        path: str | Path,
        *,
        chunk_texts: int = CHUNK_TEXTS,
        precision: Precision = "float32",
        **kwargs: Any,
    ) -> EncodeReport:
        """Embed more texts than fit into memory: read one after the other, written a chunk at a time.

        Args:
            texts: Read once; ``workbench.data.sentence_files.stream_sentences`` reads them from a file.
            path: The Parquet file, columns ``text`` and ``embedding``; it appears when it is whole.
            chunk_texts: Texts held at a time.
            precision: ``"float32"``, ``"binary"`` or ``"ubinary"``; int8 needs the range of all rows.
            kwargs: As ``encode`` takes them.

        Returns:
            What happened to the texts of all chunks; ``unique`` counts within a chunk.

        Raises:
            WorkbenchError: ``precision-needs-all-rows``, ``out-not-parquet``, and as ``encode``.
        """
        facts = {
            "model": self.base_model_name or "",
            "prompt": self._prompt(kwargs.get("prompt"), kwargs.get("prompt_name")),
            "precision": precision,
            "normalized": str(bool(kwargs.get("normalize_embeddings", False))),
        }
        given = {"show_progress_bar": False, **kwargs, "precision": precision}
        return encode_into_parquet(self, texts, Path(path), given, facts, chunk_texts)

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """The padded batch of some texts, as ``forward`` takes it."""
        return self._input_module.tokenize(texts)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        """Similarity of all pairs. Shape ``(n, m)``."""
        return SimilarityFunction.to_similarity_fn(self.similarity_fn_name)(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        """Similarity row by row. Shape ``(n,)``."""
        return SimilarityFunction.to_similarity_pairwise_fn(self.similarity_fn_name)(embeddings1, embeddings2)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of the first module."""
        return self._input_module.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next((parameter.device for parameter in self.parameters()), torch.device("cpu"))

    @property
    def max_seq_length(self) -> int | None:
        """Longest input in tokens, special tokens included."""
        return self._input_module.max_seq_length

    @max_seq_length.setter
    def max_seq_length(self, value: int) -> None:
        self._input_module.max_seq_length = value

    def get_max_seq_length(self) -> int | None:
        """Longest input in tokens; the classic name of ``max_seq_length``."""
        return self.max_seq_length

    def get_sentence_embedding_dimension(self) -> int:
        """Length of an embedding, truncation counted."""
        return self.truncate_dim or self._full_dim()

    def fit(
        self,
        train_objectives: Iterable[tuple[Loader, nn.Module]],
        evaluator: Callable[..., Any] | None = None,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        scheduler: str = "WarmupLinear",
        warmup_steps: int = 10000,
        optimizer_class: type[torch.optim.Optimizer] = torch.optim.AdamW,
        optimizer_params: Mapping[str, Any] = DEFAULT_OPTIMIZER,
        weight_decay: float = 0.01,
        evaluation_steps: int = 0,
        output_path: str | Path | None = None,
        save_best_model: bool = True,
        max_grad_norm: float | None = 1,
        use_amp: bool = False,
        callback: Callable[[Any, int, int], Any] | None = None,
        show_progress_bar: bool = True,
        checkpoint_path: str | Path | None = None,
        checkpoint_save_steps: int = 500,
        checkpoint_save_total_limit: int = 0,
        *,
        seed: int | None = None,
        precision: TrainingPrecision | None = None,
        gradient_accumulation_steps: int = 1,
        packed: bool = True,
        early_stopping_patience: int | None = None,
        early_stopping_threshold: float = 0.0,
        resume_from_checkpoint: bool | str | Path = False,
        resume_fork: bool = False,
        progress: Progress | None = None,
        report_to: Sequence[str] = (),
        stop: Callable[[], bool] | None = None,
    ) -> TrainingResult:
        """Train with some objectives in turn, each making one optimizer step a training step.

        Args:
            train_objectives: Pairs of a DataLoader and a loss built with this model. The loader is iterated
                as it is: its shuffling, samplers and, where one was set, its collate function are its own.
                One that is through begins a new pass.
            evaluator: Called with the model, ``output_path``, ``epoch`` and ``steps`` at the end of every
                epoch (``steps=-1``); gives a dict of metrics or a number. It changes nothing in the training.

        The other arguments are those of ``workbench.training.FitSettings``, which says what each means.

        Returns:
            Losses, learning rates, scores, notices, and the conditions.

        Raises:
            WorkbenchError: Data, labels or settings that cannot work, before the first step.
            TrainingError: A loss, gradient or weight that is not finite; nothing of it is saved.

        Source: sentence-transformers 2.2.2's ``fit``.
        """
        given = {name: value for name, value in locals().items() if name in FitSettings.__dataclass_fields__}
        return train(self, train_objectives, evaluator, FitSettings(**given))

    def smart_batching_collate(
        self, batch: Sequence[InputExample]
    ) -> tuple[list[dict[str, Any]], Tensor | None]:
        """Features a column and the labels of some examples; see ``training.collate``."""
        return smart_batching_collate(self._input_module, batch)

    def save(self, path: str | Path, model_name: str | None = None) -> None:
        """Write the model so that it loads here and in upstream, with the same embeddings.

        What an older upstream cannot read is logged. An existing model at ``path`` is replaced as a whole.

        Raises:
            InvalidTypeError: A module that the format does not know.
            InvalidValueError: Something else stands at ``path``.
        """
        config = {
            "prompts": self.prompts,
            "default_prompt_name": self.default_prompt_name,
            "similarity_fn_name": self.similarity_fn_name.value,
            "truncate_dim": self.truncate_dim,
        }
        card = model_card(model_name or Path(path).name, self.base_model_name, self._facts())
        for notice in save_modules(Path(path), list(self), config, card):
            logger.warning(notice)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        token: str,
        private: bool = True,
        commit_message: str = "Add a sentence-embedding model",
    ) -> str:
        """Upload the saved model to the Hub.

        Args:
            repo_id: ``owner/name``.
            token: An access token with write rights; it is never taken from the environment.
            private: Whether a new repository is private.
            commit_message: Of the commit.

        Returns:
            Address of the commit.

        Raises:
            ModelSourceError: The Hub refused or cannot be reached.
        """
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model"
            self.save(target, model_name=repo_id)
            return upload_folder(target, repo_id, token=token, private=private, message=commit_message)

    @property
    def _input_module(self) -> InputModule:
        first = self[0]
        # Asked first: the check of a protocol would ask for the tokenizer, and so build the library's.
        if isinstance(first, Transformer):
            return cast(InputModule, first)
        if not isinstance(first, InputModule):
            raise InvalidTypeError(
                "first-module-cannot-tokenize",
                f"The first module is a {type(first).__name__}",
                expected="a module that turns texts into ids, such as models.Transformer",
            )
        return first

    def _encode_as(self, names: Sequence[str], sentences: str | Sequence[str], kwargs: dict[str, Any]) -> Any:
        if kwargs.get("prompt") is None and kwargs.get("prompt_name") is None:
            kwargs["prompt_name"] = next((name for name in names if name in self.prompts), None)
        return self.encode(sentences, **kwargs)

    def _encode_on(self, devices: Sequence[str], texts: list[str], job: Job, chunk_size: int | None) -> Rows:
        if not devices:
            raise InvalidValueError("devices-empty", "An empty list of devices came", expected="at least one")
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model"
            self.save(target)
            return encode_on_devices(target, [str(d) for d in devices], texts, job, chunk_size=chunk_size)

    def _prompt(self, prompt: str | None, prompt_name: str | None) -> str:
        if prompt is not None:
            return prompt
        name = prompt_name or self.default_prompt_name
        if name is None:
            return ""
        if name not in self.prompts:
            raise UnknownNameError(
                "prompt-unknown",
                f"prompt_name is {name!r}",
                expected=f"one of {', '.join(map(repr, self.prompts)) or 'none: this model has no prompts'}",
                fix="Give the text itself with prompt=...",
            )
        return self.prompts[name]

    def _full_dim(self) -> int:
        for module in reversed(list(self)):
            method = getattr(module, "get_sentence_embedding_dimension", None)
            if method is not None:
                return int(method())
        return int(cast(Any, self[0]).get_word_embedding_dimension())

    def _dims(self, truncate_dim: int | None) -> tuple[int, int | None]:
        """Length of a finished row, and where it is cut."""
        full = self._full_dim()
        cut = truncate_dim if truncate_dim is not None else self.truncate_dim
        if cut is None:
            return full, None
        if isinstance(cut, bool) or not isinstance(cut, int) or not 1 <= cut <= full:
            raise InvalidValueError(
                "truncate-dim-out-of-range",
                f"truncate_dim is {cut!r}",
                expected=f"an integer from 1 to {full}, the dimension of this model",
            )
        return cut, cut

    def _report(self, checked: CheckedTexts, rows: Rows, compute: Compute) -> None:
        self.encode_report = EncodeReport(
            texts=len(checked.texts),
            unique=rows.unique,
            empty=checked.empty,
            replaced_surrogates=checked.replaced_surrogates,
            truncated=rows.truncated,
            tokens=rows.tokens,
            max_length=self.max_seq_length,
            compute=compute,
            packed=rows.packed,
            padded_because=rows.padded_because,
            padding=rows.padding,
            seconds=rows.seconds,
        )
        if rows.truncated and self.warn_truncated:
            logger.warning(
                "%d of %d texts are longer than %s tokens: their ends were not read (see encode_report)",
                len(rows.truncated),
                len(checked.texts),
                self.max_seq_length,
            )

    def _facts(self) -> dict[str, Any]:
        pooling = next((module for module in self if isinstance(module, Pooling)), None)
        return {
            "dimension": self.get_sentence_embedding_dimension(),
            "max_seq_length": self.max_seq_length,
            "pooling": pooling.get_pooling_mode_str() if pooling else None,
            "similarity": self.similarity_fn_name.value,
            "modules": [type(module).__name__ for module in self],
        }


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
