"""The one kind of error that is shown to a person as it is."""


class ExplorerError(Exception):
    """A fault that a person can put right.

    Its text is one line that names what is wrong, where, and what to do next. The command line
    prints it and the pages show it; anything else is a bug and keeps its traceback.

    Attributes:
        unfinished: whether what was asked for may be at work still, or be done.
        passes: whether it may be gone a moment later.
    """

    unfinished = False
    passes = False


class EngineError(ExplorerError):
    """A statement that the engine refused or did not answer.

    Attributes:
        code: ClickHouse's, where the engine told one.
        said: the engine's own sentence, where it told one.
    """

    def __init__(
        self,
        line: str,
        code: int | None = None,
        *,
        unfinished: bool = False,
        passes: bool = False,
        said: str = "",
    ) -> None:
        super().__init__(line)
        self.said = said
        self.passes = passes
        self.code = code
        self.unfinished = unfinished


class GoneError(ExplorerError):
    """What was asked for is not there; asking again is pointless, and what was to go there too."""


def first_line(error: Exception) -> str:
    """What an error of a library says, cut to the line that fits into one of ours."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
