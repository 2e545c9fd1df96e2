"""``tunesmith backup`` and ``restore``: the data folder in a tar file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli import options
from tunesmith.cli.console import print_warning

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="A tar file that does not exist yet.")]
RestoreFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file written by tunesmith backup.")]


def backup(file: BackupFile, quiet: options.Quiet = False) -> None:
    """Write the database and the results, without models, to a file; the server may be running.

    tunesmith backup tunesmith-monday.tar
    """
    from tunesmith.config import load_settings
    from tunesmith.library.backup import back_up

    contents = back_up(load_settings(), file)
    if contents.database != "sqlite":
        print_warning("the PostgreSQL database is not in this file; back it up with pg_dump")
    if not quiet:
        typer.echo(f"{file}: {contents.files} files" + (" and the database" if contents.database == "sqlite" else ""))


def restore(file: RestoreFile, quiet: options.Quiet = False) -> None:
    """Restore a backup into a data folder without a database. Stop the server first.

    tunesmith restore tunesmith-monday.tar
    """
    from tunesmith.config import load_settings
    from tunesmith.library.backup import restore as put_back

    settings = load_settings()
    contents = put_back(settings, file)
    if contents.database != "sqlite":
        print_warning("the PostgreSQL database was not in this file; restore it with pg_restore")
    if not quiet:
        typer.echo(f"restored {settings.data_dir} as of {contents.created}; install models with: tunesmith pull")
