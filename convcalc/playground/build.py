"""Builds the playground: ``python -m convcalc.playground.build -o DIR``, in a checkout or an unpacked sdist.

npm brings Pyodide and the editor, pip brings PyYAML, each in the version and with the hashes that are written here. The
result is a folder of static files: ``python -m http.server --bind 127.0.0.1 -d DIR`` serves it, and so does any host.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from convcalc.playground.app import answer, design
from convcalc.render.web_page.shell import stylesheet

HERE = Path(__file__).parent
PACKAGE = HERE.parent
FIRST = ("zoo", "resnet50")
"""The design that is there before Python is."""
FROM_PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
LEFT_OUT = (
    "batch", "budget", "cli", "explain", "formula", "git", "guide", "match", "recovery", "sweep",
    "importers/keras", "importers/onnx", "importers/torch",
)  # fmt: skip
"""What the playground does without: folders of the package."""
OWN = ("__init__.py", "app.py", "completion.py")
"""The modules of this folder that run in the browser."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the archive: the same bytes every time."""


class BuildError(Exception):
    """The playground cannot be built here."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Build as a command line says; what is wrong is one line, with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m convcalc.playground.build",
        description="Build the playground, a folder of static files. Node.js with npm is needed.",
        epilog="To try it: python -m http.server --bind 127.0.0.1 -d DIR",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="The folder to make, or to make anew.")
    try:
        build(Path(parser.parse_args(arguments).output))
    except (BuildError, OSError) as error:
        parser.exit(2, f"error: {error}\n")


def build(output: Path) -> None:
    """Build into a folder: all of it, or nothing.

    Raises:
        BuildError: where the folder holds something else, npm is missing, or npm or pip fails.
    """
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not (output / "sw.js").is_file())):
        raise BuildError(f"{output} is there and is no playground: name another folder")
    if not shutil.which("npm"):
        raise BuildError("npm is not installed; it comes with Node.js 20 or newer")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".playground-", dir=output.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        _scripts(made, Path(folder))
        _archive(made / "app.zip", _yaml_wheel(Path(folder)))
        _page(made)
        if output.exists():
            shutil.move(output, Path(folder) / "old")
        shutil.move(made, output)


def _run(*command: str, folder: Path) -> None:
    """Run a program; what it prints is only shown if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError("\n  ".join([f"{' '.join(command[:3])} … failed ({done.returncode})", *lines[-12:]]))


def _scripts(made: Path, folder: Path) -> None:
    """Bundle the editor, and copy Pyodide and the worker."""
    for name in ("package.json", "package-lock.json", "main.js", "editor.js", "link.js", "python.js"):
        shutil.copy(HERE / name, folder)
    npm = shutil.which("npm") or "npm"  # npm.cmd on Windows
    _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
    _run(
        shutil.which("npx") or "npx", "--no-install", "esbuild", "main.js", "--bundle", "--minify", "--format=esm",
        "--target=es2022", "--legal-comments=eof", f"--outfile={made / 'main.js'}", folder=folder,
    )  # fmt: skip
    for name in FROM_PYODIDE:
        shutil.copy(folder / "node_modules" / "pyodide" / name, made)
    shutil.copy(HERE / "worker.mjs", made)


def _yaml_wheel(folder: Path) -> Path:
    """Fetch PyYAML: one wheel on every machine, of which the modules in Python are taken."""
    _run(
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--platform=manylinux2014_x86_64", "--implementation=cp", "--python-version=3.11",
        "--require-hashes", "--dest", str(folder), "--requirement", str(HERE / "requirements.txt"), folder=folder,
    )  # fmt: skip
    return next(iter(folder.glob("*.whl")))


def _archive(path: Path, wheel: Path) -> None:
    """Write what Python needs in the browser."""
    with ZipFile(wheel) as packed:
        wanted = re.compile(r"yaml/\w+\.py|.*\.dist-info/licenses/LICENSE")
        contents = {name: packed.read(name) for name in packed.namelist() if wanted.fullmatch(name)}
    contents |= {name: file.read_bytes() for name, file in packed_files()}
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(ZipInfo(name, EARLIEST), content, ZIP_DEFLATED, 9)


def packed_files() -> Iterator[tuple[str, Path]]:
    """Give the files of the program that the browser gets, each with its name in the archive."""
    for file in sorted(PACKAGE.rglob("*")):
        inside = file.relative_to(PACKAGE)
        place = inside.as_posix()
        is_left_out = any(place.startswith(f"{room}/") for room in LEFT_OUT)
        is_for_build = inside.parts[0] == HERE.name and inside.name not in OWN
        if file.is_file() and not is_left_out and not is_for_build and "__pycache__" not in inside.parts:
            yield f"convcalc/{place}", file
    specs = PACKAGE.parent / "specs"
    for file in sorted(specs.glob("*/**/*.yaml")):
        yield f"convcalc/specs/{file.relative_to(specs).as_posix()}", file


def _page(made: Path) -> None:
    """Write the page with the first design, its report, the style sheet, and the service worker."""
    text = design(*FIRST)["text"]
    answer("report", json.dumps({"text": text}))
    first = json.loads(answer("page", "{}"))["html"]
    _write(made / "first.html", first)
    script = re.search(r"script-src ('sha256-[^']+')", first)
    assert script is not None
    page = Template(_read("index.html"))
    _write(made / "index.html", page.substitute(script=script[1], spec=escape(text)))
    colors = stylesheet().partition("\n")[0]
    _write(made / "page.css", f"{colors}\n{_read('page.css')}")
    # the service worker has the hashes of all other files
    hashes = {file.name: b64encode(sha256(file.read_bytes()).digest()).decode() for file in sorted(made.iterdir())}
    _write(made / "sw.js", _read("sw.js").replace("$files", json.dumps(hashes, indent=1), 1))


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    main()
