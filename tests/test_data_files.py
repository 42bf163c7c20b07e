"""The user's own data: tables, arrays and pictures, as they come and as they should not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from whyfit.experiments.data.columns import encode, parse_column, plan_columns
from whyfit.experiments.data.config import FileConfig
from whyfit.experiments.data.files import encode_rows
from whyfit.experiments.data.splits import Data, load
from whyfit.experiments.errors import UserError


def houses(count: int = 200) -> pd.DataFrame:
    """A table with a column of every kind."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "area": rng.normal(90, 30, count).round(1),
            "city": rng.choice(["Bern", "Genf", "Zug, Stadt"], count),
            "garden": rng.random(count) < 0.5,
            "sold": [f"2021-03-{1 + place % 28:02d}" for place in range(count)],
            "country": "CH",
            "note": [f"house number {place}" for place in range(count)],
            "price": rng.normal(800, 90, count).round(2),
        }
    )


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def read(path: Path, target: str = "price", **options: Any) -> Data:
    return load(FileConfig(str(path), target, **options), 0)


def one_line(path: Path, match: str, target: str = "price", **options: Any) -> None:
    with pytest.raises(UserError, match=match) as caught:
        read(path, target, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_mixed_table(tmp_path: Path, suffix: str) -> None:
    data = read(write(houses(), tmp_path / f"my{suffix}"))
    assert data.name == f"file-my{suffix}"
    assert (data.task, data.train.y.dtype) == ("regression", np.float32)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [140, 30, 30]
    assert data.train.x.shape == (140, 6)  # area, three cities, a garden or none
    assert data.train.x.dtype == np.float32
    assert (data.train.x[:, 1:4].sum(axis=1) == 1).all()
    assert data.mean[0] == pytest.approx(data.train.x[:, 0].mean(), rel=1e-5)
    assert data.variance[0] == pytest.approx(data.train.x[:, 0].var(), rel=1e-5)
    assert (data.mean[1:], data.variance[1:]) == ([0] * 5, [1] * 5)
    assert data.target_mean == pytest.approx(data.train.y.mean(), rel=1e-5)
    assert data.target_deviation == pytest.approx(data.train.y.std(), rel=1e-4)
    notes = "\n".join(data.notes)
    assert "regression (inferred; --data.task overrides)" in notes
    for name, what in {
        "area": "numbers from",
        "city": "3 words, one input each",
        "garden": "2 words",
        "sold": "dates, left out",
        "country": "left out, as all training rows have 'CH'",
        "note": "left out, as most of its 140 texts",
    }.items():
        assert f"column {name!r}: {what}" in notes


def test_csv_and_parquet_give_the_same(tmp_path: Path) -> None:
    csv, parquet = (read(write(houses(), tmp_path / f"my{suffix}")) for suffix in (".csv", ".parquet"))
    assert csv.digest == parquet.digest
    assert csv.reader == parquet.reader


@pytest.mark.parametrize(
    ("values", "task", "names"),
    [
        (["no", "yes"], "binary", ("no", "yes")),
        (["c", "a", "b"], "classification", ("a", "b", "c")),
        ([True, False], "binary", ("False", "True")),
        ([0, 1], "binary", ("0", "1")),
        ([10, 9, 2], "classification", ("2", "9", "10")),
        ([1.5, 2.0], "regression", ()),
        (list(range(20)), "classification", tuple(map(str, range(20)))),
        (list(range(21)), "regression", ()),
    ],
)
def test_the_task_is_inferred_from_the_target(tmp_path: Path, values: list, task: str, names: tuple) -> None:
    frame = pd.DataFrame({"x": np.arange(210) / 7.0, "y": (values * 210)[:210]})
    for path in (tmp_path / "t.csv", tmp_path / "t.parquet"):
        data = read(write(frame, path), "y")
        assert (data.task, data.class_names) == (task, names)
    if names:
        assert data.train.y.dtype == np.int32
        rows = np.rint(data.train.x[:, 0] * 7).astype(int)
        assert [names[label] for label in data.train.y] == [str(values[row % len(values)]) for row in rows]


def test_the_task_can_be_overridden(tmp_path: Path) -> None:
    path = write(pd.DataFrame({"x": np.arange(60) / 7.0, "y": np.arange(60) % 3}), tmp_path / "t.csv")
    assert read(path, "y", task="regression").class_names == ()
    assert read(path, "y", task="classification").class_names == ("0", "1", "2")
    one_line(path, "must have 2 classes for --data.task binary, got 3", "y", task="binary")
    path = write(pd.DataFrame({"x": np.arange(60) / 7.0, "y": list("abc") * 20}), tmp_path / "t.csv")
    one_line(path, "must be numbers for --data.task regression, got 'a'", "y", task="regression")


def test_the_split_is_stratified_and_seeded(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(400.0) / 3, "y": ["rare"] * 20 + ["often"] * 380})
    path = write(frame, tmp_path / "t.csv")
    data = read(path, "y")
    assert [int((split.y == 1).sum()) for split in (data.train, data.validation, data.test)] == [14, 3, 3]
    assert data.digest == read(path, "y").digest
    assert data.digest != load(FileConfig(str(path), "y"), 1).digest


