"""Compares `github_repository`, whose workflows Azure would trust, with this checkout and with what GitHub says."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from environments.settings import Account

Answer = TypeVar("Answer", bound=BaseModel)
IMMUTABLE_SINCE = datetime(2026, 7, 15, tzinfo=UTC)
"""Repositories created, renamed or transferred since then have subjects with ids.

https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/ announced an earlier
day. https://github.com/github/docs/pull/45221 has this one.
"""
_REMOTE = re.compile(r"^(\w+://)?([^@/]+@)?(?P<host>\w[^/:]*)(:\d+)?[/:](?P<repository>[^:]+?/[^:]+?)(\.git)?/?$")
"""A remote's address by HTTPS, SSH, or an alias of ~/.ssh/config. A local folder is none."""


class _Owner(BaseModel):
    id: int


class GitHubRepository(BaseModel):
    """A part of GitHub's answer: https://docs.github.com/rest/repos/repos#get-a-repository."""

    id: int
    full_name: str
    owner: _Owner
    created_at: AwareDatetime


class SubjectCustomization(BaseModel):
    """A part of GitHub's answer to `actions/oidc/customization/sub`. Older answers lack the last two fields.

    https://docs.github.com/rest/actions/oidc#get-the-customization-template-for-an-oidc-subject-claim-for-a-repository
    """

    use_default: bool = True
    use_immutable_subject: bool | None = None
    sub_claim_prefix: str | None = None
    """The beginning of the subjects. It was seen to carry ids beside `use_immutable_subject: false`, and is right."""

    @property
    def has_ids(self) -> bool | None:
        """Whether the subjects carry ids. None if GitHub does not say so."""
        return "@" in self.sub_claim_prefix if self.sub_claim_prefix else self.use_immutable_subject


class _Rule(BaseModel):
    type: str


class _GitHubEnvironment(BaseModel):
    name: str
    protection_rules: tuple[_Rule, ...] = ()
    deployment_branch_policy: dict[str, bool] | None = None

    @property
    def has_rules(self) -> bool:
        """Whether anything decides which branches may use it, or who reviews."""
        rules = [rule for rule in self.protection_rules if rule.type != "wait_timer"]  # any branch can wait
        return bool(rules or self.deployment_branch_policy)


class GitHubEnvironments(BaseModel):
    """A part of GitHub's answer: https://docs.github.com/rest/deployments/environments#list-environments."""

    environments: tuple[_GitHubEnvironment, ...] = ()


def find_repository_problems(account: Account) -> Iterator[str]:
    """Yield a sentence for each reason why Azure would trust other workflows than those of this repository, or none."""
    repository = account.github_repository
    remotes = _list_remote_repositories()
    answer = _ask(f"repos/{repository}", GitHubRepository)
    if remotes and repository not in remotes:
        of_other_case = [remote for remote in remotes if remote.lower() == repository.lower()]
        if of_other_case and answer is None:  # GitHub knows best, and a remote may be written in any case
            yield (
                f"github_repository is {repository}, and this checkout comes from {of_other_case[0]}. Azure compares "
                "subjects with regard to case: write it as GitHub shows it."
            )
        elif not of_other_case:
            yield (
                f"This checkout comes from {', '.join(remotes)}, but github_repository is {repository}, whose "
                "workflows Azure would trust. Correct it in environments/shared.py, or add that repository as a remote."
            )
    if answer:
        yield from _compare_with_github(account, answer)


def list_trusted_environments(environments: Iterable[str]) -> list[str]:
    """Return the names of the GitHub environments that Azure trusts, for these environments and for `shared`."""
    return [
        "shared-build",
        "shared-plan",
        *(f"{name}{job}" for name in environments for job in ("", "-delivery", "-plan")),
    ]


