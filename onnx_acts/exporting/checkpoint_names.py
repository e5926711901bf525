"""Names of tensors that differ by the prefixes which wrappers around a module leave."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["match_names"]

_WRAPPERS = ("module", "_orig_mod")
"""What DataParallel and DistributedDataParallel, and torch.compile put into names."""


def match_names(found: Collection[str], wanted: Collection[str]) -> dict[str, str]:
    """Gives every name of a file the name that the module has for it.

    Wrappers' prefixes are left out or put in, at any depth. So is one other prefix that all names
    of one side have, such as Lightning's "model.", where everything fits then. Names that fit
    nothing stay as they are.

    Args:
        found: the names in the file.
        wanted: the names in the module.
    """
    same = {name: name for name in found}
    if set(found) <= set(wanted):
        return same
    unwrapped = _without_wrappers(found, wanted)
    if _matches(unwrapped, wanted) > _matches(same, wanted):
        return unwrapped
    shorter = _one_shorter(found, wanted)
    return same if shorter is None else shorter


def _without_wrappers(found: Collection[str], wanted: Collection[str]) -> dict[str, str]:
    """Pairs names that are equal without wrappers; changes none where two would become one."""
    targets = {_unwrapped(name): name for name in wanted}
    result = {name: targets.get(_unwrapped(name), name) for name in found}
    is_clear = len(targets) == len(wanted) and len(set(result.values())) == len(found)
    return result if is_clear else {name: name for name in found}


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def _one_shorter(found: Collection[str], wanted: Collection[str]) -> dict[str, str] | None:
    """Names without, or with, the first part that all of one side have; None where it is no use.

    Wrappers do not count here either.
    """
    files = {_unwrapped(name): name for name in found}
    own = {_unwrapped(name): name for name in wanted}
    if len(files) < len(found) or len(own) < len(wanted):
        return None
    for cut_file, cut_own in ((True, False), (False, True)):
        left = _cut(files) if cut_file else files
        right = _cut(own) if cut_own else own
        if left and left.keys() == right.keys():
            return {left[key]: right[key] for key in left}
    return None


def _cut(names: dict[str, str]) -> dict[str, str]:
    """The names without their first part, where all have the same; none otherwise."""
    if len({name.partition(".")[0] for name in names}) != 1:
        return {}
    return {name.partition(".")[2]: whole for name, whole in names.items()}


def _matches(names: dict[str, str], wanted: Collection[str]) -> int:
    return len(set(names.values()) & set(wanted))
