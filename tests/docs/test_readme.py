"""The README begins with what it is, then two commands, which CI runs as they stand there."""

from __future__ import annotations

from docs.markdown import ROOT, blocks, sections

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def dev_commands() -> list[str]:
    """The commands of dev.py that the README shows, in order."""
    shell = (block.text for block in blocks("README.md") if block.language == "sh")
    lines = (line for text in shell for line in text.splitlines())
    return [line for line in lines if "dev.py" in line]


def test_what_it_is_takes_ten_lines_at_most() -> None:
    before, first, *_ = sections("README.md")
    assert not before.text
    lines = [line for line in first.text.splitlines() if line]
    assert first.title == "wheeltarget"
    assert 0 < len(lines) <= 10
    assert "dev.py" not in first.text


def test_two_commands_do_all_set_up() -> None:
    assert dev_commands() == ["python3 dev.py example", "python3 dev.py test"]


def test_ci_runs_these_commands_as_they_stand() -> None:
    steps = [number for number, line in enumerate(CI) if line.startswith('step "the README')]
    in_steps = {
        line
        for begin in steps
        for line in CI[begin + 1 : next((n for n in steps if n > begin), len(CI))]
    }
    assert set(dev_commands()) <= in_steps


def test_the_commands_stand_alone() -> None:
    for block in blocks("README.md"):
        if block.language == "sh" and "dev.py" in block.text:
            assert len(block.text.splitlines()) == 1