def test_missing_values_are_refused_or_filled_from_train(tmp_path: Path) -> None:
    frame = houses()
    frame["city"] = frame["city"].astype(object)
    frame.loc[:4, "area"] = None
    frame.loc[2:3, "city"] = None
    path = write(frame, tmp_path / "my.csv")
    one_line(path, "no missing values .*, got some in area 5, city 2")
    data = read(path, missing="fill")
    median = np.median(
        [value for value in data.train.x[:, 0] if round(float(value), 1) in set(frame["area"])]
    )
    assert data.reader["columns"][0]["fill"] == pytest.approx(median, abs=0.5)
    assert np.isfinite(data.train.x).all()
    assert "missing in train and filled with the median" in "\n".join(data.notes)
    frame.loc[10:12, "price"] = None
    data = read(write(frame, path), missing="fill")
    assert "3 rows dropped whose 'price' is missing" in data.notes
    assert len(data.train) + len(data.validation) + len(data.test) == 197


def test_equal_rows_are_counted_and_can_be_dropped(tmp_path: Path) -> None:
    path = write(pd.concat([houses(100), houses(100)]), tmp_path / "my.csv")
    assert "equal rows: 0 of test" not in "\n".join(read(path).notes)
    data = read(path, drop_duplicates=True)
    assert "100 rows dropped that equal an earlier one" in data.notes
    assert data.notes[-1].count(" 0 of ") == 3
    assert len(data.train) + len(data.validation) + len(data.test) == 100


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_new_rows_are_read_as_the_old_ones(tmp_path: Path, suffix: str) -> None:
    frame = houses()
    data = read(write(frame, tmp_path / "my.csv"))
    reader = json.loads(json.dumps(data.reader))
    new = frame.drop(columns=["price", "note"]).iloc[:5][["city", "garden", "area", "sold"]]
    path = write(new, tmp_path / f"new{suffix}")
    x = encode_rows(path, reader)
    np.testing.assert_array_equal(x, encode_rows(new, reader))
    np.testing.assert_allclose(x[:, 0], frame["area"][:5], rtol=1e-6)
    whole = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert all((row == whole).all(axis=1).any() for row in x)
    one_row = encode_rows(write(new.iloc[:1], path), reader)
    np.testing.assert_array_equal(one_row, x[:1])


def test_new_rows_with_unseen_words_and_lacking_things(tmp_path: Path) -> None:
    frame = houses()
    reader = read(write(frame, tmp_path / "my.csv")).reader
    new = frame.iloc[:3].assign(city=["Bern", "Basel", "Genf"])
    assert encode_rows(new, reader)[:, 1:4].sum(axis=1).tolist() == [1, 0, 1]
    with pytest.raises(
        UserError, match=r"must have a column, got no 'area' in Area, .*; did you mean 'Area'\?"
    ):
        encode_rows(write(new.rename(columns={"area": "Area"}), tmp_path / "new.csv"), reader)
    with pytest.raises(UserError, match=r"no missing values .* in area 1"):
        encode_rows(write(new.assign(area=[1, None, 3]), tmp_path / "new.csv"), reader)
    with pytest.raises(UserError, match=r"column 'area', row 2 below the header, must be a number.* 'big'"):
        encode_rows(write(new.assign(area=["1", "big", "3"]), tmp_path / "new.csv"), reader)
    with pytest.raises(UserError, match=r"must be one of \.csv, \.parquet, got '\.npz'"):
        (tmp_path / "new.npz").touch()
        encode_rows(tmp_path / "new.npz", reader)
    with pytest.raises(UserError, match="that exists, got none there"):
        encode_rows(tmp_path / "nowhere.csv", reader)


