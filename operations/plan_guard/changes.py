"""The changes of a plan, resource by resource, and what many of them have in common."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from operations.plan_guard.differences import Difference, find_differences
from operations.plan_guard.paths import Path, format_path, is_below
from operations.plan_guard.redaction import Redactor, cut_path
from operations.terraform.plan import ResourceChange, Verb

SHARED_BY = 3
"""So many resources with the same difference are one entry."""


class ChangedResource:
    """A resource that is changed in place or replaced, or that somebody has changed, with its differences."""

    def __init__(self, resource: ResourceChange, redactor: Redactor) -> None:
        """Compare the values of the resource before and after."""
        change = resource.change
        self.resource = resource
        self.differences = list(find_differences(*redactor.redact(change), resource.type))
        # Two paths may be the same once what is sensitive is cut off. A dict keeps the order.
        self._forcing = list(dict.fromkeys(cut_path(path, change) for path in change.replace_paths))

    @property
    def title(self) -> str:
        """The address, and what tells two objects at one address apart."""
        return self.resource.title

    @property
    def forcing_paths(self) -> list[str]:
        """The paths of the attributes that force the replacement."""
        return [format_path(path) for path in self._forcing]

    @property
    def causes(self) -> list[Difference]:
        """The differences that cause the change: those that force a replacement; else all of them."""
        if self.resource.verb is Verb.REPLACE:
            return [difference for difference in self.differences if self.is_forced_by(difference.path)]
        return self.differences

    @property
    def is_consequence(self) -> bool:
        """Whether it changes only because it refers to another resource: no cause is known before the apply."""
        return bool(self.causes) and all(cause.is_known_after_apply for cause in self.causes)

    def is_forced_by(self, path: Path) -> bool:
        """Return whether this attribute, or one above it, forces the replacement."""
        return any(is_below(path, forcing) for forcing in self._forcing)


class Entry(NamedTuple):
    """Differences that some resources have, all of them the same."""

    resources: Sequence[ChangedResource]
    differences: Sequence[Difference]
    shared: Sequence[Difference] = ()
    """What the resource has in common with others, and what stands in their entry."""


def group_changes(resources: Sequence[ChangedResource]) -> Iterator[Entry]:
    """Yield an entry for each resource, without what it has in common with others; then what they have in common."""
    owners: defaultdict[Hashable, list[ChangedResource]] = defaultdict(list)
    for resource in resources:
        for difference in resource.differences:
            owners[_make_key(difference)].append(resource)
    common: defaultdict[tuple[str, ...], list[Difference]] = defaultdict(list)
    members: dict[tuple[str, ...], list[ChangedResource]] = {}
    for resource in resources:
        own: list[Difference] = []
        shared: list[Difference] = []
        for difference in resource.differences:
            sharing = owners[_make_key(difference)]
            if len(sharing) < SHARED_BY:
                own.append(difference)
                continue
            shared.append(difference)
            titles = tuple(other.title for other in sharing)
            members[titles] = sharing
            if resource is sharing[0]:
                common[titles].append(difference)
        if own or not shared:
            yield Entry([resource], own, shared)
    for titles, differences in common.items():
        yield Entry(members[titles], differences)


def _make_key(difference: Difference) -> Hashable:
    """Return what is the same in two differences. What is hidden looks the same, whatever it is."""
    return difference.attribute, repr(difference.old), repr(difference.new)
