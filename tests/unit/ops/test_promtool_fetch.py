from pathlib import Path

import pytest

from ops.setup import promtool


def test_tools_on_the_path_are_used_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in promtool.PROGRAMS:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert promtool.programs() == {name: tmp_path / name for name in promtool.PROGRAMS}


def test_a_machine_without_apt_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(promtool, "FOLDER", tmp_path / "tools")
    with pytest.raises(promtool.NotToBeHad, match="apt-get is not here"):
        promtool.programs()
