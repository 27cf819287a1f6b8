"""How many files this process may have open.

Each page on screen takes three, and so does each that was left in the last two minutes.
"""

import logging
import resource

_LOG = logging.getLogger(__name__)
ENOUGH = 1_024
# More than anybody needs; where nothing is forbidden, the limit is larger than programs can count.
_MOST = 65_536


def raise_limit() -> None:
    """Allow this process as many as its operator lets it have, and log it where they are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            _LOG.warning("The limit on open files stays at %d: %s", soft, error)
    if told := too_few():
        _LOG.warning("%s", told)


def too_few() -> str:
    """What is to be said of the limit where it is low; else ""."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= ENOUGH:
        return ""
    return (
        f"This app may have {soft:,} files open, which a few dozen pages use up: start it with "
        f"{ENOUGH:,} or more (ulimit -n, or LimitNOFILE= of its systemd unit)"
    )
