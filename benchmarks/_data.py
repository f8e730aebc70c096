"""Data sets of the benchmarks: scaled, split, and read from folders that the user has.

digits, breast_cancer, wine, iris and diabetes come with scikit-learn. The others are read from the
folder that the environment variable SKAE_DATA names (olivetti, mnist, those of ADBench, those in
the folder tabular, and those of users and their items in the folder recommender) or from the Debian
package dataset-fashion-mnist. What is missing ends the program with a sentence that says so.
"""

import csv
import gzip
import io
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.io import loadmat
from scipy.sparse import csr_array
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skae.metrics import hide_items

Labelled = tuple[pd.DataFrame, np.ndarray]

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class Split:
    """Training and test rows (float32) of a labelled data set."""

    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


@dataclass(frozen=True)
class Table:
    """Training and test rows as frames; `target` is the column that the others foretell."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: str


@dataclass(frozen=True)
class Histories:
    """Users x items, 1 where the user has the item: of training, and of users never seen in it.

    For those of validation and test, a random 20 % of each user's items are hidden.
    """

    train: csr_array
    valid_shown: csr_array
    valid_hidden: csr_array
    test_shown: csr_array
    test_hidden: csr_array


def data_path(*parts: str) -> Path:
    """Return a path inside the folder SKAE_DATA, or end the program if there is none."""
    folder = os.environ.get("SKAE_DATA")
    if not folder:
        raise SystemExit(
            f"{'/'.join(parts)} is needed: set the environment variable SKAE_DATA to the folder "
            "of the benchmark data (see benchmarks/README.md)."
        )
    return _existing(Path(folder, *parts), "see benchmarks/README.md for what SKAE_DATA holds")


def _digits() -> Split:
    digits = load_digits()
    return _random_split(digits.data / 16, digits.target)


def _breast_cancer() -> Split:
    cancer = load_breast_cancer()
    return _standardized(_random_split(cancer.data, cancer.target))


def _olivetti() -> Split:
    faces = loadmat(data_path("olivetti", "olivettifaces.mat"))["faces"].T
    return _random_split(faces / 255, np.repeat(np.arange(40), 10))


def _fashion_mnist() -> Split:
    return _idx_split(FASHION_MNIST, "install the Debian package dataset-fashion-mnist")


def _adult() -> Split:
    """Numeric columns beside one-hot categories, of which "?" is one; all standardised."""
    numeric = [0, 2, 4, 10, 11, 12]
    categorical = [1, 3, 5, 6, 7, 8, 9, 13]

    def read(part: str) -> np.ndarray:
        packed = data_path("tabular", "adult", f"adult-{part}.csv.gz").read_bytes()
        text = io.StringIO(gzip.decompress(packed).decode())
        return np.array([row for row in csv.reader(text, skipinitialspace=True) if row])

    train, test = read("train"), read("test")
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encoder.fit(train[:, categorical])

    def table(cells: np.ndarray) -> np.ndarray:
        numbers = cells[:, numeric].astype(float)
        return np.hstack([numbers, encoder.transform(cells[:, categorical])])

    def income(cells: np.ndarray) -> np.ndarray:
        return np.char.startswith(cells[:, 14], ">50K").astype(int)

    return _standardized(Split(table(train), table(test), income(train), income(test)))


LOADERS: Mapping[str, Callable[[], Split]] = {
    "digits": _digits,
    "olivetti": _olivetti,
    "fashion_mnist": _fashion_mnist,
    "breast_cancer": _breast_cancer,
    "adult": _adult,
}


def digits_halves(seed: int) -> Split:
    """Return a random half of the digits for training and the other half for the test."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    return Split(*train_test_split(X, y, test_size=0.5, random_state=seed, stratify=y))


def mnist() -> Split:
    """Return 60,000 handwritten digits of 28 x 28 pixels for training and 10,000 for the test."""
    return _idx_split(data_path("mnist"), "see benchmarks/README.md for what SKAE_DATA holds")


def hypothyroid() -> Labelled:
    """Return the patients, with their missing values, and which of them have the disease."""
    text = gzip.decompress(data_path("tabular", "hypothyroid", "hypothyroid.arff.gz").read_bytes())
    lines = text.decode().partition("@data")[2].split()
    cells = [line.split(",") for line in lines if not line.startswith("%")]
    table = pd.DataFrame(cells).replace("?", None)
    y = (table.pop(table.shape[1] - 1) != "negative").to_numpy()
    for name in table.columns:
        try:
            table[name] = table[name].astype(float)
        except ValueError:
            table[name] = table[name].astype(object)
    table.columns = [f"c{name}" for name in table.columns]
    return table, y


def nsl_kdd(part: str) -> Labelled:
    """Return network flows of a part of the data, and which of them are attacks."""
    path = data_path("tabular", "nsl-kdd", f"{part}.txt.gz")
    table = pd.read_csv(path, header=None)
    table = table.drop(columns=42)
    y = (table.pop(41) != "normal").to_numpy()
    table.columns = [f"c{name}" for name in table.columns]
    return table, y


