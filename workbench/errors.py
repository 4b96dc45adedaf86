"""The errors of the workbench: each says what came, what was expected, and the cure."""

from __future__ import annotations


class WorkbenchError(Exception):
    """A refusal that a user can act on.

    Args:
        code: A short stable name, such as ``"weights-not-finite"``; tests and API clients match on it.
        came: What came: the value, the type, the count.
        expected: What would have been accepted.
        fix: The cure, as an instruction.
        where: Row, column, file or argument in which it stood; empty where there is only one place.

    Attributes:
        message: All of it as one paragraph for a person.
    """

    def __init__(self, code: str, came: str, *, expected: str = "", fix: str = "", where: str = "") -> None:
        self.code = code
        self.came = came
        self.expected = expected
        self.fix = fix
        self.where = where
        # Of the object, not of the class: torch calls a class that has a message with ``message=`` alone,
        # when it hands an error on from a worker process, and what went wrong would be lost.
        self.message = self._composed()
        super().__init__(self.message)

    def _composed(self) -> str:
        """One paragraph for a person: where, what came, what was expected, the cure."""
        head = f"{self.where}: {self.came}" if self.where else self.came
        parts = [head.rstrip(".")]
        if self.expected:
            parts.append(f"Expected {self.expected}".rstrip("."))
        if self.fix:
            parts.append(self.fix.rstrip("."))
        return ". ".join(parts) + f". [{self.code}]"

    def __str__(self) -> str:
        # KeyError's own __str__ would show the repr of the message.
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments: the default would call the class with the message alone.
        return (_rebuild, (type(self), self.code, self.came, self.expected, self.fix, self.where))


def _rebuild(
    kind: type[WorkbenchError], code: str, came: str, expected: str, fix: str, where: str
) -> WorkbenchError:
    return kind(code, came, expected=expected, fix=fix, where=where)


class InvalidValueError(WorkbenchError, ValueError):
    """An argument of the right type with a value that cannot be used."""


class InvalidTypeError(WorkbenchError, TypeError):
    """An argument of a type that cannot be used."""


class UnknownNameError(WorkbenchError, KeyError):
    """A name that no table holds; the message lists the known ones."""


class ShapeMismatchError(WorkbenchError, ValueError):
    """Two arrays whose shapes do not fit each other."""


class DataFileError(WorkbenchError, ValueError):
    """A data file that cannot be read as it stands; ``where`` names file and line."""


class DataSourceError(WorkbenchError, OSError):
    """A data set that could not be found or fetched."""


class ModelFolderError(WorkbenchError, ValueError):
    """A model folder that is not admitted; ``where`` names the file and key."""


class ModelSourceError(WorkbenchError, OSError):
    """A model that could not be found or fetched."""


class FolderWriteError(WorkbenchError, OSError):
    """A file or folder that could not be written; what stood there before is unchanged."""


class CheckpointError(WorkbenchError, ValueError):
    """A checkpoint that is damaged, or that does not fit what is resumed from it."""


class MissingExtraError(WorkbenchError, ImportError):
    """An optional package that is not installed; the cure is the command that installs it."""


class TrainingError(WorkbenchError, RuntimeError):
    """A training that cannot go on; what it saved before stands."""


class Cancelled(WorkbenchError):
    """The user asked to stop; nothing is wrong."""

    def __init__(self, came: str = "Cancelled") -> None:
        super().__init__("cancelled", came)

    def __reduce__(self) -> tuple[object, ...]:
        return (Cancelled, (self.came,))
