"""The published sets from a user's copy, in every form, whole and damaged."""

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from whyfit.experiments.data.config import ImagesConfig
from whyfit.experiments.data.idx import read_idx
from whyfit.experiments.data.npz import read_npz
from whyfit.experiments.data.splits import Data, load
from whyfit.experiments.errors import UserError

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real pictures are not on this machine")

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (240, 28, 28), dtype=np.uint8)
Y = np.arange(240, dtype=np.uint8) % 10


def idx_bytes(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    shape = array.shape if shape is None else shape
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + array.tobytes()


def write_idx(folder: Path, part: str, x: np.ndarray, y: np.ndarray, end: str = "") -> None:
    for name, array in ((f"{part}-images-idx3-ubyte{end}", x), (f"{part}-labels-idx1-ubyte{end}", y)):
        content = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(content, 1) if end else content)


def read(path: Path, name: str = "notmnist", **options: Any) -> Data:
    return load(ImagesConfig(name, str(path), **options), 0)  # type: ignore[arg-type]


def one_line(path: Path, match: str, name: str = "notmnist", **options: Any) -> None:
    with pytest.raises(UserError, match=match) as caught:
        read(path, name, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_files_with_both_parts_keep_them_apart(tmp_path: Path, end: str) -> None:
    write_idx(tmp_path, "train", X[:200], Y[:200], end)
    write_idx(tmp_path, "t10k", X[200:], Y[200:], end)
    data = read(tmp_path, "mnist", validation=50)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [150, 50, 40]
    assert {picture.tobytes() for picture in data.test.x} == {picture.tobytes() for picture in X[200:]}
    label = {picture.tobytes(): int(y) for picture, y in zip(X, Y, strict=True)}
    for split in (data.train, data.validation, data.test):
        assert [label[picture.tobytes()] for picture in split.x] == split.y.tolist()
        assert np.bincount(split.y).std() < 1
    assert data.mean == pytest.approx(data.train.x.mean())
    assert data.variance == pytest.approx(data.train.x.var())


def test_a_single_part_is_shared_out_in_all_its_classes(tmp_path: Path) -> None:
    write_idx(tmp_path, "t10k", X, Y)
    data = read(tmp_path)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [167, 33, 40]
    assert np.bincount(data.test.y).tolist() == [4] * 10
    assert data.class_names == tuple("ABCDEFGHIJ")
    assert data.digest == read(tmp_path).digest
    assert data.digest != load(ImagesConfig("notmnist", str(tmp_path)), 1).digest


def test_sizes_can_be_chosen_and_must_be_there(tmp_path: Path) -> None:
    write_idx(tmp_path, "t10k", X, Y)
    data = read(tmp_path, train=100, validation=20, test=30)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [100, 20, 30]
    one_line(tmp_path, r"must be at most 240 in sum, got 200 \+ 20 \+ 30", train=200, validation=20, test=30)
    write_idx(tmp_path, "train", X, Y)
    one_line(tmp_path, "--data.test must be at most 240, the pictures there are, got 500", test=500)


def test_pictures_in_two_splits_are_counted_and_can_be_dropped(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", np.concatenate([X[:200], X[:20]]), np.concatenate([Y[:200], Y[:20]]))
    write_idx(tmp_path, "t10k", X[190:], Y[190:])
    data = read(tmp_path, validation=50)
    (note,) = data.notes
    counts = [int(number) for number in re.findall(r"(\d+) of", note)]
    assert counts[0] + counts[1] == 10
    clean = read(tmp_path, validation=50, drop_duplicates=True)
    assert clean.notes[0] == "30 pictures dropped that stand somewhere else as well"
    assert clean.notes[1].count(" 0 of ") == 3
    assert [len(split) for split in (clean.train, clean.validation, clean.test)] == [140, 50, 50]


def test_folders_of_png_with_unreadable_ones(tmp_path: Path) -> None:
    for place, letter in enumerate("ABCDEFGHIJ"):
        (tmp_path / letter).mkdir()
        for number in range(3):
            Image.fromarray(X[3 * place + number]).save(tmp_path / letter / f"{number}.png")
    (tmp_path / "A" / "empty.png").touch()
    whole = (tmp_path / "B" / "0.png").read_bytes()
    (tmp_path / "B" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "C" / "text.png").write_text("no picture")
    data = read(tmp_path, validation=5, test=10)
    assert data.notes[0] == "3 of 33 pictures unreadable and skipped, first empty.png"
    assert [len(split) for split in (data.train, data.validation, data.test)] == [15, 5, 10]
    place = {picture.tobytes(): place // 3 for place, picture in enumerate(X[:30])}
    assert [place[picture.tobytes()] for picture in data.train.x] == data.train.y.tolist()


@pytest.mark.parametrize("names", [("x", "y"), ("x_train", "y_train", "x_test", "y_test")])
def test_npz(tmp_path: Path, names: tuple[str, ...]) -> None:
    np.savez_compressed(
        tmp_path / "n.npz", **dict(zip(names, (X[..., None], Y, X[:40], Y[:40]), strict=False))
    )  # type: ignore[arg-type]
    data = read(tmp_path / "n.npz", "mnist")
    assert (len(data.test), data.test.x.shape[1:]) == (40, (28, 28))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (b"", r"magic number 2051 .* got 0"),
        (b"\0\0\x0d\x03" + bytes(12), "magic number 2051 .* got 3331"),
        (idx_bytes(Y), "magic number 2051 .* got 2049"),
        (b"\0\0\x08\x03\0\0", "a header of 16 bytes, got 6"),
        (idx_bytes(X)[:-1], r"hold 188,160 bytes as its header says \(240 x 28 x 28\), got 188,159"),
        (idx_bytes(X) + b"\0", "hold 188,160 bytes .* got more"),
        (idx_bytes(X[:0]), r"shape \(n, 28, 28\), got \(0, 28, 28\)"),
        (idx_bytes(X[:, :14]), r"shape \(n, 28, 28\), got \(240, 14, 28\)"),
        (idx_bytes(X[:200]), "hold 200 labels, one a picture, got the shape"),
        (idx_bytes(X, (2**32 - 1, 28, 28)), "at most .* got 3,367,254,359,280 promised"),
        (gzip.compress(idx_bytes(X, (2**32 - 1, 2**32 - 1, 2**32 - 1))), "at most .* promised"),
    ],
    ids=["empty", "magic", "labels", "header", "short", "long", "none", "size", "count", "huge", "huge-gz"],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_bad_file_of_pictures_is_one_line(
    tmp_path: Path, images: bytes, message: str, zipped: bool
) -> None:
    write_idx(tmp_path, "train", X, Y)
    if zipped and images[:2] != b"\x1f\x8b":
        images = gzip.compress(images, 1)
        message = message.replace("at most .* got 3,367,254,359,280", "at most .*")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(images)
    one_line(tmp_path, message)


def test_labels_are_checked(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", X, Y + 5)
    one_line(tmp_path, "whole numbers from 0 to 9, got 5 to 14")
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    one_line(tmp_path, "must hold train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz beside")


def test_a_cut_off_gzip_is_one_line(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", X, Y, ".gz")
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-2_000])
    one_line(tmp_path, "must be a readable idx file, got EOFError")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "must have an array 'y', got x"),
        ({"x": X.astype(object), "y": Y}, "got 'x' of Python objects, which are never loaded"),
        ({"x": X.astype(float), "y": Y}, "unsigned bytes .* got float64"),
        ({"x": X, "y": Y[:-1]}, r"240 labels, one a picture, got the shape \(239,\)"),
        ({"x": X, "y": np.full(240, "A")}, "whole numbers from 0 to 9, got <U1"),
        ({"x": X, "y": np.full(240, np.nan)}, "whole numbers from 0 to 9, got nan"),
    ],
)
def test_a_bad_npz_is_one_line(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "n.npz", **arrays)
    one_line(tmp_path / "n.npz", message)


