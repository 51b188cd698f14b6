"""Was the pass changed before it was looked at? Then every figure of it says so, in these words."""

from collections.abc import Mapping

SAID = "What if: {changed}. The rest ran again."


def what_if(provenance: Mapping[str, str]) -> tuple[str, ...]:
    """The note of a changed pass, from what is remembered of it; nothing of any other.

    Examples
    --------
    >>> what_if({"changed": "head 3 of layer 6 to zero"})
    ('What if: head 3 of layer 6 to zero. The rest ran again.',)
    >>> what_if({})
    ()
    """
    changed = provenance.get("changed")
    return (SAID.format(changed=changed),) if changed else ()
