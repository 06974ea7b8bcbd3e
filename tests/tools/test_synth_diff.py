"""tools/synth_diff.py: the Markdown for the summary of a pull request."""

from pathlib import Path

import pytest

from tools import synth_diff


def write_stacks(folder: Path, text: str) -> Path:
    (folder / "dev").mkdir(parents=True)
    (folder / "dev/cdk.tf.json").write_text(text)
    return folder


def test_a_change_shows_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old, new = write_stacks(Path("old"), '"sku": "B1"\n'), write_stacks(Path("new"), '"sku": "P0v3"\n')
    shown = synth_diff.write_summary(synth_diff.run_git_diff(old, new, "--stat"), synth_diff.run_git_diff(old, new))
    assert "{old => new}/dev/cdk.tf.json | 2 +-" in shown
    assert '\n-"sku": "B1"\n+"sku": "P0v3"\n' in shown
    assert "artifact" not in shown


def test_no_change_says_so(tmp_path: Path) -> None:
    old, new = write_stacks(tmp_path / "old", "{}\n"), write_stacks(tmp_path / "new", "{}\n")
    assert synth_diff.write_summary("", synth_diff.run_git_diff(old, new)) == "## Synthesized Terraform\n\nNo change.\n"


def test_a_long_change_is_cut_and_points_to_the_rest() -> None:
    shown = synth_diff.write_summary("", "+line\n" * (synth_diff.LINES_SHOWN + 7))
    assert shown.count("+line") == synth_diff.LINES_SHOWN
    assert "7 more lines: the whole diff is the artifact `synthesized-diff`" in shown


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        synth_diff.run_git_diff(tmp_path / "gone", write_stacks(tmp_path / "new", "{}\n"))
