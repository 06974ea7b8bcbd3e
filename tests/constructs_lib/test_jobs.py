"""Jobs: inside the network, as an identity of their own, with the owner's credential out of the API's reach."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, make_environment, synthesize_construct
from tests.support import TerraformJson, synthesize_application

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "large": partial(make_environment, "dev", jobs={"cpu": "2", "migrate_minutes": 120, "console_minutes": 240}),
}
JOB = "azurerm_container_app_job"


@cache
def synthesize_jobs(variant: str = "minimal") -> TerraformJson:
    return synthesize_construct("jobs", lambda neighbours: neighbours.jobs, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_jobs(variant) == snapshot


def test_no_job_runs_twice_or_by_itself() -> None:
    """Guards against a command that is repeated after a failure, and against a migration that nobody has started."""
    for job in find_all(synthesize_jobs(), JOB).values():
        assert job["replica_retry_limit"] == 0
        assert job["manual_trigger_config"] == {"parallelism": 1, "replica_completion_count": 1}


def test_no_secret_is_in_a_job() -> None:
    """Guards against a secret that an apply needs, and that everybody who reads the job sees."""
    for job in find_all(synthesize_jobs(), JOB).values():
        assert "secret" not in job
        (container,) = job["template"]["container"]
        assert {variable["name"] for variable in container["env"]} == {
            "AZURE_CLIENT_ID",
            "OWNER_VAULT_URI",
            "VAULT_URI",
        }


def test_the_image_until_the_first_release_is_pinned_by_digest() -> None:
    """Guards against a tag that somebody else moves: the jobs' identity reads every secret."""
    for job in find_all(synthesize_jobs(), JOB).values():
        (container,) = job["template"]["container"]
        assert "@sha256:" in container["image"]


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_the_api_cannot_read_the_owners_vault(environment: str) -> None:
    """Guards against a compromised API container that could change the schema, or every role."""
    body = synthesize_application()[environment]["resource"]
    readers = {
        (assignment["scope"], assignment["principal_id"])
        for assignment in body["azurerm_role_assignment"].values()
        if "key_vault" in assignment["scope"]
    }
    api, jobs = (f"${{data.azurerm_user_assigned_identity.{role}-identity.principal_id}}" for role in ("api", "jobs"))
    owner, application = "${azurerm_key_vault.db_key_vault.id}", "${azurerm_key_vault.key_vault.id}"
    assert {reader for scope, reader in readers if scope == owner} == {jobs}
    assert {api, jobs} <= {reader for scope, reader in readers if scope == application}
    rules = body["azurerm_key_vault"]["db_key_vault"]["network_acls"]
    assert (rules["default_action"], len(rules["virtual_network_subnet_ids"])) == ("Deny", 1)
    assert "jobs-nsg-association" in rules["virtual_network_subnet_ids"][0]
