"""tools/pages/sensitive.py: who can read and write what, of the stacks as they are."""

from tools.pages.sensitive import JOBS, render_sensitive
from tools.pages.stacks import synthesize_stacks


def read_rows() -> dict[str, dict[str, str]]:
    """Return the table's cells, by row and column."""
    stacks = synthesize_stacks()
    table = render_sensitive(stacks["shared"], stacks["production"])
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.strip().splitlines()[2:]]
    return {row[0]: dict(zip(JOBS, [*row[1:], *[""] * len(JOBS)], strict=False)) for row in rows}


def test_only_those_who_must_can() -> None:
    """Guards against a right that gives one job what another one guards."""
    rows = read_rows()
    may_write = {what: {job for job, cell in cells.items() if "writes" in cell} for what, cells in rows.items()}
    assert may_write["state, with its secrets in clear text"] == {"apply"}
    assert may_write["plan files, with the same secrets"] == {"plan"}
    assert may_write["images"] == {"build"}
    may_read = {what: {job for job, cell in cells.items() if "reads" in cell} for what, cells in rows.items()}
    assert may_read["secrets in Key Vault"] == {"api"}, "Contributor covers resources, and not the secrets in a vault"
    assert may_read["uploads"] == {"api"}
    assert may_read["keys of Redis"] == {"plan", "apply"}
    assert not any("delivery" in jobs for what, jobs in may_read.items() if "state" in what or "plan" in what)
