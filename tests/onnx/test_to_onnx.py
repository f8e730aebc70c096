"""Models of ONNX, run by ONNX Runtime."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import skl2onnx
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

import skae
from skae import (
    Autoencoder,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    ImageCompressor,
    ShallowRecommender,
    VariationalAutoencoder,
)
from skae.onnx._export import exported

from .test_graphs import FEW, NEW, Branching, X


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


@pytest.fixture(scope="module")
def autoencoder():
    return Autoencoder(2, **FEW).fit(X)


def test_one_model_has_several_methods_for_any_number_of_rows(autoencoder, tmp_path, capfd):
    methods = ["transform", "reconstruct", "score_samples"]
    with torch.inference_mode():  # as users may call it
        model = skae.to_onnx(autoencoder, tmp_path / "model.onnx", methods)

    assert capfd.readouterr() == ("", "")
    assert model == onnx.load(tmp_path / "model.onnx")
    assert [opset.version for opset in model.opset_import if not opset.domain] == [18]
    assert b"site-packages" not in model.SerializeToString()
    session = session_of(model)
    for n in (1, 7, 40):
        for method, found in zip(methods, session.run(methods, {"X": NEW[:n]}), strict=True):
            expected = getattr(autoencoder, method)(NEW[:n])
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_pipeline_with_a_detector_is_one_model():
    pipeline = make_pipeline(
        StandardScaler(), AutoencoderOutlierDetector(n_estimators=2, random_state=0)
    ).fit(X)
    session = session_of(skae.to_onnx(pipeline, method=["score_samples", "predict"]))

    for n in (1, 7, 40):
        scores, labels = session.run(["score_samples", "predict"], {"X": NEW[:n]})
        np.testing.assert_allclose(scores, pipeline.score_samples(NEW[:n]), rtol=1e-3)
        np.testing.assert_array_equal(labels, pipeline.predict(NEW[:n]))


def test_skl2onnx_knows_a_step_before_others():
    pipeline = make_pipeline(Autoencoder(2, **FEW), LogisticRegression()).fit(X, X[:, 0] > 0)
    model = skl2onnx.to_onnx(pipeline, X[:1], target_opset=18, options={"zipmap": False})

    probabilities = session_of(model).run(["probabilities"], {"X": NEW})[0]

    np.testing.assert_allclose(probabilities, pipeline.predict_proba(NEW), atol=1e-5)


def test_samples_come_from_noise_of_the_width_that_the_model_says():
    model = VariationalAutoencoder(2, **FEW).fit(X)
    session = session_of(skae.to_onnx(model, method="sample"))
    (noise,) = session.get_inputs()

    rows = session.run(None, {"noise": np.zeros((7, noise.shape[1]), np.float32)})[0]

    assert noise.shape[1] == 1 + 6  # which Gaussian, and where in it
    assert rows.shape == (7, 6)
    assert (rows == rows[0]).all()


class SmallLogarithm(nn.Module):
    """A graph whose digits would be lost to the 1."""

    def width_of(self, method):
        return 1

    def transform(self, x):
        return x.log1p()


def test_logarithm_of_one_and_little_keeps_its_digits():
    x = np.array([[1e-6], [1e-3], [1.0]], np.float32)
    model = exported(SmallLogarithm(), ["transform"], torch.float32, "SmallLogarithm")

    np.testing.assert_allclose(session_of(model).run(None, {"X": x})[0], np.log1p(x), rtol=1e-6)


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (AutoencoderImputer(), "every pattern of missing cells"),
        (ShallowRecommender(), "its rows are sparse"),
        (ImageCompressor(), "it gives byte strings"),
        (StandardScaler(), "StandardScaler has no ONNX form; those that have one are Autoencoder"),
    ],
)
def test_estimators_without_an_onnx_form_say_why(estimator, reason):
    with pytest.raises(skae.onnx.OnnxExportError, match=reason):
        skae.to_onnx(estimator)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "predict"}, "method='predict' of Autoencoder has no ONNX form; those that"),
        ({"method": ["transform", "inverse_transform"]}, "inverse_transform takes codes"),
        ({"method": []}, "must be a name"),
        ({"method": ["transform", "transform"]}, "different names"),
        ({"dtype": "float16"}, "dtype='float16' must be one of"),
    ],
)
def test_wrong_parameters(autoencoder, params, message):
    with pytest.raises(ValueError, match=message):
        skae.to_onnx(autoencoder, **params)


def test_methods_that_a_pipeline_lacks(autoencoder):
    with pytest.raises(skae.onnx.OnnxExportError, match="'reconstruct' of a pipeline that ends"):
        skae.to_onnx(make_pipeline(StandardScaler(), autoencoder), method="reconstruct")


def test_step_that_skl2onnx_does_not_know(autoencoder):
    pipeline = make_pipeline(FunctionTransformer(np.tanh), autoencoder)

    with pytest.raises(skae.onnx.OnnxExportError, match="skl2onnx could not convert"):
        skae.to_onnx(pipeline)


def test_error_of_a_step_of_ours_is_its_own():
    pipeline = make_pipeline(StandardScaler(), Autoencoder(2, module=Branching, **FEW)).fit(X)

    with pytest.raises(skae.onnx.OnnxExportError, match="must not branch on data"):
        skae.to_onnx(pipeline)


def test_import_skae_loads_nothing_of_onnx():
    code = "import sys, skae; skae.Autoencoder; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert {"onnx", "onnxscript", "skl2onnx"}.isdisjoint(result.stdout.split())


def test_missing_packages_are_named(autoencoder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)

    with pytest.raises(ImportError, match=r'pip install "skae\[onnx\]"'):
        skae.to_onnx(autoencoder)
