"""What the report says of the size of a bundle's wheels."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from core.lockmaker import plan_for, target_for
from wheeltarget.core.report import PackageSize, TargetReport, size_lines

LEGACY = target_for("cp38-cp38-manylinux2010_x86_64")


def of_size(*unpacked: int) -> TargetReport:
    sizes = (
        PackageSize(name=canonicalize_name(f"p{size}"), version="1", packed=1000, unpacked=size)
        for size in unpacked
    )
    return TargetReport(plan=plan_for(LEGACY), sizes=tuple(sizes))


def test_sizes_name_the_largest() -> None:
    assert size_lines(of_size(5000, 4000, 3000, 2000, 1000)) == [
        "cp38-manylinux2010_x86_64: 5.0 kB of wheels, 15.0 kB unpacked, of which",
        "  p5000 1   5.0 kB",
        "  p4000 1   4.0 kB",
        "  p3000 1   3.0 kB",
        "  2 more    3.0 kB",
    ]
    assert size_lines(of_size(2000, 1000))[1:] == ["  p2000 1   2.0 kB", "  p1000 1   1.0 kB"]


def test_sizes_name_all_where_more_is_asked_for() -> None:
    lines = size_lines(of_size(5000, 4000, 3000, 2000), verbose=True)
    assert [line.split()[0] for line in lines[1:]] == ["p5000", "p4000", "p3000", "p2000"]


def test_a_bundle_without_wheels_has_no_sizes() -> None:
    assert size_lines(of_size()) == []
