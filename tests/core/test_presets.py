"""Presets: the data file, and what is made of it."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from core.lockmaker import target_for
from wheeltarget.core.platforms import Kind
from wheeltarget.core.presets import Preset, presets, read_presets
from wheeltarget.core.target import PythonVersion

#: The rows of what is known of runtimes: name, Python, newest tag. Kept apart from the data file.
KNOWN = [
    *((f"aws-lambda-python3.{m}-x86_64", f"3.{m}", "manylinux_2_17_x86_64") for m in (6, 7)),
    *(
        (f"aws-lambda-python3.{minor}-{arch}", f"3.{minor}", f"manylinux_2_{glibc}_{tag}")
        for minors, glibc in ((range(8, 12), 26), (range(12, 15), 34))
        for minor in minors
        for arch, tag in (("x86_64", "x86_64"), ("arm64", "aarch64"))
    ),
    ("aws-lambda-provided.al2-arm64", None, "manylinux_2_26_aarch64"),
    ("aws-lambda-provided.al2023-x86_64", None, "manylinux_2_34_x86_64"),
    *(
        (f"google-cloud-{kind}-python3.{minor}-x86_64", f"3.{minor}", f"manylinux_2_{glibc}_x86_64")
        for kind in ("functions", "run")
        for minors, glibc in ((range(7, 10), 27), (range(10, 14), 35))
        for minor in minors
    ),
    *((f"azure-functions-python3.{m}-x86_64", f"3.{m}", "manylinux_2_31_x86_64") for m in (7, 11)),
    ("azure-functions-python3.12-x86_64", "3.12", "manylinux_2_36_x86_64"),
    *((f"vercel-python3.{m}-x86_64", f"3.{m}", "manylinux_2_34_x86_64") for m in (12, 13)),
    ("pyodide-python3.12-wasm32", "3.12", "pyodide_2024_0_wasm32"),
    ("pyodide-python3.13-wasm32", "3.13", "pyodide_2025_0_wasm32"),
    ("pyodide-python3.14-wasm32", "3.14", "pyemscripten_2026_0_wasm32"),
    ("splunk-soar-python3.13-x86_64", "3.13", "manylinux_2_28_x86_64"),
    ("splunk-soar-python3.13-aarch64", "3.13", "manylinux_2_28_aarch64"),
    *(
        (f"{name}-x86_64", None, f"manylinux_2_{glibc}_x86_64")
        for names, glibc in (
            (("rhel-6", "centos-6"), 12),
            (("rhel-7", "centos-7"), 17),
            (("debian-9",), 24),
            (("amazonlinux-2",), 26),
            (("ubuntu-18.04",), 27),
            (("rhel-8", "debian-10"), 28),
            (("ubuntu-20.04", "debian-11"), 31),
            (("rhel-9", "amazonlinux-2023"), 34),
            (("ubuntu-22.04",), 35),
            (("debian-12",), 36),
            (("ubuntu-24.04", "rhel-10"), 39),
            (("debian-13",), 41),
        )
        for name in names
    ),
    ("ubuntu-22.04-aarch64", None, "manylinux_2_35_aarch64"),
    ("alpine-3.12-x86_64", None, "musllinux_1_1_x86_64"),
    ("alpine-3.13-x86_64", None, "musllinux_1_2_x86_64"),
    ("alpine-3.20-x86_64", None, "musllinux_1_2_x86_64"),
]
EVERY = pytest.mark.parametrize("preset", presets().values(), ids=presets())


@pytest.mark.parametrize(("name", "python", "tag"), KNOWN, ids=[name for name, *_ in KNOWN])
def test_a_preset_says_what_is_known(name: str, python: str | None, tag: str) -> None:
    preset = presets()[name]
    assert preset.python == (PythonVersion.parse(python) if python else None)
    assert preset.platform.tag == tag


@EVERY
def test_every_preset_has_evidence_and_a_date(preset: Preset) -> None:
    assert preset.runtime
    assert preset.evidence
    assert all(len(text) > 6 for text in preset.evidence)
    assert date(2026, 1, 1) <= date.fromisoformat(preset.date)


@EVERY
def test_every_preset_is_a_target_by_its_name_alone(preset: Preset) -> None:
    target = target_for(preset.name, "3.10")
    assert target.name == preset.name
    assert target.primary == preset.platform
    assert target.python == (preset.python or PythonVersion(3, 10))
    # What is not known of every machine of that name stays unknown.
    assert not {"platform_release", "platform_version"} & target.environment.keys()


@EVERY
def test_a_name_is_a_file_name_and_cannot_be_read_as_tags(preset: Preset) -> None:
    assert re.fullmatch(r"[a-z0-9]+(?:[.-][a-z0-9_]+)+", preset.name)
    assert "{" not in preset.runtime


def test_aws_lambda_takes_250_mib_unpacked_and_has_its_own_sdk() -> None:
    for name, preset in presets().items():
        aws = name.startswith("aws-lambda-")
        assert (preset.max_unpacked_size == 262_144_000) is aws
        assert ("boto3" in preset.provides) is (aws and preset.python is not None)


def test_a_distribution_has_no_python_of_its_own() -> None:
    linux = [p for p in presets().values() if p.platform.kind in {Kind.GLIBC, Kind.MUSL}]
    without = {preset.name.partition("-")[0] for preset in linux if preset.python is None}
    assert {"debian", "ubuntu", "rhel", "alpine", "amazonlinux"} <= without
    assert all(preset.python is None for preset in linux if preset.name[:6] in {"debian", "alpine"})


def test_the_names_of_architectures_are_those_of_the_runtime() -> None:
    assert "aws-lambda-python3.12-aarch64" not in presets()
    assert "debian-12-arm64" not in presets()


def test_two_presets_of_one_name_are_refused() -> None:
    family: dict[str, Any] = {
        "names": ["a-{arch}"],
        "runtime": "A",
        "platform": "win_{arch}",
        "archs": ["amd64"],
        "evidence": ["somebody"],
        "date": "2026-02-02",
    }
    assert list(read_presets([family])) == ["a-amd64"]
    with pytest.raises(ValueError, match="two presets have the name a-amd64"):
        read_presets([family, family])


def test_the_data_file_has_known_keys_only() -> None:
    document = json.loads(files("wheeltarget.core").joinpath("presets.json").read_bytes())
    assert document.keys() == {"families"}
    need = {"names", "runtime", "archs", "evidence", "date"}
    more = {"pythons", "releases", "platform", "provides", "max-unpacked-size"}
    for family in document["families"]:
        assert need <= family.keys() <= need | more
        assert ("platform" in family) is not ("releases" in family)