def test_missing_values_of_new_rows_are_filled_where_training_did(tmp_path: Path) -> None:
    reader = read(write(houses(), tmp_path / "my.csv"), missing="fill").reader
    x = encode_rows(houses().iloc[:2].assign(area=[None, 5.0]), reader)
    assert x[:, 0].tolist() == pytest.approx([reader["columns"][0]["fill"], 5])


GOOD = "a,b,y\n" + "".join(f"{place},{place % 7}.5,{['no', 'yes'][place % 2]}\n" for place in range(40))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must be a readable csv file: No columns"),
        ("a,b,y\n", r"must have rows, got 0 rows of 3 columns"),
        (GOOD.replace("\n7,", "\nseven,"), "column 'a', row 8 below the header, .* got 'seven'"),
        (
            GOOD.replace("\n7,", "\ninf,"),
            "column 'a', row 8 below the header, must be a number of at most 3e38, .* got 'inf'",
        ),
        (GOOD.replace("\n7,", "\n,"), "must have no missing values .* in a 1"),
        (GOOD.replace("\n7,", "\nNaN,"), "must have no missing values .* in a 1"),
        (GOOD.replace("yes", "no"), "column 'y' must have at least 2 classes, got 'no' only"),
        (GOOD.replace("y\n", "z\n", 1), r"--data.target as a column, got no 'y' in a, b, z"),
        ("\n".join(GOOD.split("\n")[:6]), "must have at least 10 examples, got 5"),
        (GOOD.replace("a,b", "a,a"), "readable csv file: it has two columns 'a'"),
        (GOOD.replace("\n7,", "\n7,8,"), "readable csv file"),
        (GOOD + "9,1,maybe\n", "at least 3 examples of every class, one for each split, got 1 of 'maybe'"),
        ("y\n" + "no\nyes\n" * 20, "must have a column to predict from, got none that varies"),
        ("d,y\n" + "2021-01-05,no\n2022-01-05,yes\n" * 20, "must have a column to predict from"),
        ("\x00\x01\xff", "must"),
    ],
    ids=[
        "empty",
        "header",
        "text",
        "inf",
        "missing",
        "nan",
        "class",
        "target",
        "few",
        "twice",
        "long",
        "rare",
        "alone",
        "dates",
        "bytes",
    ],
)
def test_a_bad_csv_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode("latin-1"))
    one_line(path, message, "y")


def test_bad_targets_are_one_line(tmp_path: Path) -> None:
    path = write(houses(), tmp_path / "my.csv")
    one_line(path, r"got no 'prise' in area, .*; did you mean 'price'\?", "prise")
    one_line(path, "got no '' in area, city", "")
    one_line(path, "column 'sold' must be numbers or classes, got dates|no missing values", "sold")
    one_line(path, "column 'country' must have at least 2 classes, got 'CH' only", "country")
    one_line(path, "at least 3 examples of every class", "note")


def test_a_bad_parquet_is_one_line(tmp_path: Path) -> None:
    path = write(houses(), tmp_path / "my.parquet")
    whole = path.read_bytes()
    for content in (b"", b"PAR1", whole[: len(whole) // 2], whole[:-3] + b"abc"):
        path.write_bytes(content)
        one_line(path, "must be a readable parquet file")
    write(pd.DataFrame({"x": [[1, 2]] * 20, "price": np.arange(20) / 3}), path)
    one_line(path, "column 'x' must hold numbers or text, got")
    write(houses().assign(area=[1.0, 2.0, np.inf, *range(197)]), path)
    one_line(path, r"column 'area', row 3 below the header, must be a number .* got 'inf'")


def test_paths_that_are_no_data_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--data.path must be .*, got none"):
        load(FileConfig(), 0)
    one_line(tmp_path / "nowhere.csv", "that exists, got none there")
    one_line(tmp_path, "must have at least 2 subfolders of pictures, one a class, got none")
    (tmp_path / "my.pickle").touch()
    one_line(tmp_path / "my.pickle", r"must be one of \.npz, \.csv, \.parquet, got '\.pickle'")


def test_an_index_without_a_name_and_odd_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"x": np.arange(60) / 7, "one": 3.0, "big": 1e9 + np.arange(60) / 9, "y": np.arange(60) / 3}
    )
    frame.to_csv(tmp_path / "my.csv")
    data = read(tmp_path / "my.csv", "y")
    notes = "\n".join(data.notes)
    assert "column 'Unnamed: 0': left out, an index without a name" in notes
    assert "column 'one': left out, as all training rows have '3.0'" in notes
    assert data.train.x.shape == (42, 2)
    assert min(data.variance) > 0


