"""What can be stored in a file, what can't, and what readers are told."""

import json
import os
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.mixture import BayesianGaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch import nn

import skae
from skae import (
    Autoencoder,
    AutoencoderOutlierDetector,
    BlendRecommender,
    ModelFileError,
    ShallowRecommender,
    VariationalAutoencoder,
    _versions,
)
from skae.losses import HuberLoss
from skae.networks import DenseAutoencoder
from skae.persistence import _container
from skae.persistence._classes import own_classes

from ..estimators import DropoutNetwork, frozen
from .hostile import parts_of, sealed

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(40, 4))


@pytest.fixture(scope="module")
def model(rows):
    return Autoencoder(2, **SMALL).fit(rows)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skae"


def through_file(model, path, **kwargs):
    skae.save(model, path, training=True)
    return skae.load(path, **kwargs)


def rewritten(path, **texts):
    """Change what the header of a file says, and its checksum."""
    header, data = parts_of(path.read_bytes())
    header["__metadata__"].update(texts)
    path.write_bytes(sealed(header, data))


class Noisy(Callback):
    """A user's callback."""

    def __init__(self, sink=print):
        self.sink = sink


class Layers(nn.Module):
    """A user's network, given as an instance: of layers of torch, one of them used twice."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.BatchNorm1d(4)])
        self.again = self.layers[0]

    def encode(self, x):
        return self.again(self.layers[1](self.layers[0](x)))

    def decode(self, z):
        return z


# ------------------------------------------------------------------ what is stored


def test_equal_models_have_equal_files(model, rows, path):
    skae.save(model, path)
    first = path.read_bytes()

    skae.save(Autoencoder(2, **SMALL).fit(rows), path)

    assert path.read_bytes() == first


def test_is_a_file_of_safetensors(model, path):
    skae.save(model, path)

    with safe_open(path, "numpy") as file:
        texts, arrays = file.metadata(), [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118

    assert (texts["format"], texts["schema"], texts["estimator"]) == ("skae", "1", "Autoencoder")
    assert json.loads(texts["versions"])["numpy"] == np.__version__
    weight = model.module_.encoder[0].weight.detach().numpy()
    assert any(np.array_equal(array, weight) for array in arrays)


def test_training_goes_on_where_it_was(model, rows, path):
    stored = through_file(model, path)

    assert frozen(stored) == frozen(model)
    assert frozen(stored.partial_fit(rows)) == frozen(through_file(model, path).partial_fit(rows))


def test_lean_file_has_no_more_than_the_averaged_weights(model, path):
    weights = sum(each.nbytes for each in map(np.asarray, model.net_.state()["average"].values()))

    skae.save(model, path)

    length = int.from_bytes(path.read_bytes()[:8], "little")
    assert path.stat().st_size - 8 - length <= weights + model._fitted_recipe.units.offset.nbytes


def test_lean_file_may_be_fitted_anew(model, rows, path):
    skae.save(model, path)

    again = skae.load(path).fit(rows)

    assert frozen(again) == frozen(Autoencoder(2, **SMALL).fit(rows))


def test_lean_recommender_keeps_no_rows(rows, path):
    histories = (rows > 0).astype(float)
    recommender = ShallowRecommender(2, random_state=0).partial_fit(histories)
    expected = recommender.recommend(histories)

    skae.save(recommender, path)

    stored = skae.load(path)
    assert stored._sums is None
    np.testing.assert_array_equal(stored.recommend(histories), expected)


@pytest.mark.parametrize(
    "params",
    [
        {"loss": HuberLoss, "criterion__delta": 2.0},
        {"loss": HuberLoss(2.0)},
        {"optimizer": torch.optim.Adagrad},
        {"module": DenseAutoencoder, "module__linear_skip": False},
        {"device": torch.device("cpu")},
        {"callbacks": [LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1)]},
        {"callbacks": [("stop", EarlyStopping("train_loss"))]},
        {"random_state": np.random.RandomState(3)},
        {"lr": np.float32(0.01), "tol": np.float64(0.0)},
    ],
    ids=lambda params: next(iter(params)),
)
def test_parameters_that_are_objects(params, rows, path):
    model = Autoencoder(2, **{**SMALL, **params}).fit(rows)

    stored = through_file(model, path)

    np.testing.assert_array_equal(stored.transform(rows), model.transform(rows))
    np.testing.assert_array_equal(
        stored.partial_fit(rows).transform(rows), model.partial_fit(rows).transform(rows)
    )


@pytest.mark.parametrize(
    "step",
    [
        *(MaxAbsScaler(), MinMaxScaler(), Normalizer(), PowerTransformer(), RobustScaler()),
        *(
            StandardScaler(),
            QuantileTransformer(n_quantiles=9),
            SimpleImputer(),
            PCA(3),
            TruncatedSVD(3),
        ),
        make_pipeline(StandardScaler(), PCA(3)),
    ],
    ids=lambda step: type(step).__name__,
)
def test_pipeline(step, rows, path):
    pipeline = make_pipeline(step, Autoencoder(2, **SMALL)).fit(rows)

    stored = through_file(pipeline, path)

    np.testing.assert_array_equal(stored.transform(rows), pipeline.transform(rows))


@pytest.mark.parametrize("encoder", [OneHotEncoder(sparse_output=False), OrdinalEncoder()])
def test_encoder_of_text(encoder, path):
    X = np.array([["a", "x"], ["b", "y"], ["a", "zzz"]] * 10)
    for rows in (X, X.astype(object)):
        encoder.fit(rows)
        np.testing.assert_array_equal(
            through_file(encoder, path).transform(rows), encoder.transform(rows)
        )


def test_mixture(rows, path):
    mixture = BayesianGaussianMixture(n_components=2, random_state=0).fit(rows)

    stored = through_file(mixture, path)

    np.testing.assert_array_equal(stored.score_samples(rows), mixture.score_samples(rows))


def test_frame_with_categories_and_dates(path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "ä": np.arange(20.0),
            "$": pd.Categorical(list("xy") * 10),
            "day": pd.date_range("2020-01-01", periods=20),
        }
    )
    model = VariationalAutoencoder(2, **SMALL).fit(frame)

    stored = through_file(model, path)

    pd.testing.assert_frame_equal(stored.sample(5, random_state=0), model.sample(5, random_state=0))
    with pytest.raises(ValueError, match="feature names"):
        stored.transform(frame.rename(columns={"ä": "a"}))


def test_array_order_is_kept(path):
    scaler = StandardScaler().fit(np.eye(3))
    scaler.extra_ = [np.ones((2, 3), order="F"), np.ones((3, 2))[::2], np.array(5, ">i4")]
    scaler.text_ = np.array([["a", "bcd"]])
    scaler.odd_ = {1: {2, 3}, (4,): b"\0", "nan": float("nan"), "c": 1j, "m": np.datetime64("2020")}
    scaler.same_ = scaler.mean_

    stored = through_file(scaler, path)

    assert stored.extra_[0].flags.f_contiguous
    assert not stored.extra_[0].flags.c_contiguous
    assert stored.same_ is stored.mean_
    assert frozen(stored.odd_) == frozen(scaler.odd_)
    for actual, expected in zip(stored.extra_, scaler.extra_, strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert stored.text_.tolist() == [["a", "bcd"]]


# ------------------------------------------------------------------ types


def test_network_of_ones_own_must_be_given(rows, path):
    model = Autoencoder(2, module=DropoutNetwork, max_epochs=1).fit(rows)
    skae.save(model, path)

    with pytest.raises(ModelFileError, match=r"DropoutNetwork', .* load\(path, types=\[\.\.\.\]\)"):
        skae.load(path)

    stored = skae.load(path, types=[DropoutNetwork])
    np.testing.assert_array_equal(stored.transform(rows), model.transform(rows))


def test_class_of_a_script_is_found_by_its_name(rows, path, monkeypatch):
    monkeypatch.setattr(Layers, "__module__", "__main__")
    monkeypatch.setattr(__import__("__main__"), "Layers", Layers, raising=False)
    model = Autoencoder(4, module=Layers(), max_epochs=1).fit(rows)
    skae.save(model, path)
    monkeypatch.setattr(Layers, "__module__", __name__)

    stored = skae.load(path, types=[Layers])

    np.testing.assert_array_equal(stored.transform(rows), model.transform(rows))
    assert stored.module.again.weight is stored.module.layers[0].weight


def test_other_parts_must_be_given(rows, path):
    model = Autoencoder(2, callbacks=[Noisy()], **SMALL)
    pipeline = make_pipeline(VarianceThreshold(), model).fit(rows)
    skae.save(pipeline, path)

    stored = skae.load(path, types=[Noisy, VarianceThreshold, print])

    np.testing.assert_array_equal(stored.transform(rows), pipeline.transform(rows))


def test_types_are_classes():
    with pytest.raises(TypeError, match="types must hold classes or functions, got 'os'"):
        skae.load("model.skae", types=["os"])


def test_names_of_own_classes_are_unique():
    names = [name for cls, name in {cls: name for name, cls in own_classes()}.items()]

    assert len(names) == len(set(names))


# ------------------------------------------------------------------ what can't be stored

HOLDS_ITSELF: list = []
HOLDS_ITSELF.append(HOLDS_ITSELF)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda x: x, r"<lambda> can't be stored, for nobody could find it by this name"),
        (HOLDS_ITSELF, "is nested too deeply, or holds itself"),
        (np.ma.ones(2), r"StandardScaler\.x_ is a MaskedArray, which can't be stored"),
        (np.ones(1, "f4,f4"), r"\.x_ has the dtype .* which can't be stored"),
        ([{"a": range(2)}], r"\.x_\[0\]\['a'\] is a builtins\.range, which can't be stored"),
        (np.random.default_rng(0), r"\.x_ is a numpy\.random\._generator\.Generator, which"),
    ],
)
def test_value_that_cannot_be_stored(value, message, path):
    scaler = StandardScaler().fit(np.eye(2))
    scaler.x_ = value

    with pytest.raises(ModelFileError, match=message):
        skae.save(scaler, path)

    assert not path.exists()


def test_pipeline_with_a_cache(rows, path, tmp_path):
    pipeline = make_pipeline(StandardScaler(), Autoencoder(2, **SMALL), memory=str(tmp_path))

    with pytest.raises(ModelFileError, match=r"Pipeline\.memory is a cache"):
        skae.save(pipeline.fit(rows), path)


def test_lambda_in_a_pipeline(rows, path):
    pipeline = make_pipeline(FunctionTransformer(lambda x: x), Autoencoder(2, **SMALL)).fit(rows)

    with pytest.raises(ModelFileError, match="define it at the top of a module"):
        skae.save(pipeline, path)


def test_network_with_a_hook(rows, path):
    network = Layers()
    network.register_forward_hook(print)
    model = Autoencoder(4, module=network, max_epochs=0)

    with pytest.raises(ModelFileError, match="has hooks, which are code"):
        skae.save(model.fit(rows), path)


@pytest.mark.parametrize("estimator", [Autoencoder(), make_pipeline(Autoencoder())])
def test_estimator_that_is_not_fitted(estimator, path):
    with pytest.raises(NotFittedError):
        skae.save(estimator, path)
    with pytest.raises(NotFittedError):
        skae.model_card(estimator)


@pytest.mark.parametrize("value", [None, Autoencoder, nn.Linear(1, 1)])
def test_what_is_no_estimator(value, path):
    with pytest.raises(TypeError, match="must be a fitted estimator, got"):
        skae.save(value, path)


# ------------------------------------------------------------------ files


def test_failed_writing_leaves_what_was_there(model, path, monkeypatch):
    path.write_bytes(b"before")
    monkeypatch.setattr(os, "fsync", lambda file: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        skae.save(model, path)

    assert path.read_bytes() == b"before"
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        skae.load(tmp_path / "missing.skae")


def test_too_much_beside_the_arrays(path, monkeypatch):
    monkeypatch.setattr(_container, "_MOST_VALUES", 100)
    scaler = StandardScaler().fit(np.eye(2))
    scaler.x_ = list(range(100))

    with pytest.raises(ModelFileError, match="all that is not an array takes"):
        skae.save(scaler, path)


# ------------------------------------------------------------------ versions


def test_newer_format_names_the_version_that_it_needs(model, path):
    skae.save(model, path)
    rewritten(path, schema="2", needs="1.7")

    with pytest.raises(ModelFileError, match=r"it needs skae 1\.7 or newer, and this is 0\.1"):
        skae.load(path)


def test_file_of_another_version_loads_without_a_word(model, rows, path):
    skae.save(model, path)
    rewritten(path, versions=json.dumps({"skae": "0.0.9"}))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(skae.load(path).transform(rows), model.transform(rows))


@pytest.mark.parametrize(
    "estimator",
    [
        Autoencoder(2, **SMALL),
        AutoencoderOutlierDetector(Autoencoder(1, **SMALL), n_estimators=1),
        ShallowRecommender(),
        BlendRecommender([("a", ShallowRecommender())]),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_state_of_another_version_warns(estimator, rows, monkeypatch):
    estimator.fit(abs(rows))
    monkeypatch.setattr(_versions, "version", lambda: "0.0.9")
    state = estimator.__getstate__()
    monkeypatch.undo()

    with pytest.warns(InconsistentVersionWarning, match=r"stored by skae 0\.0\.9, and this is"):
        type(estimator)().__setstate__(state)


# ------------------------------------------------------------------ devices


def test_device_that_is_not_there(model, path):
    skae.save(model, path)

    with pytest.raises(ModelFileError, match="device='cuda:77' can't be used on this machine"):
        skae.load(path, device="cuda:77")


def test_file_from_a_device_that_is_not_here(model, rows, path):
    stored = through_file(model, path)
    stored.device_ = "cuda:77"

    elsewhere = through_file(stored, path)

    assert elsewhere.device_ == model.device_
    np.testing.assert_array_equal(elsewhere.transform(rows), model.transform(rows))


@pytest.mark.parametrize(
    "estimator",
    [
        Autoencoder(2, **SMALL),
        AutoencoderOutlierDetector(Autoencoder(1, **SMALL), n_estimators=1),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_to_keeps_all(estimator, rows):
    estimator.fit(rows)
    before = frozen(estimator)

    assert estimator.to("cpu") is estimator

    assert frozen(estimator) == before
    with pytest.raises(ValueError, match="can't be used on this machine"):
        estimator.to("cuda:77")
    assert frozen(estimator) == before


def test_to_is_there_where_the_model_has_it():
    assert not hasattr(AutoencoderOutlierDetector(PCA()), "to")
    with pytest.raises(NotFittedError):
        Autoencoder().to("cpu")


# ------------------------------------------------------------------ cards


def test_card_says_what_is_known(rows):
    detector = AutoencoderOutlierDetector(
        Autoencoder(1, **SMALL), n_estimators=2, contamination=0.1, random_state=0
    )
    pipeline = make_pipeline(StandardScaler(), detector).fit(rows)

    card = skae.model_card(pipeline)

    assert card.startswith("# Model card: Pipeline\n")
    assert f"| `offset_` | `{detector.offset_!r}` |" in card
    assert "- 4 features" in card
    assert "| `standardscaler` | `StandardScaler()` |" in card
    assert card.count("*To be filled in:*") == 8


def test_card_lists_columns_without_breaking_tables():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a|`b`\n": np.arange(20.0), "c": list("xy") * 10})

    card = skae.model_card(VariationalAutoencoder(2, **SMALL).fit(frame))

    assert "  - `a\\|'b'`: numbers\n  - `c`: 2 categories\n" in card
    assert "| `max_epochs` | `1` | yes |" in card
    assert "- loss: " in card
