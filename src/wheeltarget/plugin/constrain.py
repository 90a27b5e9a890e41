"""``constrain-lock``: what the commands of Poetry that lock are given, and relieved of."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

from cleo.events.console_events import TERMINATE
from packaging.utils import canonicalize_name
from poetry.core.packages.dependency_group import MAIN_GROUP
from poetry.factory import Factory

from wheeltarget.core.config import ROOT, read_table
from wheeltarget.core.demand import can_hold
from wheeltarget.core.errors import Problem, UsageError, WheeltargetError
from wheeltarget.core.heldback import held_back_lines
from wheeltarget.core.report import printable, problem_lines
from wheeltarget.core.resolve import TargetOptions, resolve_targets
from wheeltarget.plugin import project as of_poetry
from wheeltarget.plugin.console import Console, escaped
from wheeltarget.plugin.surroundings import surroundings
from wheeltarget.plugin.targetpool import TargetPool
from wheeltarget.plugin.targetsolver import LockRule, constrained, is_constrained

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo.events.event import Event
    from cleo.events.event_dispatcher import EventDispatcher
    from cleo.io.inputs.input import Input
    from cleo.io.io import IO
    from packaging.utils import NormalizedName
    from poetry.poetry import Poetry

#: What a bundle holds by default, and so what a lock is constrained for.
DEFAULT_GROUPS = frozenset([canonicalize_name(MAIN_GROUP)])


def begin(poetry: Poetry, command: str, io: IO, dispatcher: EventDispatcher) -> None:
    """Constrain a command of Poetry, which is about to run, until it ends."""
    if is_constrained():  # by `poetry wheeltarget lock`, which runs the command
        return
    rule = cache(lambda: _in_words(lambda: _declared_rule(poetry, Console(io))))
    with ExitStack() as begun:
        begun.enter_context(constrained(poetry.pool, rule))
        if command == "add":
            _choose_for_targets(poetry, rule(), io.input, begun)
        stack = begun.pop_all()

    def end(_event: Event, _name: str, _dispatcher: EventDispatcher) -> None:
        stack.close()

    dispatcher.add_listener(TERMINATE, end)


def _choose_for_targets(poetry: Poetry, rule: LockRule, given: Input, stack: ExitStack) -> None:
    """`poetry add NAME` takes the constraint from the newest version: let that one fit, too.

    By then the installer has the project's pool, which stays what it was.
    """
    group = "dev" if given.option("dev") else given.option("group") or MAIN_GROUP
    if canonicalize_name(group) not in rule.groups:
        return
    where = {key: given.option(key) for key in ("python", "platform", "markers")}
    wanted = {key: value for key, value in where.items() if value}
    marker = Factory.create_dependency("any", {"version": "*", **wanted}).marker
    targets = [i for i, of in enumerate(rule.targets) if can_hold([marker], of.target)]
    plain = poetry.pool
    poetry.set_pool(TargetPool(plain, poetry.config, rule.targets, targets))
    stack.callback(poetry.set_pool, plain)


def _declared_rule(poetry: Poetry, console: Console) -> LockRule:
    if not read_table(of_poetry.table(poetry)).targets:
        raise UsageError(
            Problem(
                what=f"pyproject.toml: {ROOT}.constrain-lock needs a target to lock for",
                hint=f"declare one under [{ROOT}.targets]",
            )
        )
    return rule_for(poetry, TargetOptions(), console)


def rule_for(
    poetry: Poetry,
    options: TargetOptions,
    console: Console,
    groups: frozenset[NormalizedName] = DEFAULT_GROUPS,
) -> LockRule:
    """The rule for the targets of a run. Raises UsageError."""
    around = surroundings(poetry, console.warn, console)
    return LockRule(
        targets=resolve_targets(read_table(of_poetry.table(poetry)), options, around),
        groups=groups,
        config=poetry.config,
        tell=lambda held: console.notes(held_back_lines(held)),
    )


def _in_words(make: Callable[[], LockRule]) -> LockRule:
    """A command of Poetry shows the text of an error, and has no exit code for it but 1."""
    try:
        return make()
    except WheeltargetError as error:
        text = printable("\n".join(problem_lines(error.problems)))
        raise RuntimeError(escaped(text)) from error
