"""Results that are kept on disk: the same as without, whatever becomes of the folder, and believed from nobody else."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from convcalc import result_cache
from convcalc.batch import run as running
from convcalc.batch.count import BatchRow, CountRequest, CountTask, count
from convcalc.batch.run import count_all
from convcalc.batch.stored_rows import StoredRows
from convcalc.designs.names import parse_design
from convcalc.designs.sources import CountOptions
from convcalc.result_cache import FOLDER, MAX_FILE_BYTES, MAX_PENDING_BYTES, OWN_FILES, ResultCache, open_cache

ASKED = CountRequest(("params", "macs"))
SPEC = "input: [3, 8, 8]\nlayers: [conv: [{out}, 3]]\n"
NUMBER = 30


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and beside it the folder of the user's key."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    (tmp_path / "tree" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tree")
    return tmp_path / "tree"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that have been counted in this process."""
    called: list[str] = []

    def noting(task: CountTask, *more: object) -> list[BatchRow]:
        called.append(task.design.text)
        return count(task, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "count", noting)
    return called


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def cache() -> ResultCache:
    opened = open_cache()
    assert opened is not None
    return opened


def rows(names: list[str], request: CountRequest = ASKED) -> list[BatchRow]:
    """The rows of files with the cache of the current folder, which are those without it."""
    tasks = [CountTask(parse_design(name)) for name in names]
    with cache() as known:
        found = [row for done in count_all(tasks, request, 1, known) for row in done.rows]
    plain = [row for task in tasks for row in count(task, request)]
    assert [row.facts(request.metrics) for row in found] == [row.facts(request.metrics) for row in plain]
    return found


@pytest.fixture
def names(here: Path) -> list[str]:
    for place in range(NUMBER):
        write(here / f"{place:02}.yaml", SPEC.format(out=place + 1))
    return [f"{place:02}.yaml" for place in range(NUMBER)]


def bucket_files(here: Path) -> list[Path]:
    return sorted(path for path in (here / FOLDER).iterdir() if path.name not in OWN_FILES)


def test_what_was_counted_is_read(names: list[str], counted: list[str]) -> None:
    first = rows(names)
    assert counted == names
    assert [row.totals[0] for row in first] == [28 * (place + 1) for place in range(NUMBER)]
    assert rows(names) == first
    assert counted == names


