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


class WheeltargetPlugin(ApplicationPlugin):
    """Registers the commands; each is imported when it is run."""

    def activate(self, application: Application) -> None:
        """Register a factory for each command."""
        application.command_loader.register_factory("bundle-wheels", _bundle_wheels)
