"""A wheel is installed, backed up, restored and upgraded with the very commands of docs/deployment.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from databases import PostgreSQL, postgresql
from doc_pages import ROOT, blocks_of, read_page

__all__ = ["postgresql"]

PAGE = read_page("docs/deployment.md")
WHEEL = "dist/tunesmith-0.1.0-py3-none-any.whl"
SHIMS = {
    "sudo": 'if [ "$1" = -u ]; then shift 2; fi\nexec "$@"',
    "make": '[ "$*" = dist ] || exit 2',
    "useradd": "",
    "systemctl": 'echo "$*" >> "$LOG"',
    "install": 'for last; do :; done\nmkdir -p "$last"',
    "curl": 'echo "curl $*" >> "$LOG"',
    "python3": f"""[ "$1 $2" = "-m venv" ] || exit 2
        "{sys.executable}" -m venv --without-pip "$3"
        printf '#!/bin/sh\\nexec "{sys.executable}" -m pip --python "%s" "$@"\\n' "$3/bin/python" > "$3/bin/pip"
        chmod +x "$3/bin/pip\"""",
}
"""Programs of the page that would change this machine, or take long: make's own recipe is looked at apart."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a Unix shell")


@dataclass(frozen=True)
class Machine:
    """A folder that stands for a machine's root."""

    root: Path

    def run(self, block: str) -> None:
        (found,) = blocks_of(PAGE, "sh", f"tested: {block}")
        code = re.sub(r"/(opt|var)/", rf"{self.root}/\1/", found.code)
        self.call("bash", "-euo", "pipefail", "-c", code)

    def call(self, *command: str) -> str:
        variables = {
            "PATH": f"{self.root / 'shims'}{os.pathsep}{os.environ['PATH']}", "LOG": str(self.root / "log"),
            "PIP_NO_DEPS": "1", "PIP_NO_COMPILE": "1", "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1",
        }  # fmt: skip
        done = subprocess.run(
            command, cwd=self.root, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def tunesmith(self, *arguments: str) -> str:
        data = f"TUNESMITH_DATA_DIR={self.root / 'var' / 'lib' / 'tunesmith'}"
        return self.call("env", data, str(self.root / "opt" / "tunesmith" / "bin" / "tunesmith"), *arguments)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with the wheel installed; what the wheel depends on is that of the tests."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    (machine.root / "shims").mkdir()
    for name, code in SHIMS.items():
        shim = machine.root / "shims" / name
        shim.write_text(f"#!/bin/sh\nset -e\n{code}\n")
        shim.chmod(0o755)
    for folder in ("opt", "var/lib", "var/backups"):
        (machine.root / folder).mkdir(parents=True)
    (machine.root / "constraints.txt").write_bytes((ROOT / "constraints.txt").read_bytes())
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(machine.root / "dist")],
                   cwd=ROOT, check=True, capture_output=True)  # fmt: skip
    machine.run("package")
    machine.run("install")
    (packages,) = (machine.root / "opt" / "tunesmith" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    return machine


def test_make_dist_builds_the_wheel_that_the_page_names(machine: Machine) -> None:
    recipe = subprocess.run(["make", "-n", "dist"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m hatchling build -d dist" in recipe
    assert [file.name for file in (machine.root / "dist").iterdir()] == [Path(WHEEL).name]
    assert set(re.findall(r"dist/tunesmith-[\d.]+\S*?\.whl", PAGE)) == {WHEEL}


def test_the_wheel_has_every_file_of_the_package_and_the_licences(machine: Machine) -> None:
    with zipfile.ZipFile(machine.root / WHEEL) as wheel:
        inside = set(wheel.namelist())
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src"], cwd=ROOT, capture_output=True,
        text=True, check=False,
    ).stdout.split()  # fmt: skip
    source = [Path(name) for name in listed if (ROOT / name).is_file()]
    source = source or [one.relative_to(ROOT) for one in (ROOT / "src" / "tunesmith").rglob("*.[!p]*") if one.is_file()]
    assert len(source) > 400
    assert {path.relative_to("src").as_posix() for path in source} <= inside
    assert {name.rpartition("/")[2] for name in inside if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_what_is_installed_reads_its_own_files(machine: Machine) -> None:
    code = "from tunesmith.composer.genre import genre_names; print(len(genre_names()), __import__('tunesmith'))"
    count, where = machine.call(str(machine.root / "opt/tunesmith/bin/python"), "-c", code).split(maxsplit=1)
    assert int(count) > 20
    assert str(machine.root / "opt" / "tunesmith") in where


def test_a_backup_is_taken_restored_and_taken_again_before_an_upgrade(machine: Machine) -> None:
    made = machine.tunesmith("token", "create", "--name", "kept")
    assert made.startswith("ts_")
    machine.run("backup")
    later = machine.root / "var" / "lib" / "tunesmith" / "later.txt"
    later.write_text("not in the backup")
    machine.run("restore")
    assert not later.exists()
    machine.run("upgrade")
    assert "kept" in machine.tunesmith("token", "list")
    assert sorted(file.name for file in (machine.root / "var/backups/tunesmith").iterdir()) == [
        "before-upgrade.tar", "monday.tar",
    ]  # fmt: skip
    log = (machine.root / "log").read_text().splitlines()
    assert log[:4] == ["stop tunesmith", "start tunesmith"] * 2
    assert log[4].startswith("curl ")
    assert log[4].endswith("localhost:8765/health/ready")


def test_postgresql_is_dumped_and_put_back_as_the_page_says(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.new_database()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    (block,) = blocks_of(PAGE, "sh", "tested: postgresql")
    dump, restore = block.code.splitlines()
    environment = {**os.environ, "TUNESMITH_DATABASE_URL": url.replace("+psycopg", "")}
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tracks (id INTEGER)"))
        connection.execute(sa.text("INSERT INTO tracks VALUES (1), (2)"))
    subprocess.run(["bash", "-euc", dump], cwd=tmp_path, env=environment, check=True)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM tracks"))
    subprocess.run(["bash", "-euc", restore], cwd=tmp_path, env=environment, check=True)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT id FROM tracks ORDER BY id")).scalars().all() == [1, 2]
