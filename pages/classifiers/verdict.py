"""What a check sample's marks tell, in words."""

from classifier.estimates.amounts import Amount
from classifier.estimates.evidence import Evidence, Quality
from db.words import counted


def verdict(evidence: Evidence, threshold: float, shown: int, came: int = 0) -> str:
    """How good the classifier is at a threshold, or why that can't be told yet.

    Args:
        evidence: the sample's.
        threshold: a score.
        shown: how many photos the sample has.
        came: how many came in since that belong in it.
    """
    quality = evidence.at(threshold)
    if not quality.marked:
        photos = "this photo" if shown == 1 else f"these {shown:,} photos"
        return f"Mark {photos}: yes where it is what you look for, no where it is not"
    rest = shown - quality.marked
    left = f"{rest:,} still to be marked" if rest > 0 else ""
    told = (_precision(quality), _total(evidence, quality, threshold), left, _came(came))
    return ". ".join(filter(None, told))


def _came(photos: int) -> str:
    if not photos:
        return ""
    they, them = ("belongs", "it") if photos == 1 else ("belong", "them")
    return f"{counted(photos, 'photo')} that came in since {they} in the sample too: add {them}"


def _precision(quality: Quality) -> str:
    if not quality.kept:
        return "No photo is above this threshold"
    if not quality.precision.width:
        return f"Precision {quality.precision.value:.0%}: all that is kept is marked"
    between = _between(quality.precision)
    if not quality.tells_precision:
        return f"Too few marks above the threshold to tell the precision: between {between}"
    return (
        f"Precision {quality.precision.value:.0%}, with 95 % confidence between {between} "
        f"({quality.right:,} of {quality.marked_kept:,} right)"
    )


def _total(evidence: Evidence, quality: Quality, threshold: float) -> str:
    total = quality.total
    if not quality.tells_total:
        more = evidence.more_needed(threshold)
        wanted = f"; about {more:,} more below the threshold would tell" if more else ""
        return (
            "Too few marks to tell how many right ones are missed: there are between "
            f"{total.low:,.0f} and {total.high:,.0f} in all{wanted}"
        )
    if not total.width:
        return f"It keeps {quality.found.value:,.0f} of the {total.value:,.0f} in the collection"
    return (
        f"It keeps about {quality.found.value:,.0f} of an estimated {total.value:,.0f} "
        f"({total.low:,.0f} to {total.high:,.0f}) in the collection: recall "
        f"{quality.recall.value:.0%}, between {_between(quality.recall)}"
    )


def _between(share: Amount) -> str:
    return f"{share.low:.0%} and {share.high:.0%}"
