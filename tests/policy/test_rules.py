"""Every rule on every stack. The docstrings in tests/policy/rules/ say what each rule is for."""

import re

import pytest

from tests.policy.rule import RULES, PolicyRule, load_rules
from tests.policy.rules.exposure import PUBLIC, PublicException, find_open_doors
from tests.policy.stacks import NAMES, synthesize_checked_stacks

load_rules()

SOURCE = re.compile(r"https://\S+\.\w+/|docs/design\.md#\w|docs/adr/\d")
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@every_rule
@pytest.mark.parametrize("stack", NAMES)
def test_rule_holds(rule: PolicyRule, stack: str) -> None:
    violations = [str(violation) for violation in rule.check(synthesize_checked_stacks()[stack])]
    assert not violations, "\n".join(["", *violations, "", f"Why: {rule.check.__doc__}"])


@every_rule
def test_every_type_that_a_rule_reads_occurs(rule: PolicyRule) -> None:
    """Guards against a misspelled type, and against a rule that has outlived what it was for."""
    occurring = {resource.type for stack in synthesize_checked_stacks().values() for resource in stack.find_resources()}
    missing = set(rule.types) - occurring
    assert not missing, f"{rule.name} looks at {sorted(missing)}, which occur nowhere"


@every_rule
def test_rule_cites_its_source(rule: PolicyRule) -> None:
    assert SOURCE.search(rule.check.__doc__ or ""), f"{rule.name} must say why, and cite its source"


@pytest.mark.parametrize("exception", PUBLIC, ids=lambda exception: exception.name)
def test_public_exception_is_needed(exception: PublicException) -> None:
    open_resources = (
        resource for stack in synthesize_checked_stacks().values() for resource, _ in find_open_doors(stack)
    )
    assert any(exception.applies_to(resource) for resource in open_resources), f"{exception} excepts nothing: delete it"