def test_a_truncated_npz_is_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "n.npz", x=X, y=Y)
    whole = (tmp_path / "n.npz").read_bytes()
    for length in (0, 10, 1_000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "n.npz").write_bytes(whole[:length])
        one_line(tmp_path / "n.npz", "must be a readable .npz")
    broken = bytearray(whole)
    broken[5_000] ^= 255
    (tmp_path / "n.npz").write_bytes(broken)
    one_line(tmp_path / "n.npz", "must be a readable .npz, got BadZipFile: Bad CRC-32")


def test_places_without_pictures_are_one_line(tmp_path: Path) -> None:
    one_line(tmp_path / "nowhere", "must be a folder or an .npz, got .*, which does not exist")
    one_line(tmp_path, "must hold train-images-idx3-ubyte or the like, got an empty folder", "mnist")
    one_line(tmp_path, "must have at least 2 subfolders of pictures, one a class, got none")
    (tmp_path / "A").mkdir()
    (tmp_path / "B").mkdir()
    one_line(tmp_path, "must have subfolders A to J of pictures, got A, B")
    one_line(Path(), "which does not exist|or the like", "mnist")
    with pytest.raises(UserError, match="must be your copy of notMNIST"):
        load(ImagesConfig("notmnist"), 0)


def test_a_promise_of_a_billion_rows_takes_no_memory(tmp_path: Path) -> None:
    idx, npz = tmp_path / "big", tmp_path / "big.npz"
    idx.write_bytes(gzip.compress(idx_bytes(X, (10**6, 10**3, 10**3)) + bytes(10**6)))
    np.savez_compressed(npz, x=X)
    code = f"""
import resource, sys, zipfile, io
import numpy as np
from pathlib import Path
from whyfit.experiments.data.idx import read_idx
from whyfit.experiments.data.npz import read_npz
from whyfit.experiments.errors import UserError
head = io.BytesIO()
np.lib.format.write_array_header_1_0(head, {{"descr": "<f4", "fortran_order": False, "shape": (10**12, 784)}})
with zipfile.ZipFile({str(npz)!r}, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("x.npy", head.getvalue() + bytes(10**6))
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26,) * 2)
for read in (lambda: read_idx(Path({str(idx)!r}), 3), lambda: read_npz(Path({str(npz)!r}), ["x"])):
    try:
        read()
    except UserError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert "1,000,000,000,000 promised" in first
    assert "3,136,000,000,000,128 bytes that its header promises, got 1,000,128" in second


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    trap = np.empty(20, object)
    trap[:] = [Trap()] * 20
    np.savez(tmp_path / "trap.npz", x=X, y=trap)
    with pytest.raises(UserError, match="never loaded"):
        read_npz(tmp_path / "trap.npz", ["x", "y"])
    assert not (tmp_path / "sprung").exists()


def test_config_refuses_empty_splits() -> None:
    with pytest.raises(ValueError, match="validation must be at least 1, got 0"):
        ImagesConfig(validation=0)


@needs_shared
def test_real_notmnist_has_its_duplicates() -> None:
    data = read(SHARED / "notmnist", drop_duplicates=True)
    dropped = int(data.notes[0].split()[0].replace(",", ""))
    assert dropped == 196
    assert len(data.train) + len(data.validation) + len(data.test) == 10_000 - 196
    assert data.notes[1].count(" 0 of ") == 3
    assert np.bincount(data.test.y).std() < 10
    assert not read(SHARED / "notmnist").notes[0].startswith("equal pictures: 0 of test")


@needs_shared
def test_real_mnist_is_read_whole() -> None:
    x = read_idx(SHARED / "mnist" / "t10k-images-idx3-ubyte.gz", 3)
    assert x.shape == (10_000, 28, 28)
    data = read(SHARED / "mnist", "mnist")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [50_000, 10_000, 10_000]
    assert {picture.tobytes() for picture in data.test.x} == {picture.tobytes() for picture in x}
    assert data.mean == pytest.approx(33.3, abs=0.2)


@needs_shared
def test_fashion_mnist_comes_through_keras() -> None:
    code = "from whyfit.experiments.data.splits import load\n"
    code += "from whyfit.experiments.data.config import SOURCES\n"
    code += "d = load(SOURCES['fashion-mnist'], 0); print(d.train.x.shape, d.test.x.shape, d.class_names[9])"
    environment = {"KERAS_HOME": str(SHARED), "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "(50000, 28, 28) (10000, 28, 28) Ankle boot\n", done.stderr
