"""Entry point. Poetry imports it at every command: it imports only Poetry's base class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poetry.plugins.application_plugin import ApplicationPlugin

if TYPE_CHECKING:
    from cleo.events.event import Event
    from cleo.events.event_dispatcher import EventDispatcher
    from poetry.console.application import Application
    from poetry.console.commands.command import Command


def _bundle_wheels() -> Command:
    from wheeltarget.plugin.commands.bundle_wheels import BundleWheelsCommand

    return BundleWheelsCommand()


def _list() -> Command:
    from wheeltarget.plugin.commands.list_targets import ListCommand

    return ListCommand()


def _show() -> Command:
    from wheeltarget.plugin.commands.show_target import ShowCommand

    return ShowCommand()


def _probe() -> Command:
    from wheeltarget.plugin.commands.probe import ProbeCommand

    return ProbeCommand()


def _lock() -> Command:
    from wheeltarget.plugin.commands.lock_targets import LockTargetsCommand

    return LockTargetsCommand()


def _verify() -> Command:
    from wheeltarget.plugin.commands.verify import VerifyCommand

    return VerifyCommand()


def _diff() -> Command:
    from wheeltarget.plugin.commands.diff import DiffCommand

    return DiffCommand()


#: The commands of Poetry that may lock.
_LOCKING = frozenset(["add", "install", "lock", "remove", "sync", "update"])


def _constrain(event: Event, _name: str, dispatcher: EventDispatcher) -> None:
    """Before a command that locks: if the project asks for it, let it lock for the targets."""
    from cleo.events.console_command_event import ConsoleCommandEvent
    from poetry.console.commands.command import Command

    if not isinstance(event, ConsoleCommandEvent):
        return
    command = event.command
    if not isinstance(command, Command) or command.name not in _LOCKING:
        return
    poetry = command.poetry
    table = poetry.pyproject.data.get("tool", {}).get("wheeltarget", {})
    # Anything but false goes on, if only to be told what it must be.
    if isinstance(table, dict) and table.get("constrain-lock", False) is not False:
        from wheeltarget.plugin.constrain import begin

        begin(poetry, command.name, event.io, dispatcher)


class WheeltargetPlugin(ApplicationPlugin):
    """Registers the commands; each is imported when it is run."""

    def activate(self, application: Application) -> None:
        """Register a factory for each command, and listen to those that lock."""
        from cleo.events.console_events import COMMAND

        loader = application.command_loader
        loader.register_factory("bundle-wheels", _bundle_wheels)
        loader.register_factory("wheeltarget list", _list)
        loader.register_factory("wheeltarget show", _show)
        loader.register_factory("wheeltarget probe", _probe)
        loader.register_factory("wheeltarget lock", _lock)
        loader.register_factory("wheeltarget verify", _verify)
        loader.register_factory("wheeltarget diff", _diff)
        if application.event_dispatcher is not None:
            application.event_dispatcher.add_listener(COMMAND, _constrain)
