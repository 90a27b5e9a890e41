"""``poetry wheeltarget lock``: Poetry's own ``lock``, with targets in mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cleo.helpers import option
from packaging.utils import canonicalize_name
from poetry.console.commands.group_command import GroupCommand
from poetry.console.exceptions import GroupNotFoundError

from wheeltarget.core.errors import PlanError, Problem, UsageError
from wheeltarget.core.lockcheck import check_lines, lock_problems, unfit_packages
from wheeltarget.core.resolve import TargetOptions
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.commands.base import WheeltargetCommand, values
from wheeltarget.plugin.constrain import DEFAULT_GROUPS, rule_for
from wheeltarget.plugin.targetsolver import TargetsProblemError, constrained

if TYPE_CHECKING:
    from cleo.io.inputs.option import Option
    from packaging.utils import NormalizedName
    from poetry.poetry import Poetry

    from wheeltarget.plugin.console import Console
    from wheeltarget.plugin.targetsolver import LockRule


class LockTargetsCommand(WheeltargetCommand, GroupCommand):
    """The command."""

    name = "wheeltarget lock"
    description = "Locks versions that have a wheel for each target."

    options: ClassVar[list[Option]] = [
        values("target", "t", "A machine to lock for; by default those of bundle-wheels."),
        option("all-targets", None, "Lock for every declared target."),
        option("python", None, "The target's Python; beats a declared one.", flag=False),
        values("with", None, "Dependency groups that need wheels besides main."),
        values("without", None, "Dependency groups to ignore."),
        values("only", None, "The only dependency groups that need wheels."),
        option("all-groups", None, "All dependency groups need wheels."),
        option("regenerate", None, "Ignore the present lock."),
        option("check-lock", None, "Only tell whether the present lock has wheels for them."),
    ]

    @property
    def default_groups(self) -> set[str]:
        """What a bundle holds by default."""
        return set(DEFAULT_GROUPS)

    def work(self, console: Console) -> None:
        """Lock, or look at the lock."""
        poetry = self.load_poetry(console)
        options = TargetOptions(
            specs=tuple(self.option("target")),
            all_targets=self.option("all-targets"),
            python=self.option("python"),
        )
        rule = rule_for(poetry, options, console, self._groups())
        if self.option("check-lock"):
            self._check(poetry, rule, console)
        else:
            self._lock(poetry, rule)

    def _groups(self) -> frozenset[NormalizedName]:
        try:
            return frozenset(canonicalize_name(group) for group in self.activated_groups)
        except GroupNotFoundError as error:
            raise UsageError(Problem(what=self.io.output.remove_format(str(error)))) from error

    def _check(self, poetry: Poetry, rule: LockRule, console: Console) -> None:
        lock = of_poetry.load_lock(poetry, rule.groups)
        checks = [unfit_packages(lock.packages, rule.groups, of) for of in rule.targets]
        console.results(line for check in checks for line in check_lines(check))
        problems = lock_problems(checks)
        if problems:
            raise PlanError(*problems)

    def _lock(self, poetry: Poetry, rule: LockRule) -> None:
        arguments = "--regenerate" if self.option("regenerate") else ""
        try:
            with constrained(poetry.pool, lambda: rule):
                code = self.call("lock", arguments)
        except TargetsProblemError as error:
            self.line_error(str(error.__cause__), style="error")
            raise PlanError(*error.problems) from error
        if code != 0:
            raise PlanError(Problem(what="poetry lock failed"))
