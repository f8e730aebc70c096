"""Write the golden files of a release: ``python tests/persistence/golden/make.py``, once for each.

They stay for ever, and are never written anew: `docs/developers/compatibility.rst`.
"""

from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae

FOLDER = Path(__file__).parent
METHODS = ("transform", "reconstruct", "score_samples", "predict", "decision_function")


def rows() -> np.ndarray:
    """Return rows on a curved surface."""
    random = np.random.default_rng(0)
    codes = random.normal(size=(60, 2))
    return np.tanh(codes @ random.normal(size=(2, 5))) + 0.1 * random.normal(size=(60, 5))


def outputs(model: object, X: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a model gives for rows."""
    return {name: getattr(model, name)(X) for name in METHODS if hasattr(model, name)}


def models(X: np.ndarray) -> dict[str, object]:
    """Return small fitted models of many kinds."""
    small = {"hidden_layer_sizes": (6,), "max_epochs": 3, "random_state": 0}
    net = skae.Autoencoder(2, **small)
    histories = (X > 0.2).astype(float)
    holes = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    return {
        "autoencoder": skae.Autoencoder(2, **small).fit(X),
        "denoiser": skae.AutoencoderDenoiser(**small).fit(X),
        "detector": skae.AutoencoderOutlierDetector(net, n_estimators=2, random_state=0).fit(X),
        "generator": skae.VariationalAutoencoder(2, **small).fit(X),
        "imputer": skae.AutoencoderImputer(n_estimators=1, **small).fit(holes),
        "pipeline": make_pipeline(StandardScaler(), skae.Autoencoder(2, **small)).fit(X),
        "recommender": skae.ShallowRecommender(random_state=0).fit(histories),
        "blend": skae.BlendRecommender(random_state=0).fit(histories),
    }


def main() -> None:
    """Write all files."""
    folder = FOLDER / ".".join(skae.__version__.split(".")[:2])
    folder.mkdir()
    expected = {}
    for name, model in models(rows()).items():
        skae.save(model, folder / f"{name}.skae")
        X = rows()[:10]
        expected[f"{name}.X"] = X = np.abs(X) if hasattr(model, "recommend") else X
        given = outputs(model, X)
        expected |= {f"{name}.{method}": np.asarray(array) for method, array in given.items()}
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main()
