"""Is a file complete or not there at all, whatever happens to whom?"""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import clipxai as cx
from clipxai.results import npz, writing
from clipxai.results.writing import alone, appearing, append, replacing

posix = pytest.mark.skipif(os.name != "posix", reason="locks as Linux and macOS have them")
# writes a draft of each kind, says so, and waits
WRITER = """
import sys
from pathlib import Path
from clipxai.results.writing import alone, appearing, replacing
out = Path(sys.argv[1])
with alone(out / "run"), replacing(out / "a.txt") as file, appearing(out / "b") as folder:
    file.write_text("half"), (folder / "part").write_text("half")
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """Another process that is writing into `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(cx.__file__).parents[1])},
    )
    assert process.stdout.readline() == b"written\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close(), process.stdout.close()


def drafts(folder):
    return [path for path in folder.iterdir() if path.name.startswith(".clipxai-")]


def save(folder):
    """As the first that this process writes there."""
    writing._clear.cache_clear()
    with replacing(folder / "mine.txt") as draft:
        draft.write_text("mine")


@posix
def test_what_a_killed_process_left_goes(tmp_path, writer):
    (tmp_path / ".clipxai-mine").touch()
    (tmp_path / ".clipxai-0123456789abcdef").symlink_to(tmp_path / "elsewhere")
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(drafts(tmp_path)) == 4
    save(tmp_path)
    kept = {".clipxai-mine", ".clipxai-0123456789abcdef"}
    assert {path.name for path in drafts(tmp_path)} == kept, "those are no drafts"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        "mine.txt",
        "run",
    ]


@posix
def test_what_is_being_written_stays(tmp_path, writer):
    save(tmp_path)
    assert len(drafts(tmp_path)) == 2
    writer.communicate(b"", timeout=60)
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b/part").read_text() == "half"
    assert drafts(tmp_path) == []


@posix
def test_a_draft_that_was_taken_for_a_left_one_is_made_again(tmp_path, monkeypatch):
    """By a process that looks just between making and locking."""
    lock, taken = writing._lock, []

    def late(path):
        if not taken:
            taken.append(path)
            Path(path).unlink()
        return lock(path)

    monkeypatch.setattr(writing, "_lock", late)
    save(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine" and taken and drafts(tmp_path) == []


@posix
def test_one_run_at_a_time(tmp_path, writer):
    said = f"another run is writing into {tmp_path / 'run'}"
    with pytest.raises(ValueError, match=said), alone(tmp_path / "run"):
        raise AssertionError("two runs")
    writer.kill()
    writer.wait()
    with alone(tmp_path / "run"):
        (tmp_path / "run/new").touch()
    assert (tmp_path / "run/new").exists()


def test_a_folder_for_nothing_is_not_left(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(KeyError), alone(tmp_path / "there/a/b"):
        raise KeyError
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
    with alone(tmp_path / "there"):
        pass
    assert (tmp_path / "there").exists(), "it was there before"


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_no_folder_below_a_file(tmp_path, below):
    (tmp_path / "file").write_text("kept")
    refused = pytest.raises(NotADirectoryError, match="is a file; choose another")
    with refused, alone(tmp_path / "file" / below):
        raise AssertionError("there is no such folder")
    assert (tmp_path / "file").read_text() == "kept"


@posix
@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_without_locks_all_is_written_and_nothing_removed(tmp_path, monkeypatch, writer, error):
    """A file system without them; Windows, which has no such module."""

    def none(*_):
        raise OSError(95, "not supported")

    if error is AttributeError:
        monkeypatch.setattr(writing, "fcntl", None)
    else:
        monkeypatch.setattr(writing.fcntl, "flock", none)
    writer.kill()
    writer.wait()
    save(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine" and len(drafts(tmp_path)) == 2
    with alone(tmp_path / "run"), alone(tmp_path / "run"):
        pass


def test_a_line_that_does_not_fit_is_an_error(tmp_path):
    """Of a nearly full disk, on which the operating system writes what fits."""

    class Full:
        name = "lines"

        def write(self, said):
            return len(said) - 1

    with pytest.raises(OSError, match="No space left on device: 'lines'"):
        append(Full(), b"one\n")
    with (tmp_path / "lines").open("ab", buffering=0) as lines:
        append(lines, b"one\n"), append(lines, b"two\n")
    assert (tmp_path / "lines").read_text() == "one\ntwo\n"


@posix
def test_an_error_of_the_system_says_what_could_not_be_saved(tmp_path):
    """Its own words name the draft, or nothing at all."""
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder/kept").touch()
    with pytest.raises(IsADirectoryError) as told, replacing(tmp_path / "a folder"):
        pass
    assert str(told.value) == f"[Errno 21] cannot save '{tmp_path}/a folder': Is a directory"
    full = pytest.raises(OSError, match=r"cannot save '.*e\.npz': No space left on device$")
    with full, replacing(tmp_path / "e.npz"):
        raise OSError(28, "No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["a folder"]


def test_a_folder_appears_whole(tmp_path):
    with pytest.raises(KeyError), appearing(tmp_path / "new/folder") as draft:
        (draft / "half").touch()
        raise KeyError
    assert list((tmp_path / "new").iterdir()) == []
    with appearing(tmp_path / "new/folder") as draft:
        (draft / "whole").touch()
    assert list((tmp_path / "new").rglob("*")) == [
        tmp_path / "new/folder",
        tmp_path / "new/folder/whole",
    ]


def test_numbers_that_fail_half_way_leave_what_was_there(tmp_path, monkeypatch):
    def half(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "e.npz").write_text("before")
    monkeypatch.setattr(npz.np, "savez_compressed", half)
    with pytest.raises(OSError, match="No space"):
        npz.write(tmp_path / "e.npz", {}, {})
    assert (tmp_path / "e.npz").read_text() == "before" and drafts(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_nothing_is_written_through_a_link(tmp_path, monkeypatch):
    """Neither through one in the place of the file nor through one in the place of its draft."""
    mine = tmp_path / "mine.txt"
    mine.write_text("kept")
    (tmp_path / "e.npz").symlink_to(mine)
    with replacing(tmp_path / "e.npz") as draft:
        assert draft.parent == tmp_path and draft.suffix == ".npz"
        draft.write_text("new")
    assert mine.read_text() == "kept" and (tmp_path / "e.npz").read_text() == "new"
    assert not (tmp_path / "e.npz").is_symlink()
    monkeypatch.setattr(secrets, "token_hex", lambda _: "foreseen")
    (tmp_path / ".clipxai-foreseen.npz").symlink_to(mine)
    with pytest.raises(FileExistsError), replacing(tmp_path / "e.npz") as draft:
        draft.write_text("through the link")
    assert mine.read_text() == "kept"


@pytest.mark.skipif(os.name != "posix", reason="rights as Linux and macOS have them")
def test_a_file_has_the_rights_of_any_new_one(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "e.npz") as draft:
        draft.write_text("new")
    assert (tmp_path / "e.npz").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_longest_name_can_be_saved(tmp_path):
    with replacing(tmp_path / ("a" * 251 + ".npz")) as draft:
        draft.write_text("new")
    assert len(list(tmp_path.iterdir())) == 1