def _labelled_halves(read: Callable[[], Labelled], target: str) -> Callable[[int], Table]:
    """Without missing values: medians, a category of its own, and no columns without any value."""

    def halves(seed: int) -> Table:
        frame, y = read()
        frame = frame.dropna(axis="columns", how="all").rename(columns=str)
        frame[target] = np.where(y, "yes", "no") if y.dtype == bool else y
        table = _halves(frame, target, seed)
        filling = {
            name: table.train[name].median() if is_numeric_dtype(frame[name]) else "missing"
            for name in frame
        }
        dtypes = {name: str for name, value in filling.items() if value == "missing"}
        train, test = (part.fillna(filling).astype(dtypes) for part in (table.train, table.test))
        return Table(train, test, target)

    return halves


def _adult_frames(seed: int) -> Table:
    """The official split; "?" is a category."""
    names = [
        "age",
        "workclass",
        "fnlwgt",
        "education",
        "education_num",
        "marital_status",
        "occupation",
        "relationship",
        "race",
        "sex",
        "capital_gain",
        "capital_loss",
        "hours_per_week",
        "native_country",
        "income",
    ]

    def read(part: str) -> pd.DataFrame:
        path = data_path("tabular", "adult", f"adult-{part}.csv.gz")
        frame = pd.read_csv(path, header=None, names=names, skipinitialspace=True)
        frame["income"] = frame["income"].str.rstrip(".")
        return frame

    return Table(read("train"), read("test"), "income")


def _bundled(load: Callable[..., Any]) -> Callable[[int], Table]:
    def halves(seed: int) -> Table:
        data = load(as_frame=True)
        frame = data.frame
        if "target_names" in data:
            frame["target"] = np.asarray(data.target_names)[frame["target"]]
        return _halves(frame, "target", seed)

    return halves


TABLES: Mapping[str, Callable[[int], Table]] = {
    "adult": _adult_frames,
    "nsl-kdd": _labelled_halves(lambda: nsl_kdd("KDDTrain+_20Percent"), "attack"),
    "california_housing": _labelled_halves(lambda: _california_housing(), "value"),
    "hypothyroid": _labelled_halves(hypothyroid, "sick"),
    "horse_colic": _labelled_halves(lambda: _horse_colic(), "surgical"),
    "breast_cancer": _bundled(load_breast_cancer),
    "wine": _bundled(load_wine),
    "iris": _bundled(load_iris),
    "diabetes": _bundled(load_diabetes),
}


def _adult_training() -> Labelled:
    frame = _adult_frames(seed=0).train.replace("?", np.nan)
    return frame, frame.pop("income").eq(">50K").to_numpy()


def _horse_colic() -> Labelled:
    """Horses with colic, and whether surgery was needed; columns of few values are categories."""
    path = data_path("tabular", "horse_colic", "horse-colic.csv")
    frame = pd.read_csv(path, header=None, na_values="?")
    surgical = frame.pop(23).eq(1).to_numpy()
    frame = frame.drop(columns=[2, 24, 25, 26])  # the hospital's number and codes of the lesion
    few = [name for name in frame if frame[name].nunique() <= 7]
    categories = frame[few].map("{:g}".format, na_action="ignore").astype(object)
    return frame.assign(**{str(name): categories[name] for name in few}).drop(columns=few), surgical


def _california_housing() -> Labelled:
    """Blocks of houses, and what a house costs there, in units of 100,000 dollars."""
    frame = pd.read_csv(data_path("tabular", "california_housing", "housing.csv"))
    return frame, frame.pop("median_house_value").to_numpy() / 1e5


def _of_scikit_learn(load: Callable[..., Any]) -> Callable[[], Labelled]:
    return lambda: load(return_X_y=True, as_frame=True)


def _adbench(name: str) -> Callable[[], Labelled]:
    def read() -> Labelled:
        with np.load(data_path("adbench", f"{name}.npz")) as file:
            return pd.DataFrame(file["X"]), file["y"].astype(bool).ravel()

    return read


# Frames with the cells that are missing from the start, and targets: numbers or classes.
LABELLED: Mapping[str, Callable[[], Labelled]] = {
    "adult": _adult_training,
    "hypothyroid": hypothyroid,
    "horse_colic": _horse_colic,
    "breast_cancer": _of_scikit_learn(load_breast_cancer),
    "diabetes": _of_scikit_learn(load_diabetes),
    "wine": _of_scikit_learn(load_wine),
    "digits": _of_scikit_learn(load_digits),
    "7_Cardiotocography": _adbench("7_Cardiotocography"),
    "47_yeast": _adbench("47_yeast"),
    "20_letter": _adbench("20_letter"),
    "44_Wilt": _adbench("44_Wilt"),
    "35_SpamBase": _adbench("35_SpamBase"),
    "california_housing": _california_housing,
}


