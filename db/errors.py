"""The one kind of error that is shown to a person as it is."""


class ExplorerError(Exception):
    """A fault that a person can put right.

    Its text is one line that names what is wrong, where, and what to do next. The command line
    prints it and the pages show it; anything else is a bug and keeps its traceback.
    """


class GoneError(ExplorerError):
    """What was asked for is not there; asking again is pointless, and what was to go there too."""


def first_line(error: Exception) -> str:
    """What an error of a library says, cut to the line that fits into one of ours."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
