"""Files that cannot be read, imports, standard input, and what the command line does with all that."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import convcalc
from convcalc.designs.names import parse_design
from convcalc.errors import Source, SpecErrors
from tests.conftest import HANG, ROOT, Command

GOOD = "input: [3, 8, 8]\nlayers: [conv: [8, 3]]\n"
LIBRARY = "blocks:\n  Stem: {params: {c: 8}, layers: [conv: [c, 3]]}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, content: str | bytes = GOOD) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def said(design: str = "a.yaml") -> list[str]:
    """Return the first lines of the errors of a design."""
    try:
        convcalc.load(design)
    except SpecErrors as errors:
        return [str(error) for error in errors.errors]
    return []


# --- files without a line ---------------------------------------------------------------------------------------------


def test_missing() -> None:
    assert said("nowhere.yaml") == ["nowhere.yaml: error CC001: no such file"]
    assert said("no/where.yaml") == ["no/where.yaml: error CC001: no such file"]


def test_missing_with_a_neighbour_of_a_similar_name(cli: Command) -> None:
    write("resnet50.yaml")
    assert cli("report", "resnet5.yaml").stderr.splitlines() == [
        "resnet5.yaml: error CC001: no such file",
        "  hint: did you mean resnet50.yaml?",
    ]


def test_folder() -> None:
    Path("nets").mkdir()
    assert said("nets") == ["nets: error CC002: is a folder, not a spec"]


def test_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.yaml")

    def refuse(path: str, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr("convcalc.spec.yaml.text.open", refuse, raising=False)  # whoever runs this may read everything
    assert said() == ["a.yaml: error CC001: cannot be read: Permission denied"]


@pytest.mark.parametrize(
    "name", ["a.yaml/b.yaml", "n" * 300, "\0", "loop"], ids=["below a file", "too long", "null", "loop"]
)
def test_names_that_no_file_can_have(name: str) -> None:
    write("a.yaml")
    Path("loop").symlink_to("loop")
    (line,) = said(name)
    assert ": error CC001: cannot be read: " in line


def test_a_device_without_end() -> None:
    assert said("/dev/zero") == ["/dev/zero: error CC003: is larger than the limit of 1048576 bytes (1 MiB)"]


def test_too_large() -> None:
    write("a.yaml", GOOD + "#" * (1 << 20))
    assert said() == ["a.yaml: error CC003: is larger than the limit of 1048576 bytes (1 MiB)"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_utf_32(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    write("a.yaml", (mark + GOOD).encode(encoding))
    assert said() == ["a.yaml: error CC004: is UTF-16, not UTF-8; save it as UTF-8"]


def test_utf_16_without_a_mark() -> None:
    write("a.yaml", GOOD.encode("utf-16-le"))
    assert said() == ["a.yaml:1:2: error CC005: control character U+0000 is not allowed"]


# --- bytes that are no text -------------------------------------------------------------------------------------------

BAD_BYTES = {
    "latin 1": (b"name: \xe9t\xe9\n", "1:7", "0xe9"),
    "second line": (b"input: [3, 8]\r\nname: \xff\n", "2:7", "0xff"),
    "behind a mark": (b"\xef\xbb\xbfname: \xff\n", "1:7", "0xff"),
    "behind wide characters": ("name: 日本".encode() + b"\xff\n", "1:9", "0xff"),
    "cut": ("name: 日".encode()[:-1], "1:7", "0xe6"),
    "surrogate": (b"name: \xed\xa0\x80\n", "1:7", "0xed"),
    "overlong": (b"name: \xc0\x80\n", "1:7", "0xc0"),
}


@pytest.mark.parametrize(("content", "place", "byte"), BAD_BYTES.values(), ids=BAD_BYTES)
def test_not_utf_8(content: bytes, place: str, byte: str) -> None:
    write("a.yaml", content)
    assert said() == [f"a.yaml:{place}: error CC004: is not UTF-8: byte {byte}"]


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\ufffe"])
def test_control_characters(character: str) -> None:
    write("a.yaml", f"name: é{character}\n{GOOD}")
    assert said() == [f"a.yaml:1:8: error CC005: control character U+{ord(character):04X} is not allowed"]


def test_two_byte_order_marks() -> None:
    write("a.yaml", "\ufeff\ufeff" + GOOD)
    assert said() == ["a.yaml:1:1: error CC005: control character U+FEFF is not allowed"]


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "---\n", "null\n", "\ufeff", " "])
def test_empty(content: str) -> None:
    write("a.yaml", content)
    (line,) = said()
    assert line.startswith("a.yaml:1:1: error CC115: the spec is empty; ")


# --- imports ----------------------------------------------------------------------------------------------------------

IMPORTING = "import: {{lib: {}}}\ninput: [3, 8, 8]\nlayers: [lib.Stem]\n"


def test_an_import_works() -> None:
    write("nets/a.yaml", IMPORTING.format("sub/lib.yaml"))
    write("nets/sub/lib.yaml", LIBRARY)
    assert convcalc.load("nets/a.yaml").report().totals["params"] == 8 * (3 * 9 + 1)


REFUSED = {
    "missing": ("lib.yaml", "cannot import 'lib.yaml': no such file"),
    "a folder": ("sub", "cannot import 'sub': is a folder, not a spec"),
    "absolute": ("/etc/passwd", "the import '/etc/passwd' must be a relative path"),
    "an address": ("https://x.org/a.yaml", "the import 'https://x.org/a.yaml' must be a relative path"),
    "above": ("../lib.yaml", "the import '../lib.yaml' leads out of the folder "),
    "above and back": ("../other/lib.yaml", "the import '../other/lib.yaml' leads out of the folder "),
    "a link out": ("link.yaml", "the import 'link.yaml' leads out of the folder "),
    "below a link out": ("linked/lib.yaml", "the import 'linked/lib.yaml' leads out of the folder "),
    "null": ('"a\\0b"', "the import 'a\\x00b' must be a relative path"),
    "itself": ("a.yaml", "'a.yaml' imports itself through its imports"),
    "itself through another": ("ring.yaml", "'a.yaml' imports itself through its imports"),
}


@pytest.mark.parametrize(("path", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused_imports(cli: Command, path: str, sentence: str) -> None:
    write("lib.yaml", LIBRARY)
    write("other/lib.yaml", LIBRARY)
    write("nets/a.yaml", IMPORTING.format(path))
    write("nets/sub/b.yaml", LIBRARY)
    write("nets/ring.yaml", "import: {a: a.yaml}\n")
    Path("nets/link.yaml").symlink_to("../lib.yaml")
    Path("nets/linked").symlink_to("../other")
    (line,) = said("nets/a.yaml")
    assert f": error CC209: {sentence}" in line
    assert line.startswith("nets/ring.yaml:1:13: " if "ring" in path else "nets/a.yaml:1:15: ")
    elsewhere = path != "sub" and "itself" not in sentence
    hint = "name the folder of a library with --lib or CONVCALC_LIB\n"
    assert cli("report", "nets/a.yaml").stderr.endswith(hint) is elsewhere


def test_a_link_inside_the_tree_is_followed() -> None:
    write("nets/a.yaml", IMPORTING.format("link.yaml"))
    write("nets/sub/lib.yaml", LIBRARY)
    Path("nets/link.yaml").symlink_to("sub/lib.yaml")
    assert said("nets/a.yaml") == []


def test_a_library_folder_outside(cli: Command) -> None:
    write("nets/a.yaml", IMPORTING.format("lib.yaml"))
    write("libraries/lib.yaml", LIBRARY)
    assert cli("report", "nets/a.yaml").exit_code == 2
    assert cli("report", "nets/a.yaml", "--lib", "libraries").exit_code == 0


def test_an_error_in_an_import_stands_there() -> None:
    write("a.yaml", IMPORTING.format("lib.yaml"))
    write("lib.yaml", "blocks:\n  Stem: [conv: [nope, 3], {relu: , else: relu}]\n")
    with pytest.raises(SpecErrors) as raised:
        convcalc.load("a.yaml")
    assert str(raised.value).split("\n") == [
        "lib.yaml:2:36: error CC119: `else` needs a `when`",
        "      Stem: [conv: [nope, 3], {relu: , else: relu}]",
        "                                       ^^^^",
        "  a.yaml:1:15: imported here",
        "    import: {lib: lib.yaml}",
        "                  ^^^^^^^^",
    ]


def test_all_errors_of_an_import_are_named() -> None:
    write("a.yaml", IMPORTING.format("lib.yaml"))
    write("lib.yaml", "blocks:\n  Stem: [conv: [nope, 3], rellu]\n")
    assert [line.partition(" error")[0] for line in said()] == ["lib.yaml:2:17:", "lib.yaml:2:27:"]


def test_bytes_in_an_import_that_are_no_text() -> None:
    write("a.yaml", IMPORTING.format("lib.yaml"))
    write("lib.yaml", b"blocks:\n  Stem: [\xff]\n")
    assert said() == ["lib.yaml:2:10: error CC004: is not UTF-8: byte 0xff"]


def test_an_import_that_fails_makes_no_further_errors() -> None:
    write("a.yaml", IMPORTING.format("lib.yaml") + "outputs: [nope.x]\nvars: {a: nope}\n")
    assert [line.partition(": error")[0] for line in said()] == ["a.yaml:1:15"]


def test_an_error_in_a_block_of_another_file_names_the_call() -> None:
    write("a.yaml", "import: {lib: lib.yaml}\ninput: [3, 2, 2]\nlayers: [lib.Stem]\n")
    write("lib.yaml", LIBRARY)
    with pytest.raises(SpecErrors) as raised:
        convcalc.load("a.yaml")
    lines = str(raised.value).split("\n")
    assert lines[0].startswith("lib.yaml:2:35: error CC403: ")
    assert lines[-1] == "  in stem1 called from a.yaml:3:10"


def test_an_unknown_block_of_an_import() -> None:
    write("a.yaml", "import: {lib: lib.yaml}\ninput: [3, 8, 8]\nlayers: [lib.Steem]\n")
    write("lib.yaml", LIBRARY)
    assert said() == ["a.yaml:3:10: error CC204: unknown block 'lib.Steem'; did you mean 'lib.Stem'?"]


def test_a_library_keeps_its_own_vars_and_defaults() -> None:
    text = IMPORTING.format("lib.yaml") + "vars: {w: 99}\ndefaults: {conv: {bias: false}}\n"
    write("a.yaml", text)
    write("lib.yaml", "vars: {w: 8}\nblocks: {Stem: [conv: [w, 3]]}\n")
    assert convcalc.load("a.yaml").report().totals["params"] == 8 * 28
    with pytest.raises(SpecErrors, match="CC702"):
        convcalc.load("a.yaml", set={"v": 1})


def test_a_variable_of_an_import_that_fails() -> None:
    write("a.yaml", IMPORTING.format("lib.yaml"))
    write("lib.yaml", "vars: {w: 1/0}\nblocks: {Stem: [conv: [w, 3]]}\n")
    assert said() == ["lib.yaml:1:12: error CC307: division by zero"]


def test_a_file_imported_twice_is_read_once() -> None:
    from convcalc.spec.document.loader import DocumentLoader
    from convcalc.spec.load import expand, parse_spec
    from convcalc.spec.yaml import text as source

    write("lib.yaml", LIBRARY)
    for name in "bc":
        write(f"{name}.yaml", "import: {lib: lib.yaml}\nblocks: {Two: [lib.Stem]}\n")
    text = "import: {b: b.yaml, c: c.yaml, lib: ./lib.yaml}\ninput: [3, 8, 8]\nlayers: [b.Two, c.Two, lib.Stem]\n"
    write("a.yaml", text)
    reads: list[str] = []

    def read(path: str) -> Source:
        reads.append(Path(path).name)
        return source.read_text(path)

    files = DocumentLoader(read=read)
    expand(parse_spec(source.read_text("a.yaml"), files), files)
    assert sorted(reads) == ["b.yaml", "c.yaml", "lib.yaml"]


def test_a_library_is_valid_without_input(cli: Command) -> None:
    write("lib.yaml", LIBRARY)
    assert cli("validate", "lib.yaml").exit_code == 0
    assert said("lib.yaml")[0].startswith("lib.yaml:1:1: error CC121: ")


# --- standard input ---------------------------------------------------------------------------------------------------


def test_standard_input(cli: Command) -> None:
    write("lib.yaml", LIBRARY)
    result = cli("report", "-", "--json", input=IMPORTING.format("lib.yaml"))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["totals"]["params"] == 8 * 28


def test_errors_in_standard_input(cli: Command) -> None:
    result = cli("report", "-", input="input: [3, 8, 8]\nlayers: [rellu]\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("<stdin>:2:10: error CC204: ")


def test_standard_input_that_is_no_text(cli: Command) -> None:
    assert cli("report", "-", input=b"\xff\xfe").stderr.startswith("<stdin>: error CC004: is UTF-16")
    assert cli("report", "-", input=b"a: \xff").stderr.startswith("<stdin>:1:4: error CC004: ")
    assert cli("report", "-", input=b"").stderr.startswith("<stdin>:1:1: error CC115: ")


def test_standard_input_without_end() -> None:
    with Path("/dev/zero").open("rb") as endless:
        process = subprocess.run(
            [sys.executable, "-m", "convcalc", "report", "-"],
            stdin=endless,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=HANG,
            check=False,
        )
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.decode().startswith("<stdin>: error CC003: ")


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert said("-") == ["<stdin>: error CC001: cannot be read: it is closed"]


def test_standard_input_that_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(GOOD))
    assert said("-") == []


# --- designs ----------------------------------------------------------------------------------------------------------


def test_the_file_of_a_design_is_the_longest_that_exists() -> None:
    for name in ("a", "a@b", "a@b#c", "#x", "@x"):
        write(name)
    assert parse_design("a@b#c@v#p")[1:] == ("a@b#c", "v", "p")
    assert parse_design("a@b#c#p")[1:] == ("a@b#c", None, "p")
    assert parse_design("a@b#p")[1:] == ("a@b", None, "p")
    assert parse_design("a@v#p")[1:] == ("a", "v", "p")
    assert parse_design("a#p@q")[1:] == ("a", None, "p@q")
    assert parse_design("#x@v")[1:] == ("#x", "v", None)
    assert parse_design("@x")[1:] == ("@x", None, None)
    assert parse_design("none@v#p")[1:] == ("none", "v", "p")
    assert parse_design("-@v#p")[1:] == ("-", "v", "p")
    assert parse_design("zoo:vgg@19#stage1")[1:] == ("zoo:vgg", "19", "stage1")


def test_a_folder_with_an_at_sign_is_part_of_the_file() -> None:
    assert parse_design("nets@v2/a.yaml")[1:] == ("nets@v2/a.yaml", None, None)
    assert parse_design("nets@v2/a.yaml@b")[1:] == ("nets@v2/a.yaml", "b", None)
    write("nets@v2/a.yaml")
    assert said("nets@v2/a.yaml") == []


def test_a_design_whose_file_holds_both_signs(cli: Command) -> None:
    write("a@1#2.yaml", "vars: {w: 8}\nvariants: {wide: {w: 16}}\n" + GOOD.replace("8, 3]", "w, 3]"))
    result = cli("report", "a@1#2.yaml@wide#conv1", "--json")
    assert json.loads(result.stdout)["totals"]["params"] == 16 * 28


WRONG_DESIGNS = {
    "a.yaml@": "a.yaml: error CC701: no variant ''",
    "a.yaml@nope": "a.yaml: error CC701: no variant 'nope'",
    "a.yaml@wid": "a.yaml: error CC701: no variant 'wid'; did you mean 'wide'?",
    "a.yaml#": "a.yaml: error CC211: no layer has the path ''",
    "a.yaml#conv2": "a.yaml: error CC211: no layer has the path 'conv2'; did you mean 'conv1'?",
    "zoo:resnet51": "zoo:resnet51: error CC703: no bundled spec 'resnet51'; did you mean 'resnet50'?",
}


@pytest.mark.parametrize("design", WRONG_DESIGNS)
def test_wrong_designs(cli: Command, design: str) -> None:
    write("a.yaml", "vars: {w: 8}\nvariants: {wide: {w: 16}}\n" + GOOD.replace("8, 3]", "w, 3]"))
    result = cli("report", design)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.split("\n")[0] == WRONG_DESIGNS[design]


WRONG_SETTINGS = {
    "width=": "is not name=expression",
    "width=8 +": "--set:1:9: error CC301: a value is missing after '+'",
    "width=nope": "--set:1:7: error CC201: unknown variable 'nope'",
    "width=width": "--set:1:7: error CC201: unknown variable 'width'",
    "width=later": "--set:1:7: error CC201: unknown variable 'later'",
    "width=cin": "--set:1:7: error CC201: 'cin' describes the tensor that enters an item, and none enters here",
    "widht=8": "--set:1:1: error CC702: no variable 'widht' to set; did you mean 'width'?",
    "width=1/0": "--set:1:8: error CC307: division by zero",
    "width=1.5": "a.yaml:3:17: error CC410: out = 1.5 is not an integer",
    "width=\x1b": "--set:1:7: error CC005: control character U+001B is not allowed",
    "width=" + "1+" * 250 + "1": "--set:1:7: error CC304: the expression has 501 characters; the limit is 500",
}


@pytest.mark.parametrize("setting", WRONG_SETTINGS, ids=range(len(WRONG_SETTINGS)))
def test_wrong_settings(cli: Command, setting: str) -> None:
    write("a.yaml", "vars: {width: 8, later: 2}\ninput: [3, later*8, 8]\nlayers: [conv: [width, 3]]\n")
    result = cli("report", "a.yaml", "--set", setting)
    assert (result.exit_code, result.stdout) == (2, "")
    assert WRONG_SETTINGS[setting] in result.stderr


@pytest.mark.parametrize("value", [0.5, "1/2", 4 / 8])
def test_floats_are_set_as_the_decimals_that_they_print_as(value: float | str) -> None:
    write("a.yaml", "vars: {alpha: 1}\ninput: [3, 8, 8]\nlayers: [conv: [10*alpha, 3]]\n")
    assert convcalc.load("a.yaml", set={"alpha": value}).graph.layers[0].shape.channels == 5


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["report", "compare"])
@pytest.mark.parametrize("format_", ["text", "json", "csv", "markdown", "html"])
def test_nothing_is_printed_and_no_file_touched(cli: Command, command: str, format_: str) -> None:
    write("good.yaml")
    write("bad.yaml", "input: [3, 8, 8]\nlayers: [rellu]\n")
    kept = write("out", "kept")
    designs = ["bad.yaml"] if command == "report" else ["good.yaml", "bad.yaml"]
    result = cli(command, *designs, "-f", format_, "-f", f"{format_}=out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("bad.yaml:2:10: error CC204: ")
    assert kept.read_text() == "kept"
    assert {path.name for path in Path().iterdir()} == {"good.yaml", "bad.yaml", "out"}


def test_validate_prints_its_document_with_the_errors(cli: Command) -> None:
    write("good.yaml")
    write("bad.yaml", "input: [3, 8, 8]\nlayers: [rellu]\n")
    result = cli("validate", "good.yaml", "bad.yaml", "missing.yaml", "-f", "json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert [spec["valid"] for spec in document["specs"]] == [True, False, False]
    assert [error["code"] for error in document["errors"]] == ["CC204", "CC001"]
    assert (document["errors"][0]["line"], document["errors"][0]["column"]) == (2, 10)


def test_validate_checks_all_variants(cli: Command) -> None:
    variants = "vars: {k: 3}\nvariants: {wide: {k: 9}, fine: {k: 5}, odd: {k: 1/2}}\n"
    write("a.yaml", variants + GOOD.replace("8, 3]", "8, k]"))
    result = cli("validate", "a.yaml", "-f", "concise")
    assert result.exit_code == 2
    assert [line.split(": error ")[1][:5] for line in result.stdout.splitlines()] == ["CC403", "CC410"]


def test_warnings_go_to_standard_error_and_quiet_hides_them(cli: Command) -> None:
    write("a.yaml", "vars: {unused: 1}\n" + GOOD)
    result = cli("report", "a.yaml")
    assert result.exit_code == 0
    assert "a.yaml:1:8: warning CC801: " in result.stderr
    assert cli("report", "a.yaml", "-q").stderr == ""
