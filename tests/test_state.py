"""State on disk: old or new, never half; locks that die with their holder; journals with torn ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyfit.experiments import state

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1], "int64")}


def test_saved_is_loaded(tmp_path: Path) -> None:
    state.save(tmp_path / "s", ARRAYS, {"epochs": 3, "nan": float("nan")})
    loaded = state.load(tmp_path / "s")
    assert loaded is not None
    arrays, note = loaded
    assert note["epochs"] == 3
    assert note["nan"] != note["nan"]
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_falls_back_to_the_generation_before(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("state") / "s"
    state.save(path, ARRAYS, {"generation": 1})
    state.save(path, ARRAYS, {"generation": 2})
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    loaded = state.load(path)
    assert loaded is not None
    assert loaded[1] == {"generation": 1}


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert state.load(tmp_path / "s") is None


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    state.write(tmp_path / "f", b"old")
    with pytest.raises(TypeError):
        state.write(tmp_path / "f", "not bytes")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_a_lock_keeps_others_out_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys; from pathlib import Path; from whyfit.experiments.state import Lock; "
    code += f"Lock(Path({str(path)!r})).acquire(); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(state.InUse, match=f"process {holder.pid}"):
            state.Lock(path).acquire()
        holder.send_signal(signal.SIGKILL)
    with state.Lock(path):
        assert path.read_text() == str(os.getpid())


@given(records=st.lists(st.dictionaries(st.text(max_size=5), st.integers())), cut=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_journal_gives_back_what_is_whole(
    records: list[dict[str, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = state.Journal(path)
    for record in records:
        journal.append(record)
    journal.close()
    size = path.stat().st_size
    os.truncate(path, max(0, size - cut))  # what losing power leaves
    again = state.Journal(path)
    again.append({"last": 1})
    again.close()
    read = [record for record, _ in state.read_journal(path)]
    assert read[-1] == {"last": 1}
    assert read[:-1] == records[: len(read) - 1]
    offsets = [offset for _, offset in state.read_journal(path)]
    assert [record for record, _ in state.read_journal(path, offsets[0])] == read[1:]
