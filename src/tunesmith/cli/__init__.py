"""The ``tunesmith`` command line."""

from tunesmith.cli.entry_point import COMMANDS as COMMANDS
from tunesmith.cli.entry_point import insert_default_command as insert_default_command
from tunesmith.cli.entry_point import main as main
from tunesmith.cli.entry_point import run as run
