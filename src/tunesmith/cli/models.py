"""``tunesmith pull``, ``list``, ``show``, ``check`` and ``rm``: the models on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options
from tunesmith.cli.console import as_json_text, progress_bar
from tunesmith.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tunesmith.licences import Licence, LicenceTerms
    from tunesmith.models.commercial_safety import CommercialPolicy
    from tunesmith.models.manifest import Manifest
    from tunesmith.models.pull import PullPlan
    from tunesmith.neural.quantization_check import QuantizationCheck

SourceArgument = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A name from tunesmith list --available, a hub id (org/name) or a folder."),
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name for the installed model.")]
QUANTIZE_HELP = (
    "int8 (default), int8-32 (finer) or none (fp32); MusicGen also int4 (smallest, audibly worse) or float16 (for a "
    "GPU), Stable Audio int8-rows (fastest) or int8-mixed."
)
Quantize = Annotated[str, typer.Option("--quantize", metavar="KIND", help=QUANTIZE_HELP)]
Revision = Annotated[str | None, typer.Option("--revision", metavar="REV", help="A branch, tag or commit on the hub.")]
KEEP_HELP = "Keep the downloaded files, to convert again without a download."
KeepDownload = Annotated[bool, typer.Option("--keep-download", help=KEEP_HELP)]
ACCEPT_HELP = "Accept the licence of the model, where it must be accepted; remembered."
AcceptLicence = Annotated[bool, typer.Option("--accept-licence", help=ACCEPT_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
SAFE_HELP = "Only models whose licence allows commercial use."
CommercialSafe = Annotated[bool, typer.Option("--commercial-safe", help=SAFE_HELP)]
RevenueBelowLimit = Annotated[bool | None, typer.Option(options.REVENUE_FLAGS, help=options.REVENUE_HELP)]
Available = Annotated[bool, typer.Option("--available", help="List the models that can be pulled by name.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="An installed model; see: tunesmith list.")]
NamesArgument = Annotated[list[str], typer.Argument(metavar="NAME…", help="Installed models.")]
SHOWN_HELP = "An installed model (see: tunesmith list), or an audio file written by Tunesmith."
ShownArgument = Annotated[str, typer.Argument(metavar="NAME|FILE", help=SHOWN_HELP)]
Verify = Annotated[bool, typer.Option("--verify", help="Read every file and compare its SHA-256.")]


def pull(
    model: SourceArgument,
    name: NameOption = None,
    quantize: Quantize = "int8",
    revision: Revision = None,
    keep_download: KeepDownload = False,
    accept_licence: AcceptLicence = False,
    quiet: options.Quiet = False,
) -> None:
    """Install a model: download it and convert it for this machine's processor.

    tunesmith pull musicgen-small
    """
    from tunesmith.models.pull import PullTools
    from tunesmith.models.pull import pull as install
    from tunesmith.models.pull_request import PullRequest
    from tunesmith.models.resource_checks import in_words
    from tunesmith.models.store import Store

    # A pull announces its plan only if there is something to install.
    offers: list[PullPlan] = []

    def announce(offer: PullPlan) -> None:
        offers.append(offer)
        if not quiet:
            typer.echo(_offer_text(offer))

    request = PullRequest(model, name, quantize, revision, keep_download, accept_licence=accept_licence)
    tools = PullTools(Store.default(), ask_acceptance=_ask_acceptance)
    with progress_bar(quiet) as progress:
        installed = install(request, tools, announce, progress)
    if not quiet:
        state = "installed" if offers else "is already installed:"
        size = in_words(installed.manifest.bytes)
        typer.echo(f"{installed.name} {state} {size} in {installed.folder}")
        for line in (*_check_lines(installed.manifest.self_check), *filter(None, (installed.manifest.remark,))):
            typer.echo(f"  {line}")
        typer.echo(f'  try: tunesmith "calm piano" --model {installed.name}')


def _offer_text(offer: PullPlan) -> str:
    from tunesmith.models.resource_checks import in_words

    download = f"{in_words(offer.download)} to download, " if offer.download else ""
    lines = (
        f"{offer.name} from {offer.source}",
        f"  licence: {_licence_text(offer.licence, offer.terms)}",
        *_licence_details(offer.licence),
        *((f"  notice: {offer.notice}",) if offer.notice else ()),
        f"  size: {download}about {in_words(offer.converted)} installed ({offer.quantization})",
    )
    return "\n".join(lines)


def _licence_text(licence: str, terms: LicenceTerms) -> str:
    return f"{licence} (commercial use: {terms.in_words})"


def _licence_details(licence: str) -> Iterator[str]:
    """Yield a line for each licence with conditions: its name, its address and what it asks for."""
    from tunesmith.licences import licences_in

    for one in licences_in(licence):
        shown = f'show your users "{one.attribution}"' if one.attribution else ""
        if details := "; ".join(filter(None, (shown, one.conditions))):
            yield f"    {one}: commercial use: {one.terms.in_words}; {details}"


def _ask_acceptance(name: str, licences: Sequence[Licence]) -> bool:
    """Ask once at the terminal; without one, nobody can accept."""
    import sys

    if not sys.stdin.isatty():
        return False
    # On standard error, so that the question is seen where the output goes to a file.
    return typer.confirm(f"Do you accept, for {name}: {'; '.join(map(str, licences))}?", err=True)


def list_models(
    as_json: AsJson = False, commercial_safe: CommercialSafe = False, revenue_below_limit: RevenueBelowLimit = None,
    available: Available = False,
) -> None:  # fmt: skip
    """List the installed models, or those that can be pulled by name."""
    from tunesmith.cli.tables import print_table
    from tunesmith.config import load_settings
    from tunesmith.models.commercial_safety import CommercialPolicy

    policy = CommercialPolicy.of(load_settings(), commercial_safe, revenue_below_limit)
    names, rows, values = _available_rows(policy) if available else _installed_rows(policy)
    if as_json:
        typer.echo(as_json_text(values))
    elif rows:
        print_table(names, rows)
        # On standard error, so that a program behind a pipe reads one model a line.
        for notice in [f"{one['name']}: {one['notice']}" for one in values if one.get("notice")]:
            typer.echo(notice, err=True)
    else:
        # On standard error, so that a program behind a pipe reads an empty list.
        typer.echo("no models are installed; see: tunesmith list --available", err=True)


Rows = tuple[tuple[str, ...], list[tuple[str, ...]], list[dict[str, Any]]]


def _installed_rows(policy: CommercialPolicy) -> Rows:
    from tunesmith.models.catalog import installed_models
    from tunesmith.models.resource_checks import in_words

    names = ("name", "size", "quantization", "licence", "commercial use")
    found = [model.installed.manifest for model in installed_models() if model.installed]
    chosen = [one for one in found if policy.accepts(one.terms)]
    rows: list[tuple[str, ...]] = [
        (one.name, in_words(one.bytes), one.quantization, one.licence, one.terms.in_words) for one in chosen
    ]
    return names, rows, [_as_json(one) for one in chosen]


def _available_rows(policy: CommercialPolicy) -> Rows:
    from tunesmith.licences import UNKNOWN_LICENCE
    from tunesmith.models.catalog import installed_models, pullable_models

    names = ("name", "parameters", "download", "licence", "commercial use", "installed", "about")
    installed = {model.name for model in installed_models()}
    rows: list[tuple[str, ...]] = []
    values: list[dict[str, Any]] = []
    for model in pullable_models().values():
        if not policy.accepts(model.terms):
            continue
        is_installed = model.name in installed
        rows.append((
            model.name, _millions(model.parameters or 0), f"{model.download_gb:g} GB", model.licence or UNKNOWN_LICENCE,
            model.terms.in_words, "yes" if is_installed else "", model.about,
        ))  # fmt: skip
        values.append({
            "name": model.name, "hub_id": model.hub_id, "kind": model.kind, "parameters": model.parameters,
            "download_gb": model.download_gb, "licence": model.licence, **model.terms.to_json(),
            "accept_licence": model.accept_licence, "notice": model.notice or None, "installed": is_installed,
            "about": model.about,
        })  # fmt: skip
    return names, rows, values


def show(name: ShownArgument, as_json: AsJson = False, verify: Verify = False) -> None:
    """Show details of a model, or the prompt, seed, settings, model and licence of an audio file.

    tunesmith show calm.mp3
    """
    from tunesmith.cli.file_metadata import is_sound_file, show_file
    from tunesmith.models.integrity import verify as verify_files
    from tunesmith.models.store import Store

    # An audio suffix means a file, also a missing one, so that the error speaks of a file.
    if is_sound_file(name):
        if verify:
            raise InvalidRequest("verify", f"applies to models, and {name} is an audio file")
        show_file(Path(name), as_json)
        return
    model = Store.default().get(name)
    if verify:
        # Before anything is printed, so that a damaged model never looks intact.
        verify_files(model.folder, model.manifest, thoroughly=True)
    values = _as_json(model.manifest)
    if as_json:
        typer.echo(as_json_text({**values, "folder": str(model.folder), **({"verified": True} if verify else {})}))
        return
    from tunesmith.cli.tables import print_table

    rows = [*_shown(model.manifest), ("folder", str(model.folder))]
    print_table(
        ("what", "value"), [*rows, ("verified", "all files are unchanged since installation")] if verify else rows
    )


def _shown(manifest: Manifest) -> list[tuple[str, str]]:
    from tunesmith.models.resource_checks import in_words

    return [
        ("name", manifest.name),
        ("architecture", str(manifest.sizes)),
        ("parameters", f"{_millions(manifest.parameters)} ({manifest.sizes.counted})"),
        ("quantization", manifest.quantization),
        *(("measured", line) for line in _check_lines(manifest.self_check)),
        ("size", f"{in_words(manifest.bytes)} in {len(manifest.files)} files"),
        ("licence", _licence_text(manifest.licence, manifest.terms)),
        *(("show to users", line) for line in manifest.terms.attributions),
        *((name, text) for name, text in (("notice", manifest.notice), ("remark", manifest.remark)) if text),
        ("source", str(manifest.source)),
        ("digest", f"sha256:{manifest.digest}"),
        ("installed", f"{manifest.created} by tunesmith {manifest.tunesmith}"),
    ]


def check(name: NameArgument) -> None:
    """Check an installed model: its files, how exact its quantized layers are here, and a second of its music."""
    from tunesmith.models.families.table import family_of
    from tunesmith.models.integrity import verify as verify_files
    from tunesmith.models.store import Store
    from tunesmith.models.trial import try_out

    model = Store.default().get(name)
    verify_files(model.folder, model.manifest, thoroughly=True)
    typer.echo("files: unchanged since installation")
    measured = family_of(model.manifest).check_again(model.folder, model.manifest)
    for line in _check_lines(measured) or ("quantized layers: the pull kept no reference to compare with",):
        typer.echo(line)
    try_out(model.folder, model.manifest)
    typer.echo("trial: it generates music")


def _check_lines(check: QuantizationCheck | None) -> tuple[str, ...]:
    return () if check is None else tuple(str(check).splitlines())


def rm(names: NamesArgument) -> None:
    """Remove installed models."""
    from tunesmith.models.store import Store

    store = Store.default()
    for name in names:
        store.remove(name)
        typer.echo(f"removed {name}")


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {**manifest.to_json(), **manifest.terms.to_json(), "bytes": manifest.bytes, "digest": manifest.digest}


def _millions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 10**9 else f"{count / 1e6:.3g} M"