def test_names_and_words_with_line_breaks_are_one_line_each(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a\nb": np.arange(60) / 7, "y": [" no\nway", "yes "] * 30})
    data = read(write(frame, tmp_path / "my.csv"), "y")
    assert data.class_names == ("no way", "yes")
    assert "\n" not in "".join(data.notes)
    np.testing.assert_array_equal(
        encode_rows(frame, data.reader), encode_rows(tmp_path / "my.csv", data.reader)
    )


def test_categories_beyond_the_limit_share_the_unseen() -> None:
    words = pd.Series([f"w{min(place // 2, 150):03d}" for place in range(900)], dtype=object)
    plans, notes = plan_columns(pd.DataFrame({"w": words}))
    assert len(plans[0]["words"]) == 100
    assert "51 rarer ones as unseen" in notes[0]
    x = encode(pd.DataFrame({"w": pd.Series(["w150", "w149"], dtype=object)}), plans)
    assert x.sum(axis=1).tolist() == [1, 0]


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=30))
def test_numbers_as_text_are_the_same_numbers(values: list[float]) -> None:
    parsed = parse_column("here", pd.Series([f" {value!r}" for value in values]))
    assert parsed.to_numpy(np.float32).tolist() == values


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=12, max_size=40))
def test_any_words_are_read_or_refused_in_one_line(tmp_path: Path, words: list[str]) -> None:
    frame = pd.DataFrame({"w": words, "x": np.arange(len(words)) / 7, "y": np.arange(len(words)) / 3})
    path = write(frame, tmp_path / "any.csv")
    try:
        data = read(path, "y")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        np.testing.assert_array_equal(encode_rows(path, data.reader).shape[1], data.train.x.shape[1])


RNG = np.random.default_rng(1)
X = RNG.normal(5, 2, (120, 4)).astype(np.float32)


