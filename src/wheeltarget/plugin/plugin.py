"""Entry point. Poetry imports it at every command: it imports only Poetry's base class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from poetry.plugins.application_plugin import ApplicationPlugin

if TYPE_CHECKING:
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


class WheeltargetPlugin(ApplicationPlugin):
    """Registers the commands; each is imported when it is run."""

    def activate(self, application: Application) -> None:
        """Register a factory for each command."""
        loader = application.command_loader
        loader.register_factory("bundle-wheels", _bundle_wheels)
        loader.register_factory("wheeltarget list", _list)
        loader.register_factory("wheeltarget show", _show)
        loader.register_factory("wheeltarget probe", _probe)
