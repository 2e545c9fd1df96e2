"""``tunesmith backup`` and ``restore``: the data folder in a tar file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli import options
from tunesmith.cli.console import print_warning

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="A tar file that does not exist yet.")]
RestoreFile = Annotated[Path, typer.Argument(metavar="FILE", help="What tunesmith backup wrote.")]


def backup(file: BackupFile, quiet: options.Quiet = False) -> None:
    """Write the database and the results to a file, also while the server runs; models stay out.

    tunesmith backup tunesmith-monday.tar
    """
    from tunesmith.config import load_settings
    from tunesmith.library.backup import back_up

    made = back_up(load_settings(), file)
    if made.database != "sqlite":
        print_warning("the database is PostgreSQL's and not in this file; back it up with pg_dump")
    if not quiet:
        typer.echo(f"{file}: {made.files} files" + (" and the database" if made.database == "sqlite" else ""))


def restore(file: RestoreFile, quiet: options.Quiet = False) -> None:
    """Put a backup into the data folder, which must hold no database. Stop the server first.

    tunesmith restore tunesmith-monday.tar
    """
    from tunesmith.config import load_settings
    from tunesmith.library.backup import restore as put_back

    settings = load_settings()
    made = put_back(settings, file)
    if made.database != "sqlite":
        print_warning("the database is PostgreSQL's and was not in this file; restore it with pg_restore")
    if not quiet:
        typer.echo(f"{settings.data_dir} is as of {made.created}; models: tunesmith pull")