def test_npz_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    constant = np.c_[X, np.ones(120, np.float32)]
    np.savez(path, x=constant, y=np.array(["no", "yes"])[np.arange(120) % 2][:, None])
    data = read(path)
    assert (data.task, data.class_names) == ("binary", ("no", "yes"))
    assert [np.bincount(split.y).tolist() for split in (data.train, data.validation, data.test)] == [
        [42, 42],
        [9, 9],
        [9, 9],
    ]
    np.testing.assert_allclose(data.mean, data.train.x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(data.variance[:4], data.train.x.var(0)[:4], rtol=1e-4)
    assert data.variance[4] == 1
    np.savez(tmp_path / "new.npz", x=constant[:7])
    np.testing.assert_array_equal(encode_rows(tmp_path / "new.npz", data.reader), constant[:7])
    np.savez(tmp_path / "new.npz", x=np.full((2, 5), 7, np.uint8))
    assert encode_rows(tmp_path / "new.npz", data.reader).dtype == np.float32
    np.savez(tmp_path / "new.npz", x=X)
    with pytest.raises(UserError, match=r"x of the shape \(n, 5\), got \(120, 4\)"):
        encode_rows(tmp_path / "new.npz", data.reader)


def test_npz_of_pictures_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    pictures = RNG.integers(0, 256, (60, 5, 6), dtype=np.uint8)
    np.savez(path, x=pictures, y=RNG.normal(size=60))
    data = read(path)
    assert (data.task, data.train.x.dtype) == ("regression", np.uint8)
    assert data.mean == pytest.approx(data.train.x.mean())
    assert data.variance == pytest.approx(data.train.x.var())
    np.savez(tmp_path / "new.npz", x=pictures / 255)
    with pytest.raises(UserError, match="x of uint8, 0 to 255, as in training, got float"):
        encode_rows(tmp_path / "new.npz", data.reader)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": np.where(X > 9, np.nan, X), "y": X[:, 0]},
            r"finite numbers, .* got \d+ examples with others, first x",
        ),
        ({"x": X.astype(float) * 1e300, "y": X[:, 0]}, "within the range of 32 bits, got 120"),
        ({"x": X, "y": X[1:, 0]}, "one y for each of its 120 x"),
        ({"x": X[:, 0], "y": X[:, 0]}, r"shape \(n, ...\), got float32 of the shape \(120,\)"),
        ({"x": X.astype(str), "y": X[:, 0]}, "must hold x of numbers"),
        ({"x": X, "y": np.where(X[:, 0] > 6, np.nan, 1.0)}, "array 'y', must have no missing values"),
        ({"x": X, "y": X[:, 0] + 1j}, "must hold y of numbers or text, got complex"),
        ({"x": X, "y": np.full(120, b"a")}, r"must hold y of numbers or text, got \|S1"),
        ({"x": X, "y": np.zeros(120, int)}, "must have at least 2 classes, got '0' only"),
        ({"x": X.astype(object), "y": X[:, 0]}, "Python objects, which are never loaded"),
        ({"a": X}, "must have an array 'x', got a"),
    ],
)
def test_a_bad_npz_is_one_line(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    one_line(tmp_path / "bad.npz", message)


def picture_folder(folder: Path, modes: tuple[str, ...] = ("L",), count: int = 12) -> Path:
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(modes[number % len(modes)]).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(("modes", "shape"), [(("L", "1"), (6, 5)), (("L", "RGB", "RGBA", "P"), (6, 5, 3))])
def test_a_folder_of_pictures(tmp_path: Path, modes: tuple[str, ...], shape: tuple[int, ...]) -> None:
    folder = picture_folder(tmp_path / "pets", modes)
    (folder / "cat" / "empty.png").touch()
    (folder / "cat" / "Thumbs.db").touch()
    data = read(folder, "")
    assert (data.train.x.shape[1:], data.train.x.dtype) == (shape, np.uint8)
    assert (data.task, data.class_names, data.name) == ("binary", ("cat", "dog"), "file-pets")
    assert "1 of 25 pictures unreadable and skipped, first empty.png" in data.notes
    (folder / "cat" / "empty.png").unlink()
    x = encode_rows(folder, data.reader)
    cat = Image.open(folder / "cat" / "0.png").convert("RGB" if len(shape) == 3 else "L")
    np.testing.assert_array_equal(x[0], np.asarray(cat))
    np.testing.assert_array_equal(encode_rows(folder / "cat" / "0.png", data.reader)[0], np.asarray(cat))


def test_bad_pictures_are_one_line(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "pets")
    reader = read(folder, "").reader
    Image.new("L", (7, 6)).save(folder / "dog" / "big.png")
    one_line(folder, r"big\.png must have 5x6 pixels as 0\.png is, got 7x6", "")
    with pytest.raises(UserError, match="must have 5x6 pixels, got 7x6"):
        encode_rows(folder / "dog" / "big.png", reader)
    Image.fromarray(np.zeros((6, 5), np.uint16)).save(folder / "dog" / "big.png")
    one_line(folder, "must be grey or colour with 8 bits a channel, got mode I", "")
    (folder / "empty").mkdir()
    one_line(folder, r"empty must hold pictures \(\.png, .*\), got none", "")
    (folder / "empty" / "0.png").write_text("no picture")
    (folder / "dog" / "big.png").unlink()
    one_line(folder, "empty must hold readable pictures, got none in 1 files", "")
    with pytest.raises(UserError, match="must hold readable pictures"):
        encode_rows(folder / "empty" / "0.png", reader)


def test_a_class_of_few_pictures_is_one_line(tmp_path: Path) -> None:
    one_line(picture_folder(tmp_path / "pets", count=2), "at least 10 examples, got 4", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 0.5}, r"test must be in \(0, 0.5\), got 0.5"),
        ({"validation": 0}, r"validation must be in \(0, 0.5\)"),
    ],
)
def test_a_wrong_share_names_field_rule_and_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FileConfig(**options)
