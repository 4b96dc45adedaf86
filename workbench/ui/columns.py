"""The form of a column: what the sidebar holds, checked, and the column of a comparison it stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

from workbench.compare.results import Column
from workbench.contenders.contract import Precision, Settings
from workbench.contenders.registry import CONTENDERS
from workbench.errors import InvalidTypeError, InvalidValueError

MAX_COLUMNS = 6
AUTO = "auto"
# Of a comparison that nobody has set up.
DEFAULT_CONTENDERS = ("own", "upstream", "manual")
POOLINGS = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
PRECISIONS: tuple[str, ...] = get_args(Precision)
_SWITCH: Mapping[str, bool | None] = {AUTO: None, "yes": True, "no": False}
_MODEL_CHARACTERS = 300
_PROMPT_CHARACTERS = 2000
_LONGEST = 32_768


@dataclass(frozen=True, kw_only=True)
class ColumnForm:
    """One column as a person fills it in; ``"auto"`` and None leave a setting to the model.

    Attributes:
        contender: A name of the table of contenders.
        model: Empty for the bundled model, else a folder or ``org/name`` on the Hub.
        pooling: A pooling mode, several joined by ``+``, or ``"auto"``.
        max_length: Tokens, or None for the model's own limit.
        prompt: Text put before every input.
        normalize: ``"auto"``, ``"yes"`` or ``"no"``.
        lowercase: The same for lower-casing.
        use_mask: False averages over padding too.
        precision: Type in which the encoder computes.
    """

    contender: str = "own"
    model: str = ""
    pooling: str = AUTO
    max_length: int | None = None
    prompt: str = ""
    normalize: str = AUTO
    lowercase: str = AUTO
    use_mask: bool = True
    precision: str = "float32"


FIELDS = tuple(field.name for field in fields(ColumnForm))
DEFAULT_FORMS = tuple(ColumnForm(contender=name) for name in DEFAULT_CONTENDERS * 2)
DEFAULT_ACTIVE = (True, True, True, False, False, False)

SettingsFor = Callable[..., Settings]


def form_from_values(values: Sequence[object], slot: int) -> ColumnForm:
    """A checked form from the raw values of its controls: API callers skip what the controls enforce.

    Raises:
        InvalidValueError: A value that no control offers; ``where`` names column and field.
        InvalidTypeError: A value of another type.
    """
    if len(values) != len(FIELDS):
        raise InvalidValueError("column-fields", f"{len(values)} values came", expected=f"{len(FIELDS)}")
    given = dict(zip(FIELDS, values, strict=True))
    return ColumnForm(
        **{name: check(given[name], f"column {slot + 1}, {name}") for name, check in _CHECKS.items()}
    )


def control_value(form: ColumnForm, name: str) -> object:
    """What the control of a field shows: the token limit is a text box, empty where the model decides."""
    value = getattr(form, name)
    return ("" if value is None else str(value)) if name == "max_length" else value


def form_of(column: Column) -> ColumnForm:
    """The form with every setting of a column written out."""
    settings = column.settings
    lowercase = next(name for name, value in _SWITCH.items() if value is settings.lowercase)
    return ColumnForm(
        contender=column.contender,
        model=column.model,
        pooling=settings.pooling,
        max_length=settings.max_length,
        prompt=settings.prompt,
        normalize="yes" if settings.normalize else "no",
        lowercase=lowercase,
        use_mask=settings.use_mask,
        precision=settings.precision,
    )


def overrides_of(form: ColumnForm) -> dict[str, Any]:
    """The settings a form states; those it leaves to the model are absent."""
    stated: dict[str, Any] = {"use_mask": form.use_mask, "precision": form.precision}
    if form.prompt:
        stated["prompt"] = form.prompt
    if form.pooling != AUTO:
        stated["pooling"] = form.pooling
    if form.max_length is not None:
        stated["max_length"] = form.max_length
    if form.normalize != AUTO:
        stated["normalize"] = _SWITCH[form.normalize]
    if form.lowercase != AUTO:
        stated["lowercase"] = _SWITCH[form.lowercase]
    return stated


def column_of(
    form: ColumnForm, label: str, device: str, default_model: str, settings_for: SettingsFor
) -> Column:
    """The column a form stands for; ``settings_for`` fills in what the form leaves to the model."""
    model = form.model or default_model
    return Column(label, form.contender, model, settings_for(model, **overrides_of(form), device=device))


def labels_of(forms: Sequence[ColumnForm], devices: Sequence[str]) -> tuple[str, ...]:
    """A unique name for each form on each device, by form, then device: ``own``, ``own 2``, ``own cuda``."""
    seen: Counter[str] = Counter()
    labels = []
    for form in forms:
        seen[form.contender] += 1
        number = f" {seen[form.contender]}" if seen[form.contender] > 1 else ""
        labels += [form.contender + number + (f" {device}" if len(devices) > 1 else "") for device in devices]
    return tuple(labels)


def stated_settings(form: ColumnForm) -> dict[str, object]:
    """What a form sets apart from the default form of its contender and the model, for its description."""
    default = asdict(ColumnForm(contender=form.contender, model=form.model))
    return {name: value for name, value in asdict(form).items() if value != default[name]}


# Break → the settings of the manual column that bring it about.
BREAKS: dict[str, dict[str, Any]] = {
    "max_length": {"max_length": 512},
    "pooling": {"pooling": "cls"},
    "use_mask": {"use_mask": False},
    "normalize": {"normalize": "no"},
    "lowercase": {"lowercase": "no"},
}


def broken_slot(forms: Sequence[ColumnForm], active: Sequence[bool]) -> int:
    """The column that the chips break: the last manual one in use, else the last in use."""
    used = [slot for slot, on in enumerate(active) if on]
    manual = [slot for slot in used if forms[slot].contender == "manual"]
    return (manual or used or [0])[-1]


def break_column(forms: Sequence[ColumnForm], active: Sequence[bool], name: str | None) -> ColumnForm:
    """The broken column's form with one fault in it, and none of the others; ``None`` repairs it.

    What no chip touches stays: contender, model, prompt, precision. The rest is taken from the first other
    column, so that exactly one setting parts the two.

    Raises:
        InvalidValueError: No such break.
    """
    if name is not None and name not in BREAKS:
        raise InvalidValueError("unknown-break", f"{name!r} came", expected=f"one of {', '.join(BREAKS)}")
    slot = broken_slot(forms, active)
    other = next((forms[i] for i, on in enumerate(active) if on and i != slot), ColumnForm())
    sound = replace(forms[slot], **{field: getattr(other, field) for field in BREAKS})
    return sound if name is None else replace(sound, **BREAKS[name])


def present_break(forms: Sequence[ColumnForm], active: Sequence[bool]) -> str | None:
    """Which chip describes the manual column as it stands; None where it is sound or broken otherwise."""
    form = forms[broken_slot(forms, active)]
    return next(
        (
            name
            for name in BREAKS
            if form == break_column(forms, active, name) != break_column(forms, active, None)
        ),
        None,
    )


def _choice(known: Sequence[str]) -> Callable[[object, str], str]:
    def check(value: object, where: str) -> str:
        if not isinstance(value, str) or value not in known:
            raise InvalidValueError(
                "unknown-choice",
                f"{str(value)[:80]!r} came",
                expected=f"one of {', '.join(known)}",
                where=where,
            )
        return value

    return check


def _text(limit: int) -> Callable[[object, str], str]:
    def check(value: object, where: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InvalidTypeError("not-text", f"A {type(value).__name__} came", expected="text", where=where)
        if len(value) > limit:
            raise InvalidValueError(
                "text-too-long", f"{len(value):,} characters came", expected=f"at most {limit:,}", where=where
            )
        return value

    return check


def _model(value: object, where: str) -> str:
    return _text(_MODEL_CHARACTERS)(value, where).strip()


def model_name(value: object) -> str:
    """A model's name from a control of its own; empty for the bundled one.

    Raises:
        InvalidTypeError, InvalidValueError: No text, or too long a one.
    """
    return _model(value, "model")


def _pooling(value: object, where: str) -> str:
    modes = _choice((AUTO, *POOLINGS))
    if isinstance(value, str) and "+" in value:
        for part in value.split("+"):
            _choice(POOLINGS)(part, where)
        return value
    return modes(value, where)


def _length(value: object, where: str) -> int | None:
    if isinstance(value, str):
        typed = value.strip()
        value = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else typed or None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise InvalidValueError(
            "not-a-length", f"{str(value)[:80]!r} came", expected="a whole number", where=where
        )
    if not 1 <= value <= _LONGEST:
        raise InvalidValueError(
            "length-out-of-range", f"{int(value):,} came", expected=f"1 to {_LONGEST:,} tokens", where=where
        )
    return int(value)


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidTypeError(
            "not-a-flag", f"A {type(value).__name__} came", expected="true or false", where=where
        )
    return value


_CHECKS: dict[str, Callable[[object, str], Any]] = {
    # Those that are not installed too: opening one says how to install it.
    "contender": _choice(tuple(CONTENDERS)),
    "model": _model,
    "pooling": _pooling,
    "max_length": _length,
    "prompt": _text(_PROMPT_CHARACTERS),
    "normalize": _choice(tuple(_SWITCH)),
    "lowercase": _choice(tuple(_SWITCH)),
    "use_mask": _flag,
    "precision": _choice(PRECISIONS),
}