def _ml_100k() -> tuple[np.ndarray, np.ndarray]:
    """Ratings of 4 and 5."""
    ratings = np.loadtxt(data_path("recommender", "ml-100k", "ml-100k.inter"), skiprows=1)
    return tuple(ratings[ratings[:, 2] >= 4, :2].astype(int).T)


def _citeulike_a() -> tuple[np.ndarray, np.ndarray]:
    """Articles in people's libraries; a line holds how many, and which."""
    lines = data_path("recommender", "citeulike-a", "users.dat").read_text().splitlines()
    articles = [line.split()[1:] for line in lines]
    users = np.repeat(np.arange(len(articles)), [len(row) for row in articles])
    return users, np.array([article for row in articles for article in row], dtype=int)


def _lastfm() -> tuple[np.ndarray, np.ndarray]:
    """Artists listened to, however often."""
    path = data_path("recommender", "lastfm", "user_artists.dat")
    return tuple(np.loadtxt(path, dtype=int, skiprows=_header_lines(path.read_text()))[:, :2].T)


def _anime() -> tuple[np.ndarray, np.ndarray]:
    """Series watched, rated or not."""
    with zipfile.ZipFile(data_path("recommender", "anime", "anime.zip")) as archive:
        text = archive.read("anime/anime_history.dat").decode()
    lines = io.StringIO(text)
    return tuple(np.loadtxt(lines, dtype=int, skiprows=_header_lines(text))[:, :2].T)


def _header_lines(text: str) -> int:
    return 0 if text[0].isdigit() else 1


INTERACTIONS: Mapping[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "ml-100k": _ml_100k,
    "citeulike-a": _citeulike_a,
    "lastfm": _lastfm,
    "anime": _anime,
}


def interactions(name: str) -> csr_array:
    """Return users with at least 5 items, and items with at least one user, as ones (float32)."""
    users, items = INTERACTIONS[name]()
    _, users, n_items = np.unique(users, return_inverse=True, return_counts=True)
    keep = n_items[users] >= 5
    users, items = (np.unique(ids[keep], return_inverse=True)[1] for ids in (users, items))
    X = csr_array((np.ones(len(users), np.float32), (users, items)))
    X.data[:] = 1  # what is listed twice counts once
    return X


def histories(name: str, seed: int) -> Histories:
    """Split users as Liang et al. (WWW 2018): 80 % for training, 10 % each for choices and test.

    Items without users in the training are dropped. Who then has fewer than 5 has none hidden.
    """
    X = interactions(name)
    rng = np.random.RandomState(seed)
    n_held_out = X.shape[0] // 10
    users = rng.permutation(X.shape[0])
    train = X[users[: -2 * n_held_out]]
    items = np.flatnonzero(train.sum(axis=0))

    def parts(rows: np.ndarray) -> tuple[csr_array, csr_array]:
        return hide_items(X[rows][:, items], 0.2, min_items=5, random_state=rng.randint(2**31 - 1))

    valid, test = parts(users[-2 * n_held_out : -n_held_out]), parts(users[-n_held_out:])
    return Histories(train[:, items], *valid, *test)


def _halves(frame: pd.DataFrame, target: str, seed: int) -> Table:
    classes = None if pd.api.types.is_numeric_dtype(frame[target]) else frame[target]
    train, test = train_test_split(frame, test_size=0.5, random_state=seed, stratify=classes)
    return Table(train.reset_index(drop=True), test.reset_index(drop=True), target)


def _idx_split(folder: Path, remedy: str) -> Split:
    """Read images and labels from four files as MNIST has them, packed by gzip or not."""

    def read(name: str, header: int) -> np.ndarray:
        path = folder / name
        if path.exists():
            return np.frombuffer(path.read_bytes(), np.uint8, offset=header)
        packed = _existing(folder / f"{name}.gz", remedy).read_bytes()
        return np.frombuffer(gzip.decompress(packed), np.uint8, offset=header)

    def images(part: str) -> np.ndarray:
        return read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 784) / np.float32(255)

    def labels(part: str) -> np.ndarray:
        return read(f"{part}-labels-idx1-ubyte", 8)

    return Split(images("train"), images("t10k"), labels("train"), labels("t10k"))


def _random_split(X: np.ndarray, y: np.ndarray) -> Split:
    return Split(*train_test_split(X.astype(np.float32), y, test_size=0.25, random_state=0))


def _standardized(data: Split) -> Split:
    scaler = StandardScaler().fit(data.X_train)
    X_train, X_test = (scaler.transform(X).astype(np.float32) for X in (data.X_train, data.X_test))
    return Split(X_train, X_test, data.y_train, data.y_test)


def _existing(path: Path, remedy: str) -> Path:
    if not path.exists():
        raise SystemExit(f"{path} does not exist: {remedy}.")
    return path