def find_unruled_environments(repository: str, names: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for the GitHub environments that are missing, and one for those without a rule.

    GitHub makes a missing environment at its first use, without any rule. Every branch could then log in to Azure as
    the identity that trusts it. Without an answer of GitHub's nothing is found, and a line on the terminal says so.

    https://docs.github.com/rest/deployments/environments#list-environments
    """
    answer = _ask(f"repos/{repository}/environments?per_page=100", GitHubEnvironments)
    if answer is None:
        note = "Not checked: the rules of GitHub's environments. Is `gh` installed and logged in, and may it read them?"
        print(note, file=sys.stderr)
        return
    known = {environment.name: environment for environment in answer.environments}
    expected = list(names)
    if missing := [name for name in expected if name not in known]:
        yield (
            f"{repository} lacks the environments {', '.join(missing)}, which Azure would trust. GitHub would make "
            "them without any rule: create them with their rules first (docs/quickstart.md)."
        )
    if unruled := [name for name in expected if name in known and not known[name].has_rules]:
        yield f"These environments of {repository} have no rule, so every branch may log in: {', '.join(unruled)}."


def _compare_with_github(account: Account, answer: GitHubRepository) -> Iterator[str]:
    """Yield what differs from the repository as GitHub knows it."""
    was_moved = answer.full_name.lower() != account.github_repository.lower()
    if answer.full_name != account.github_repository:
        reason = "was renamed or transferred" if was_moved else "is written otherwise"
        where = f"github_repository {account.github_repository} {reason}"
        yield f"{where}: it is {answer.full_name}. Subjects must match it."
    ids = (account.github_owner_id, account.github_repository_id)
    expected = (str(answer.owner.id), str(answer.id))
    if any(ids) and ids != expected:
        known, written = " and ".join(expected), " and ".join(ids)
        yield f"GitHub's ids are {known}, but github_owner_id and github_repository_id are {written}."
    customization = _ask(f"repos/{answer.full_name}/actions/oidc/customization/sub", SubjectCustomization)
    if customization and not customization.use_default:
        yield (
            f"The subjects of {answer.full_name} follow a template of its own, which Azure would not trust. Use the "
            f"default: gh api --method PUT repos/{answer.full_name}/actions/oidc/customization/sub -F use_default=true"
        )
    immutable = customization.has_ids if customization else None
    if immutable is None:
        immutable = any(ids) or was_moved or answer.created_at >= IMMUTABLE_SINCE
    if immutable and not any(ids):
        yield (
            f"The subjects of {answer.full_name} carry ids, as those of every repository that was created, renamed or "
            f"transferred since 2026-07-15: github_owner_id must be {expected[0]}, and github_repository_id "
            f"{expected[1]}."
        )
    if any(ids) and not immutable:
        yield (
            f"The subjects of {answer.full_name} carry no ids: remove github_owner_id and github_repository_id, or let "
            "GitHub use immutable subjects."
        )


def _list_remote_repositories() -> list[str]:
    """Return `owner/name` of every remote of this checkout, each once, after the host if that is not GitHub."""
    git = shutil.which("git")
    if git is None:
        return []
    command = [git, "remote", "-v"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603
    found = (_REMOTE.match(line.split()[1]) for line in lines if len(line.split()) > 1)
    return list(dict.fromkeys(_name_remote(match) for match in found if match))


def _name_remote(match: re.Match[str]) -> str:
    """Return `owner/name`, after the host if that is another than GitHub, whose workflows alone Azure would trust.

    A host without a dot is an alias of ~/.ssh/config, which may lead to GitHub.
    """
    is_other = "." in match["host"] and match["host"] not in ("github.com", "ssh.github.com", "www.github.com")
    return f"{match['host']}/{match['repository']}" if is_other else match["repository"]


def _ask(path: str, model: type[Answer]) -> Answer | None:
    """Return GitHub's answer, or None without GitHub's CLI, without a login or without a network."""
    gh = shutil.which("gh")
    if gh is None:
        return None
    try:
        answer = subprocess.run([gh, "api", path], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
        # After an error, `gh` prints GitHub's answer all the same: `{"message": "Not Found"}` is no empty list.
        return None if answer.returncode else model.model_validate_json(answer.stdout)
    except (OSError, subprocess.TimeoutExpired, ValidationError):
        return None