def test_the_folder_says_what_it_is(here: Path, names: list[str]) -> None:
    rows(names)
    assert (here / FOLDER / ".gitignore").read_text() == "*\n"
    assert (here / FOLDER / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


@pytest.mark.parametrize(
    "other",
    [
        ASKED._replace(metrics=("params",)),
        ASKED._replace(options=CountOptions(dtypes=("int8", "float32"))),
        ASKED._replace(options=CountOptions(batch=2)),
        ASKED._replace(variants=()),
        ASKED._replace(options=CountOptions(inputs={"": "3,9,9"})),
        ASKED._replace(options=CountOptions(strict=True)),
    ],
)
def test_another_request_is_another_result(names: list[str], counted: list[str], other: CountRequest) -> None:
    rows(names)
    rows(names, other)
    assert counted == names * 2
    rows(names)
    rows(names, other)
    assert counted == names * 2


def test_another_program_is_another_result(
    names: list[str], counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(names)
    monkeypatch.setattr("convcalc.__version__", "99")
    rows(names)
    assert counted == names * 2


def test_errors_are_found_anew(here: Path, counted: list[str]) -> None:
    write(here / "a.yaml", SPEC.format(out=0))
    for _ in range(2):
        (row,) = rows(["a.yaml"])
        assert row.errors
    assert counted == ["a.yaml"] * 2


def test_variants_parts_and_several_inputs_come_back(here: Path, counted: list[str]) -> None:
    write(
        here / "a.yaml",
        "name: N\ninputs: {x: [3, 8, 8], y: [4]}\nvars: {w: 4}\nvariants: {wide: {w: 9}}\n"
        "layers: [{conv: [w, 3], from: x, name: stem}, {linear: w, from: y, name: head}]\noutputs: [stem, head]\n",
    )
    names = ["a.yaml", "a.yaml@wide", "a.yaml@wide#stem"]
    request = ASKED._replace(variants=())
    assert rows(names, request) == rows(names, request)
    assert counted == names


# --- imports ----------------------------------------------------------------------------------------------------------


def block(out: int) -> str:
    return f"blocks: {{Body: [conv: [{out}, 3]]}}\n"


@pytest.fixture
def importing(here: Path) -> Path:
    write(here / "a.yaml", "import: {b: b.yaml}\ninput: [3, 8, 8]\nlayers: [b.Body]\n")
    write(here / "b.yaml", block(1))
    return here


def test_a_changed_import_changes_the_result(importing: Path, counted: list[str]) -> None:
    for out in (1, 1, 2, 2, 1):
        write(importing / "b.yaml", block(out))
        (row,) = rows(["a.yaml"])
        assert row.totals[0] == 28 * out
    assert len(counted) == 3


@pytest.mark.parametrize("key", ["import", r'"\u0069mport"', r'"im\x70ort"'])
def test_one_text_in_two_folders_imports_what_is_beside_it(here: Path, counted: list[str], key: str) -> None:
    for out in (1, 2):
        write(here / str(out) / "a.yaml", f"{key}: {{b: b.yaml}}\ninput: [3, 8, 8]\nlayers: [b.Body]\n")
        write(here / str(out) / "b.yaml", block(out))
    for _ in range(2):
        assert [row.totals[0] for row in rows(["1/a.yaml", "2/a.yaml"])] == [28, 56]
        assert [row.totals[0] for row in (*rows(["2/a.yaml"]), *rows(["1/a.yaml"]))] == [56, 28]
    assert len(counted) == 2


def test_a_link_that_leads_elsewhere_is_a_changed_import(importing: Path, counted: list[str]) -> None:
    (importing / "b.yaml").unlink()
    for out in (1, 1, 2, 2):
        write(importing / f"b{out}.yaml", block(out))
        (importing / "b.yaml").unlink(missing_ok=True)
        (importing / "b.yaml").symlink_to(f"b{out}.yaml")
        (row,) = rows(["a.yaml"])
        assert row.totals[0] == 28 * out
    assert len(counted) == 2


def test_a_new_file_goes_before_that_of_a_library(importing: Path, tmp_path: Path, counted: list[str]) -> None:
    (importing / "b.yaml").unlink()
    write(tmp_path / "library" / "b.yaml", block(5))
    request = ASKED._replace(options=CountOptions(libraries=(str(tmp_path / "library"),)))
    for _ in range(2):
        assert rows(["a.yaml"], request)[0].totals[0] == 28 * 5
    assert len(counted) == 1
    write(importing / "b.yaml", block(6))
    assert rows(["a.yaml"], request)[0].totals[0] == 28 * 6


# --- what becomes of the folder ---------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: random.Random(path.name).randrange(100)])


def flip(path: Path) -> None:
    data, chances = bytearray(path.read_bytes()), random.Random(path.name)
    for _ in range(20):
        data[chances.randrange(len(data))] ^= 1 << chances.randrange(8)
    path.write_bytes(data)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def enlarge(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n" * MAX_FILE_BYTES)


@pytest.mark.parametrize("damage", [cut, flip, enlarge, Path.unlink, link, pipe, folder])
def test_damaged_files_are_ignored_and_written_anew(
    here: Path, names: list[str], counted: list[str], damage: Callable[[Path], object]
) -> None:
    first = rows(names)
    for path in bucket_files(here):
        damage(path)
    assert rows(names) == first
    counted.clear()
    assert rows(names) == first
    assert not counted or any(path.is_dir() for path in bucket_files(here))  # a folder in the way stays


def test_a_folder_that_is_deleted_meanwhile(here: Path, names: list[str], counted: list[str]) -> None:
    first = rows(names)
    shutil.rmtree(here / FOLDER)
    with cache() as known:
        made = []
        for done in count_all((CountTask(parse_design(name)) for name in names), ASKED, 1, known):
            made += done.rows
            if len(made) == NUMBER // 2:
                shutil.rmtree(here / FOLDER)
    assert [row.facts(ASKED.metrics) for row in made] == [row.facts(ASKED.metrics) for row in first]
    assert rows(names) == first


@pytest.mark.parametrize("there", ["file", "link"])
def test_where_no_folder_can_be_there_is_none(here: Path, tmp_path: Path, there: str) -> None:
    if there == "file":
        (here / FOLDER).write_text("")
    else:
        (tmp_path / "elsewhere").mkdir()
        (here / FOLDER).symlink_to(tmp_path / "elsewhere")
    assert open_cache() is None
    assert there == "file" or not list((tmp_path / "elsewhere").iterdir())


def test_a_file_does_not_grow_for_ever(here: Path) -> None:
    known = cache()
    addresses = [known.address(place) for place in range(40)]
    with known:
        for address in addresses:
            known.put("00" + address[2:], "x" * (MAX_FILE_BYTES // 10))
    assert (here / FOLDER / "00").stat().st_size <= MAX_FILE_BYTES
    found = [known.get("00" + address[2:]) is not None for address in addresses]
    assert sum(found) in (9, 10)
    assert all(found[-9:])


def test_memory_is_bounded(here: Path) -> None:
    known = cache()
    known.put(known.address(1), "x" * MAX_PENDING_BYTES)
    assert list(bucket_files(here))


def work(names: list[str]) -> None:
    rows(names)


def test_several_processes_at_once(names: list[str], counted: list[str]) -> None:
    context = get_context("fork")
    processes = [context.Process(target=work, args=(names,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    rows(names)
    rows(names)
    assert len(counted) <= NUMBER


# --- what comes with a checkout ---------------------------------------------------------------------------------------


@pytest.fixture
def forged(here: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in the tree that says of every file that it has no weights, sealed with somebody else's key."""
    with monkeypatch.context() as other:
        other.setenv("XDG_CACHE_HOME", str(here.parent / "other"))
        known = cache()
        stored = StoredRows(known, ASKED)
        with known:
            for name in names:
                task = CountTask(parse_design(name))
                address = stored.address(task, Path(name).read_bytes())
                known.put(address, [None, [["", None, None, "", [3, 8, 8], "float32", [0, 0], 0, []]]])
        assert [row.totals for done in count_all(map(_task, names), ASKED, 1, known) for row in done.rows] == [
            (0, 0)
        ] * NUMBER


def _task(name: str) -> CountTask:
    return CountTask(parse_design(name))


def test_a_forged_entry_is_not_believed(names: list[str], counted: list[str], forged: None) -> None:
    first = rows(names)
    assert counted == names
    assert [row.totals[0] for row in first] == [28 * (place + 1) for place in range(NUMBER)]
    assert rows(names) == first
    assert counted == names  # its own entries are beside the forged ones


def test_a_true_entry_is_believed_in_its_own_place_alone(here: Path, names: list[str], counted: list[str]) -> None:
    known, stored = cache(), StoredRows(cache(), ASKED)
    rows(names)
    one, other = (stored.address(_task(name), Path(name).read_bytes()) for name in names[:2])
    path = here / FOLDER / one[:2]
    (line,) = (line for line in path.read_bytes().splitlines() if line.startswith(one.encode()))
    (here / FOLDER / other[:2]).write_bytes(other.encode() + line[len(other) :] + b"\n")
    assert known.get(one) is not None
    assert known.get(other) is None


@pytest.mark.parametrize("where", [".cache", "."])
def test_a_key_in_the_tree_is_no_key(here: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / where))
    write(here / where / "convcalc" / "key", "k" * 32)
    assert open_cache() is None
    assert not (here / FOLDER).exists()


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o644), lambda path: path.write_bytes(b"short")])
def test_a_key_that_others_may_read_is_replaced(
    names: list[str], tmp_path: Path, counted: list[str], spoil: Callable[[Path], object]
) -> None:
    rows(names)
    key = tmp_path / "user" / "convcalc" / "key"
    before = key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    spoil(key)
    rows(names)
    assert key.read_bytes() != before
    assert len(key.read_bytes()) == result_cache.KEY_BYTES
    assert counted == names * 2
