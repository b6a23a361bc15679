"""Groups of classes whose shares of the land the report sets beside the land cover's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aerial_kedro.accuracy.shares import OTHER
from aerial_kedro.errors import AerialError


def check_groups(
    classes: Iterable[str], groups: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Refuse groups of classes that are unknown or in two groups; leave out empty groups.

    Parameters
    ----------
    classes
        Class names of the class table (`land_cover.codes`).
    groups
        Group to its classes (`report.groups`).

    Raises
    ------
    AerialError
        Naming the group and the class.
    """
    known = list(classes)
    if OTHER in groups:
        raise AerialError(
            f"The parameter report.groups has a group {OTHER!r}, which is what the classes without "
            "a group are called. Give it another name."
        )
    seen: dict[str, str] = {}
    for group, members in groups.items():
        if not isinstance(members, list | tuple):
            raise AerialError(
                f"The parameter report.groups.{group} is {members!r}: give a list of classes."
            )
        for name in members:
            if name not in known:
                raise AerialError(
                    f"The parameter report.groups gives the class {name!r} to {group!r}, but there "
                    f"is none of that name. There are: {', '.join(known)}. A group that is "
                    f"not wanted is taken out by {group}: []."
                )
            if name in seen:
                raise AerialError(
                    f"The parameter report.groups has the class {name!r} in both {seen[name]!r} "
                    f"and {group!r}. Give it to one of them."
                )
            seen[name] = group
    return {group: list(members) for group, members in groups.items() if members}
